/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "layers/view_nodes.h"

static const struct entry implied_dir = { .path = (char *)"", .kind = ENTRY_DIR, .mode = 0755 };

/* Names are strangers': with a seed that they cannot know, they cannot all fall into one chain. */
static uint32_t
slot(const struct view *v, uint32_t parent, const char *name, size_t len)
{
	uint64_t h = v->seed ^ (parent * UINT64_C(0x9e3779b97f4a7c15)), word;

	for (; len >= 8; len -= 8, name += 8) {
		memcpy(&word, name, 8);
		h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	word = len;
	for (; len > 0; len--)
		word = word << 8 | (unsigned char)*name++;
	h = (h ^ word) * UINT64_C(0xc4ceb9fe1a85ec53);
	h ^= h >> 29;
	h *= UINT64_C(0xff51afd7ed558ccd);
	return (uint32_t)(h >> 32) & v->mask;
}

uint32_t
node_child(const struct view *v, uint32_t parent, const char *name, size_t len)
{
	uint32_t n = v->table[slot(v, parent, name, len)];

	for (; n != NODE_NONE; n = v->nodes[n].chain) {
		const struct node *node = &v->nodes[n];

		if (node->parent == parent && node->name_len == len &&
			memcmp(node->name, name, len) == 0)
			break;
	}
	return n;
}

bool
node_is_dir(const struct view *v, uint32_t n)
{
	return v->nodes[n].entry->kind == ENTRY_DIR;
}

static uint32_t
node_new(struct view *v, uint32_t parent, const char *name, size_t len)
{
	uint32_t n = (uint32_t)v->count, *head;
	struct node *node;

	v->nodes = grow(v->nodes, v->count, &v->room, sizeof *v->nodes);
	v->count++;
	v->alive++;
	node = &v->nodes[n];
	*node = (struct node){ .parent = parent, .name = name, .name_len = (uint32_t)len };
	node->next = v->nodes[parent].first;
	if (node->next != NODE_NONE)
		v->nodes[node->next].before = n;
	v->nodes[parent].first = n;
	head = &v->table[slot(v, parent, name, len)];
	node->chain = *head;
	*head = n;
	return n;
}

static void
node_unlink(struct view *v, uint32_t n)
{
	struct node *node = &v->nodes[n];
	uint32_t *at = &v->table[slot(v, node->parent, node->name, node->name_len)];

	while (*at != n)
		at = &v->nodes[*at].chain;
	*at = node->chain;
	if (node->before != NODE_NONE)
		v->nodes[node->before].next = node->next;
	else
		v->nodes[node->parent].first = node->next;
	if (node->next != NODE_NONE)
		v->nodes[node->next].before = node->before;
	v->alive--;
}

/* Down to a leaf, take it off, and on from its parent: no recursion, however deep. */
static void
remove_children(struct view *v, uint32_t top)
{
	uint32_t n = top;

	for (;;) {
		uint32_t first = v->nodes[n].first;

		if (first != NODE_NONE) {
			n = first;
			continue;
		}
		if (n == top)
			return;
		first = v->nodes[n].parent;
		node_unlink(v, n);
		n = first;
	}
}

static void
node_set(struct view *v, uint32_t n, const struct entry *e, size_t layer)
{
	if (e->kind != ENTRY_DIR)
		remove_children(v, n);
	v->nodes[n].entry = e;
	v->nodes[n].file = e;
	v->nodes[n].layer = v->nodes[n].file_layer = (uint32_t)layer;
}

/* The way to the entry before: node and length of path for each directory on it. */
struct way {
	struct step {
		uint32_t node;
		size_t len;
	} * steps;
	size_t count, room;
	const char *path;
};

static void
way_add(struct way *w, uint32_t node, size_t len)
{
	w->steps = grow(w->steps, w->count, &w->room, sizeof *w->steps);
	w->steps[w->count++] = (struct step){ node, len };
}

/* Steps back to the last directory that is also on the way to path. */
static void
way_back(struct way *w, const char *path)
{
	size_t common = 0;

	while (path[common] != '\0' && path[common] == w->path[common])
		common++;
	while (w->count > 1) {
		size_t len = w->steps[w->count - 1].len;

		if (len <= common && path[len] == '/')
			break;
		w->count--;
	}
	w->path = path;
}

/* The directory that holds path's last component, or NODE_NONE; make: what is missing, or no
 * directory, is made one. */
static uint32_t
way_to(struct view *v, struct way *w, const char *path, size_t layer, bool make)
{
	const char *last = strrchr(path, '/');
	size_t end = last != NULL ? (size_t)(last - path) : 0;
	struct step at;

	way_back(w, path);
	at = w->steps[w->count - 1];
	while (at.len < end) {
		const char *name = path + at.len + (at.len > 0);
		size_t len = (size_t)(strchrnul(name, '/') - name);
		uint32_t n = node_child(v, at.node, name, len);

		if ((n == NODE_NONE || !node_is_dir(v, n)) && !make)
			return NODE_NONE;
		if (n == NODE_NONE)
			n = node_new(v, at.node, name, len);
		if (v->nodes[n].entry == NULL || !node_is_dir(v, n))
			node_set(v, n, &implied_dir, layer);
		at = (struct step){ n, (size_t)(name - path) + len };
		way_add(w, at.node, at.len);
	}
	return at.node;
}

static void
lay_whiteout(struct view *v, struct way *w, const struct entry *e)
{
	uint32_t parent = way_to(v, w, e->path, 0, false), n;
	const char *name = strrchr(e->path, '/');

	if (parent == NODE_NONE || e->path[0] == '\0')
		return;
	name = name != NULL ? name + 1 : e->path;
	n = node_child(v, parent, name, strlen(name));
	if (n == NODE_NONE)
		return;
	remove_children(v, n);
	node_unlink(v, n);
}

/* Returns the node. */
static uint32_t
lay(struct view *v, struct way *w, const struct entry *e, size_t layer)
{
	uint32_t n = NODE_ROOT, parent;
	const char *name = strrchr(e->path, '/');

	name = name != NULL ? name + 1 : e->path;
	if (e->path[0] != '\0') {
		parent = way_to(v, w, e->path, layer, true);
		n = node_child(v, parent, name, strlen(name));
		if (n == NODE_NONE)
			n = node_new(v, parent, name, strlen(name));
	} else if (e->kind != ENTRY_DIR && e->kind != ENTRY_OPAQUE) {
		return NODE_ROOT; /* nothing can stand in for the root */
	}
	if (e->kind != ENTRY_OPAQUE) {
		node_set(v, n, e, layer);
	} else {
		if (v->nodes[n].entry == NULL || !node_is_dir(v, n))
			node_set(v, n, &implied_dir, layer);
		remove_children(v, n);
	}
	return n;
}

uint32_t
node_find(const struct view *v, const char *path)
{
	uint32_t n = NODE_ROOT;

	while (*path != '\0' && n != NODE_NONE) {
		size_t len = (size_t)(strchrnul(path, '/') - path);

		n = node_child(v, n, path, len);
		path += len + (path[len] == '/');
	}
	return n;
}

struct links {
	uint32_t *nodes;
	size_t count, room;
};

/* Follows a chain of links that are not bound yet to the file at its end, and binds all of them.  A
 * circle, or an end that is missing or a directory, leaves them broken. */
static void
bind(struct view *v, uint32_t n, struct links *chain)
{
	const struct node *end;

	chain->count = 0;
	while (n != NODE_NONE && v->nodes[n].file != NULL &&
		v->nodes[n].file->kind == ENTRY_HARDLINK) {
		chain->nodes = grow(chain->nodes, chain->count, &chain->room, sizeof *chain->nodes);
		chain->nodes[chain->count++] = n;
		v->nodes[n].file = NULL; /* seen */
		n = node_find(v, v->nodes[n].entry->link);
	}
	end = &v->nodes[n];
	if (n == NODE_NONE || end->file == NULL || end->file->kind == ENTRY_DIR)
		return;
	for (size_t i = 0; i < chain->count; i++) {
		v->nodes[chain->nodes[i]].file = end->file;
		v->nodes[chain->nodes[i]].file_layer = end->file_layer;
	}
}

static void
lay_all(struct view *v, const struct listing *l, size_t layer)
{
	struct way way = { .path = "" };
	struct links links = { 0 }, chain = { 0 };

	way_add(&way, NODE_ROOT, 0);
	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = &l->entries[i];
		uint32_t n;

		if (e->kind == ENTRY_WHITEOUT) {
			lay_whiteout(v, &way, e);
			continue;
		}
		n = lay(v, &way, e, layer);
		if (e->kind == ENTRY_HARDLINK && n != NODE_ROOT) {
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

struct view *
view_new(const struct listing *const *layers, size_t count)
{
	struct view *v = xzalloc(sizeof *v);
	size_t total = 0, slots = 64;

	for (size_t i = 0; i < count; i++)
		total += layers[i]->count;
	while (slots < total && slots < (1u << 30))
		slots *= 2;
	v->table = xcalloc(slots, sizeof *v->table);
	v->mask = (uint32_t)(slots - 1);
	if (getrandom(&v->seed, sizeof v->seed, GRND_NONBLOCK) < 0)
		v->seed = (uintptr_t)v->table;
	v->room = total + 16;
	v->nodes = xcalloc(v->room, sizeof *v->nodes);
	v->nodes[NODE_ROOT] = (struct node){ .parent = NODE_ROOT, .name = "" };
	v->count = 2;
	v->alive = 1;
	node_set(v, NODE_ROOT, &implied_dir, 0);
	for (size_t i = 0; i < count; i++)
		lay_all(v, layers[i], i);
	return v;
}

void
view_free(struct view *v)
{
	if (v == NULL)
		return;
	free(v->nodes);
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
	free(hit->path);
	*hit = (struct view_hit)VIEW_HIT_INIT;
}

void
node_path(const struct view *v, uint32_t n, struct buf *out)
{
	size_t len = 0;
	char *to;

	for (uint32_t up = n; up != NODE_ROOT; up = v->nodes[up].parent)
		len += v->nodes[up].name_len + 1;
	if (len == 0)
		return;
	to = buf_reserve(out, len) + len;
	for (uint32_t up = n; up != NODE_ROOT; up = v->nodes[up].parent) {
		to -= v->nodes[up].name_len;
		memcpy(to, v->nodes[up].name, v->nodes[up].name_len);
		*--to = '/';
	}
	/* the one before the first name is not wanted */
	memmove(to, to + 1, len - 1);
	out->len += len - 1;
	out->data[out->len] = '\0';
}

int
node_hit(const struct view *v, uint32_t n, const char *path, struct view_hit *out, struct err *err)
{
	const struct node *node = &v->nodes[n];

	if (node->file == NULL)
		return err_set(err, ERR_CORRUPT, "'%s' is a hard link to '%s', which is not there",
			path, node->entry->link);
	out->entry = node->file;
	out->layer = node->file_layer;
	return 0;
}

int
node_not_there(const char *path, struct err *err)
{
	return err_set(err, ERR_NOTFOUND, "'%s' is not there", path);
}

int
node_not_a_directory(const char *path, struct err *err)
{
	return err_set(
		err, ERR_NOTFOUND, "'%s' is not a directory, nor leads through directories", path);
}
