/* SPDX-License-Identifier: Apache-2.0 */
/* roll_walk - the merged root, from the runs of all layers side by side.
 *
 * Runs are in the order of paths, so what stands in front of all of them is all that is said about the next
 * path.  A stack of frames, one for each directory on the way, knows from which layer on what is said below
 * counts.  A file is held back until it is seen whether a layer above puts something below it, which makes it
 * a directory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "layers/roll_merge.h"

static const char *
cursor_record(const struct roll_cursor *c)
{
	return c->block.data + c->at;
}

static const char *
cursor_path(const struct roll_cursor *c)
{
	return roll_record_path(cursor_record(c));
}

static int
cursor_load(const struct roll *r, struct roll_cursor *c, size_t index, struct err *err)
{
	const uint64_t *begin = &r->blocks[c->run->first_block + index];
	size_t len = (size_t)(begin[1] - begin[0]);

	c->at = 0;
	c->is_ended = false;
	if (c->block.len > 0 && c->index == index)
		return 0;
	buf_clear(&c->block);
	if (fd_pread(r->fd, buf_reserve(&c->block, len), len, begin[0]) != (ssize_t)len)
		return err_sys(err, "read a temporary file");
	c->block.len = len;
	c->index = index;
	return 0;
}

static int
cursor_step(const struct roll *r, struct roll_cursor *c, struct err *err)
{
	struct roll_record head;

	memcpy(&head, cursor_record(c), sizeof head);
	c->at += head.len;
	if (c->at < c->block.len)
		return 0;
	if (c->index + 1 == c->run->block_count) {
		c->is_ended = true;
		return 0;
	}
	return cursor_load(r, c, c->index + 1, err);
}

/* Within blocks from low on, of which that one begins before path or is the first that may. */
static int
cursor_search(
	const struct roll *r, struct roll_cursor *c, size_t low, const char *path, struct err *err)
{
	size_t high = c->run->block_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (cursor_load(r, c, middle, err) < 0)
			return -1;
		if (entry_path_compare(cursor_path(c), path) < 0)
			low = middle;
		else
			high = middle;
	}
	if (cursor_load(r, c, low, err) < 0)
		return -1;
	while (!c->is_ended && entry_path_compare(cursor_path(c), path) < 0)
		if (cursor_step(r, c, err) < 0)
			return -1;
	return 0;
}

/* From a record before path to the first that is not; mostly it is near. */
static int
cursor_forward(const struct roll *r, struct roll_cursor *c, const char *path, struct err *err)
{
	size_t index = c->index;

	while (!c->is_ended && c->index == index && entry_path_compare(cursor_path(c), path) < 0)
		if (cursor_step(r, c, err) < 0)
			return -1;
	if (c->is_ended || entry_path_compare(cursor_path(c), path) >= 0)
		return 0;
	return cursor_search(r, c, c->index, path, err);
}

/* Of one path the lowest layer comes first, of one layer the run that was written first. */
static bool
is_before(const struct roll_walk *w, size_t a, size_t b)
{
	int order = entry_path_compare(cursor_path(&w->cursors[a]), cursor_path(&w->cursors[b]));

	return order != 0 ? order < 0 : a < b;
}

static void
heap_down(struct roll_walk *w, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1, moved;

		if (child >= w->heap_count)
			return;
		if (child + 1 < w->heap_count && is_before(w, w->heap[child + 1], w->heap[child]))
			child++;
		if (!is_before(w, w->heap[child], w->heap[at]))
			return;
		moved = w->heap[at];
		w->heap[at] = w->heap[child];
		w->heap[child] = moved;
		at = child;
	}
}

static int
seek_all(struct roll_walk *w, const char *path, struct err *err)
{
	w->heap_count = 0;
	for (size_t i = 0; i < w->cursor_count; i++) {
		struct roll_cursor *c = &w->cursors[i];

		if (c->layer >= w->top)
			continue;
		if (cursor_search(w->roll, c, 0, path, err) < 0)
			return -1;
		if (!c->is_ended)
			w->heap[w->heap_count++] = i;
	}
	for (size_t i = w->heap_count / 2; i-- > 0;)
		heap_down(w, i);
	return 0;
}

/* What comes next, lent; NULL at the end. */
static const char *
front(const struct roll_walk *w)
{
	return w->heap_count > 0 ? cursor_path(&w->cursors[w->heap[0]]) : NULL;
}

/* The front cursor has moved. */
static void
front_moved(struct roll_walk *w)
{
	if (w->cursors[w->heap[0]].is_ended)
		w->heap[0] = w->heap[--w->heap_count];
	heap_down(w, 0);
}

static int
gather(struct roll_walk *w, const char *path, size_t floor, struct roll_merge *m, struct err *err)
{
	roll_merge_begin(m, floor);
	while (front(w) != NULL && strcmp(front(w), path) == 0) {
		struct roll_cursor *c = &w->cursors[w->heap[0]];

		roll_merge_add(m, cursor_record(c), c->layer);
		if (cursor_step(w->roll, c, err) < 0)
			return -1;
		front_moved(w);
	}
	roll_merge_end(m, path[0] == '\0');
	return 0;
}

