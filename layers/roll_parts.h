/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_ROLL_PARTS_H
#define LAYERS_ROLL_PARTS_H

#include "layers/roll.h"

/* roll_parts - what a roll's file looks like, shared by roll.c (writing) and roll_walk.c (merging).
 *
 * The file has runs, a run has blocks, a block has whole records.  Within a run records are sorted by path, those
 * of one path in the order they came.  Nobody but this process reads the file, so numbers are as the machine
 * has them. */

#define ROLL_BLOCK 16384               /* bytes, or one record that is larger */
#define ROLL_RUN_SIZE (8u << 20)       /* bytes that are sorted in memory */

struct roll_record { /* path and target follow, each with its zero */
	uint32_t len; /* of all */
	uint32_t path_len, link_len;
	uint8_t kind, has_link, has_digest, has_xattrs;
	uint32_t mode, uid, gid, mtime_ns;
	int64_t mtime;
	uint64_t size;
	uint32_t major, minor;
	unsigned char digest[DIGEST_RAW_MAX], xattrs[32];
	uint8_t algorithm;
};
#define ROLL_RECORD_MAX (sizeof(struct roll_record) + 2 * (ROLL_TEXT_MAX + 1) + 8)

struct roll_run {
	size_t first_block, block_count;
};
struct roll_slot {
	size_t first_run, run_count;
};

struct roll {
	int fd;
	uint64_t size;
	uint64_t *blocks; /* where each begins; one more than there are, when runs are complete */
	size_t block_count, block_room;
	struct roll_run *runs;
	size_t run_count, run_room;
	struct roll_slot *slots;
	size_t slot_count, slot_room;
	size_t begun; /* first run of the layer that is being added */
	/* the run that is being made */
	size_t run_size;
	struct buf bytes;
	struct roll_row {
		uint32_t at, number;
	} * rows;
	size_t row_count, row_room;
};

/* Their texts, lent. */
const char *roll_record_path(const void *record);
const char *roll_record_link(const void *record);

#endif
