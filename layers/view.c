/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "layers/view_nodes.h"

/* The way to the directory of the entry before: node and length of path for each directory on it. */
struct way {
	struct step {
		uint32_t node;
		size_t len;
	} * steps;
	size_t count, room;
	const char *dir; /* the text of that directory's path */
	size_t len;
	bool is_whole; /* all of it was there */
};

static void
way_add(struct way *w, uint32_t node, size_t len)
{
	w->steps = grow(w->steps, w->count, &w->room, sizeof *w->steps);
	w->steps[w->count++] = (struct step){ node, len };
}

/* Steps back to the last directory that is also on the way to dir. */
static void
way_back(struct way *w, const char *dir, size_t len)
{
	size_t common = 0;

	while (common < len && common < w->len && dir[common] == w->dir[common])
		common++;
	while (w->count > 1) {
		size_t end = w->steps[w->count - 1].len;

		if (end <= common && (end == len || dir[end] == '/'))
			break;
		w->count--;
	}
	w->dir = dir;
	w->len = len;
}

/* The node of directory dir[0..len), or NODE_NONE; make: what is missing, or no directory, is made one. */
static uint32_t
way_to(struct view *v, struct way *w, const char *dir, size_t len, size_t layer, bool make)
{
	struct step at;

	if (w->is_whole && dir == w->dir && len == w->len)
		return w->steps[w->count - 1].node;
	w->is_whole = false;
	way_back(w, dir, len);
	at = w->steps[w->count - 1];
	while (at.len < len) {
		const char *name = dir + at.len + (at.len > 0), *slash;
		size_t left = len - (size_t)(name - dir), part;
		uint32_t n;

		slash = memchr(name, '/', left);
		part = slash != NULL ? (size_t)(slash - name) : left;
		n = node_child(v, at.node, name, part);
		if ((n == NODE_NONE || !node_is_dir(v, n)) && !make)
			return NODE_NONE;
		if (n == NODE_NONE || !node_is_dir(v, n))
			n = node_lay(v, at.node, name, part,
				view_imply(v, dir, (size_t)(name - dir) + part, layer));
		at = (struct step){ n, (size_t)(name - dir) + part };
		way_add(w, at.node, at.len);
	}
	w->is_whole = true;
	return at.node;
}

/* An entry on its way into the view. */
struct laying {
	const char *dir, *name;
	size_t dir_len, name_len;
	uint32_t number;
	size_t layer;
};

static void
lay_whiteout(struct view *v, struct way *w, const struct laying *e)
{
	uint32_t parent = way_to(v, w, e->dir, e->dir_len, e->layer, false), n;

	if (parent == NODE_NONE || e->name_len == 0)
		return;
	n = node_child(v, parent, e->name, e->name_len);
	if (n != NODE_NONE)
		node_remove(v, n);
}

/* Of a directory at this path, which stays, or is made. */
static void
lay_opaque(struct view *v, struct way *w, const struct laying *e)
{
	uint32_t parent = way_to(v, w, e->dir, e->dir_len, e->layer, true);
	uint32_t n = e->name_len > 0 ? node_child(v, parent, e->name, e->name_len) : NODE_ROOT;

	if (n == NODE_NONE || !node_is_dir(v, n)) {
		AUTO(free)
		char *path = e->dir_len > 0 ? xasprintf("%.*s/%.*s", (int)e->dir_len, e->dir,
						      (int)e->name_len, e->name)
					    : xstrndup(e->name, e->name_len);

		n = node_lay(v, parent, e->name, e->name_len,
			view_imply(v, path, strlen(path), e->layer));
	}
	node_empty(v, n);
}

/* Returns the node. */
static uint32_t
lay(struct view *v, struct way *w, const struct laying *e, enum entry_kind kind)
{
	uint32_t parent;

	/* nothing can stand in for the root */
	if (e->name_len == 0 && kind == ENTRY_DIR)
		node_set(v, NODE_ROOT, e->number);
	if (e->name_len == 0)
		return NODE_ROOT;
	parent = way_to(v, w, e->dir, e->dir_len, e->layer, true);
	return node_lay(v, parent, e->name, e->name_len, e->number);
}

struct chain {
	uint32_t *nodes;
	size_t count, room;
};

static uint32_t
linked_node(const struct view *v, const struct link *link)
{
	AUTO(listed) struct listed e = LISTED_INIT;

	return node_find(v, view_at(v, link->entry, &e, NULL)->link);
}

/* Follows a chain of links that are not bound yet to the file at its end, and binds all of them.  A
 * circle, or an end that is missing or a directory, leaves them broken. */
