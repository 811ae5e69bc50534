/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_REMOTE_FLAGS_H
#define CMD_REMOTE_FLAGS_H

#include <stdbool.h>

#include "cmd/opt.h"
#include "registry/session.h"

/* remote_flags - the options of every command that talks to a registry. */

struct remote_flags {
	bool tls_verify;
	const char *creds, *auth_file, *cert_dir, *token, *signature_policy;
	unsigned tries;
};
#define REMOTE_FLAGS_DEFAULT { .tls_verify = true }

#define REMOTE_OPTIONS(type, field)                                                             \
	OPT_BOOL(0, "tls-verify", type, field.tls_verify,                                       \
		"check certificates (the default); =false allows any, and plain HTTP"),         \
		OPT_STR(0, "creds", type, field.creds, "user:password",                         \
			"log in so, instead of with what auth files and helpers know"),         \
		OPT_STR(0, "registry-token", type, field.token, "token",                        \
			"send this bearer token"),                                              \
		OPT_STR(0, "authfile", type, field.auth_file, "path",                           \
			"look for credentials in <path> only"),                                 \
		OPT_STR(0, "cert-dir", type, field.cert_dir, "dir",                             \
			"take CA and client certificates from <dir>"),                          \
		OPT_UINT(0, "retry", type, field.tries, "count",                                \
			"try each request <count> times (5)")

/* And of those that bring images from there. */
#define TRUST_OPTION(type, field)                                            \
	OPT_STR(0, "signature-policy", type, field.signature_policy, "path", \
		"let in what the policy.json in <path> allows")

/* *owned is what out points into, for free(). */
int remote_flags_session(const struct remote_flags *f, char **owned, struct session_options *out,
	struct err *err);
/* The session, whose options nobody else needs. */
int remote_flags_open(const struct remote_flags *f, struct session **out, struct err *err);

#endif
