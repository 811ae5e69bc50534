/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_STREAM_H
#define LAYERS_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "layers/digest.h"

/* stream, sink - bytes on the move.  A stream is pulled, a sink is pushed; each knows the next one
 *and nothing else, so a chain is built from small parts:
 *
 *	tar -> sink_digest (diff id) -> codec -> sink_digest (digest) -> sink_fd
 *	fd -> stream_verify (digest, size) -> codec -> stream_digest (diff id) -> tar
 */

struct stream;
struct stream_ops {
	/* Up to len bytes; 0 at the end; -1. */
	ssize_t (*read)(struct stream *s, void *bytes, size_t len, struct err *err);
	void (*free)(struct stream *s);
};
struct stream {
	const struct stream_ops *ops; /* the first member of each kind of stream */
};
ssize_t stream_read(struct stream *s, void *bytes, size_t len, struct err *err);
/* Until len bytes or the end. */
ssize_t stream_read_full(struct stream *s, void *bytes, size_t len, struct err *err);
/* All of it, ERR_INPUT past the limit. */
int stream_read_all(struct stream *s, size_t limit, struct buf *out, struct err *err);
void stream_free(struct stream *s);
void auto_stream(struct stream **s);

struct sink;
struct sink_ops {
	int (*write)(struct sink *s, const void *bytes, size_t len, struct err *err);
	/* Everything is written: flush, and finish the next one.  Called once; not after an error.
	 */
	int (*finish)(struct sink *s, struct err *err);
	void (*free)(struct sink *s); /* frees the next one as well, if it was given */
};
struct sink {
	const struct sink_ops *ops;
};
int sink_write(struct sink *s, const void *bytes, size_t len, struct err *err);
int sink_finish(struct sink *s, struct err *err);
void sink_free(struct sink *s);
void auto_sink(struct sink **s);

/* Streams.  Those over another stream own it. */
struct stream *stream_fd(int fd);                           /* owns fd */
struct stream *stream_bytes(const void *bytes, size_t len); /* lent bytes */
/* The last read fails with ERR_CORRUPT if digest or size differ; reading stops at size + 1. */
struct stream *stream_verify(struct stream *next, const struct digest *wanted, uint64_t size);
/* Fills *out (which outlives the stream) when the end is reached. */
struct stream *stream_digest(struct stream *next, struct digest *out);
/* These bytes (copied), then what next has: what was read to be looked at is given back. */
struct stream *stream_after(const void *bytes, size_t len, struct stream *next);
/* Reads next in a thread of its own, a few buffers ahead, so that what makes the bytes and what
 * uses them run side by side.  Freeing waits until next's current read returns. */
struct stream *stream_ahead(struct stream *next);
/* ERR_INPUT past limit bytes: what decompressors may make. */
struct stream *stream_limit(struct stream *next, uint64_t limit);

/* Sinks.  Those over another sink own it. */
struct sink *sink_fd(int fd); /* lent fd; large buffered writes */
struct sink *sink_buf(struct buf *b);
struct sink *sink_none(void); /* swallows */
/* Fills *digest and *size (either may be NULL) at finish. */
struct sink *sink_digest(struct sink *next, struct digest *digest, uint64_t *size);
struct sink *sink_both(struct sink *a, struct sink *b);

/* A file's bytes between two offsets; not finished.  what: its name, for messages.  ERR_CORRUPT when
 * the file ends before. */
int sink_send(struct sink *out, int fd, uint64_t from, uint64_t end, const char *what,
	struct err *err);
/* All of in to out; not finished. */
int stream_copy(struct stream *in, struct sink *out, uint64_t *size, struct err *err);

#endif
