/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_GC_H
#define LAYERS_GC_H

#include <stdbool.h>
#include <stdint.h>

#include "layers/store.h"

/* gc - removes what nothing reaches.
 *
 * Roots are names, the pins of live processes, and cache records.  Names and pins are never
 * touched; cache records go least recently used first, when a cap asks for it.  Safe at any time
 * beside any number of other processes: what is condemned is decided while nobody can pin, moved
 * into trash/, and deleted afterwards. */

struct gc_options {
	bool drop_cache;         /* cache records do not count */
	int64_t unused_s;        /* cache records not used for so long go; 0: no such rule */
	uint64_t max_size;       /* bytes the store may have; 0: no cap */
	uint64_t min_free;       /* bytes that its file system should have free; 0: no such rule */
	bool drop_trees;         /* trees whose layer has its blob here, unless pinned */
	bool drop_mounts;        /* directories of RUN --mount=type=cache that are not in use */
	bool drop_partials;      /* of downloads nobody is at (a cap takes them too), quarantine */
	bool dry_run;            /* only tell */
};

struct gc_result {
	uint64_t blobs, trees, layers, records, partials, mounts; /* how many were removed */
	uint64_t freed;     /* bytes */
	uint64_t kept;      /* bytes that stay */
	uint64_t trash_left; /* entries of trash/ for a worker inside the user namespace */
};

int store_gc(struct store *s, const struct gc_options *o, struct gc_result *out, struct err *err);

/* Bytes of the store by the records, without walking trees. */
struct store_usage {
	uint64_t blobs, trees, listings, partials, mounts;
	uint64_t blob_count, tree_count, record_count, name_count;
	uint64_t free; /* of its file system */
};
int store_usage(struct store *s, struct store_usage *out, struct err *err);

#endif
