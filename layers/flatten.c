/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/flatten.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/strv.h"
#include "layers/listing.h"
#include "layers/tar.h"
#include "layers/texts.h"
#include "layers/view.h"

#define CHUNK (256u << 10)

struct layer {
	struct listing listing;
	bool has_root;
	struct texts files; /* path of a FILE to where it is in offsets, and one more */
};

struct flatten {
	int spool;
	uint64_t end;
	struct layer *layers;
	size_t count, room;
	uint64_t *offsets; /* of files in the spool */
	size_t offset_count, offset_room;
	struct texts linked; /* what hard links name */
	char *chunk;
};

struct flatten *
flatten_new(int spool)
{
	struct flatten *f = xzalloc(sizeof *f);

	f->spool = spool;
	f->chunk = xmalloc(CHUNK);
	return f;
}

void
flatten_free(struct flatten *f)
{
	if (f == NULL)
		return;
	close(f->spool);
	for (size_t i = 0; i < f->count; i++) {
		listing_free(&f->layers[i].listing);
		texts_free(&f->layers[i].files);
	}
	free(f->layers);
	free(f->offsets);
	texts_free(&f->linked);
	free(f->chunk);
	free(f);
}

void
auto_flatten(struct flatten **f)
{
	flatten_free(*f);
	*f = NULL;
}

static int
spool_bytes(struct flatten *f, const char *bytes, size_t len, uint64_t at, struct err *err)
{
	if (lseek(f->spool, (off_t)at, SEEK_SET) < 0 || fd_write(f->spool, bytes, len) < 0)
		return err_sys(err, "write to a file in TMPDIR");
	return 0;
}

static int
spool_file(struct flatten *f, struct tar_reader *r, const struct entry *e, struct err *err)
{
	uint64_t at = f->end, end;

	if (__builtin_add_overflow(f->end, e->size, &end) || end > INT64_MAX)
		return err_set(err, ERR_INPUT, "its files are too large");
	for (;;) {
		ssize_t n;

		at += tar_reader_hole(r);
		n = tar_reader_data(r, f->chunk, CHUNK, err);
		if (n < 0 || (n > 0 && spool_bytes(f, f->chunk, (size_t)n, at, err) < 0))
			return -1;
		if (n == 0)
			break;
		at += (uint64_t)n;
	}
	if (at != end)
		return err_set(err, ERR_CORRUPT, "'%s' has %" PRIu64 " bytes instead of %" PRIu64,
			e->path, at - f->end, e->size);
	f->end = end;
	return 0;
}

static int
add_entry(struct flatten *f, struct layer *layer, struct tar_reader *r, struct entry *e,
	struct err *err)
{
	layer->has_root = layer->has_root || e->path[0] == '\0';
	if (e->kind == ENTRY_HARDLINK)
		texts_add(&f->linked, e->link);
	if (e->kind == ENTRY_FILE) {
		f->offsets = grow(f->offsets, f->offset_count, &f->offset_room, sizeof *f->offsets);
		f->offsets[f->offset_count++] = f->end;
		texts_add(&layer->files, e->path);
		*texts_value(&layer->files, e->path) = (void *)(uintptr_t)f->offset_count;
		if (spool_file(f, r, e, err) < 0)
			return -1;
	}
	listing_take(&layer->listing, e);
	return 0;
}

int
flatten_add(struct flatten *f, struct stream *tar, struct err *err)
{
	AUTO(tar_reader) struct tar_reader *r = tar_reader_new(tar, TAR_LAYER);
	AUTO(entry) struct entry e = { .path = NULL };
	struct layer *layer;
	int n;

	f->layers = grow(f->layers, f->count, &f->room, sizeof *f->layers);
	layer = &f->layers[f->count++];
	*layer = (struct layer){ .listing = LISTING_INIT, .files = TEXTS_INIT };
	while ((n = tar_reader_next(r, &e, err)) == 1)
		if (add_entry(f, layer, r, &e, err) < 0)
			return -1;
	if (n < 0 || tar_reader_drain(r, err) < 0)
		return -1;
	listing_sort(&layer->listing);
	return 0;
}

struct writing {
	struct flatten *f;
	size_t below;
	struct view *all, *lower;
	struct tar_writer *tar;
	struct texts
		names; /* "layer path" of a file with several names to the first that was written */
	struct strv firsts; /* those */
	bool has_root;
};

static void
auto_writing(struct writing *w)
{
	view_free(w->all);
	view_free(w->lower);
	tar_writer_free(w->tar);
	texts_free(&w->names);
	strv_free(&w->firsts);
}

static const struct entry *
entry_of(const struct view_hit *hit)
{
	return &hit->file.entry;
}

