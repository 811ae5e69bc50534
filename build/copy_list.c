/* SPDX-License-Identifier: Apache-2.0 */
#include "build/copy_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "layers/listing_record.h"

void
copy_list_free(struct copy_list *l)
{
	free(l->items);
	buf_free(&l->dirs);
	listing_free(&l->own);
	free(l->sources);
	free(l->places);
	*l = (struct copy_list)COPY_LIST_INIT;
}

void
auto_copy_list(struct copy_list *l)
{
	copy_list_free(l);
}

void
auto_copied(struct copied *c)
{
	auto_listed(&c->listed);
	auto_listed(&c->source);
	buf_free(&c->path);
}

/* --- making ----------------------------------------------------------------------------------- */

struct copy_item
copy_list_origin(struct copy_list *l, uint32_t number, const char *dir, size_t len)
{
	struct copy_item item = { .entry = number, .dir = COPY_NO_DIR };
	const char *last;

	if (len == 0)
		return item;
	last = l->dir != COPY_NO_DIR ? l->dirs.data + l->dir : "";
	if (strncmp(last, dir, len) != 0 || last[len] != '\0') {
		if (l->dirs.len >= COPY_NO_DIR - 1)
			out_of_memory();
		l->dir = (uint32_t)l->dirs.len;
		buf_add(&l->dirs, dir, len);
		buf_addc(&l->dirs, '\0');
	}
	item.dir = l->dir;
	return item;
}

struct copy_item
copy_list_own(struct copy_list *l, const struct entry *e, const struct copy_source *source)
{
	size_t count = l->own.count;

	if (count >= COPY_IS_OWN)
		out_of_memory();
	l->sources = grow(l->sources, count, &l->source_room, sizeof *l->sources);
	l->sources[count] =
		source != NULL ? *source : (struct copy_source){ .bytes = COPY_NO_BYTES };
	listing_add(&l->own, e);
	return (struct copy_item){ .entry = (uint32_t)count | COPY_IS_OWN, .dir = COPY_NO_DIR };
}

/* --- the order -------------------------------------------------------------------------------- */

static bool
is_own(const struct copy_item *item)
{
	return (item->entry & COPY_IS_OWN) != 0;
}

/* Its path. */
static void
item_record(const struct copy_list *l, const struct copy_item *item, struct record *out)
{
	uint32_t own = item->entry & ~COPY_IS_OWN;

	*out = (struct record){ .dir = NULL };
	if (is_own(item)) {
		out->name = listing_name(&l->own, own, &out->name_len);
		out->dir = listing_dir(&l->own, own, &out->dir_len);
		if (out->dir_len == 0)
			out->dir = NULL;
		return;
	}
	out->name = view_name(l->origin, item->entry, &out->name_len);
	if (item->dir != COPY_NO_DIR) {
		out->dir = l->dirs.data + item->dir;
		out->dir_len = strlen(out->dir);
	}
}

bool
copy_list_is_at(const struct copy_list *l, size_t i, const char *path)
{
	struct record have, wanted;

	item_record(l, &l->items[i], &have);
	record_of_path(path, &wanted);
	return have.name_len == wanted.name_len && have.dir_len == wanted.dir_len &&
	       record_compare(&have, &wanted) == 0;
}

/* No two have one path. */
static int
by_path(const void *a, const void *b, void *arg)
{
	struct record x, y;

	item_record(arg, a, &x);
	item_record(arg, b, &y);
	return record_compare(&x, &y);
}

void
copy_list_sort(struct copy_list *l)
{
	size_t i = 1;

	while (i < l->count && by_path(&l->items[i - 1], &l->items[i], l) < 0)
		i++;
	if (i < l->count)
		qsort_r(l->items, l->count, sizeof *l->items, by_path, l);
}

/* --- reading ---------------------------------------------------------------------------------- */

void
copy_dress(const struct copy_dress *d, struct entry *e)
{
	if (d->has_owner) {
		e->uid = d->uid;
		e->gid = d->gid;
	}
	if (d->has_mode && (e->kind == ENTRY_DIR || e->kind == ENTRY_FILE))
		e->mode = (uint32_t)mode_apply(&d->mode, e->mode, e->kind == ENTRY_DIR);
}

static void
read_origin(const struct copy_list *l, const struct copy_item *item, struct copied *out)
{
	const char *slash;

	out->entry = *view_at(l->origin, item->entry, &out->listed, &out->layer);
	out->from = out->entry.path;
	out->bytes = out->entry.kind == ENTRY_FILE ? COPY_FROM_ORIGIN : COPY_NO_BYTES;
	slash = strrchr(out->from, '/');
	buf_clear(&out->path);
	if (item->dir != COPY_NO_DIR) {
		buf_adds(&out->path, l->dirs.data + item->dir);
		buf_addc(&out->path, '/');
	}
	buf_adds(&out->path, slash != NULL ? slash + 1 : out->from);
	out->entry.path = out->path.data;
	copy_dress(&l->dress, &out->entry);
}

static void
read_own(const struct copy_list *l, size_t i, struct copied *out)
{
	const struct copy_source *s = &l->sources[i];
	const struct copy_place *place;

	out->entry = *listing_at(&l->own, i, &out->listed);
	out->bytes = (enum copy_bytes)s->bytes;
	switch (out->bytes) {
	case COPY_NO_BYTES:
		break;
	case COPY_FROM_ORIGIN:
		out->from = view_at(l->origin, s->number, &out->source, &out->layer)->path;
		break;
	case COPY_FROM_PLACE:
		place = &l->places[s->place];
		out->layer = s->place;
		out->from =
			(place->view != NULL ? view_at(place->view, s->number, &out->source, NULL)
					     : listing_at(place->archive, s->number, &out->source))
				->path;
		break;
	case COPY_INLINE:
		out->text = l->files[s->number].content;
		break;
	}
}

const struct entry *
copy_list_at(const struct copy_list *l, size_t i, struct copied *out)
{
	const struct copy_item *item = &l->items[i];

	if (is_own(item))
		read_own(l, item->entry & ~COPY_IS_OWN, out);
	else
		read_origin(l, item, out);
	return &out->entry;
}

bool
copy_list_layers(const struct copy_list *l, bool *out)
{
	bool any = false;

	for (size_t i = 0; i < l->count; i++) {
		const struct copy_item *item = &l->items[i];
		const struct copy_source *s =
			&l->sources[is_own(item) ? item->entry & ~COPY_IS_OWN : 0];
		size_t layer;

		if (is_own(item) ? s->bytes != COPY_FROM_ORIGIN
				 : view_kind(l->origin, item->entry, NULL) != ENTRY_FILE)
			continue;
		any = true;
		if (out == NULL)
			break;
		view_kind(l->origin, is_own(item) ? s->number : item->entry, &layer);
		out[layer] = true;
	}
	return any;
}

void
copy_content_digest(const struct copy_list *l, struct digest *out)
{
	AUTO(hasher) struct hasher *h = hasher_new(DIGEST_SHA256);
	AUTO(copied) struct copied item = COPIED_INIT;

	for (size_t i = 0; i < l->count; i++)
		if (!listing_content_add(h, copy_list_at(l, i, &item))) {
			*out = (struct digest){ .text = "" };
			return;
		}
	hasher_digest(h, out);
}
