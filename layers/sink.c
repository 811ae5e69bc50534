/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#include "base/file.h"
#include "base/mem.h"

#define FD_SINK_SIZE (256u << 10)
#define SEND_SIZE (256u << 10)

int
sink_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	return s->ops->write(s, bytes, len, err);
}

int
sink_finish(struct sink *s, struct err *err)
{
	return s->ops->finish(s, err);
}

void
sink_free(struct sink *s)
{
	if (s != NULL)
		s->ops->free(s);
}

void
auto_sink(struct sink **s)
{
	sink_free(*s);
	*s = NULL;
}

int
sink_send(struct sink *out, int fd, uint64_t from, uint64_t end, const char *what, struct err *err)
{
	AUTO(free) char *bytes = xmalloc(SEND_SIZE);

	while (from < end) {
		ssize_t n = fd_pread(
			fd, bytes, end - from < SEND_SIZE ? (size_t)(end - from) : SEND_SIZE, from);

		if (n < 0)
			return err_sys(err, "read %s", what);
		if (n == 0)
			return err_set(err, ERR_CORRUPT, "%s ends early", what);
		if (sink_write(out, bytes, (size_t)n, err) < 0)
			return -1;
		from += (uint64_t)n;
	}
	return 0;
}

struct fd_sink {
	struct sink sink;
	int fd;
	size_t len;
	char bytes[FD_SINK_SIZE];
};

static int
write_all(int fd, const void *bytes, size_t len, struct err *err)
{
	return fd_write(fd, bytes, len) < 0 ? err_sys(err, "write") : 0;
}

static int
fd_flush(struct fd_sink *f, struct err *err)
{
	size_t len = f->len;

	f->len = 0;
	return write_all(f->fd, f->bytes, len, err);
}

static int
fd_sink_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	struct fd_sink *f = (struct fd_sink *)s;

	if (len > sizeof f->bytes - f->len && fd_flush(f, err) < 0)
		return -1;
	if (len >= sizeof f->bytes)
		return write_all(f->fd, bytes, len, err);
	if (len > 0)
		memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
	return 0;
}

static int
fd_sink_finish(struct sink *s, struct err *err)
{
	return fd_flush((struct fd_sink *)s, err);
}

static void
plain_free(struct sink *s)
{
	free(s);
}

struct sink *
sink_fd(int fd)
{
	static const struct sink_ops ops = { fd_sink_write, fd_sink_finish, plain_free };
	struct fd_sink *f = xmalloc(sizeof *f);

	f->sink.ops = &ops;
	f->fd = fd;
	f->len = 0;
	return &f->sink;
}

struct buf_sink {
	struct sink sink;
	struct buf *buf;
};

static int
buf_sink_write(
	struct sink *s, const void *bytes, size_t len, struct err *err __attribute__((unused)))
{
	buf_add(((struct buf_sink *)s)->buf, bytes, len);
	return 0;
}

static int
nothing_to_finish(struct sink *s __attribute__((unused)), struct err *err __attribute__((unused)))
{
	return 0;
}

struct sink *
sink_buf(struct buf *b)
{
	static const struct sink_ops ops = { buf_sink_write, nothing_to_finish, plain_free };
	struct buf_sink *s = xzalloc(sizeof *s);

	s->sink.ops = &ops;
	s->buf = b;
	return &s->sink;
}

static int
none_write(struct sink *s __attribute__((unused)), const void *bytes __attribute__((unused)),
	size_t len __attribute__((unused)), struct err *err __attribute__((unused)))
{
	return 0;
}

struct sink *
sink_none(void)
{
	static const struct sink_ops ops = { none_write, nothing_to_finish, plain_free };
	struct sink *s = xzalloc(sizeof *s);

	s->ops = &ops;
	return s;
}

struct digest_sink {
	struct sink sink;
	struct sink *next;
	struct hasher *hasher;
	struct digest *digest;
	uint64_t *size_out;
	uint64_t size;
};

static int
digest_sink_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	struct digest_sink *d = (struct digest_sink *)s;

	if (d->hasher != NULL)
		hasher_add(d->hasher, bytes, len);
	d->size += len;
	return sink_write(d->next, bytes, len, err);
}

static int
digest_sink_finish(struct sink *s, struct err *err)
{
	struct digest_sink *d = (struct digest_sink *)s;

	if (sink_finish(d->next, err) < 0)
		return -1;
	if (d->digest != NULL)
		hasher_digest(d->hasher, d->digest);
	if (d->size_out != NULL)
		*d->size_out = d->size;
	return 0;
}

static void
digest_sink_free(struct sink *s)
{
	struct digest_sink *d = (struct digest_sink *)s;

	sink_free(d->next);
	hasher_free(d->hasher);
	free(d);
}

struct sink *
sink_digest(struct sink *next, struct digest *digest, uint64_t *size)
{
	static const struct sink_ops ops = { digest_sink_write, digest_sink_finish,
		digest_sink_free };
	struct digest_sink *d = xzalloc(sizeof *d);

	d->sink.ops = &ops;
	d->next = next;
	d->digest = digest;
	d->size_out = size;
	if (digest != NULL)
		d->hasher = hasher_new(DIGEST_SHA256);
	return &d->sink;
}

struct both_sink {
	struct sink sink;
	struct sink *a, *b;
};

static int
both_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	struct both_sink *t = (struct both_sink *)s;

	if (sink_write(t->a, bytes, len, err) < 0)
		return -1;
	return sink_write(t->b, bytes, len, err);
}

static int
both_finish(struct sink *s, struct err *err)
{
	struct both_sink *t = (struct both_sink *)s;

	if (sink_finish(t->a, err) < 0)
		return -1;
	return sink_finish(t->b, err);
}

static void
both_free(struct sink *s)
{
	struct both_sink *t = (struct both_sink *)s;

	sink_free(t->a);
	sink_free(t->b);
	free(t);
}

struct sink *
sink_both(struct sink *a, struct sink *b)
{
	static const struct sink_ops ops = { both_write, both_finish, both_free };
	struct both_sink *t = xzalloc(sizeof *t);

	t->sink.ops = &ops;
	t->a = a;
	t->b = b;
	return &t->sink;
}
