/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_PLACE_H
#define REGISTRY_PLACE_H

#include <stdbool.h>

#include "base/err.h"
#include "layers/oci.h"
#include "layers/stream.h"

/* place - anywhere images live: the store, a registry's repository, an OCI layout, an archive.
 * Pull, push, save, load and copy are one function, place_copy(), between two of them.
 *
 * Bytes are pushed: who has them sends them into a sink, from any offset, as often as asked.  So
 * whoever keeps a partial blob (the store's ingest, an upload session) asks for the rest only, and
 * a retry asks again.  The digest is checked once, by whoever keeps the bytes: put() in a copy,
 * place_get() and place_read() for a consumer.
 *
 * All verbs may be called from several threads at once. */

struct place;

/* source - the bytes of one blob, on offer. */
struct source {
	/* Sends the bytes from offset to the end into out (not finished).  Exactly size - offset of
	 * them, or -1: ERR_CORRUPT when there are more or fewer.  Not verified.  May be called
	 * again. */
	int (*send)(struct source *s, uint64_t offset, struct sink *out, struct err *err);
};
int source_send(struct source *s, uint64_t offset, struct sink *out, struct err *err);

struct source_bytes { /* lent bytes */
	struct source source;
	const void *bytes;
	size_t len;
};
void source_bytes(struct source_bytes *s, const void *bytes, size_t len);

struct source_file { /* a file's size bytes, by their offset; lent */
	struct source source;
	int fd;
	uint64_t size;
};
void source_file(struct source_file *s, int fd, uint64_t size);

struct source_place { /* what a place has; both lent */
	struct source source;
	struct place *place;
	const struct descriptor *descriptor;
};
void source_place(struct source_place *s, struct place *p, const struct descriptor *d);

struct place_ops {
	const char *scheme; /* "docker", "oci", "docker-archive", "store": for messages */
	/* A tag or "algorithm:hex" to the descriptor of a manifest or index; name NULL: the only
	 * one there is.  ERR_NOTFOUND names what was looked for and where. */
	int (*resolve)(struct place *p, const char *name, struct descriptor *out, struct err *err);
	/* Makes name mean d, whose bytes the place has; atomic. */
	int (*tag)(struct place *p, const char *name, const struct descriptor *d, struct err *err);
	/* 1: those bytes are there, 0, -1. */
	int (*has)(struct place *p, const struct descriptor *d, struct err *err);
	/* As source's send.  Callers other than a put() use place_get(), which verifies. */
	int (*get)(struct place *p, const struct descriptor *d, uint64_t offset, struct sink *out,
		struct err *err);
	/* 0 means "those bytes are there", not "I wrote them".  The bytes are verified (by the
	 * registry, where the place is one) before they can be had under their digest: ERR_CORRUPT
	 * otherwise, and nothing of them is kept.  After any other error what has arrived may be
	 * kept, and the next put asks `from` for the rest only. */
	int (*put)(
		struct place *p, const struct descriptor *d, struct source *from, struct err *err);
	/* Makes d's bytes appear without moving them, from another place; 1: done, 0: move them (as
	 * always when that is of another kind), -1.  NULL: never possible. */
	int (*mount)(
		struct place *p, const struct descriptor *d, struct place *from, struct err *err);
	/* Of a place that stands before others: the one that has d's bytes, lent.  NULL: itself. */
	struct place *(*origin)(struct place *p, const struct descriptor *d);
	/* Everything put and tagged is durable; archives write their end.  NULL: nothing to do. */
	int (*finish)(struct place *p, struct err *err);
	void (*free)(struct place *p);
};
struct place {
	const struct place_ops *ops; /* the first member of each kind of place */
};
void place_free(struct place *p);
void auto_place(struct place **p);

/* The whole blob into out (not finished), verified: ERR_CORRUPT when digest or size differ, and
 * then what out got must be thrown away. */
int place_get(struct place *p, const struct descriptor *d, struct sink *out, struct err *err);

/* Small documents, whole and verified: appended to out; ERR_INPUT past limit bytes. */
int place_read(struct place *p, const struct descriptor *d, size_t limit, struct buf *out,
	struct err *err);

/* Bytes made here.  Fills d's digest and size; its media type is the caller's. */
int place_put_bytes(
	struct place *p, const void *bytes, size_t len, struct descriptor *d, struct err *err);

struct place_copy_options {
	bool all_platforms;              /* an index goes whole; else the manifest for platform */
	const struct platform *platform; /* NULL: the host's */
	unsigned parallel;               /* blobs at a time; 0: 4 */
	/* Whether a layer blob is wanted; NULL: all.  What is left out must be in `to` already or
	 * the copy is known to be incomplete by the caller. */
	bool (*wants_layer)(const struct descriptor *layer, void *arg);
	void *arg;
};
/* Copies what root reaches, blobs first, then manifests, the root last; nothing that `to` has
 * already. *copied is the descriptor of what `to` now has: root, or the platform's manifest.  Emits
 * an event per blob.  Uses threads, which are joined before it returns. */
int place_copy(struct place *from, struct place *to, const struct descriptor *root,
	const struct place_copy_options *options, struct descriptor *copied, struct err *err);

#endif
