/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_ROUTE_H
#define REGISTRY_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "registry/hosts.h"
#include "registry/ref.h"
#include "registry/registries.h"
#include "registry/session.h"

/* route - where requests about a repository go, by configuration.  Where registries.conf has a rule
 * for the name, that is all that counts; else hosts.toml of its registry; else the registry. */

#define ROUTE_MAX (REGISTRIES_MIRRORS_MAX + 1)
_Static_assert(HOSTS_MIRRORS_MAX <= REGISTRIES_MIRRORS_MAX, "a route has room for both files'");

struct route_stop {
	struct host *host; /* the session's */
	char repository[256];
	enum registries_pull pull;
	bool no_resolve; /* it is asked for nothing that has only a tag */
	bool no_pull;    /* it is asked what tags mean, and nothing else */
};
struct route {
	struct route_stop stops[ROUTE_MAX]; /* in order, the registry itself last */
	size_t count;                       /* at least one */
	const char *file;                   /* that says so, the session's; NULL: none does */
};

enum route_use { ROUTE_READ, ROUTE_WRITE /* one stop */ };

/* ERR_DENIED where the name is blocked, or nothing may be written. */
int route_find(struct session *s, const struct ref *ref, enum route_use use, struct route *out,
	struct err *err);

#endif
