/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REGISTRIES_H
#define REGISTRY_REGISTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"
#include "registry/ref.h"

/* registries - registries.conf, version 2: which names are rewritten, mirrored, blocked or reached
 * without trust, and what short ones stand for.  (containers-registries.conf(5))
 *
 * $CONTAINERS_REGISTRIES_CONF alone; else ~/.config/containers/registries.conf or
 * /etc/containers/registries.conf, and then *.conf of registries.conf.d beside each, in the order
 * of their names; and the aliases that podman has learned, in ~/.cache/containers/
 * short-name-aliases.conf (root: below /var/cache), which is only read.  Of two tables with one
 * prefix, and of two aliases of one name, the later counts. */

#define REGISTRIES_FILE_MAX (1u << 20)
#define REGISTRIES_MIRRORS_MAX 16
#define REGISTRIES_SEARCH_MAX 16

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
/* What to do with a short name that has no alias, and several registries to look for it. */
enum registries_short {
	REGISTRIES_SHORT_ANY,  /* "permissive", "disabled": the first registry that has it */
	REGISTRIES_SHORT_NONE, /* "enforcing": there is nobody who could be asked which */
};
struct registries_alias {
	char *name, *target; /* "debian", "docker.io/library/debian" */
	char *file;
};
struct registries {
	struct registries_rule *rules;
	size_t count, room;
	struct registries_alias *aliases;
	size_t alias_count, alias_room;
	struct strv search; /* for short names */
	char *search_file;  /* NULL: nobody says */
	enum registries_short mode;
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

/* What ref may stand for, in the order to look for it: itself where it was said with a host, or
 * where nothing is configured for it.  How many; -1: ERR_INPUT for an alias or registry that makes
 * no name. */
int registries_names(const struct registries *r, const struct ref *ref,
	struct ref out[REGISTRIES_SEARCH_MAX], struct err *err);
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
