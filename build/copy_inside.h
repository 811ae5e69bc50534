/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_COPY_INSIDE_H
#define BUILD_COPY_INSIDE_H

#include "build/copy.h"
#include "build/copy_slots.h"

/* copy_inside - what the parts of copy share. */

struct copy {
	const struct copy_request *r;
	struct copy_list *list;
	struct copy_slots slots; /* path in the layer -> item */
	/* of one source: */
	const struct view *origin;
	size_t place;           /* that the origin belongs to, or COPY_ORIGIN */
	struct copy_slots seen; /* path in the origin -> item, for hard links */
	bool is_unpacking;      /* --chmod does not count for what an archive needs */
	size_t root_len; /* of the source's root in origin paths; exclude patterns start there */
};

/* What is at path in the destination, what this instruction put there included; or NULL. */
const struct entry *copy_dest_find(const struct copy *c, const char *path);
/* The path with every link in it followed, whether or not it leads to something; appended. */
int copy_dest_resolve(const struct copy *c, const char *path, struct buf *out, struct err *err);
/* *e is taken, and replaces what was put at its path. */
struct copy_item *copy_put(struct copy *c, struct entry *e);
/* Every directory above path. */
int copy_put_parents(struct copy *c, const char *path, struct err *err);
struct entry copy_new_dir(const struct copy *c, const char *path);
/* One file, link, device or directory (without its contents) of the origin to exactly path. */
int copy_put_one(struct copy *c, const struct view_hit *hit, const char *path, struct err *err);
/* What directory `from` of the origin holds, without what is excluded, into directory `to`. */
int copy_put_contents(struct copy *c, const char *from, const char *to, struct err *err);
bool copy_is_excluded(const struct copy *c, const char *from);
char *copy_below(const char *dir, const char *name); /* for free() */

/* One source of COPY --parents. */
int copy_put_with_parents(struct copy *c, const char *source, struct err *err);

void copy_candidate_add(const struct copy *c, const char *path);
/* The archive that the file `path` of the current origin is; NULL: none. */
const struct copy_place *copy_find_archive(const struct copy *c, const char *path);
int copy_put_archive(
	struct copy *c, const struct copy_place *archive, const char *to, struct err *err);

#endif
