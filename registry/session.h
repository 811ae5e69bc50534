/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_SESSION_H
#define REGISTRY_SESSION_H

#include <stdbool.h>

#include "base/err.h"

/* session - what the remotes of one run have in common: connections, tokens, credentials, and what was
 * learned about hosts.  May be used by several threads; must not cross a fork (open it in the worker that
 * uses it). */

enum session_tls {
	SESSION_TLS_VERIFY, /* https; plain http only for loopback, once TLS was tried */
	SESSION_TLS_SKIP,   /* --tls-verify=false: certificates are not checked, plain http is tried last */
};

struct session_options {
	enum session_tls tls;
	/* Override of what is found in files and helpers; NULL: look there. */
	const char *username, *password;
	const char *registry_token;   /* a bearer token that is sent as it is */
	const char *auth_file;        /* the only file looked into; NULL: the usual ones */
	const char *cert_dir;         /* *.crt, *.cert and *.key for every host; NULL: certs.d */
	unsigned stall_ms;            /* no byte for so long ends a try; 0: 60 s */
	unsigned tries;               /* of each request; 0: 5 */
};
#define SESSION_OPTIONS_INIT { .username = NULL }

struct session;
/* Options are copied.  Touches neither files nor the network yet. */
int session_open(const struct session_options *options, struct session **out, struct err *err);
void session_free(struct session *s);
void auto_session(struct session **s);

#endif
