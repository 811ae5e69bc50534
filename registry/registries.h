/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REGISTRIES_H
#define REGISTRY_REGISTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "registry/ref.h"

/* registries - registries.conf, version 2: which names are rewritten, mirrored, blocked or reached
 * without trust.  (containers-registries.conf(5))
 *
 * $CONTAINERS_REGISTRIES_CONF alone; else ~/.config/containers/registries.conf or
 * /etc/containers/registries.conf, and then *.conf of registries.conf.d beside each, in the order
 * of their names.  Of two tables with one prefix the later counts.  Short names and aliases are not
 * looked at: a name without a host is Docker Hub's. */

#define REGISTRIES_FILE_MAX (1u << 20)
#define REGISTRIES_MIRRORS_MAX 16

enum registries_pull { REGISTRIES_PULL_ALL, REGISTRIES_PULL_DIGEST, REGISTRIES_PULL_TAG };

struct registries_mirror {
	char *location;
	bool insecure;
	enum registries_pull pull;
};
struct registries_rule {
	char *prefix;   /* "r.io", "r.io/ns", "*.r.io" */
	char *location; /* "": as it is written */
	char *file;     /* for messages */
	bool insecure, blocked;
	struct registries_mirror *mirrors;
	size_t mirror_count, mirror_room;
};
struct registries {
	struct registries_rule *rules;
	size_t count, room;
};
#define REGISTRIES_INIT       \
	{                     \
		.rules = NULL \
	}
void registries_free(struct registries *r);
void auto_registries(struct registries *r);

/* file: NULL for the usual ones, "" for none.  One that is missing is fine. */
int registries_load(const char *file, struct registries *out, struct err *err);
/* One document, after those before; out is changed as a whole or not at all. */
int registries_add(
	struct registries *r, const char *text, size_t len, const char *file, struct err *err);

/* The rule with the longest prefix for a name, or NULL. */
const struct registries_rule *registries_rule(const struct registries *r, const struct ref *ref);

/* Where to go for a repository. */
struct endpoint {
	struct ref ref; /* host and repository */
	bool insecure;
	enum registries_pull pull;
};
/* In order, the registry itself last; mirrors only when they are for pulling.  How many, or -1:
 * ERR_DENIED where it is blocked, ERR_INPUT where a rule makes no name. */
int registries_endpoints(const struct registries *r, const struct ref *ref, bool mirrors,
	struct endpoint out[REGISTRIES_MIRRORS_MAX + 1], struct err *err);

#endif
