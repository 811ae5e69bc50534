/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "layers/view_nodes.h"

/* A walk along a path. */
struct walk {
	const struct view *v;
	const char *path; /* as asked, for messages */
	struct buf rest;  /* what is still to go, '\0'-ended */
	size_t at;        /* in rest */
	uint32_t node;    /* where it is */
	unsigned links;
	bool follow_last;
};
#define WALK_INIT                                   \
	{                                           \
		.rest = BUF_INIT, .node = NODE_ROOT \
	}

static void
auto_walk(struct walk *w)
{
	buf_free(&w->rest);
}

static int
walk_link(struct walk *w, uint32_t n, struct err *err)
{
	AUTO(view_hit) struct view_hit hit = VIEW_HIT_INIT;
	const char *target;
	struct buf rest = BUF_INIT;

	if (node_hit(w->v, n, w->path, &hit, err) < 0)
		return -1;
	target = hit.file.entry.link;

	if (++w->links > VIEW_LINKS_MAX)
		return err_set(err, ERR_INPUT, "'%s' leads through more than %d links", w->path,
			VIEW_LINKS_MAX);
	if (target[0] == '\0')
		return node_not_there(w->path, err);
	if (strlen(target) + w->rest.len - w->at > ENTRY_PATH_MAX)
		return err_set(err, ERR_INPUT, "'%s' leads to a path that is too long", w->path);
	if (target[0] == '/')
		w->node = NODE_ROOT;
	buf_adds(&rest, target);
	if (w->rest.data[w->at] != '\0') {
		buf_addc(&rest, '/');
		buf_adds(&rest, w->rest.data + w->at);
	}
	buf_free(&w->rest);
	w->rest = rest;
	w->at = 0;
	return 0;
}

static int
walk_up(struct walk *w, struct err *err)
{
	if (!node_is_dir(w->v, w->node))
		return node_not_a_directory(w->path, err);
	w->node = w->v->nodes[w->node].parent;
	return 0;
}

static int
walk_component(struct walk *w, const char *name, size_t len, bool is_last, struct err *err)
{
	const struct view *v = w->v;
	uint32_t n;

	if (!node_is_dir(v, w->node))
		return node_not_a_directory(w->path, err);
	n = node_child(v, w->node, name, len);
	if (n == NODE_NONE)
		return node_not_there(w->path, err);
	if (node_kind(v, n) == ENTRY_SYMLINK && (!is_last || w->follow_last))
		return walk_link(w, n, err);
	w->node = n;
	return 0;
}

static int
walk_path(struct walk *w, struct err *err)
{
	/* and so what a link at the end leads to */
	bool want_dir = path_wants_dir(w->path);

	if (strlen(w->path) > ENTRY_PATH_MAX)
		return err_set(err, ERR_INPUT, "'%.60s...' is too long", w->path);
	buf_adds(&w->rest, w->path);
	while (w->rest.data[w->at] != '\0') {
		const char *name = w->rest.data + w->at;
		size_t len = strcspn(name, "/"), skip = strspn(name + len, "/");
		bool is_last = name[len + skip] == '\0' && skip == 0;

		w->at += len + skip;
		if (len == 0 || (len == 1 && name[0] == '.'))
			continue;
		if (len == 2 && name[0] == '.' && name[1] == '.') {
			if (walk_up(w, err) < 0)
				return -1;
		} else if (walk_component(w, name, len, is_last, err) < 0) {
			return -1;
		}
	}
	if (want_dir && !node_is_dir(w->v, w->node))
		return node_not_a_directory(w->path, err);
	return 0;
}

int
view_find(const struct view *v, const char *path, bool follow_last, struct view_hit *out,
	struct err *err)
{
	AUTO(walk) struct walk w = WALK_INIT;
	AUTO(view_hit) struct view_hit hit = VIEW_HIT_INIT;
	struct buf text = BUF_INIT;

	w.v = v;
	w.path = path;
	w.follow_last = follow_last;
	if (walk_path(&w, err) < 0 || node_hit(v, w.node, path, &hit, err) < 0)
		return -1;
	node_path(v, w.node, &text);
	hit.path = buf_steal(&text);
	*out = hit;
	hit = (struct view_hit)VIEW_HIT_INIT;
	return 0;
}

const struct entry *
view_entry(const struct view *v, const char *path, struct listed *out)
{
	struct view_hit hit = VIEW_HIT_INIT;
	uint32_t n = node_find(v, path);
	struct err ignored;
	bool is_there;

	if (n == NODE_NONE)
		return NULL;
	hit.file = *out;
	is_there = node_hit(v, n, path, &hit, &ignored) == 0;
	*out = hit.file;
	return is_there ? &out->entry : NULL;
}
