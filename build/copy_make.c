/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "build/material.h"
#include "build/solve.h"
#include "layers/apply.h"
#include "layers/tar.h"

/* copy_make - a copy list becomes a layer, in one pass: one worker writes the tar where the files
 * can be read, outside for a context, inside the user namespace for trees; the stream feeds the
 * blob and, where files are wanted, a second worker that applies it. */

struct making {
	const struct copy_list *list;
	int context;       /* its directory; -1: files come from trees */
	int *trees;        /* one per layer of the origin; lent */
	const int *places; /* of COPY_FROM_PLACE; lent */
	int tar_fd;        /* write end to the one who applies; -1: nobody does */
	int other_fd;      /* the end that is not ours */
	struct ingest *ingest;
	enum codec_kind codec;
	int level;
	int memory;
};

/* A context is the user's, who may be editing it. */
static int
unchanged(int fd, const struct entry *e, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "look at '%s'", path);
	if ((uint64_t)st.st_size == e->size && st.st_mtim.tv_sec == e->mtime &&
		(uint32_t)st.st_mtim.tv_nsec == e->mtime_ns)
		return 0;
	return err_set(err, ERR_INPUT, "'%s' changed while it was read: build again", path);
}

static int
dir_of(const struct making *m, const struct copied *item)
{
	if (item->bytes == COPY_FROM_PLACE)
		return m->places[item->layer];
	return m->context >= 0 ? m->context : m->trees[item->layer];
}

static int
make_bytes(const struct making *m, struct tar_writer *w, const struct copied *item,
	struct digest *learned, struct err *err)
{
	AUTO(hasher) struct hasher *h = NULL;
	AUTO(fd) int fd = -1;

	if (item->bytes == COPY_INLINE)
		return tar_writer_data(w, item->text, item->entry.size, err);
	if (item->entry.size == 0) { /* a socket of a context, too, which nobody can open */
		digest_of("", 0, learned);
		return 0;
	}
	fd = path_open(dir_of(m, item), item->from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, "open '%s'", item->from);
	if (m->context >= 0 && item->bytes == COPY_FROM_ORIGIN)
		return unchanged(fd, &item->entry, item->from, err) < 0 ||
				       tar_writer_file(w, fd, NULL, err) < 0 ||
				       unchanged(fd, &item->entry, item->from, err) < 0
			       ? -1
			       : 0;
	if (digest_is_empty(&item->entry.digest))
		h = hasher_new(DIGEST_SHA256);
	if (tar_writer_file(w, fd, h, err) < 0)
		return err_in(err, "'%s'", item->from);
	if (h != NULL)
		hasher_digest(h, learned);
	return 0;
}

/* The tar, and the listing of what is in it with the digests that were learned. */
static int
make_tar(const struct making *m, struct sink *out, struct material_writer *listing, struct err *err)
{
	AUTO(tar_writer) struct tar_writer *w = tar_writer_new(out, TAR_LAYER);
	AUTO(copied) struct copied item = COPIED_INIT;

	material_writer_begin(listing, m->memory, m->list->count);
	for (size_t i = 0; i < m->list->count; i++) {
		struct digest learned = { .text = "" };

		copy_list_at(m->list, i, &item);
		if (tar_writer_entry(w, &item.entry, err) < 0 ||
			(item.bytes != COPY_NO_BYTES && make_bytes(m, w, &item, &learned, err) < 0))
			return -1;
		if (!digest_is_empty(&learned))
			item.entry.digest = learned;
		if (material_writer_add(listing, &item.entry, err) < 0)
			return -1;
	}
	return tar_writer_finish(w, err) < 0 || sink_finish(out, err) < 0 ? -1 : 0;
}

static int
make(void *arg, json_t **result, struct err *err)
{
	struct making *m = arg;
	AUTO(material_writer) struct material_writer listing = MATERIAL_WRITER_INIT;
	AUTO(sink) struct sink *out = m->tar_fd >= 0 ? sink_fd(m->tar_fd) : NULL;
	struct layer_made made;

	if (m->other_fd >= 0)
		close(m->other_fd);
	if (m->ingest != NULL) {
		struct sink *blob = NULL;

		if (layer_sink(ingest_fd(m->ingest), m->codec, m->level, 0, &made, &blob, err) < 0)
			return -1;
		out = out != NULL ? sink_both(out, blob) : blob;
	}
	if (make_tar(m, out, &listing, err) < 0)
		return -1;
	if (m->ingest != NULL && ingest_sync(m->ingest, err) < 0)
		return -1;
	*result = json_object();
	if (m->ingest != NULL)
		material_made_to_json(&made, *result);
	return material_writer_end(&listing, *result, err);
}

