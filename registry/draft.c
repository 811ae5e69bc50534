/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/draft.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "layers/texts.h"

struct item {
	struct buf bytes;
	int fd;              /* -1: bytes */
	struct place *other; /* NULL: here */
};

struct draft {
	struct place place;
	struct place *under;
	struct texts items; /* digest to item */
};

static struct item *
find(struct draft *p, const struct digest *d)
{
	void **value = texts_value(&p->items, d->text);

	return value != NULL ? *value : NULL;
}

static struct item *
add(struct draft *p, const struct digest *d)
{
	struct item *item = find(p, d);

	if (item != NULL)
		return item;
	item = xzalloc(sizeof *item);
	*item = (struct item){ .bytes = BUF_INIT, .fd = -1 };
	texts_add(&p->items, d->text);
	*texts_value(&p->items, d->text) = item;
	return item;
}

/* NULL: it is here, or nowhere. */
static struct place *
other_of(struct draft *p, const struct item *item)
{
	return item == NULL ? p->under : item->other;
}

static int
draft_resolve(struct place *p, const char *name, struct descriptor *out, struct err *err)
{
	(void)p;
	(void)out;
	return err_set(err, ERR_NOTFOUND, "'%s': a draft has no names", name != NULL ? name : "");
}

static int
draft_tag(struct place *p, const char *name, const struct descriptor *d, struct err *err)
{
	(void)p;
	(void)d;
	return err_set(err, ERR_INPUT, "'%s': a draft has no names", name);
}

static int
draft_has(struct place *p, const struct descriptor *d, struct err *err)
{
	struct draft *draft = (struct draft *)p;
	const struct item *item = find(draft, &d->digest);
	struct place *other = other_of(draft, item);

	if (other != NULL)
		return other->ops->has(other, d, err);
	return item != NULL;
}

static int
draft_get(struct place *p, const struct descriptor *d, uint64_t offset, struct sink *out,
	struct err *err)
{
	struct draft *draft = (struct draft *)p;
	const struct item *item = find(draft, &d->digest);
	struct place *other = other_of(draft, item);
	struct source_bytes source;

	if (other != NULL)
		return other->ops->get(other, d, offset, out, err);
	if (item == NULL)
		return err_set(err, ERR_NOTFOUND, "%s is nowhere", d->digest.text);
	if (item->fd >= 0)
		return sink_send(out, item->fd, offset, d->size, d->digest.text, err);
	source_bytes(&source, item->bytes.data, item->bytes.len);
	return source_send(&source.source, offset, out, err);
}

static int
draft_put(struct place *p, const struct descriptor *d, struct source *from, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(sink) struct sink *sink = sink_buf(&bytes);
	struct digest got;
	struct item *item;

	if (d->size > CONFIG_MAX)
		return err_set(
			err, ERR_INPUT, "%s is larger than %u bytes", d->digest.text, CONFIG_MAX);
	if (source_send(from, 0, sink, err) < 0)
		return -1;
	digest_of(bytes.data, bytes.len, &got);
	if (bytes.len != d->size || !digest_same(&got, &d->digest))
		return err_set(err, ERR_CORRUPT, "expected %s, got %s", d->digest.text, got.text);
	item = add((struct draft *)p, &d->digest);
	buf_free(&item->bytes);
	item->bytes = bytes;
	item->other = NULL;
	bytes = (struct buf)BUF_INIT;
	return 0;
}

static struct place *
draft_origin(struct place *p, const struct descriptor *d)
{
	struct draft *draft = (struct draft *)p;
	struct place *other = other_of(draft, find(draft, &d->digest));

	return other != NULL ? other : p;
}

static void
draft_free(struct place *p)
{
	struct draft *draft = (struct draft *)p;

	for (size_t i = 0; i < draft->items.room; i++) {
		struct item *item = draft->items.slots[i].value;

		if (item == NULL)
			continue;
		buf_free(&item->bytes);
		if (item->fd >= 0)
			close(item->fd);
		free(item);
	}
	texts_free(&draft->items);
	free(draft);
}

static const struct place_ops ops = {
	.scheme = "draft",
	.resolve = draft_resolve,
	.tag = draft_tag,
	.has = draft_has,
	.get = draft_get,
	.put = draft_put,
	.origin = draft_origin,
	.free = draft_free,
};

struct place *
draft_new(struct place *under)
{
	struct draft *draft = xzalloc(sizeof *draft);

	draft->place.ops = &ops;
	draft->under = under;
	return &draft->place;
}

void
draft_file(struct place *p, int fd, const struct descriptor *d)
{
	struct item *item = add((struct draft *)p, &d->digest);

	if (item->fd >= 0)
		close(item->fd);
	item->fd = fd;
	item->other = NULL;
}

void
draft_from(struct place *p, const struct digest *d, struct place *other)
{
	struct item *item = find((struct draft *)p, d);

	if (item == NULL)
		add((struct draft *)p, d)->other = other;
}
