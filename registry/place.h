/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_PLACE_H
#define REGISTRY_PLACE_H

#include <stdbool.h>

#include "base/err.h"
#include "layers/oci.h"
#include "layers/stream.h"

/* place - anywhere images live: the store, a registry's repository, an OCI layout, an archive.  Pull,
 * push, save, load and copy are one function, place_copy(), between two of them.
 *
 * All verbs may be called from several threads at once. */

struct place;

struct place_ops {
	const char *scheme; /* "docker", "oci", "docker-archive", "store": for messages */
	/* A tag or "algorithm:hex" to the descriptor of a manifest or index; name NULL: the only one there
	 * is.  ERR_NOTFOUND names what was looked for and where. */
	int (*resolve)(struct place *p, const char *name, struct descriptor *out, struct err *err);
	/* Makes name mean d, whose bytes the place has; atomic. */
	int (*tag)(struct place *p, const char *name, const struct descriptor *d, struct err *err);
	/* 1: those bytes are there, 0, -1. */
	int (*has)(struct place *p, const struct descriptor *d, struct err *err);
	/* Pushes the bytes into out (not finished); ERR_CORRUPT when digest or size differ: then what out
	 * got must be thrown away. */
	int (*get)(struct place *p, const struct descriptor *d, struct sink *out, struct err *err);
	/* 0 means "those bytes are there", not "I wrote them"; bytes are verified. */
	int (*put)(struct place *p, const struct descriptor *d, struct stream *in, struct err *err);
	/* Makes d's bytes appear without moving them, from another place of the same kind; 1: done, 0: move
	 * them, -1.  NULL: never possible. */
	int (*mount)(struct place *p, const struct descriptor *d, struct place *from, struct err *err);
	/* Everything put and tagged is durable; archives write their end.  NULL: nothing to do. */
	int (*finish)(struct place *p, struct err *err);
	void (*free)(struct place *p);
};
struct place {
	const struct place_ops *ops; /* the first member of each kind of place */
};
void place_free(struct place *p);
void auto_place(struct place **p);

/* Small documents, whole: at most limit bytes. */
int place_read(struct place *p, const struct descriptor *d, size_t limit, struct buf *out,
	struct err *err);

struct place_copy_options {
	bool all_platforms;             /* an index goes whole; else the manifest for platform */
	const struct platform *platform; /* NULL: the host's */
	unsigned parallel;              /* blobs at a time; 0: 4 */
	/* Whether a layer blob is wanted; NULL: all.  What is left out must be in `to` already or the copy is
	 * known to be incomplete by the caller. */
	bool (*wants_layer)(const struct descriptor *layer, void *arg);
	void *arg;
};
/* Copies what root reaches, blobs first, then manifests, the root last; nothing that `to` has already.
 * *copied is the descriptor of what `to` now has: root, or the platform's manifest.  Emits an event per
 * blob. */
int place_copy(struct place *from, struct place *to, const struct descriptor *root,
	const struct place_copy_options *options, struct descriptor *copied, struct err *err);

#endif
