/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_POLICY_H
#define REGISTRY_POLICY_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"
#include "registry/url.h"

/* policy - who may be sent what.  A registry's answers name other addresses (Location, realm, Link,
 * foreign urls); each of them passes policy_decide() before a byte goes there, and the address
 * that is then connected to is checked against its verdict.
 *
 * A credential belongs to (scheme, host, port) of its registry. */

/* How far inside an address is, least first. */
enum address_class {
	ADDRESS_PUBLIC,
	ADDRESS_PRIVATE,    /* RFC 1918, RFC 6598, fc00::/7 */
	ADDRESS_LOOPBACK,   /* and 0.0.0.0/8, :: */
	ADDRESS_LINK_LOCAL, /* where clouds keep their metadata; multicast and reserved ones as well
			     */
};
enum address_class policy_address(const struct sockaddr *address);
/* As written in a URL: an address or a name; a name that says nothing is public. */
enum address_class policy_host(const char *host);
const char *policy_address_name(enum address_class c); /* "a private" */

enum policy_reason {
	POLICY_REQUEST,  /* our own request to the registry */
	POLICY_REDIRECT, /* Location of a 3xx */
	POLICY_UPLOAD,   /* Location of an upload session */
	POLICY_REALM,    /* where tokens are made */
	POLICY_LINK,     /* the next page */
	POLICY_FOREIGN,  /* urls of a layer */
};

struct policy_verdict {
	bool credential;          /* may be sent there */
	enum address_class reach; /* the innermost address that may be connected to */
};

/* registry: where the credential belongs; at: the class of the address that it was reached at.  An
 * http target is turned into https where only that was forgotten (a registry behind a proxy that
 * ends TLS).  ERR_DENIED with the reason. */
int policy_decide(enum policy_reason reason, const struct url *registry, enum address_class at,
	struct url *target, struct policy_verdict *out, struct err *err);

#endif
