/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPY_SIZE (256u << 10)

ssize_t
stream_read(struct stream *s, void *bytes, size_t len, struct err *err)
{
	return s->ops->read(s, bytes, len, err);
}

ssize_t
stream_read_full(struct stream *s, void *bytes, size_t len, struct err *err)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = stream_read(s, (char *)bytes + done, len - done, err);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int
stream_read_all(struct stream *s, size_t limit, struct buf *out, struct err *err)
{
	size_t start = out->len, step;
	ssize_t n;

	for (;;) {
		step = limit - (out->len - start);
		step = step < 65536 ? step + 1 : 65536; /* one more, to notice what is too large */
		n = stream_read(s, buf_reserve(out, step), step, err);
		if (n <= 0)
			break;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		if (out->len - start > limit) {
			n = err_set(err, ERR_INPUT, "larger than %zu bytes", limit);
			break;
		}
	}
	if (n < 0)
		buf_truncate(out, start);
	return (int)n;
}

void
stream_free(struct stream *s)
{
	if (s != NULL)
		s->ops->free(s);
}

void
auto_stream(struct stream **s)
{
	stream_free(*s);
	*s = NULL;
}

int
stream_copy(struct stream *in, struct sink *out, uint64_t *size, struct err *err)
{
	AUTO(free) char *bytes = xmalloc(COPY_SIZE);
	uint64_t total = 0;
	ssize_t n;

	for (;;) {
		n = stream_read(in, bytes, COPY_SIZE, err);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		if (sink_write(out, bytes, (size_t)n, err) < 0)
			return -1;
		total += (uint64_t)n;
	}
	if (size != NULL)
		*size = total;
	return 0;
}

struct fd_stream {
	struct stream stream;
	int fd;
};

static ssize_t
fd_stream_read(struct stream *s, void *bytes, size_t len, struct err *err)
{
	struct fd_stream *f = (struct fd_stream *)s;
	ssize_t n;

	do
		n = read(f->fd, bytes, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, "read");
	return n;
}

static void
fd_stream_free(struct stream *s)
{
	struct fd_stream *f = (struct fd_stream *)s;

	auto_fd(&f->fd);
	free(f);
}

struct stream *
stream_fd(int fd)
{
	static const struct stream_ops ops = { fd_stream_read, fd_stream_free };
	struct fd_stream *f = xzalloc(sizeof *f);

	f->stream.ops = &ops;
	f->fd = fd;
	return &f->stream;
}

struct bytes_stream {
	struct stream stream;
	const char *bytes;
	size_t len;
};

static ssize_t
bytes_read(struct stream *s, void *bytes, size_t len, struct err *err __attribute__((unused)))
{
	struct bytes_stream *b = (struct bytes_stream *)s;
	size_t n = len < b->len ? len : b->len;

	if (n > 0)
		memcpy(bytes, b->bytes, n);
	b->bytes += n;
	b->len -= n;
	return (ssize_t)n;
}

static void
bytes_free(struct stream *s)
{
	free(s);
}

struct stream *
stream_bytes(const void *bytes, size_t len)
{
	static const struct stream_ops ops = { bytes_read, bytes_free };
	struct bytes_stream *b = xzalloc(sizeof *b);

	b->stream.ops = &ops;
	b->bytes = len > 0 ? bytes : "";
	b->len = len;
	return &b->stream;
}

struct after_stream {
	struct stream stream;
	struct stream *next;
	size_t at, len;
	char bytes[];
};

static ssize_t
after_read(struct stream *s, void *bytes, size_t len, struct err *err)
{
	struct after_stream *a = (struct after_stream *)s;
	size_t n = len < a->len - a->at ? len : a->len - a->at;

	if (n == 0)
		return stream_read(a->next, bytes, len, err);
	memcpy(bytes, a->bytes + a->at, n);
	a->at += n;
	return (ssize_t)n;
}

static void
after_free(struct stream *s)
{
	struct after_stream *a = (struct after_stream *)s;

	stream_free(a->next);
	free(a);
}

struct stream *
stream_after(const void *bytes, size_t len, struct stream *next)
{
	static const struct stream_ops ops = { after_read, after_free };
	struct after_stream *a = xzalloc(sizeof *a + len);

	a->stream.ops = &ops;
	a->next = next;
	a->len = len;
	if (len > 0)
		memcpy(a->bytes, bytes, len);
	return &a->stream;
}

