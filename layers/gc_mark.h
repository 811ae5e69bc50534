/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_GC_MARK_H
#define LAYERS_GC_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "layers/db.h"
#include "layers/gc.h"
#include "layers/texts.h"

/* mark - what gc must keep.  Things are named by kind and text, as in pin files: "b sha256:...",
 * "t <id>", "l <id>", "f <id>"; "k <key>" is a cache record, "w <id>" a layer's record without
 * its tree. */

struct mark {
	struct store *store;
	struct db *db;
	const struct gc_options *options;
	uint64_t budget; /* bytes that may be kept; UINT64_MAX: no cap */
	struct texts keep;
	uint64_t kept; /* bytes */
	/* What the root that is looked at adds; joins keep, or is forgotten if too large. */
	struct texts pending;
	uint64_t pending_size;
	bool is_full; /* the budget is used up */
	/* Documents that were read: the digest, and a struct reach.  Outlives mark_reset. */
	struct texts documents;
};

void mark_reset(struct mark *m); /* nothing is marked; documents stay */
void mark_free(struct mark *m);
/* As it was measured; 0: not yet, or no such tree. */
int mark_tree_size(const struct mark *m, const char *id, uint64_t *out, struct err *err);
bool mark_has(const struct mark *m, char kind, const char *text);

/* All roots.  is_locked: pins_lock() is held and a transaction is begun, so that nobody can pin or
 * record; else the result is a good guess. */
int mark_all(struct mark *m, bool is_locked, struct err *err);

#endif
