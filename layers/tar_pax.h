/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_TAR_PAX_H
#define LAYERS_TAR_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "layers/entry.h"

/* tar_pax - the records of an extended header, and the maps of sparse files.  For tar_read.c only.
 */

struct tar_extent {
	uint64_t offset, size;
};

/* Where the bytes of a sparse file belong: ascending, without overlap. */
struct tar_map {
	struct tar_extent *rows;
	size_t count, room;
	uint64_t end;   /* of the last extent */
	uint64_t bytes; /* of all extents */
};
void tar_map_free(struct tar_map *m);
int tar_map_add(struct tar_map *m, uint64_t offset, uint64_t size, struct err *err);
/* All of the map lies within real_size, and it is of just the bytes that are there. */
int tar_map_check(const struct tar_map *m, uint64_t real_size, uint64_t bytes, struct err *err);

enum tar_pax_key {
	PAX_GID = 1 << 0,
	PAX_LINKPATH = 1 << 1,
	PAX_MTIME = 1 << 2,
	PAX_PATH = 1 << 3,
	PAX_SIZE = 1 << 4,
	PAX_UID = 1 << 5,
	PAX_SPARSE_MAJOR = 1 << 6,
	PAX_SPARSE_MINOR = 1 << 7,
	PAX_SPARSE_NAME = 1 << 8,
	PAX_SPARSE_REALSIZE = 1 << 9,
	PAX_SPARSE_SIZE = 1 << 10,
	PAX_SPARSE_COUNT = 1 << 11,
	PAX_SPARSE_MAP = 1 << 12,
	PAX_SPARSE_PAIRS = 1 << 13, /* offset, numbytes: the only ones that repeat */
};
#define PAX_SPARSE_ANY (~(PAX_SPARSE_MAJOR - 1))

struct tar_pax {
	unsigned keys; /* which were there */
	char *path, *link;
	uint64_t size, uid, gid;
	int64_t mtime;
	uint32_t mtime_ns;
	struct entry attributes; /* its xattrs only */
	uint64_t sparse_major, sparse_minor, sparse_size, sparse_count;
	bool sparse_offset_waits;
	uint64_t sparse_offset;
	struct tar_map map; /* of sparse 0.0 and 0.1 */
};
void tar_pax_free(struct tar_pax *p); /* empty afterwards */
void auto_tar_pax(struct tar_pax *p);
/* bytes[len] must be readable.  Keys that are not known are passed over. */
int tar_pax_parse(const char *bytes, size_t len, struct tar_pax *out, struct err *err);

/* Decimal digits and nothing else. */
int tar_decimal_parse(const char *text, size_t len, uint64_t *out);

#endif
