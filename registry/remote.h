/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REMOTE_H
#define REGISTRY_REMOTE_H

#include "base/err.h"
#include "base/strv.h"
#include "registry/place.h"
#include "registry/ref.h"
#include "registry/session.h"

/* remote - one repository of a registry, as a place. (distribution-spec 1.1)
 *
 *	AUTO(session) struct session *s = NULL;
 *	AUTO(place) struct place *p = NULL;
 *	session_open(&options, &s, err); remote_open(s, &ref, REMOTE_PULL, &p, err);
 *	p->ops->resolve(p, ref_name(&ref), &d, err);
 *
 * Errors: ERR_NOTFOUND, ERR_DENIED, ERR_REMOTE (another try may help), ERR_CORRUPT; their text has
 *the method, the URL without secrets, the status and the registry's own words. */

enum remote_access {
	REMOTE_PULL,
	REMOTE_PUSH,   /* and pull */
	REMOTE_DELETE, /* and pull */
};

/* The session is lent and must outlive the place.  Touches neither files nor the network yet. */
int remote_open(struct session *s, const struct ref *repository, enum remote_access access,
	struct place **out, struct err *err);

/* What only a registry can do; p must come from remote_open. */

/* Another repository of the same registry that may have some of the blobs: what is put into p is
 * then mounted from there instead of sent, where the registry lets us.  Repositories of base images
 * are good ones. */
void remote_mount_from(struct place *p, const char *repository);

/* All tags, sorted by bytes, added to out. */
int remote_tags(struct place *p, struct strv *out, struct err *err);
/* A tag, or a digest with everything that is tagged so. */
int remote_delete(struct place *p, const char *name, struct err *err);
/* Repositories of the host, in its order, added to out. */
int remote_repositories(struct session *s, const char *host, struct strv *out, struct err *err);
/* Whether the credentials are accepted (what `login` asks): ERR_DENIED when they are not. */
int remote_login(struct session *s, const char *host, struct err *err);

#endif
