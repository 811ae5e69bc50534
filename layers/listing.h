/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_LISTING_H
#define LAYERS_LISTING_H

#include "base/buf.h"
#include "base/err.h"
#include "layers/digest.h"
#include "layers/entry.h"

/* listing - the entries of one layer, sorted, without their bytes.  With the listings of an image's
 * layers one can answer what is where (see view.h) without unpacking or mounting anything: that is
 * how COPY finds its destination in a base that was never unpacked. */

struct listing {
	struct entry *entries; /* sorted by entry_compare, no duplicates */
	size_t count;
	size_t room;
};
#define LISTING_INIT { .entries = NULL }

void listing_free(struct listing *l);
void auto_listing(struct listing *l);
/* A copy of *e, or with listing_take *e itself (which is then empty). */
void listing_add(struct listing *l, const struct entry *e);
void listing_take(struct listing *l, struct entry *e);
/* Sorts; of several entries with one path the last added wins, as in a tar archive (a hardlink or file
 * is replaced by what came later); an OPAQUE stays beside its DIR. */
void listing_sort(struct listing *l);
/* Of the names of one file the first becomes the entry that has the file, all others HARDLINKs to that,
 * as tree_walk has it; so a tar archive in this order can be unpacked.  Links to what the listing does not
 * have stay as they are.  Sorted before and after. */
void listing_order_links(struct listing *l);
/* Of kind other than OPAQUE; NULL if none. */
const struct entry *listing_find(const struct listing *l, const char *path);

/* A compact binary form for the store; format version inside.  ERR_CORRUPT for anything else, at most
 * LISTING_MAX bytes. */
#define LISTING_MAX (1u << 30)
void listing_format(const struct listing *l, struct buf *out);
int listing_parse(const char *bytes, size_t len, struct listing *out, struct err *err);

/* A digest over names, kinds, modes, owners, links, devices, xattrs and (where known) bytes, never
 * times: two layers with the same content digest change a root in the same way.  Empty when a file's digest
 * is unknown. */
void listing_content_digest(const struct listing *l, struct digest *out);

#endif
