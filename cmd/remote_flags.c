/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/remote_flags.h"

#include <string.h>

#include "base/mem.h"

int
remote_flags_session(
	const struct remote_flags *f, char **owned, struct session_options *out, struct err *err)
{
	struct session_options o = SESSION_OPTIONS_INIT;

	o.tls = f->tls_verify ? SESSION_TLS_VERIFY : SESSION_TLS_SKIP;
	o.auth_file = f->auth_file;
	o.cert_dir = f->cert_dir;
	o.registry_token = f->token;
	o.signature_policy = f->signature_policy;
	o.tries = f->tries;
	if (f->creds != NULL) {
		char *copy, *colon;

		if (strchr(f->creds, ':') == NULL)
			return err_set(err, ERR_USAGE, "'--creds' wants <user:password>");
		copy = xstrdup(f->creds);
		colon = strchr(copy, ':');
		*colon = '\0';
		o.username = copy;
		o.password = colon + 1;
		*owned = copy;
	}
	*out = o;
	return 0;
}

int
remote_flags_open(const struct remote_flags *f, struct session **out, struct err *err)
{
	struct session_options o;
	AUTO(free) char *owned = NULL;

	if (remote_flags_session(f, &owned, &o, err) < 0)
		return -1;
	return session_open(&o, out, err);
}
