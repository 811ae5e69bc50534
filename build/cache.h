/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_CACHE_H
#define BUILD_CACHE_H

#include "base/err.h"
#include "build/key.h"
#include "layers/digest.h"
#include "layers/store.h"

/* cache - from a step's key to the layer it made, in the store's records.
 *
 * A record also has the digest of the layer's content and the time it was made, which the image's
 * history shows: a rebuild from the cache gives the same image to the bit. */

struct cache_hit {
	struct layer_record layer;
	struct digest content; /* may be empty */
	char created[40];      /* RFC 3339 */
};

/* 1, 0, -1.  0 as well when none of the layer's forms is left. */
int cache_find(
	struct store *store, const struct digest *key, struct cache_hit *out, struct err *err);
/* group: what an explanation looks in, "Dockerfile:12" or so; inputs: see key.h, may be NULL
 * (lent). */
int cache_keep(struct store *store, const struct digest *key, const char *group, json_t *inputs,
	const struct cache_hit *hit, struct err *err);
/* The first input that differs from the latest record of the group, as a sentence; appended to out.
 * 1, or 0 when there is no earlier record. */
int cache_explain(struct store *store, const char *group, const json_t *inputs, struct buf *out,
	struct err *err);

#endif
