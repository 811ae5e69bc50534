/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_VIEW_NODES_H
#define LAYERS_VIEW_NODES_H

#include "layers/view.h"

/* The merged root is a tree of nodes in one array, which names each other by index.  A hash table finds
 * the child of a directory by its name; there is one for all directories.  Layers are laid over each
 * other from the lowest up, each in its own order: so the path to the last entry is mostly the way to the
 * next one, and one look-up an entry is enough.
 *
 * Hard links are bound to what they name at the end of their own layer, because a layer above may put
 * another file under that name. */

enum { NODE_NONE = 0, NODE_ROOT = 1 }; /* node 0 is nobody */

struct node {
	const struct entry *entry;
	const struct entry *file; /* what a HARDLINK shares; NULL: it is broken */
	uint32_t layer, file_layer;
	uint32_t parent, first, next, before; /* before: the sibling, NODE_NONE for the first */
	uint32_t chain;                       /* the next of this hash */
	uint32_t name_len;
	const char *name; /* in the path of some entry */
};

struct view {
	struct node *nodes;
	size_t count, room; /* of nodes ever made */
	size_t alive;
	uint32_t *table;
	uint64_t seed;
	uint32_t mask;
};

uint32_t node_child(const struct view *v, uint32_t parent, const char *name, size_t len);
/* Exactly this path, no links followed; NODE_NONE. */
uint32_t node_find(const struct view *v, const char *path);
bool node_is_dir(const struct view *v, uint32_t n);
void node_path(const struct view *v, uint32_t n, struct buf *out); /* appends */
/* Sets out's entry and layer.  path is for the message. */
int node_hit(const struct view *v, uint32_t n, const char *path, struct view_hit *out, struct err *err);
int node_not_there(const char *path, struct err *err);
int node_not_a_directory(const char *path, struct err *err);

#endif
