/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_INODES_H
#define LAYERS_INODES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* inodes - which path a file was first seen at, by device and inode number. */

struct inodes {
	struct inode_row *rows; /* open addressing; a row without path is free */
	size_t count, slots;
};
#define INODES_INIT { .rows = NULL }

void inodes_free(struct inodes *i);
/* NULL: it is new, and path (copied) is where it was first seen; else that path, lent. */
const char *inodes_add(struct inodes *i, dev_t dev, ino_t ino, const char *path);

#endif
