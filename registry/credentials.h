/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_CREDENTIALS_H
#define REGISTRY_CREDENTIALS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/strv.h"

/* credentials - who we are to a registry: one search over what docker and podman keep on disk.
 *
 *	$DOCKER_AUTH_CONFIG                   the document itself
 *	$REGISTRY_AUTH_FILE                   if set, instead of the next two
 *	$XDG_RUNTIME_DIR/containers/auth.json (or /run/containers/UID/auth.json)
 *	$XDG_CONFIG_HOME/containers/auth.json (or ~/.config/...)
 *	$DOCKER_CONFIG/config.json            (or ~/.docker/config.json)
 *	~/.dockercfg
 *
 * In each: credHelpers, then auths, for host/ns/repository, host/ns, host; then credsStore.  The
 *first that has something wins.  Helpers run only when the search comes to them. */

#define CREDENTIALS_FILE_MAX (1u << 20)
#define CREDENTIALS_HELPER_MAX (1u << 20) /* bytes of a helper's output */
#define CREDENTIALS_HELPER_MS 60000
#define CREDENTIALS_HUB_KEY "https://index.docker.io/v1/" /* Docker Hub, in files and to helpers */

/* All owned; NULL: not there.  All NULL: anonymous. */
struct credential {
	char *username, *password;
	char *identity_token; /* a refresh token, for the realm only */
	char *registry_token; /* sent as it is */
	char *source;         /* for people: which file, key and helper */
};
#define CREDENTIAL_INIT          \
	{                        \
		.username = NULL \
	}
void credential_clear(struct credential *c);
void auto_credential(struct credential *c);
bool credential_is_anonymous(const struct credential *c);
/* "Authorization: Basic ..."; password NULL: an empty one. */
void credential_add_basic(const char *username, const char *password, struct strv *headers);

/* host as in struct ref; repository "": the host as a whole.  auth_file: the only file looked into,
 * or NULL.  trail: NULL, or gets a line per place that was looked at and what was found there;
 * never a secret. A helper that is missing or breaks is ERR_INPUT or ERR_REMOTE with its name and
 * the file that names it. */
int credentials_find(const char *auth_file, const char *host, const char *repository,
	struct strv *trail, struct credential *out, struct err *err);

/* What one document says; name is for messages.  is_legacy: the whole document is "auths".
 * 1: found, 0: nothing for this one, -1. */
int credentials_search(const json_t *document, const char *name, bool is_legacy, const char *host,
	const char *repository, struct strv *trail, struct credential *out, struct err *err);

/* Where login writes to: auth_file, $REGISTRY_AUTH_FILE, or docker's config.json. */
void credentials_login_file(const char *auth_file, struct buf *out);
/* Keeps everything else in the file (0600, replaced at once, through a link); into the helper where
 * the file names one.  For login. */
int credentials_store(
	const char *auth_file, const char *host, const struct credential *c, struct err *err);
/* 1: there was one, 0: there was none, -1.  For logout. */
int credentials_erase(const char *auth_file, const char *host, struct err *err);

#endif
