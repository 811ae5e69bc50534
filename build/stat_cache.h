/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_STAT_CACHE_H
#define BUILD_STAT_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "layers/digest.h"

/* stat_cache - digests of files, known by what stat(2) says of them.  A cache: whatever cannot be
 * read is as good as empty. */

struct stat_key {
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
};

struct stat_cache {
	struct stat_row {
		struct stat_key key;
		unsigned char sha256[32];
	} * rows;
	size_t count, room;
	bool sorted;
};

void stat_cache_free(struct stat_cache *c);
void stat_cache_parse(const char *bytes, size_t len, struct stat_cache *out);
void stat_cache_format(struct stat_cache *c, struct buf *out);
void stat_cache_add(struct stat_cache *c, const struct stat_key *key, const struct digest *d);
bool stat_cache_get(const struct stat_cache *c, const struct stat_key *key, struct digest *out);
bool stat_cache_same(struct stat_cache *a, struct stat_cache *b); /* sorts both */

#endif
