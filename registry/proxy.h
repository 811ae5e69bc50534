/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_PROXY_H
#define REGISTRY_PROXY_H

#include "registry/url.h"

/* proxy - which proxy a URL is asked for through, by the rules people know from Go programs:
 * HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY in either case; NO_PROXY has hosts ("a.b" and
 * what is below it, ".a.b" only what is below), addresses, CIDR ranges, each with or without
 * ":port", or
 * "*"; loopback is never proxied. */

struct proxy_settings { /* lent texts or NULL */
	const char *http, *https, *all, *none;
};

void proxy_environment(struct proxy_settings *out);

/* Lent from the settings; NULL: none. */
const char *proxy_for(const struct proxy_settings *p, const struct url *u);

#endif
