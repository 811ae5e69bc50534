/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/place.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

void
place_free(struct place *p)
{
	if (p != NULL)
		p->ops->free(p);
}

void
auto_place(struct place **p)
{
	place_free(*p);
	*p = NULL;
}

int
source_send(struct source *s, uint64_t offset, struct sink *out, struct err *err)
{
	return s->send(s, offset, out, err);
}

static int
bytes_send(struct source *source, uint64_t offset, struct sink *out, struct err *err)
{
	const struct source_bytes *s = (const struct source_bytes *)(const void *)source;

	if (offset > s->len)
		return err_set(err, ERR_CORRUPT, "it has %zu bytes only", s->len);
	if (offset == s->len)
		return 0;
	return sink_write(out, (const char *)s->bytes + offset, s->len - (size_t)offset, err);
}

void
source_bytes(struct source_bytes *s, const void *bytes, size_t len)
{
	*s = (struct source_bytes){ .source = { .send = bytes_send }, .bytes = bytes, .len = len };
}

static int
file_send(struct source *source, uint64_t offset, struct sink *out, struct err *err)
{
	const struct source_file *s = (const struct source_file *)(const void *)source;

	return sink_send(out, s->fd, offset, s->size, "the file", err);
}

void
source_file(struct source_file *s, int fd, uint64_t size)
{
	*s = (struct source_file){ .source = { .send = file_send }, .fd = fd, .size = size };
}

static int
place_send(struct source *source, uint64_t offset, struct sink *out, struct err *err)
{
	const struct source_place *s = (const struct source_place *)(const void *)source;

	return s->place->ops->get(s->place, s->descriptor, offset, out, err);
}

void
source_place(struct source_place *s, struct place *p, const struct descriptor *d)
{
	*s = (struct source_place){ .source = { .send = place_send }, .place = p, .descriptor = d };
}

/* Stands before a consumer's sink, and hashes what passes. */
struct checker {
	struct sink sink;
	struct sink *out;
	struct hasher *hasher;
	uint64_t passed;
};

static int
checker_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	struct checker *c = (struct checker *)(void *)s;

	hasher_add(c->hasher, bytes, len);
	c->passed += len;
	return sink_write(c->out, bytes, len, err);
}

static const struct sink_ops checker_ops = { .write = checker_write };

int
place_get(struct place *p, const struct descriptor *d, struct sink *out, struct err *err)
{
	AUTO(hasher) struct hasher *hasher = hasher_new(digest_algorithm(&d->digest));
	struct checker checker = { .sink = { .ops = &checker_ops }, .out = out, .hasher = hasher };
	struct digest got;

	if (p->ops->get(p, d, 0, &checker.sink, err) < 0)
		return -1;
	if (checker.passed != d->size)
		return err_set(err, ERR_CORRUPT, "%s has %" PRIu64 " bytes instead of %" PRIu64,
			d->digest.text, checker.passed, d->size);
	hasher_digest(hasher, &got);
	if (!digest_same(&got, &d->digest))
		return err_set(err, ERR_CORRUPT, "expected %s, got %s", d->digest.text, got.text);
	return 0;
}

int
place_read(
	struct place *p, const struct descriptor *d, size_t limit, struct buf *out, struct err *err)
{
	AUTO(sink) struct sink *sink = NULL;
	size_t before = out->len;

	if (d->size > limit)
		return err_set(
			err, ERR_INPUT, "%s is larger than %zu bytes", d->digest.text, limit);
	sink = sink_buf(out);
	if (place_get(p, d, sink, err) < 0) {
		buf_truncate(out, before);
		return -1;
	}
	return 0;
}

int
place_put_bytes(
	struct place *p, const void *bytes, size_t len, struct descriptor *d, struct err *err)
{
	struct source_bytes source;
	struct digest digest;

	digest_of(bytes, len, &digest);
	source_bytes(&source, bytes, len);
	d->digest = digest;
	d->size = len;
	return p->ops->put(p, d, &source.source, err);
}
