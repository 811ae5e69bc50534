/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_SYNC_LIST_H
#define REGISTRY_SYNC_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"
#include "registry/semver.h"

/* sync_list - what is to be copied to where, a line each:
 *
 *	# images for the shop
 *	alpine:3.20           r.example/mirror/alpine:3.20
 *	debian                r.example/mirror/debian     tags=12*,stable not=*-backports
 *	quay.io/team/app      r.example/mirror/app        semver=>=1.2,<2 referrers
 *	dir:files             oci:out:files               platform=linux/amd64
 *
 * Source, target, and words: tags= and not= are patterns of a shell, semver= a range (see semver.h); with
 * any of them the line stands for many tags, which keep their names; and with a source whose last component
 * is a star, for all repositories below the others. */

#define SYNC_LIST_MAX (4u << 20) /* bytes */
#define SYNC_LIST_ROWS_MAX 100000

struct sync_row {
	unsigned line;
	char *source, *target; /* without "/" and the star */
	bool has_all;          /* all repositories below source */
	struct strv tags, not;
	struct semver_range *semver; /* NULL: any */
	char *platform;              /* NULL: all */
	bool referrers;
};
struct sync_list {
	struct sync_row *rows;
	size_t count, room;
};
#define SYNC_LIST_INIT { .rows = NULL }
void auto_sync_list(struct sync_list *l);

/* ERR_INPUT says the line. */
int sync_list_parse(const char *bytes, size_t len, struct sync_list *out, struct err *err);
/* It stands for tags that are looked up, not for one image. */
bool sync_row_is_many(const struct sync_row *r);
/* Whether that tag is meant.  Those that hold signatures and the like of others (sha256-...) are not,
 * unless a pattern begins so. */
bool sync_row_has(const struct sync_row *r, const char *tag);

#endif
