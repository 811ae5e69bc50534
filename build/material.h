/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_MATERIAL_H
#define BUILD_MATERIAL_H

#include "base/err.h"
#include "build/solve.h"

/* material - one layer in a build, in the forms it has: a blob, a tree, a listing.  Whoever needs a
 *form asks for it; the worker that makes it is started once, and asking again later tells when it
 *is there.
 *
 *	blob here   fetched from the registry it came from, or packed from the tree
 *	tree        unpacked from the blob
 *	listing     comes with either; else read from the blob without unpacking
 */

enum material_form { MATERIAL_TREE, MATERIAL_LISTING };

struct material {
	struct layer_record rec;
	struct listing listing;
	bool has_listing;
	bool is_busy;             /* some worker is at it */
	struct plan_image *image; /* the base it belongs to; NULL: made here */
	bool tree_likely;         /* a RUN on it may follow: unpack rather than only list */
};

/* The material of a layer record: one per record of the store. */
struct material *material_of(struct solve *s, const struct layer_record *rec);
/* The layers of a resolved image, and the state they are. */
int materials_of_image(struct solve *s, struct plan_image *image, struct root *r, struct err *err);
/* 1: it is there; 0: it is being made, ask again; -1. */
int material_want_blob(struct solve *s, struct material *m, struct err *err);
/* Likewise, all of a root's. */
int materials_want(struct solve *s, struct root *r, enum material_form form, struct err *err);
/* Known to hold nothing: needs no tree. */
bool material_is_empty(const struct material *m);
/* The blob that the image will have; valid when the blob is there, or is left at the registry.
 */
const struct layer_blob *material_blob(const struct material *m);
void material_free(struct material *m);

/* How workers hand over what they made: a listing in nameless memory, the rest as JSON; how many entries the
 * listing has and their content digest too. */
struct material_writer {
	struct listing_writer listing;
	struct hasher *content; /* NULL: some file's digest is not known */
	uint64_t count;
};
#define MATERIAL_WRITER_INIT { .listing = LISTING_WRITER_INIT }
void auto_material_writer(struct material_writer *w);
void material_writer_begin(struct material_writer *w, int memory, uint64_t count);
int material_writer_add(struct material_writer *w, const struct entry *e, struct err *err);
int material_writer_end(struct material_writer *w, json_t *out, struct err *err);
/* All of it at once. */
int material_write_listing(int memory, const struct listing *l, json_t *out, struct err *err);
int material_read_listing(struct job *j, struct listing *out, struct err *err);
/* What became of a node: its listing and what is known of it. */
int material_take_made(struct job *j, const json_t *result, struct node *n, struct err *err);
void material_made_to_json(const struct layer_made *made, json_t *out);
int material_made_from_json(const json_t *o, struct layer_record *rec, struct err *err);

#endif
