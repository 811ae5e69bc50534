/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_ROLL_H
#define LAYERS_ROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "layers/entry.h"
#include "layers/listing.h"
#include "layers/stream.h"

/* roll - the entries of many layers, in a nameless file, and what is where in a stack of them.
 *
 * It answers what a view (view.h) answers, by the same rules, in memory that does not grow with the image:
 * entries are written to the file in sorted runs, and a walk merges the runs.  A look-up costs some reads
 * of the file, so what asks often and has room for it takes a view.
 *
 *	r = roll_new(fd); roll_begin(r); roll_add(r, &e, err)...; roll_end(r, &slot, err);
 *	AUTO(roll_walk) struct roll_walk *w = roll_walk_new(r, &stack);
 *	roll_walk_start(w, "usr/lib", err); while (roll_walk_next(w, &item, err) == 1) ...
 *
 * One thread. */

#define ROLL_TEXT_MAX 16384            /* bytes of a path or link's target */
#define ROLL_SIZE_MAX (UINT64_C(8) << 30) /* bytes of the file */
#define ROLL_SLOTS_MAX 4096            /* layers */
#define ROLL_LINKS_MAX 40              /* on one path, as the kernel */
#define ROLL_CHAIN_MAX 64              /* hard links to hard links */

struct roll;
/* Takes fd, an empty file that nobody else has. */
struct roll *roll_new(int fd);
void roll_free(struct roll *r);
void auto_roll(struct roll **r);
void roll_run_size(struct roll *r, size_t bytes); /* for tests: how much is sorted in memory */

/* One layer: its entries in any order; of several with one path the last counts, as in a tar archive.
 * roll_end gives it a number.  A layer that is begun again before its end is forgotten. */
void roll_begin(struct roll *r);
int roll_add(struct roll *r, const struct entry *e, struct err *err);
int roll_end(struct roll *r, size_t *out_slot, struct err *err);
/* All of a listing. */
int roll_add_listing(struct roll *r, const struct listing *l, struct err *err);

/* Layers upon each other: those at the positions from first on, lowest first; what is below first is not
 * known yet.  slots has one for each position, those below first unused; both lent. */
struct roll_stack {
	const size_t *slots;
	size_t first, count;
};

/* What is somewhere.  Of the attributes only whether they are the same can be told. */
struct roll_item {
	struct entry entry; /* its path is where it is; xattrs are empty */
	size_t layer;       /* the position in the stack that has it */
	struct digest xattrs; /* of names and values; empty: it has none */
	bool is_opaque; /* a directory that hides what lower layers have in it */
	bool is_implied; /* a directory that no layer names; layer is one that has something in it */
};
#define ROLL_ITEM_INIT { .layer = 0 }
void roll_item_free(struct roll_item *i);
void auto_roll_item(struct roll_item *i);

/* A walk gives everything at a path (no links are followed) and below it, in the order of layers.  It may be
 * started again and again. */
struct roll_walk;
struct roll_walk *roll_walk_new(const struct roll *r, const struct roll_stack *s);
void roll_walk_free(struct roll_walk *w);
void auto_roll_walk(struct roll_walk **w);
/* Also give what is removed from layers that are not known: items of kind ENTRY_WHITEOUT. */
void roll_walk_whiteouts(struct roll_walk *w);
/* Only layers at positions below top are looked at; roll_walk_start has all. */
int roll_walk_start_below(struct roll_walk *w, const char *path, size_t top, struct err *err);
int roll_walk_start(struct roll_walk *w, const char *path, struct err *err);
/* 1, 0 at the end, -1.  What *out held is freed. */
int roll_walk_next(struct roll_walk *w, struct roll_item *out, struct err *err);
/* Goes on behind what the item given last holds. */
int roll_walk_skip(struct roll_walk *w, struct err *err);
/* Layers at positions below this have nothing to say about the path where the walk started. */
size_t roll_walk_floor(const struct roll_walk *w);

/* Look-ups.  They give 1; 0 where only the layers below the stack's first could tell; -1. */

/* The file itself, which *item, a HARDLINK, shares (item->entry.path stays): kind, size and all else become
 * that file's, layer that of its bytes, and *bytes_path (owned, may be NULL) the name it has there.
 * ERR_CORRUPT where there is none. */
int roll_link(struct roll_walk *w, struct roll_item *item, char **bytes_path, struct err *err);
/* What a program in this root would find, as view_find() says.  w's own walk is given up.  Where 0 is returned
 * *bytes_path is the path to ask the layers below for. */
int roll_find(struct roll_walk *w, const char *path, bool follow_last, struct roll_item *out,
	char **bytes_path, struct err *err);

/* Reading a layer's archive ---------------------------------------------------------------------- */

/* capture - the bytes of one file of a layer, taken on the way. */
enum capture_found {
	CAPTURE_NOTHING,
	CAPTURE_FILE,  /* fd has its bytes */
	CAPTURE_LINK,  /* it is a hard link to `link` */
	CAPTURE_OTHER, /* it is no file */
};
struct capture {
	const char *path; /* wanted; lent */
	int fd;           /* where the bytes go, from its start; lent */
	bool at_once; /* the first of this name is taken, and reading ends with it */
	enum capture_found found;
	char *link; /* owned */
};
void auto_capture(struct capture *c);

struct roll_reading {
	bool digests;            /* of files' bytes */
	struct capture *capture; /* may be NULL */
};
/* Adds what the archive has between roll_begin and roll_end; r NULL: only the capture is wanted.  Reads to the
 * end, and what follows it, unless the capture ends it. */
int roll_read(struct roll *r, struct stream *tar, const struct roll_reading *o, struct err *err);

#endif
