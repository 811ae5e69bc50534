/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/mirrors.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/mem.h"

/* Which place served a digest in full. */
struct served {
	struct digest digest;
	size_t by;
};

struct mirrors {
	struct place place;
	struct mirror mirrors[REGISTRIES_MIRRORS_MAX + 1];
	size_t count;
	pthread_mutex_t lock; /* of all below */
	bool by_digest;       /* how the image was named */
	struct served *served;
	size_t served_count, served_room;
};

static const struct place_ops mirrors_ops;

static struct mirrors *
of(struct place *p)
{
	return (struct mirrors *)(void *)p;
}

static bool
is_digest(const char *name)
{
	return name != NULL && strchr(name, ':') != NULL;
}

/* All of an image comes from mirrors for the way it was named, though its parts have digests. */
static bool
is_for(const struct mirror *m, bool by_digest)
{
	return m->pull == REGISTRIES_PULL_ALL || (m->pull == REGISTRIES_PULL_DIGEST) == by_digest;
}

static bool
was_by_digest(struct mirrors *m)
{
	bool by_digest;

	pthread_mutex_lock(&m->lock);
	by_digest = m->by_digest;
	pthread_mutex_unlock(&m->lock);
	return by_digest;
}

/* Adds why a place is of no use; all are shown when none is. */
static void
note(struct buf *why, const struct mirror *m, const struct err *err)
{
	buf_addf(why, "%s%s: %s", why->len > 0 ? "; " : "", m->name, err->msg);
	event_debug("%s: %s", m->name, err->msg);
}

static int
none(const struct buf *why, struct err *err)
{
	return why->len > 0 ? err_set(err, err->kind, "%s", why->data)
			    : err_set(err, ERR_NOTFOUND,
				      "no mirror may be asked for it, nor the registry");
}

static int
mirrors_resolve(struct place *p, const char *name, struct descriptor *out, struct err *err)
{
	struct mirrors *m = of(p);
	AUTO(buf) struct buf why = BUF_INIT;
	bool by_digest = is_digest(name);
	size_t i;

	pthread_mutex_lock(&m->lock);
	m->by_digest = by_digest;
	pthread_mutex_unlock(&m->lock);
	for (i = 0; i < m->count; i++) {
		if (!is_for(&m->mirrors[i], by_digest) ||
			(by_digest ? m->mirrors[i].no_pull : m->mirrors[i].no_resolve))
			continue;
		if (m->mirrors[i].place->ops->resolve(m->mirrors[i].place, name, out, err) == 0)
			return 0;
		note(&why, &m->mirrors[i], err);
	}
	return none(&why, err);
}

static int
mirrors_has(struct place *p, const struct descriptor *d, struct err *err)
{
	struct mirrors *m = of(p);
	bool by_digest = was_by_digest(m);
	size_t i;
	int has = 0;

	for (i = 0; i < m->count; i++) {
		if (m->mirrors[i].no_pull || !is_for(&m->mirrors[i], by_digest))
			continue;
		has = m->mirrors[i].place->ops->has(m->mirrors[i].place, d, err);
		if (has == 1)
			return 1;
	}
	return has;
}

/* Knows how far the reader is, and whether it was the reader that failed. */
struct passing {
	struct sink sink;
	struct sink *out;
	uint64_t position;
	bool has_failed;
};

static int
passing_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	struct passing *p = (struct passing *)(void *)s;

	if (sink_write(p->out, bytes, len, err) < 0) {
		p->has_failed = true;
		return -1;
	}
	p->position += len;
	return 0;
}

static const struct sink_ops passing_ops = { .write = passing_write };

/* Asked again from its start, a blob comes from somewhere else, where anybody else has it. */
static size_t
first_for(struct mirrors *m, const struct digest *digest, uint64_t offset)
{
	size_t i, first = 0;

	pthread_mutex_lock(&m->lock);
	for (i = 0; offset == 0 && i < m->served_count; i++)
		if (digest_same(&m->served[i].digest, digest))
			first = m->served[i].by + 1;
	pthread_mutex_unlock(&m->lock);
	return first % m->count;
}

static void
remember(struct mirrors *m, const struct digest *digest, size_t by)
{
	pthread_mutex_lock(&m->lock);
	m->served = grow(m->served, m->served_count, &m->served_room, sizeof *m->served);
	m->served[m->served_count++] = (struct served){ .digest = *digest, .by = by };
	pthread_mutex_unlock(&m->lock);
}

static int
mirrors_get(struct place *p, const struct descriptor *d, uint64_t offset, struct sink *out,
	struct err *err)
{
	struct mirrors *m = of(p);
	struct passing passing = {
		.sink = { .ops = &passing_ops }, .out = out, .position = offset
	};
	AUTO(buf) struct buf why = BUF_INIT;
	size_t i, first = first_for(m, &d->digest, offset);
	bool by_digest = was_by_digest(m);

	for (i = 0; i < m->count; i++) {
		size_t by = (first + i) % m->count;
		struct place *place = m->mirrors[by].place;

		if (m->mirrors[by].no_pull || !is_for(&m->mirrors[by], by_digest))
			continue;
		if (place->ops->get(place, d, passing.position, &passing.sink, err) == 0) {
			remember(m, &d->digest, by);
			return 0;
		}
		if (passing.has_failed)
			return -1;
		note(&why, &m->mirrors[by], err);
	}
	return none(&why, err);
}

struct place *
mirrors_primary(struct place *p)
{
	return p->ops == &mirrors_ops ? of(p)->mirrors[of(p)->count - 1].place : p;
}

static int
mirrors_tag(struct place *p, const char *name, const struct descriptor *d, struct err *err)
{
	struct place *primary = mirrors_primary(p);

	return primary->ops->tag(primary, name, d, err);
}

static int
mirrors_put(struct place *p, const struct descriptor *d, struct source *from, struct err *err)
{
	struct place *primary = mirrors_primary(p);

	return primary->ops->put(primary, d, from, err);
}

static void
mirrors_free(struct place *p)
{
	struct mirrors *m = of(p);
	size_t i;

	for (i = 0; i < m->count; i++) {
		place_free(m->mirrors[i].place);
		free(m->mirrors[i].name);
	}
	free(m->served);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static const struct place_ops mirrors_ops = {
	.scheme = "docker",
	.resolve = mirrors_resolve,
	.tag = mirrors_tag,
	.has = mirrors_has,
	.get = mirrors_get,
	.put = mirrors_put,
	.free = mirrors_free,
};

struct place *
mirrors_new(const struct mirror *mirrors, size_t count, const char *name)
{
	struct mirrors *m = xzalloc(sizeof *m);

	m->place.ops = &mirrors_ops;
	memcpy(m->mirrors, mirrors, count * sizeof *mirrors);
	m->count = count;
	m->by_digest = is_digest(name);
	pthread_mutex_init(&m->lock, NULL);
	return &m->place;
}
