/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "layers/view_nodes.h"

struct child_row {
	const char *name;
	uint32_t len, node;
};

static int
by_name(const void *a, const void *b)
{
	const struct child_row *x = a, *y = b;
	int order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* A directory on the way of a walk over all. */
struct frame {
	struct child_row *rows;
	size_t count, next;
	size_t path_len; /* of the directory */
};

static struct frame
frame_open(const struct view *v, uint32_t dir, size_t path_len)
{
	struct frame f = { .path_len = path_len };
	size_t count = 0;

	for (uint32_t n = v->nodes[dir].first; n != NODE_NONE; n = v->nodes[n].next)
		count += !v->nodes[n].is_dead;
	if (count == 0)
		return f;
	f.rows = xcalloc(count, sizeof *f.rows);
	for (uint32_t n = v->nodes[dir].first; n != NODE_NONE; n = v->nodes[n].next) {
		size_t len;
		const char *name;

		if (v->nodes[n].is_dead)
			continue;
		name = node_name(v, n, &len);
		f.rows[f.count++] = (struct child_row){ name, (uint32_t)len, n };
	}
	qsort(f.rows, f.count, sizeof *f.rows, by_name);
	return f;
}

struct frames {
	struct frame *items;
	size_t count, room;
};

static void
frames_push(struct frames *f, struct frame frame)
{
	f->items = grow(f->items, f->count, &f->room, sizeof *f->items);
	f->items[f->count++] = frame;
}

static void
auto_frames(struct frames *f)
{
	while (f->count > 0)
		free(f->items[--f->count].rows);
	free(f->items);
}

/* hit is only for its memory. */
static int
visit_node(const struct view *v, uint32_t n, struct buf *path, struct view_hit *hit,
	view_visitor *visit, void *arg, struct err *err)
{
	int said;

	if (node_hit(v, n, path->data, hit, err) < 0)
		return -1;
	hit->path = path->data;
	said = visit(hit, arg, err);
	hit->path = NULL;
	return said;
}

/* Everything below dir, whose path is in path; deep: also below its directories. */
static int
walk_below(const struct view *v, uint32_t dir, struct buf *path, bool deep, view_visitor *visit,
	void *arg, struct err *err)
{
	AUTO(frames) struct frames stack = { 0 };
	AUTO(view_hit) struct view_hit hit = VIEW_HIT_INIT;

	frames_push(&stack, frame_open(v, dir, path->len));
	while (stack.count > 0) {
		struct frame *f = &stack.items[stack.count - 1];
		const struct child_row *row;
		int said;

		buf_truncate(path, f->path_len);
		if (f->next == f->count) {
			free(f->rows);
			stack.count--;
			continue;
		}
		row = &f->rows[f->next++];
		if (path->len > 0)
			buf_addc(path, '/');
		buf_add(path, row->name, row->len);
		said = visit_node(v, row->node, path, &hit, visit, arg, err);
		if (said < 0)
			return -1;
		if (deep && said == 0 && node_is_dir(v, row->node))
			frames_push(&stack, frame_open(v, row->node, path->len));
	}
	return 0;
}

int
view_children(
	const struct view *v, const char *path, view_visitor *visit, void *arg, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	uint32_t n = node_find(v, path);

	if (n == NODE_NONE)
		return node_not_there(path, err);
	if (!node_is_dir(v, n))
		return node_not_a_directory(path, err);
	node_path(v, n, &text);
	return walk_below(v, n, &text, false, visit, arg, err);
}

int
view_walk(const struct view *v, const char *path, view_visitor *visit, void *arg, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(view_hit) struct view_hit hit = VIEW_HIT_INIT;
	uint32_t n = node_find(v, path);
	int said;

	if (n == NODE_NONE)
		return node_not_there(path, err);
	node_path(v, n, &text);
	said = visit_node(v, n, &text, &hit, visit, arg, err);
	if (said != 0 || !node_is_dir(v, n))
		return said < 0 ? -1 : 0;
	return walk_below(v, n, &text, true, visit, arg, err);
}