static void
bind(struct view *v, uint32_t n, struct chain *chain)
{
	uint32_t file;

	chain->count = 0;
	while (n != NODE_NONE && node_file(v, n) == ENTRY_UNBOUND) {
		struct link *link = &v->links[v->nodes[n].entry & ~NODE_IS_LINK];

		chain->nodes = grow(chain->nodes, chain->count, &chain->room, sizeof *chain->nodes);
		chain->nodes[chain->count++] = n;
		link->file = ENTRY_BROKEN; /* seen */
		n = linked_node(v, link);
	}
	file = n != NODE_NONE ? node_file(v, n) : ENTRY_BROKEN;
	if (file == ENTRY_BROKEN || node_is_dir(v, n))
		return;
	v->nodes[n].is_linked = true;
	for (size_t i = 0; i < chain->count; i++)
		v->links[v->nodes[chain->nodes[i]].entry & ~NODE_IS_LINK].file = file;
}

static void
lay_all(struct view *v, size_t layer)
{
	const struct listing *l = v->layers[layer];
	struct way way = { .dir = "", .is_whole = true };
	struct chain links = { 0 }, chain = { 0 };

	way_add(&way, NODE_ROOT, 0);
	for (size_t i = 0; i < l->count; i++) {
		enum entry_kind kind = listing_kind(l, i);
		struct laying e = { .number = v->starts[layer] + (uint32_t)i, .layer = layer };
		uint32_t n;

		e.name = listing_name(l, i, &e.name_len);
		e.dir = listing_dir(l, i, &e.dir_len);
		if (kind == ENTRY_WHITEOUT) {
			lay_whiteout(v, &way, &e);
		} else if (kind == ENTRY_OPAQUE) {
			lay_opaque(v, &way, &e);
		} else {
			n = lay(v, &way, &e, kind);
			if (kind != ENTRY_HARDLINK || n == NODE_ROOT)
				continue;
			links.nodes =
				grow(links.nodes, links.count, &links.room, sizeof *links.nodes);
			links.nodes[links.count++] = n;
		}
	}
	for (size_t i = 0; i < links.count; i++)
		bind(v, links.nodes[i], &chain);
	free(links.nodes);
	free(chain.nodes);
	free(way.steps);
}

/* Where the numbers of each layer's entries start; how many there are. */
static size_t
number_entries(struct view *v, const struct listing *const *layers, size_t count)
{
	size_t total = 0;

	v->layers = xcalloc(count + 1, sizeof *v->layers);
	v->starts = xcalloc(count + 1, sizeof *v->starts);
	v->layer_count = count;
	for (size_t i = 0; i < count; i++) {
		v->layers[i] = layers[i];
		v->starts[i] = (uint32_t)total;
		total += layers[i]->count;
	}
	v->starts[count] = (uint32_t)total;
	/* what is implied needs numbers as well */
	if (total > NODE_MAX / 2)
		out_of_memory();
	return total;
}

struct view *
view_new(const struct listing *const *layers, size_t count)
{
	struct view *v = xzalloc(sizeof *v);
	size_t total = number_entries(v, layers, count), slots = 64;

	while (slots < total && slots < (1u << 30))
		slots *= 2;
	v->table = xcalloc(slots, sizeof *v->table);
	v->mask = (uint32_t)(slots - 1);
	if (getrandom(&v->seed, sizeof v->seed, GRND_NONBLOCK) < 0)
		v->seed = (uintptr_t)v->table;
	v->room = total + 16;
	v->nodes = xcalloc(v->room, sizeof *v->nodes);
	v->nodes[NODE_ROOT] =
		(struct node){ .parent = NODE_ROOT, .entry = view_imply(v, "", 0, 0) };
	v->count = 2;
	v->alive = 1;
	for (size_t i = 0; i < count; i++)
		lay_all(v, i);
	return v;
}

void
view_free(struct view *v)
{
	if (v == NULL)
		return;
	free(v->nodes);
	free(v->links);
	free(v->layers);
	free(v->starts);
	listing_free(&v->implied);
	free(v->implied_layers);
	free(v->table);
	free(v);
}

void
auto_view(struct view **v)
{
	view_free(*v);
	*v = NULL;
}

size_t
view_count(const struct view *v)
{
	return v->alive;
}

void
auto_view_hit(struct view_hit *hit)
{
	auto_listed(&hit->file);
	free(hit->path);
	*hit = (struct view_hit)VIEW_HIT_INIT;
}
