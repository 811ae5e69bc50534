/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_VIEW_H
#define LAYERS_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "layers/listing.h"

/* view - what is where in the root that a stack of layers makes, from their listings alone.
 *
 * Whiteouts and opaque directories have done their work, hard links have become the file they share,
 * directories that no layer names but something lies in are there (0755, 0:0).  A directory over
 * another keeps what that one holds; all else replaces what was there.  Paths are those of entries:
 * "" is the root, which is always there.
 *
 * A view is read-only and may be used by several threads.  (image-spec layer.md, "Applying
 * Changesets"; for links path_resolution(7), as in a chroot) */

#define VIEW_LINKS_MAX 40 /* the kernel's */

struct view;
/* Lowest layer first.  The listings are lent, and outlive the view; it takes some 25 bytes a file beside them. */
struct view *view_new(const struct listing *const *layers, size_t count);
void view_free(struct view *v);
void auto_view(struct view **v);
size_t view_count(const struct view *v); /* of files, the root included */

struct view_hit {
	/* Never a HARDLINK, WHITEOUT or OPAQUE.  Of a hard link: the file's own entry, whose path is its first
	 * name. */
	struct listed file;
	uint32_t number; /* of that entry, for view_at(): two names of one file have the same */
	bool is_linked;  /* the file may have other names; else it has none */
	size_t layer;    /* which of the listings has it, and so the file's bytes */
	char *path;      /* the file's, all links resolved; owned */
};
#define VIEW_HIT_INIT                               \
	{                                           \
		.file = LISTED_INIT, .path = NULL   \
	}
void auto_view_hit(struct view_hit *hit);

/* The entry of a hit again, and its layer (which may be NULL); or only the last component of its path, not
 * '\0'-ended, or its kind.  Numbers have 31 bits. */
const struct entry *view_at(const struct view *v, uint32_t number, struct listed *out, size_t *layer);
const char *view_name(const struct view *v, uint32_t number, size_t *len);
enum entry_kind view_kind(const struct view *v, uint32_t number, size_t *layer);

/* What a program in this root would find: links are followed, the last one too if follow_last; ".."
 * stops at the root; a path that ends in '/' or "/." names a directory.  ERR_NOTFOUND "... is not there" or
 * "... is not a directory"; ERR_INPUT for more than VIEW_LINKS_MAX links; ERR_CORRUPT for a hard link
 * to what is not there. */
int view_find(const struct view *v, const char *path, bool follow_last, struct view_hit *out,
	struct err *err);

/* What is exactly there, no links followed: &out->entry, or NULL. */
const struct entry *view_entry(const struct view *v, const char *path, struct listed *out);

/* Called for each file with its hit, lent.  0: go on; 1: do not go into this directory; -1: stop, which
 * the walk then returns. */
typedef int view_visitor(const struct view_hit *hit, void *arg, struct err *err);
/* What directory path (no links are followed) holds, sorted by bytes. */
int view_children(const struct view *v, const char *path, view_visitor *visit, void *arg,
	struct err *err);
/* path (no links are followed) and all below it, in the order of layers. */
int view_walk(const struct view *v, const char *path, view_visitor *visit, void *arg, struct err *err);

#endif
