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
	struct buf parents; /* a directory whose parents and itself are there; "": none */
	/* of one source: */
	const struct view *origin;
	size_t place;           /* that the origin belongs to, or COPY_ORIGIN */
	struct copy_slots seen; /* files of the origin that have other names -> item */
	bool is_unpacking;      /* --chmod does not count for what an archive needs */
	size_t root_len; /* of the source's root in origin paths; exclude patterns start there */
};

/* What is at path, no links followed at the end; what is not there is no error. */
bool copy_get(const struct view *view, const char *path, struct view_hit *out);

/* What is at path in the destination, what this instruction put there included; or NULL.  It is in *out. */
struct copy_found {
	struct copied item;
	struct view_hit hit;
};
#define COPY_FOUND_INIT                                                 \
	{                                                               \
		.item = COPIED_INIT, .hit = VIEW_HIT_INIT               \
	}
void auto_copy_found(struct copy_found *found);
const struct entry *copy_dest_find(const struct copy *c, const char *path, struct copy_found *out);
/* What this instruction put there: an item, or COPY_SLOT_NONE. */
size_t copy_item_at(const struct copy *c, const char *path);
bool copy_dest_is_dir(const struct copy *c, const char *path);
/* The path with every link in it followed, whether or not it leads to something; appended. */
int copy_dest_resolve(const struct copy *c, const char *path, struct buf *out, struct err *err);
/* *e, which does not belong to the list, replaces what was put at its path; source: of its bytes; NULL: it has
 * none. */
size_t copy_put(struct copy *c, const struct entry *e, const struct copy_source *source);
/* Every directory above path. */
int copy_put_parents(struct copy *c, const char *path, struct err *err);
/* A directory of the destination as it is (have), or a new one (NULL). */
void copy_put_dir(struct copy *c, const char *path, const struct entry *have);
/* The directory that a source's contents go to: its own mode and owner count when it is there, the source's
 * never. */
int copy_put_top(struct copy *c, const char *path, int64_t mtime, struct err *err);
/* One file, link, device or directory (without its contents) of the origin to exactly path.  A name of a
 * file that is copied already becomes a hard link; else the file itself, under the first name that is met. */
int copy_put_one(struct copy *c, const struct view_hit *hit, const char *path, struct err *err);
struct entry copy_new_dir(const struct copy *c, const char *path /* lent */);

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
