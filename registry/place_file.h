/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_PLACE_FILE_H
#define REGISTRY_PLACE_FILE_H

#include "base/err.h"
#include "registry/place.h"

/* place_file - a blob as a file of a directory, for the places that are directories: it appears by rename, verified and
 * synced.  Paths are found beneath root; its links never lead out.  where: what root is called in messages. */

/* 1: there, with the blob's size; 0; -1. */
int place_file_has(int root, const char *path, const struct descriptor *d, const char *where,
	struct err *err);
/* The bytes from offset; ERR_CORRUPT where there are more or fewer than the blob has. */
int place_file_get(int root, const char *path, const struct descriptor *d, const char *where,
	uint64_t offset, struct sink *out, struct err *err);
/* Into directory dir (of root, as it is called in messages), as name. */
int place_file_put(int dir, const char *name, const struct descriptor *d, const char *where,
	struct source *from, struct err *err);

#endif
