/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_MEMORY_PLACE_H
#define TESTS_UNIT_MEMORY_PLACE_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "layers/stream.h"
#include "registry/place.h"

/* memory_place - a place for tests: blobs in memory, and what put() left of a broken one. */

struct memory_blob {
	struct descriptor descriptor;
	struct buf bytes;
	bool is_partial;
	char *tag;
};
struct memory_place {
	struct place place;
	pthread_mutex_t lock;
	struct memory_blob *blobs;
	size_t count, room;
	size_t puts; /* that moved bytes */
};

static struct memory_blob *
memory_find(struct memory_place *m, const struct digest *digest, bool is_partial)
{
	size_t i;

	for (i = 0; i < m->count; i++)
		if (m->blobs[i].is_partial == is_partial &&
			digest_same(&m->blobs[i].descriptor.digest, digest))
			return &m->blobs[i];
	return NULL;
}

static struct memory_blob *
memory_new_blob(struct memory_place *m, const struct descriptor *d)
{
	struct memory_blob *b;

	m->blobs = grow(m->blobs, m->count, &m->room, sizeof *m->blobs);
	b = &m->blobs[m->count++];
	*b = (struct memory_blob){ .bytes = BUF_INIT };
	descriptor_copy(d, &b->descriptor);
	return b;
}

static int
memory_has(struct place *p, const struct descriptor *d, struct err *err)
{
	struct memory_place *m = (struct memory_place *)(void *)p;
	int has;

	(void)err;
	pthread_mutex_lock(&m->lock);
	has = memory_find(m, &d->digest, false) != NULL;
	pthread_mutex_unlock(&m->lock);
	return has;
}

static int
memory_get(struct place *p, const struct descriptor *d, uint64_t offset, struct sink *out,
	struct err *err)
{
	struct memory_place *m = (struct memory_place *)(void *)p;
	struct memory_blob *b;
	const char *bytes = NULL;
	size_t len = 0;

	pthread_mutex_lock(&m->lock);
	b = memory_find(m, &d->digest, false);
	if (b != NULL) {
		bytes = b->bytes.data;
		len = b->bytes.len;
	}
	pthread_mutex_unlock(&m->lock);
	if (bytes == NULL)
		return err_set(err, ERR_NOTFOUND, "memory has no %s", d->digest.text);
	return offset < len ? sink_write(out, bytes + offset, len - (size_t)offset, err) : 0;
}

static int
memory_put(struct place *p, const struct descriptor *d, struct source *from, struct err *err)
{
	struct memory_place *m = (struct memory_place *)(void *)p;
	struct buf bytes = BUF_INIT;
	AUTO(sink) struct sink *sink = NULL;
	struct memory_blob *b;
	int result;

	pthread_mutex_lock(&m->lock);
	m->puts++;
	b = memory_find(m, &d->digest, true);
	if (b != NULL) {
		buf_add(&bytes, b->bytes.data, b->bytes.len);
		buf_clear(&b->bytes);
	}
	pthread_mutex_unlock(&m->lock);
	sink = sink_buf(&bytes);
	result = source_send(from, bytes.len, sink, err);
	if (result == 0 && bytes.len != d->size)
		result = err_set(err, ERR_CORRUPT, "%zu bytes came", bytes.len);
	if (result == 0)
		result = digest_check(&d->digest, bytes.data, bytes.len, err);
	pthread_mutex_lock(&m->lock);
	if (result < 0 && b == NULL && err->kind != ERR_CORRUPT) {
		b = memory_new_blob(m, d);
		b->is_partial = true;
	}
	if (result == 0)
		b = memory_new_blob(m, d);
	if (result == 0 || err->kind != ERR_CORRUPT)
		b->bytes = bytes;
	else
		buf_free(&bytes);
	pthread_mutex_unlock(&m->lock);
	return result;
}

static int
memory_tag(struct place *p, const char *name, const struct descriptor *d, struct err *err)
{
	struct memory_place *m = (struct memory_place *)(void *)p;
	struct memory_blob *b = memory_find(m, &d->digest, false);

	if (b == NULL)
		return err_set(err, ERR_NOTFOUND, "memory has no %s", d->digest.text);
	free(b->tag);
	b->tag = xstrdup(name);
	return 0;
}

static int
memory_resolve(struct place *p, const char *name, struct descriptor *out, struct err *err)
{
	struct memory_place *m = (struct memory_place *)(void *)p;
	size_t i;

	for (i = 0; i < m->count; i++)
		if (streq(m->blobs[i].tag, name)) {
			descriptor_copy(&m->blobs[i].descriptor, out);
			return 0;
		}
	return err_set(err, ERR_NOTFOUND, "memory has no '%s'", name);
}

static void
memory_free(struct place *p)
{
	struct memory_place *m = (struct memory_place *)(void *)p;
	size_t i;

	for (i = 0; i < m->count; i++) {
		descriptor_free(&m->blobs[i].descriptor);
		buf_free(&m->blobs[i].bytes);
		free(m->blobs[i].tag);
	}
	free(m->blobs);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static struct place *__attribute__((unused)) memory_place(void)
{
	static const struct place_ops ops = { .scheme = "memory",
		.resolve = memory_resolve,
		.tag = memory_tag,
		.has = memory_has,
		.get = memory_get,
		.put = memory_put,
		.free = memory_free };
	struct memory_place *m = xzalloc(sizeof *m);

	m->place.ops = &ops;
	pthread_mutex_init(&m->lock, NULL);
	return &m->place;
}

#endif
