/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REALM_H
#define REGISTRY_REALM_H

#include "base/err.h"
#include "registry/credentials.h"
#include "registry/host.h"
#include "registry/policy.h"
#include "registry/session.h"
#include "registry/token.h"
#include "registry/url.h"

/* realm - a token server: asks it for a token.  An identity token is POSTed; where the server does
 * not know that, and for passwords and nobody, it is a GET.  Passwords go there by policy only. */

/* registry: where the credential belongs, reached at an address of that class; tls: how it is
 * trusted, or NULL.  ERR_DENIED when the server or policy says no. */
int realm_fetch(struct session *s, const struct url *registry, enum address_class at,
	const struct http_tls *tls, const struct token_key *key,
	const struct credential *credential, struct token *out, struct err *err);

#endif
