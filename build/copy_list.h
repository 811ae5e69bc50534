/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_COPY_LIST_H
#define BUILD_COPY_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "build/dockerfile/heredoc.h"
#include "build/dockerfile/mode.h"
#include "layers/listing.h"
#include "layers/view.h"

/* copy_list - the entries of the layer that a COPY makes, and where the bytes of each come from.
 *
 * Most of them are entries of the origin under the same name in another directory, so an item is the number
 * of one and a directory; what is not has an entry of its own. */

/* A directory of plain files beside the origin: what was fetched for a source of ADD, or an archive among the
 * sources, unpacked. */
struct copy_place {
	/* Fetched: it stands for source number `source`, and `name` in it is copied: a file, or "/". */
	size_t source;
	const char *name;
	const struct view *view;
	/* An archive (view NULL): the file `path` of place `parent` (COPY_ORIGIN: of the origin) holds this. */
	const struct listing *archive;
	size_t parent;
	const char *path;
};
#define COPY_ORIGIN ((size_t)-1)

/* How entries of the origin change on their way. */
struct copy_dress {
	bool has_owner;
	uint32_t uid, gid;
	bool has_mode;
	struct mode mode;
};
/* What an entry becomes in it. */
void copy_dress(const struct copy_dress *d, struct entry *e);

/* Where the bytes of an item come from. */
enum copy_bytes { COPY_NO_BYTES, COPY_FROM_ORIGIN, COPY_FROM_PLACE, COPY_INLINE };

struct copy_list {
	struct copy_item {
		uint32_t entry; /* of the origin's view; or of own, with COPY_IS_OWN */
		uint32_t dir;   /* where in dirs its directory's path is; COPY_NO_DIR: it is at the top */
	} * items;              /* sorted as layers are */
	size_t count, room;
	struct buf dirs; /* paths, each '\0'-ended */
	uint32_t dir;    /* the last one */
	struct listing own;
	struct copy_source {
		uint32_t number; /* of the entry in its view or archive, or of the heredoc */
		uint32_t place : 30, bytes : 2;
	} * sources; /* one for each of own */
	size_t source_room;
	/* lent, but for the array of places */
	const struct view *origin;
	struct copy_place *places;
	const struct heredoc *files;
	struct copy_dress dress;
};
#define COPY_IS_OWN 0x80000000
#define COPY_NO_DIR UINT32_MAX
#define COPY_LIST_INIT                                                            \
	{                                                                         \
		.dirs = BUF_INIT, .dir = COPY_NO_DIR, .own = LISTING_INIT         \
	}
void copy_list_free(struct copy_list *l);
void auto_copy_list(struct copy_list *l);

/* An item as it is read; it and the list lend what it points to. */
struct copied {
	struct entry entry; /* as it will be in the layer */
	enum copy_bytes bytes;
	size_t layer;     /* FROM_ORIGIN: which layer of its view, FROM_PLACE: which place has the file, */
	const char *from; /* and where */
	const char *text; /* INLINE: entry.size bytes */
	struct listed listed, source;
	struct buf path;
};
#define COPIED_INIT                                                                  \
	{                                                                            \
		.listed = LISTED_INIT, .source = LISTED_INIT, .path = BUF_INIT       \
	}
void auto_copied(struct copied *c);
const struct entry *copy_list_at(const struct copy_list *l, size_t i, struct copied *out); /* &out->entry */

/* For who makes it.  An item for an entry of the origin, under its own name in directory dir[0..len). */
struct copy_item copy_list_origin(struct copy_list *l, uint32_t number, const char *dir, size_t len);
struct copy_item copy_list_own(struct copy_list *l, const struct entry *e, const struct copy_source *source);
bool copy_list_is_at(const struct copy_list *l, size_t i, const char *path);
void copy_list_sort(struct copy_list *l);

/* Whether any file is the origin's; out (may be NULL) gets of which layers: true, else it is left as it
 * is. */
bool copy_list_layers(const struct copy_list *l, bool *out);

/* A digest over what the list brings: paths, kinds, modes, owners, links, xattrs and bytes, never
 * times. Empty where a file's digest is not known. */
void copy_content_digest(const struct copy_list *l, struct digest *out);

#endif
