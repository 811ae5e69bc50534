/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_VIEW_NODES_H
#define LAYERS_VIEW_NODES_H

#include "layers/view.h"

/* The merged root is a tree of nodes in one array, which name each other by index, and their entries by
 * number: all entries of all layers have one, in this order, and behind them those directories that no layer
 * names.  A hash table finds the child of a directory by its name; there is one for all directories.  Layers
 * are laid over each other from the lowest up, each in its own order: so the path to the last entry is mostly
 * the way to the next one, and one look-up an entry is enough.
 *
 * What is removed stays as a dead node, since its name may come again.
 *
 * Hard links are bound to what they name at the end of their own layer, because a layer above may put
 * another file under that name. */

enum { NODE_NONE = 0, NODE_ROOT = 1 }; /* node 0 is nobody */

#define NODE_MAX 0x7fffffffu     /* nodes and entries: one bit more is for marks */
#define NODE_IS_LINK 0x80000000 /* of a node's entry: the rest is which of the links */
#define ENTRY_UNBOUND UINT32_MAX
#define ENTRY_BROKEN (UINT32_MAX - 1)

struct node {
	uint32_t entry; /* its number, or that of the link */
	uint32_t parent : 31, is_dead : 1;
	uint32_t first; /* child, dead ones too */
	uint32_t next : 31, is_linked : 1; /* is_linked: some hard link shares this file */
	uint32_t chain;                    /* the next of this hash */
};

struct view {
	struct node *nodes;
	size_t count, room; /* of nodes ever made */
	size_t alive;
	struct link {
		uint32_t entry, file; /* the number of what a HARDLINK shares */
	} * links;
	size_t link_count, link_room;
	const struct listing **layers;
	uint32_t *starts; /* the number of each layer's first entry, and of what comes behind the last */
	size_t layer_count;
	struct listing implied; /* directories that no layer names */
	uint32_t *implied_layers;
	size_t implied_room;
	uint32_t *table;
	uint64_t seed;
	uint32_t mask;
};

uint32_t node_child(const struct view *v, uint32_t parent, const char *name, size_t len);
/* Exactly this path, no links followed; NODE_NONE. */
uint32_t node_find(const struct view *v, const char *path);
bool node_is_dir(const struct view *v, uint32_t n);
/* Of what is there: never HARDLINK, but for one that is broken. */
enum entry_kind node_kind(const struct view *v, uint32_t n);
/* The number of its entry; of a hard link that of the file it shares, or ENTRY_UNBOUND, ENTRY_BROKEN. */
uint32_t node_file(const struct view *v, uint32_t n);
const char *node_name(const struct view *v, uint32_t n, size_t *len);
void node_path(const struct view *v, uint32_t n, struct buf *out); /* appends */
/* Sets all of out but its path.  path is for the message. */
int node_hit(const struct view *v, uint32_t n, const char *path, struct view_hit *out, struct err *err);
/* For who lays layers over each other.  A new entry at a node, at a child of it; nothing below it; nothing
 * there.  The number of a directory that is there for what it holds. */
void node_set(struct view *v, uint32_t n, uint32_t entry);
uint32_t node_lay(struct view *v, uint32_t parent, const char *name, size_t len, uint32_t entry);
void node_empty(struct view *v, uint32_t n);
void node_remove(struct view *v, uint32_t n);
uint32_t view_imply(struct view *v, const char *path, size_t len, size_t layer);

int node_not_there(const char *path, struct err *err);
int node_not_a_directory(const char *path, struct err *err);

#endif