struct applying {
	int tar_fd, other_fd, tree;
	const struct view *lower;
	bool is_single;
};

static int
apply_made(void *arg, json_t **result, struct err *err)
{
	struct applying *a = arg;
	struct apply_options options = APPLY_OPTIONS_INIT;
	AUTO(stream) struct stream *tar = NULL;

	(void)result;
	close(a->other_fd);
	tar = stream_fd(a->tar_fd);
	options.owner = a->is_single ? APPLY_OWNER_TRY : APPLY_OWNER_KEEP;
	options.lower = a->lower;
	return apply_layer(tar, a->tree, &options, NULL, err);
}

static int
open_trees(struct solve *s, const struct copy_list *list, const struct root *r, int *out,
	struct err *err)
{
	AUTO(free) bool *is_used = xcalloc(r->count + 1, sizeof *is_used);

	copy_list_layers(list, is_used);
	for (size_t i = 0; i < r->count; i++) {
		if (!is_used[i])
			continue;
		out[i] = store_tree_open(s->store, r->items[i]->rec.tree, err);
		if (out[i] < 0)
			return -1;
	}
	return 0;
}

static int
start_applying(struct solve *s, struct copy_start *c, int read_end, int write_end, struct err *err)
{
	struct applying a = { .tar_fd = read_end,
		.other_fd = write_end,
		.tree = c->tree->fs_fd,
		.lower = c->lower,
		.is_single = s->ids.is_single };
	struct worker_job w = { .name = "apply", .run = apply_made, .arg = &a };
	struct job j = { .finish = c->applied,
		.subject = c->subject,
		.memory = -1,
		.tree = *c->tree,
		.event = c->event,
		.step = c->step };

	*c->tree = (struct tree_new)TREE_NEW_INIT; /* the job's now */
	return solve_start(s, &j, &w, true, err);
}

/* Files of trees can only be read inside the user namespace. */
static bool
is_inside(struct solve *s, const struct copy_list *list, const struct origin *origin)
{
	if (solve_root(s, origin) == NULL)
		return false;
	return copy_list_layers(list, NULL);
}

static int
start_making(struct solve *s, struct copy_start *c, struct making *m, struct err *err)
{
	struct worker_job w = { .name = "copy", .run = make, .arg = m };
	struct job j = { .finish = c->made,
		.subject = c->subject,
		.tree = TREE_NEW_INIT,
		.is_step = true,
		.event = c->event,
		.step = c->step };

	j.memory = fd_memory("listing", err);
	if (j.memory < 0)
		return -1;
	if (c->blob && store_ingest_new(s->store, NULL, INGEST_WAIT, &j.ingest, err) < 0) {
		close(j.memory);
		return -1;
	}
	m->memory = j.memory;
	m->ingest = j.ingest;
	return solve_start(s, &j, &w, is_inside(s, c->list, c->origin), err);
}

int
copy_start(struct solve *s, struct copy_start *c, struct err *err)
{
	struct root *r = solve_root(s, c->origin);
	size_t count = r != NULL ? r->count : 0;
	AUTO(free) int *trees = xcalloc(count + 1, sizeof *trees);
	struct making m = { .list = c->list,
		.context = -1,
		.trees = trees,
		.places = c->places,
		.tar_fd = -1,
		.other_fd = -1,
		.codec = s->codec,
		.level = s->level };
	int ends[2] = { -1, -1 }, result;

	for (size_t i = 0; i < count; i++)
		trees[i] = -1;
	if (is_inside(s, c->list, c->origin) && solve_inside(s, err) < 0)
		return -1;
	if (r == NULL)
		m.context = s->contexts[c->origin->index].dir;
	else if (open_trees(s, c->list, r, trees, err) < 0)
		return -1;
	if (c->tar_fd > 0) {
		m.tar_fd = c->tar_fd;
		m.other_fd = c->other_fd > 0 ? c->other_fd : -1;
	}
	if (c->tree != NULL) {
		if (pipe2(ends, O_CLOEXEC) < 0)
			return err_sys(err, "pipe");
		m.tar_fd = ends[1];
		m.other_fd = ends[0];
	}
	result = start_making(s, c, &m, err);
	if (result == 0 && c->tree != NULL)
		result = start_applying(s, c, ends[0], ends[1], err);
	auto_fd(&ends[0]);
	auto_fd(&ends[1]);
	for (size_t i = 0; i < count; i++)
		auto_fd(&trees[i]);
	return result;
}