/* Frames ----------------------------------------------------------------------------------------- */

static struct roll_frame *
frame_push(struct roll_walk *w, size_t path_len, size_t floor)
{
	struct roll_frame *f;

	w->frames = grow(w->frames, w->frame_count, &w->frame_room, sizeof *w->frames);
	f = &w->frames[w->frame_count++];
	*f = (struct roll_frame){ .path_len = path_len, .floor = floor };
	return f;
}

static void
frame_pop(struct roll_walk *w)
{
	struct roll_frame *f = &w->frames[--w->frame_count];

	if (f->state == ROLL_FRAME_DUE)
		w->due_count--;
	if (w->pending == w->frame_count)
		w->pending = SIZE_MAX;
	roll_item_free(&f->item);
}

static bool
is_below(const char *path, const char *dir, size_t dir_len)
{
	return dir_len == 0 ? path[0] != '\0'
			    : strncmp(path, dir, dir_len) == 0 && path[dir_len] == '/';
}

/* The frames of path's directories, with those that no layer names; the directory's floor. */
static size_t
frames_to(struct roll_walk *w, const char *path)
{
	size_t end = strlen(path);

	while (w->frame_count > 1 &&
		!is_below(path, w->path.data, w->frames[w->frame_count - 1].path_len))
		frame_pop(w);
	for (;;) {
		const struct roll_frame *top = &w->frames[w->frame_count - 1];
		size_t from = top->path_len + (top->path_len > 0);
		const char *slash = strchr(path + from, '/');

		if (slash == NULL)
			break;
		frame_push(w, (size_t)(slash - path), top->floor);
	}
	buf_clear(&w->path);
	buf_add(&w->path, path, end);
	return w->frames[w->frame_count - 1].floor;
}

static void
make_due(struct roll_walk *w, struct roll_frame *f)
{
	f->state = ROLL_FRAME_DUE;
	w->due_count++;
}

/* Something is in them, so they are directories. */
static void
ancestors_are_dirs(struct roll_walk *w, size_t layer)
{
	for (size_t i = 0; i < w->frame_count; i++) {
		struct roll_frame *f = &w->frames[i];
		bool was_other = f->state == ROLL_FRAME_PENDING;

		if (f->state != ROLL_FRAME_NONE && !was_other)
			continue;
		roll_item_free(&f->item);
		f->item.entry.kind = ENTRY_DIR;
		f->item.entry.mode = 0755;
		f->item.layer = layer;
		f->item.is_implied = true;
		f->item.is_opaque = was_other;
		make_due(w, f);
	}
	w->pending = SIZE_MAX;
}

/* All that is said about the path in front. */
static int
take_front(struct roll_walk *w, struct err *err)
{
	AUTO(free) char *path = xstrdup(front(w));
	AUTO(roll_merge) struct roll_merge m = ROLL_MERGE_INIT;
	size_t floor = frames_to(w, path);
	struct roll_frame *f;

	if (gather(w, path, floor, &m, err) < 0)
		return -1;
	if (strcmp(path, w->base) == 0)
		w->base_floor = m.floor;
	if (m.found == ROLL_MERGE_FOUND)
		ancestors_are_dirs(w, m.item.layer);
	f = frame_push(w, strlen(path), m.floor);
	if (m.found == ROLL_MERGE_NOTHING ||
		(m.found == ROLL_MERGE_GONE && (!w->whiteouts || w->pending != SIZE_MAX)))
		return 0;
	f->item = m.item;
	m.item = (struct roll_item)ROLL_ITEM_INIT;
	if (f->item.entry.kind == ENTRY_DIR) {
		make_due(w, f);
	} else {
		f->state = ROLL_FRAME_PENDING;
		w->pending = w->frame_count - 1;
	}
	return 0;
}

static void
give(struct roll_walk *w, struct roll_frame *f, struct roll_item *out)
{
	roll_item_free(out);
	*out = f->item;
	out->entry.path = xstrndup(w->path.data, f->path_len);
	f->item = (struct roll_item)ROLL_ITEM_INIT;
	f->state = ROLL_FRAME_DONE;
	w->given = (size_t)(f - w->frames);
}

static void
give_due(struct roll_walk *w, struct roll_item *out)
{
	size_t i = 0;

	while (w->frames[i].state != ROLL_FRAME_DUE)
		i++;
	w->due_count--;
	give(w, &w->frames[i], out);
}

