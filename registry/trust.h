/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_TRUST_H
#define REGISTRY_TRUST_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "registry/place.h"
#include "registry/ref.h"
#include "registry/session.h"

/* trust - policy.json: which images may come from registries.  (containers-policy.json(5))
 *
 * ~/.config/containers/policy.json, else /etc/containers/policy.json; where there is neither, all
 * may.  Of "transports", "docker" counts: the scope host/repository:tag (or @digest), then
 * host/repository, host/namespace, host, *.domain, ""; then "default".  All requirements of the
 * first scope that is there must hold:
 *
 *	insecureAcceptAnything, reject
 *	sigstoreSigned    with keyPath, keyPaths, keyData or keyDatas: a signature as cosign keeps it,
 *	                  by one of the keys, whose identity matches signedIdentity
 *	signedBy          (GPG), and sigstoreSigned with fulcio, pki or rekor keys, cannot be checked
 *	                  here, and refuse
 *
 * A file that cannot be read, or has a word that is not known, refuses everything. */

#define TRUST_FILE_MAX (1u << 20)
#define TRUST_KEYS_MAX 16

struct trust {
	char *file;       /* NULL: nobody says anything */
	json_t *document; /* checked; NULL likewise */
};
#define TRUST_INIT           \
	{                    \
		.file = NULL \
	}
void trust_free(struct trust *t);
void auto_trust(struct trust *t);

/* file: NULL for the usual ones, "" for none.  ERR_DENIED where it cannot be used. */
int trust_load(const char *file, struct trust *out, struct err *err);
int trust_parse(
	const char *text, size_t len, const char *file, struct trust *out, struct err *err);

/* The requirements for ref (lent, a list), and the scope that has them ("default" for that). */
const json_t *trust_requirements(const struct trust *t, const struct ref *ref, const char **scope);

/* Whether the identity in a signature ("docker-reference") is what a signedIdentity (NULL: the
 * default, matchRepoDigestOrExact) wants for ref. */
bool trust_identity_matches(const json_t *wanted, const struct ref *ref, const char *signed_as);

/* Whether root, which p has under ref, may be used; of an index a signature of it counts for all,
 * else one of the manifest for platform (NULL: the host's), unless all of it is wanted.
 * ERR_DENIED says why not, and which file says so. */
int trust_check(const struct trust *t, struct place *p, const struct ref *ref,
	const struct descriptor *root, const struct platform *platform, bool all_platforms,
	struct err *err);
/* The same by the session's own policy. */
int trust_check_remote(struct session *s, struct place *p, const struct ref *ref,
	const struct descriptor *root, const struct platform *platform, bool all_platforms,
	struct err *err);

#endif
