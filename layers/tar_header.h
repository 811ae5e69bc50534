/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_TAR_HEADER_H
#define LAYERS_TAR_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* tar_header - the block of 512 bytes before each file of a tar archive.  For tar_read.c and
 * tar_write.c only. */

enum tar_type {
	TAR_TYPE_OLD_FILE = '\0', /* v7; a directory if its name ends with '/' */
	TAR_TYPE_FILE = '0',
	TAR_TYPE_HARDLINK = '1',
	TAR_TYPE_SYMLINK = '2',
	TAR_TYPE_CHAR = '3',
	TAR_TYPE_BLOCK = '4',
	TAR_TYPE_DIR = '5',
	TAR_TYPE_FIFO = '6',
	TAR_TYPE_CONTIGUOUS = '7',
	TAR_TYPE_GNU_LINK = 'K',
	TAR_TYPE_GNU_NAME = 'L',
	TAR_TYPE_GNU_SPARSE = 'S',
	TAR_TYPE_PAX_GLOBAL = 'g',
	TAR_TYPE_PAX = 'x',
};

struct tar_header {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6], version[2];
	char user[32], group[32];
	char major[8], minor[8];
	char prefix[155];
	char pad[12];
};

/* The same block in the old format of GNU tar, which has no prefix. */
struct tar_sparse_slot {
	char offset[12], size[12];
};
struct tar_gnu_header {
	char same[345];
	char atime[12], ctime[12], start[12], longnames[4], unused;
	struct tar_sparse_slot slots[4];
	char extended;
	char real_size[12];
	char pad[17];
};
struct tar_gnu_extension {
	struct tar_sparse_slot slots[21];
	char extended;
	char pad[7];
};

_Static_assert(sizeof(struct tar_header) == 512, "one block");
_Static_assert(sizeof(struct tar_gnu_header) == 512, "one block");
_Static_assert(sizeof(struct tar_gnu_extension) == 512, "one block");

bool tar_block_is_zero(const void *block);

/* Octal digits, with blanks before and blanks or zeros behind, or GNU's base 256.  An empty field
 * is 0; -1 for anything else. */
int tar_number_parse(const char *field, size_t size, int64_t *out);
/* False, and the field is 0, where the number does not fit into octal digits. */
bool tar_number_format(char *field, size_t size, uint64_t number);

bool tar_checksum_is_right(const struct tar_header *h);
void tar_checksum_set(struct tar_header *h);

#endif
