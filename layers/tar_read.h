/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_TAR_READ_H
#define LAYERS_TAR_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "layers/tar.h"
#include "layers/tar_header.h"
#include "layers/tar_pax.h"

/* tar_read - what the reader knows, shared by tar_read.c (blocks and bytes) and tar_entry.c (what a
 * header says). */

#define TAR_READ_SIZE (256u << 10)

struct tar_reader {
	struct stream *in; /* lent */
	enum tar_dialect dialect;
	bool ended;
	uint64_t entries;
	/* the extended headers that stand before the next file */
	bool has_pax;
	struct tar_pax pax;
	struct buf long_name, long_link;
	/* the file whose bytes come next */
	uint64_t left; /* of them on tape */
	size_t padding;
	uint64_t size;  /* of the file, holes included */
	uint64_t place; /* how far it was read */
	bool sparse;
	struct tar_map map;
	size_t row; /* of the map */

	struct buf name; /* scratch */
	size_t at, len;  /* of bytes: what waits */
	char bytes[TAR_READ_SIZE];
};

/* What the header and those before it say.  1: an entry, 2: one that is not to be seen, -1. */
int tar_entry_make(struct tar_reader *r, const struct tar_header *h, uint64_t size,
	struct entry *out, struct err *err);

#endif
