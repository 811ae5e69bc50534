/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_LISTING_H
#define LAYERS_LISTING_H

#include "base/buf.h"
#include "base/err.h"
#include "layers/digest.h"
#include "layers/entry.h"

/* listing - the entries of one layer, sorted, without their bytes.  With the listings of an image's
 * layers one can answer what is where (see view.h) without unpacking or mounting anything: that is
 * how COPY finds its destination in a base that was never unpacked.
 *
 * Layers may have hundreds of thousands of files, so entries are packed: some 40 bytes each and 32 for a
 * digest.  They are read one at a time, by listing_at(); or as a file of the store, which is the same bytes
 * mapped. */

struct listing {
	struct buf bytes; /* records: see listing_record.h; room 0: a file's, mapped, and never written */
	uint32_t *places; /* where in bytes each entry is, in their order */
	size_t count;
	size_t room;
	size_t dir; /* where the text is that the last record has its directory from; 0: nowhere */
};
#define LISTING_INIT { .bytes = BUF_INIT }

void listing_free(struct listing *l);
void auto_listing(struct listing *l);
/* A copy of *e; listing_take also frees e's members. */
void listing_add(struct listing *l, const struct entry *e);
void listing_take(struct listing *l, struct entry *e);
/* All that from has is behind what out has; from is then empty. */
void listing_move(struct listing *from, struct listing *out);

/* One entry as it is read: what it points to belongs to it and to the listing, and lasts until either
 * changes. */
struct listed {
	struct entry entry;
	struct buf path;
	struct xattr *xattrs;
	size_t xattr_room;
};
#define LISTED_INIT { .path = BUF_INIT }
void auto_listed(struct listed *out);
const struct entry *listing_at(const struct listing *l, size_t i, struct listed *out); /* &out->entry */
/* Parts of it at less cost, not '\0'-ended, lent: the last component of its path, and what is before that
 * ("": nothing).  Entries of one directory mostly have the same text, not only an equal one. */
enum entry_kind listing_kind(const struct listing *l, size_t i);
const char *listing_name(const struct listing *l, size_t i, size_t *len);
const char *listing_dir(const struct listing *l, size_t i, size_t *len);

/* Entry i becomes *e, which is at the same place in the order. */
void listing_set(struct listing *l, size_t i, const struct entry *e);
/* The digest of a FILE.  Where it has one already this moves nothing, so that several threads may do it to
 * several entries. */
void listing_set_digest(struct listing *l, size_t i, const struct digest *d);
/* Only entries whose stays[i] is true are left. */
void listing_filter(struct listing *l, const bool *stays);

/* Sorts; of several entries with one path the last added wins, as in a tar archive (a hardlink or file
 * is replaced by what came later); an OPAQUE stays beside its DIR. */
void listing_sort(struct listing *l);
/* Of the names of one file the first becomes the entry that has the file, all others HARDLINKs to that,
 * as tree_walk has it; so a tar archive in this order can be unpacked.  Links to what the listing does not
 * have stay as they are.  Sorted before and after. */
void listing_order_links(struct listing *l);
/* The entry at path of kind other than OPAQUE; LISTING_NONE if there is none.  l is sorted. */
#define LISTING_NONE SIZE_MAX
size_t listing_find(const struct listing *l, const char *path);

/* A compact binary form for the store; format version inside, and older versions are read as well. */
#define LISTING_MAX (1u << 30)
void listing_format(const struct listing *l, struct buf *out); /* appends */
/* The same from fd's position on, without having it in memory. */
int listing_write(const struct listing *l, int fd, struct err *err);
/* ERR_CORRUPT for anything that is not such a form, or larger than LISTING_MAX. */
int listing_parse(const char *bytes, size_t len, struct listing *out, struct err *err);
/* All of a file, which nobody may cut short as long as the listing is in use: it is mapped.  fd is not
 * needed afterwards. */
int listing_open(int fd, struct listing *out, struct err *err);
/* The memory of one that was opened goes back to the system, until it is read again. */
void listing_release(const struct listing *l);

/* The form, entry by entry, for a listing that is never in memory: they come sorted, without duplicates, and
 * are as many as was said. */
struct listing_writer {
	int fd; /* -1: all stays in out */
	struct buf out;
	uint64_t written; /* bytes that are no longer in out */
	uint64_t dir;     /* where the last directory's text is, of the whole */
	struct buf dir_text;
};
#define LISTING_WRITER_INIT                                               \
	{                                                                 \
		.fd = -1, .out = BUF_INIT, .dir_text = BUF_INIT           \
	}
void auto_listing_writer(struct listing_writer *w);
void listing_writer_begin(struct listing_writer *w, uint64_t count);
int listing_writer_add(struct listing_writer *w, const struct entry *e, struct err *err);
int listing_writer_end(struct listing_writer *w, struct err *err); /* what is in out is at fd */

/* A digest over names, kinds, modes, owners, links, devices, xattrs and (where known) bytes, never
 * times: two layers with the same content digest change a root in the same way.  Empty when a file's digest
 * is unknown. */
void listing_content_digest(const struct listing *l, struct digest *out);
/* The same, entry by entry: the hasher's SHA-256 is it, once all were added.  False: e's digest is not
 * known, so there is none. */
bool listing_content_add(struct hasher *h, const struct entry *e);

#endif
