/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_ROLL_MERGE_H
#define LAYERS_ROLL_MERGE_H

#include "layers/roll_parts.h"

/* roll_merge - what several layers say about one path becomes one item; and a walk's own things, shared by
 * roll_walk.c and roll_find.c. */

enum roll_merge_found {
	ROLL_MERGE_NOTHING, /* only layers that do not count */
	ROLL_MERGE_FOUND,
	ROLL_MERGE_GONE, /* it is removed; the item is a WHITEOUT */
};
struct roll_merge {
	size_t floor; /* what layers below say of what is in it does not count */
	enum roll_merge_found found;
	struct roll_item item;
	/* the layer that is being added: its last word, and what else it said */
	bool has_layer, has_last, opaque, whiteout;
	size_t layer;
	struct roll_item last;
};
#define ROLL_MERGE_INIT { .floor = 0 }
void auto_roll_merge(struct roll_merge *m);

/* floor: that of the directory it is in. */
void roll_merge_begin(struct roll_merge *m, size_t floor);
/* Lowest layer first, of one layer in the order of its archive. */
void roll_merge_add(struct roll_merge *m, const void *record, size_t layer);
void roll_merge_end(struct roll_merge *m, bool is_root);

struct roll_cursor {
	const struct roll_run *run;
	size_t layer;
	struct buf block;
	size_t index, at; /* which block, and where in it */
	bool is_ended;
};

enum roll_frame_state {
	ROLL_FRAME_NONE,    /* nothing is there, as far as is known */
	ROLL_FRAME_PENDING, /* no directory, unless something is in it */
	ROLL_FRAME_DUE,     /* to be given next */
	ROLL_FRAME_DONE,
};
struct roll_frame {
	size_t path_len; /* of the walk's path */
	size_t floor;
	enum roll_frame_state state;
	struct roll_item item;
};

struct roll_walk {
	const struct roll *roll;
	struct roll_stack stack;
	struct roll_cursor *cursors;
	size_t cursor_count;
	size_t *heap, heap_count; /* of cursors that have not ended */
	struct roll_frame *frames;
	size_t frame_count, frame_room;
	size_t due_count, pending, given; /* pending: SIZE_MAX: none */
	struct buf path;                  /* of the last frame */
	char *base;                       /* where it started */
	size_t base_floor, top;
	bool whiteouts;
	struct roll_walk *links; /* for what hard links name */
};

#endif
