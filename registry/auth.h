/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_AUTH_H
#define REGISTRY_AUTH_H

#include "base/err.h"
#include "base/strv.h"
#include "registry/host.h"
#include "registry/http.h"
#include "registry/scope.h"
#include "registry/session.h"

/* auth - the Authorization of one request, by what its host asked for so far. */

struct auth {
	struct session *session;
	struct host *host;
	const char *repository; /* whose credential; "" : the host's */
	struct scopes scopes;   /* what a token must cover; grows with what is asked for */
	unsigned margin_s;      /* it must live for so long */
	char *token;            /* that was used; owned */
	bool sent_basic;
};
void auth_clear(struct auth *a);
void auto_auth(struct auth *a);

/* Adds the header that is known to be needed, if any. */
int auth_add_header(struct auth *a, struct strv *headers, struct err *err);

/* After a 401.  1: another try may work, 0: it will not. -1. */
int auth_learn(struct auth *a, const struct http_response *r, struct err *err);

#endif