/* What is exactly there, no links followed. */
static bool
find(const struct view *v, const char *path, struct view_hit *out)
{
	struct err ignored = { 0 };

	return v != NULL && view_find(v, path, false, out, &ignored) == 0 && streq(out->path, path);
}

/* Whether v has this very file there: of the same layer, by the same first name. */
static bool
has_same(const struct view *v, const char *path, const struct view_hit *hit)
{
	AUTO(view_hit) struct view_hit other = VIEW_HIT_INIT;

	return find(v, path, &other) && other.layer == hit->layer &&
	       streq(entry_of(&other)->path, entry_of(hit)->path);
}

static int
write_bytes(struct writing *w, const struct view_hit *hit, struct err *err)
{
	void **value = texts_value(&w->f->layers[hit->layer].files, entry_of(hit)->path);
	uint64_t at, left = entry_of(hit)->size;

	if (value == NULL)
		return err_set(err, ERR_CORRUPT, "'%s' has no bytes", hit->path);
	at = w->f->offsets[(size_t)(uintptr_t)*value - 1];
	while (left > 0) {
		size_t len = left < CHUNK ? (size_t)left : CHUNK;
		ssize_t n = fd_pread(w->f->spool, w->f->chunk, len, at);

		if (n < 0 || (size_t)n != len)
			return err_sys(err, "read from a file in TMPDIR");
		if (tar_writer_data(w->tar, w->f->chunk, len, err) < 0)
			return -1;
		at += len;
		left -= len;
	}
	return 0;
}

/* The first of several names has the file, all others link to it; NULL: this is the first. */
static const char *
first_name(struct writing *w, const struct view_hit *hit)
{
	const struct entry *e = entry_of(hit);
	AUTO(free) char *key = NULL;
	void **value;

	if (e->kind == ENTRY_DIR || !texts_has(&w->f->linked, e->path))
		return NULL;
	if (hit->layer < w->below && has_same(w->lower, e->path, hit) &&
		has_same(w->all, e->path, hit))
		return e->path;
	key = xasprintf("%zu %s", hit->layer, e->path);
	value = texts_value(&w->names, key);
	if (value != NULL)
		return *value;
	strv_add(&w->firsts, hit->path);
	texts_add(&w->names, key);
	*texts_value(&w->names, key) = w->firsts.items[w->firsts.count - 1];
	return NULL;
}

static int
write_hit(const struct view_hit *hit, void *arg, struct err *err)
{
	struct writing *w = arg;
	struct entry e = *entry_of(hit); /* lends all that it has */
	const char *first;

	if (hit->path[0] == '\0' && !w->has_root)
		return 0;
	if (hit->layer < w->below && has_same(w->lower, hit->path, hit))
		return 0;
	first = first_name(w, hit);
	e.path = hit->path;
	if (first != NULL) {
		e.kind = ENTRY_HARDLINK;
		e.link = (char *)first;
		e.size = 0;
	}
	if (tar_writer_entry(w->tar, &e, err) < 0)
		return -1;
	return e.kind == ENTRY_FILE ? write_bytes(w, hit, err) : 0;
}

/* What the layers below have and the whole has not. */
static int
write_whiteout(const struct view_hit *hit, void *arg, struct err *err)
{
	struct writing *w = arg;
	AUTO(view_hit) struct view_hit now = VIEW_HIT_INIT;
	struct entry e = { .path = hit->path, .kind = ENTRY_WHITEOUT };

	if (find(w->all, hit->path, &now))
		return entry_of(&now)->kind == ENTRY_DIR ? 0 : 1;
	return tar_writer_entry(w->tar, &e, err) < 0 ? -1 : 1;
}

static struct view *
make_view(const struct flatten *f, size_t count)
{
	AUTO(free) const struct listing **list = xcalloc(count + 1, sizeof *list);

	for (size_t i = 0; i < count; i++)
		list[i] = &f->layers[i].listing;
	return view_new(list, count);
}

int
flatten_write(struct flatten *f, size_t below, struct sink *out, struct err *err)
{
	AUTO(writing) struct writing w = { .f = f, .below = below };

	/* a hole at its end has not been written */
	if (ftruncate(f->spool, (off_t)f->end) < 0)
		return err_sys(err, "a file in TMPDIR");
	for (size_t i = below; i < f->count; i++)
		w.has_root = w.has_root || f->layers[i].has_root;
	w.all = make_view(f, f->count);
	w.tar = tar_writer_new(out, TAR_LAYER);
	if (below > 0) {
		w.lower = make_view(f, below);
		if (view_walk(w.lower, "", write_whiteout, &w, err) < 0)
			return -1;
	}
	if (view_walk(w.all, "", write_hit, &w, err) < 0)
		return -1;
	return tar_writer_finish(w.tar, err);
}
