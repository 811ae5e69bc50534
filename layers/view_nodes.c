/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/view_nodes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* --- entries ---------------------------------------------------------------------------------- */

static size_t
layer_of(const struct view *v, uint32_t number)
{
	size_t low = 0, high = v->layer_count;

	/* the last one that starts at or before it */
	while (low < high) {
		size_t middle = low + (high - low + 1) / 2;

		if (v->starts[middle] <= number)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* Which listing has it; *number becomes its place there. */
static const struct listing *
listing_of(const struct view *v, uint32_t *number)
{
	size_t layer = layer_of(v, *number);

	*number -= v->starts[layer];
	return layer < v->layer_count ? v->layers[layer] : &v->implied;
}

static enum entry_kind
kind_of(const struct view *v, uint32_t number)
{
	const struct listing *l = listing_of(v, &number);

	return listing_kind(l, number);
}

/* As it is in its listing, a HARDLINK too. */
static uint32_t
own_entry(const struct view *v, uint32_t n)
{
	uint32_t entry = v->nodes[n].entry;

	return (entry & NODE_IS_LINK) != 0 ? v->links[entry & ~NODE_IS_LINK].entry : entry;
}

/* Of what it shares, if it is one; or ENTRY_UNBOUND, ENTRY_BROKEN. */
uint32_t
node_file(const struct view *v, uint32_t n)
{
	uint32_t entry = v->nodes[n].entry;

	return (entry & NODE_IS_LINK) != 0 ? v->links[entry & ~NODE_IS_LINK].file : entry;
}

static void
tell_layer(const struct view *v, uint32_t number, size_t *layer)
{
	size_t own;

	if (layer == NULL)
		return;
	own = layer_of(v, number);
	*layer = own < v->layer_count ? own : v->implied_layers[number - v->starts[own]];
}

const struct entry *
view_at(const struct view *v, uint32_t number, struct listed *out, size_t *layer)
{
	uint32_t place = number;
	const struct listing *l = listing_of(v, &place);

	tell_layer(v, number, layer);
	return listing_at(l, place, out);
}

enum entry_kind
view_kind(const struct view *v, uint32_t number, size_t *layer)
{
	tell_layer(v, number, layer);
	return kind_of(v, number);
}

enum entry_kind
node_kind(const struct view *v, uint32_t n)
{
	uint32_t file = node_file(v, n);

	return file >= ENTRY_BROKEN ? ENTRY_HARDLINK : kind_of(v, file);
}

bool
node_is_dir(const struct view *v, uint32_t n)
{
	return (v->nodes[n].entry & NODE_IS_LINK) == 0 &&
	       kind_of(v, v->nodes[n].entry) == ENTRY_DIR;
}

const char *
view_name(const struct view *v, uint32_t number, size_t *len)
{
	const struct listing *l = listing_of(v, &number);

	return listing_name(l, number, len);
}

const char *
node_name(const struct view *v, uint32_t n, size_t *len)
{
	return view_name(v, own_entry(v, n), len);
}

/* The number of a directory that is there for what it holds. */
uint32_t
view_imply(struct view *v, const char *path, size_t len, size_t layer)
{
	AUTO(free) char *text = xstrndup(path, len);
	struct entry e = { .path = text, .kind = ENTRY_DIR, .mode = 0755 };
	size_t count = v->implied.count;

	v->implied_layers =
		grow(v->implied_layers, count, &v->implied_room, sizeof *v->implied_layers);
	v->implied_layers[count] = (uint32_t)layer;
	listing_add(&v->implied, &e);
	return v->starts[v->layer_count] + (uint32_t)count;
}

/* --- nodes ------------------------------------------------------------------------------------ */

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

/* Dead or alive. */
static uint32_t
find_child(const struct view *v, uint32_t parent, const char *name, size_t len)
{
	uint32_t n = v->table[slot(v, parent, name, len)];

	for (; n != NODE_NONE; n = v->nodes[n].chain) {
		size_t own_len;
		const char *own;

		if (v->nodes[n].parent != parent)
			continue;
		own = node_name(v, n, &own_len);
		if (own_len == len && memcmp(own, name, len) == 0)
			break;
	}
	return n;
}

uint32_t
node_child(const struct view *v, uint32_t parent, const char *name, size_t len)
{
	uint32_t n = find_child(v, parent, name, len);

	return v->nodes[n].is_dead ? NODE_NONE : n;
}

static uint32_t
node_new(struct view *v, uint32_t parent, const char *name, size_t len, uint32_t entry)
{
	uint32_t n = (uint32_t)v->count, *head = &v->table[slot(v, parent, name, len)];

	if (v->count > NODE_MAX)
		out_of_memory();
	v->nodes = grow(v->nodes, v->count, &v->room, sizeof *v->nodes);
	v->count++;
	v->alive++;
	v->nodes[n] = (struct node){ .entry = entry,
		.parent = parent & NODE_MAX,
		.next = v->nodes[parent].first & NODE_MAX,
		.chain = *head };
	v->nodes[parent].first = n;
	*head = n;
	return n;
}

/* Each once, from above, without recursion however deep: what is dead holds nothing that lives. */
void
node_empty(struct view *v, uint32_t top)
{
	uint32_t n = v->nodes[top].first;

	while (n != NODE_NONE && n != top) {
		struct node *node = &v->nodes[n];
		bool was_dead = node->is_dead;

		if (!was_dead)
			v->alive--;
		node->is_dead = true;
		if (!was_dead && node->first != NODE_NONE) {
			n = node->first;
			continue;
		}
		while (n != top && v->nodes[n].next == NODE_NONE)
			n = v->nodes[n].parent;
		if (n != top)
			n = v->nodes[n].next;
	}
}

void
node_remove(struct view *v, uint32_t n)
{
	node_empty(v, n);
	v->nodes[n].is_dead = true;
	v->alive--;
}

void
node_set(struct view *v, uint32_t n, uint32_t entry)
{
	enum entry_kind kind = kind_of(v, entry);

	if (kind != ENTRY_DIR)
		node_empty(v, n);
	v->nodes[n].is_linked = false;
	if (kind == ENTRY_HARDLINK) {
		v->links = grow(v->links, v->link_count, &v->link_room, sizeof *v->links);
		v->links[v->link_count] = (struct link){ entry, ENTRY_UNBOUND };
		entry = (uint32_t)v->link_count++ | NODE_IS_LINK;
	}
	v->nodes[n].entry = entry;
}

/* Child name of parent has this entry now. */
uint32_t
node_lay(struct view *v, uint32_t parent, const char *name, size_t len, uint32_t entry)
{
	uint32_t n = find_child(v, parent, name, len);

	if (n == NODE_NONE)
		n = node_new(v, parent, name, len, entry);
	else if (v->nodes[n].is_dead)
		v->alive++;
	v->nodes[n].is_dead = false;
	node_set(v, n, entry);
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

void
node_path(const struct view *v, uint32_t n, struct buf *out)
{
	size_t len = 0, part;
	char *to;

	for (uint32_t up = n; up != NODE_ROOT; up = v->nodes[up].parent) {
		node_name(v, up, &part);
		len += part + 1;
	}
	if (len == 0)
		return;
	to = buf_reserve(out, len) + len;
	for (uint32_t up = n; up != NODE_ROOT; up = v->nodes[up].parent) {
		const char *name = node_name(v, up, &part);

		to -= part;
		memcpy(to, name, part);
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
	uint32_t file = node_file(v, n);

	if (file == ENTRY_BROKEN) {
		AUTO(listed) struct listed e = LISTED_INIT;

		return err_set(err, ERR_CORRUPT, "'%s' is a hard link to '%s', which is not there",
			path, view_at(v, own_entry(v, n), &e, NULL)->link);
	}
	view_at(v, file, &out->file, &out->layer);
	out->number = file;
	out->is_linked = v->nodes[n].is_linked || (v->nodes[n].entry & NODE_IS_LINK) != 0;
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