/* One shape for the streams that look on while bytes pass from the next one. */
struct watch_stream {
	struct stream stream;
	struct stream *next;
	struct hasher *hasher;
	struct digest wanted;
	struct digest *out;
	uint64_t limit;
	uint64_t size; /* what passed so far */
	bool ended;
};

static void
watch_free(struct stream *s)
{
	struct watch_stream *w = (struct watch_stream *)s;

	stream_free(w->next);
	hasher_free(w->hasher);
	free(w);
}

static struct watch_stream *
watch_new(const struct stream_ops *ops, struct stream *next)
{
	struct watch_stream *w = xzalloc(sizeof *w);

	w->stream.ops = ops;
	w->next = next;
	return w;
}

/* The end has come, or should have: nothing of the last read is given out before all is right. */
static int
verify_end(struct watch_stream *w, struct err *err)
{
	struct digest got;

	if (w->size != w->limit)
		return err_set(err, ERR_CORRUPT, "expected %" PRIu64 " bytes, got %s%" PRIu64,
			w->limit, w->size > w->limit ? "at least " : "", w->size);
	hasher_digest(w->hasher, &got);
	if (!digest_same(&got, &w->wanted))
		return err_set(err, ERR_CORRUPT, "expected %s, got %s", w->wanted.text, got.text);
	w->ended = true;
	return 0;
}

static ssize_t
verify_read(struct stream *s, void *bytes, size_t len, struct err *err)
{
	struct watch_stream *w = (struct watch_stream *)s;
	ssize_t n, more = 0;
	char extra;

	if (w->ended || len == 0)
		return 0;
	if (w->size > w->limit)
		return verify_end(w, err);
	if (len > w->limit - w->size)
		len = (size_t)(w->limit - w->size);
	n = len > 0 ? stream_read(w->next, bytes, len, err) : 0;
	if (n < 0)
		return -1;
	hasher_add(w->hasher, bytes, (size_t)n);
	w->size += (uint64_t)n;
	if (w->size == w->limit) {
		more = stream_read(w->next, &extra, 1, err);
		if (more < 0)
			return -1;
		w->size += (uint64_t)more;
	}
	if ((n == 0 || w->size >= w->limit) && verify_end(w, err) < 0)
		return -1;
	return n;
}

struct stream *
stream_verify(struct stream *next, const struct digest *wanted, uint64_t size)
{
	static const struct stream_ops ops = { verify_read, watch_free };
	struct watch_stream *w = watch_new(&ops, next);

	w->hasher = hasher_new(digest_algorithm(wanted));
	w->wanted = *wanted;
	w->limit = size;
	return &w->stream;
}

static ssize_t
digest_read(struct stream *s, void *bytes, size_t len, struct err *err)
{
	struct watch_stream *w = (struct watch_stream *)s;
	ssize_t n;

	if (len == 0)
		return 0;
	n = stream_read(w->next, bytes, len, err);
	if (n > 0)
		hasher_add(w->hasher, bytes, (size_t)n);
	else if (n == 0)
		hasher_digest(w->hasher, w->out);
	return n;
}

struct stream *
stream_digest(struct stream *next, struct digest *out)
{
	static const struct stream_ops ops = { digest_read, watch_free };
	struct watch_stream *w = watch_new(&ops, next);

	w->hasher = hasher_new(DIGEST_SHA256);
	w->out = out;
	return &w->stream;
}

static ssize_t
limit_read(struct stream *s, void *bytes, size_t len, struct err *err)
{
	struct watch_stream *w = (struct watch_stream *)s;
	ssize_t n = stream_read(w->next, bytes, len, err);

	if (n <= 0)
		return n;
	w->size += (uint64_t)n;
	if (w->size > w->limit)
		return err_set(err, ERR_INPUT, "larger than %" PRIu64 " bytes", w->limit);
	return n;
}

struct stream *
stream_limit(struct stream *next, uint64_t limit)
{
	static const struct stream_ops ops = { limit_read, watch_free };
	struct watch_stream *w = watch_new(&ops, next);

	w->limit = limit;
	return &w->stream;
}