int
roll_walk_next(struct roll_walk *w, struct roll_item *out, struct err *err)
{
	size_t base_len = strlen(w->base);

	for (;;) {
		const char *path = front(w);

		if (w->due_count > 0) {
			give_due(w, out);
			return 1;
		}
		if (path != NULL && strcmp(path, w->base) != 0 &&
			!is_below(path, w->base, base_len))
			path = NULL;
		if (w->pending != SIZE_MAX) {
			struct roll_frame *f = &w->frames[w->pending];

			if (path == NULL || !is_below(path, w->path.data, f->path_len)) {
				w->pending = SIZE_MAX;
				give(w, f, out);
				return 1;
			}
		}
		if (path == NULL)
			return 0;
		if (take_front(w, err) < 0)
			return -1;
	}
}

int
roll_walk_skip(struct roll_walk *w, struct err *err)
{
	AUTO(buf) struct buf behind = BUF_INIT;

	while (w->frame_count > w->given + 1)
		frame_pop(w);
	buf_add(&behind, w->path.data, w->frames[w->given].path_len);
	if (behind.len == 0) {
		w->heap_count = 0;
		return 0;
	}
	/* '/' comes before all others */
	buf_addc(&behind, '\1');
	while (front(w) != NULL && entry_path_compare(front(w), behind.data) < 0) {
		if (cursor_forward(w->roll, &w->cursors[w->heap[0]], behind.data, err) < 0)
			return -1;
		front_moved(w);
	}
	return 0;
}

/* Beginnings ------------------------------------------------------------------------------------- */

struct roll_walk *
roll_walk_new(const struct roll *r, const struct roll_stack *s)
{
	struct roll_walk *w = xzalloc(sizeof *w);
	size_t count = 0;

	w->roll = r;
	w->stack = *s;
	w->path = (struct buf)BUF_INIT;
	w->base = xstrdup("");
	w->pending = SIZE_MAX;
	for (size_t i = s->first; i < s->count; i++)
		count += r->slots[s->slots[i]].run_count;
	w->cursors = xcalloc(count + 1, sizeof *w->cursors);
	w->heap = xcalloc(count + 1, sizeof *w->heap);
	for (size_t i = s->first; i < s->count; i++) {
		const struct roll_slot *slot = &r->slots[s->slots[i]];

		for (size_t k = 0; k < slot->run_count; k++)
			w->cursors[w->cursor_count++] = (struct roll_cursor){
				.run = &r->runs[slot->first_run + k], .layer = i, .block = BUF_INIT
			};
	}
	return w;
}

void
roll_walk_free(struct roll_walk *w)
{
	if (w == NULL)
		return;
	roll_walk_free(w->links);
	while (w->frame_count > 0)
		frame_pop(w);
	free(w->frames);
	for (size_t i = 0; i < w->cursor_count; i++)
		buf_free(&w->cursors[i].block);
	free(w->cursors);
	free(w->heap);
	buf_free(&w->path);
	free(w->base);
	free(w);
}

void
auto_roll_walk(struct roll_walk **w)
{
	roll_walk_free(*w);
	*w = NULL;
}

void
roll_walk_whiteouts(struct roll_walk *w)
{
	w->whiteouts = true;
}

size_t
roll_walk_floor(const struct roll_walk *w)
{
	return w->base_floor;
}

/* The root is always there. */
static int
start_root(struct roll_walk *w, struct err *err)
{
	AUTO(roll_merge) struct roll_merge m = ROLL_MERGE_INIT;
	struct roll_frame *f;

	if (seek_all(w, "", err) < 0 || gather(w, "", 0, &m, err) < 0)
		return -1;
	f = frame_push(w, 0, m.floor);
	f->item = m.item;
	m.item = (struct roll_item)ROLL_ITEM_INIT;
	if (w->base[0] == '\0')
		make_due(w, f);
	else
		f->state = ROLL_FRAME_DONE;
	w->base_floor = m.floor;
	return 0;
}

/* One directory on the way to where the walk starts. */
static int
start_parent(struct roll_walk *w, size_t len, struct err *err)
{
	AUTO(free) char *dir = xstrndup(w->base, len);
	AUTO(roll_merge) struct roll_merge m = ROLL_MERGE_INIT;

	if (seek_all(w, dir, err) < 0 || gather(w, dir, w->base_floor, &m, err) < 0)
		return -1;
	frame_push(w, len, m.floor)->state = ROLL_FRAME_DONE;
	w->base_floor = m.floor;
	return 0;
}

int
roll_walk_start_below(struct roll_walk *w, const char *path, size_t top, struct err *err)
{
	const char *slash = path;

	while (w->frame_count > 0)
		frame_pop(w);
	free(w->base);
	w->base = xstrdup(path);
	w->top = top;
	w->given = 0;
	buf_clear(&w->path);
	buf_adds(&w->path, path);
	if (start_root(w, err) < 0)
		return -1;
	if (path[0] == '\0')
		return 0;
	while ((slash = strchr(slash, '/')) != NULL) {
		if (start_parent(w, (size_t)(slash - path), err) < 0)
			return -1;
		slash++;
	}
	return seek_all(w, path, err);
}

int
roll_walk_start(struct roll_walk *w, const char *path, struct err *err)
{
	return roll_walk_start_below(w, path, SIZE_MAX, err);
}
