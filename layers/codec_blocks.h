/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_CODEC_BLOCKS_H
#define LAYERS_CODEC_BLOCKS_H

#include <stddef.h>

#include "layers/stream.h"

/* codec_blocks - a sink that cuts what it is given into blocks of one size, has each turned into
 * something else by one of several threads, and passes the results on in order.  The cuts depend on
 * nothing but the bytes, so the results do not depend on the number of threads. */

struct block_ops {
	size_t size; /* of a block; the last may be smaller, and is empty only if it is the first */
	size_t result_max; /* bytes that a block may become */
	/* What a thread keeps between blocks. */
	void *(*state_new)(int level);
	void (*state_free)(void *state);
	/* How many bytes it wrote to out. */
	size_t (*turn)(void *state, const unsigned char *bytes, size_t len, unsigned char *out);
};

/* Threads are started as blocks come, so small streams have none.  With one thread, or where none
 * can be started, the work is done by the caller's. */
struct sink *sink_blocks(
	const struct block_ops *ops, int level, unsigned threads, struct sink *next /* owned */);

#endif
