/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_LAYER_ARCHIVE_H
#define LAYERS_LAYER_ARCHIVE_H

#include "base/err.h"
#include "layers/layer.h"

/* layer_archive - a tar archive that somebody made, as a layer: checked entry by entry, hashed, and
 * compressed where it is not. */

struct layer_archive {
	int fd; /* of the blob's bytes, from its beginning */
	struct layer_made made;
};
#define LAYER_ARCHIVE_INIT { .fd = -1 }
void auto_layer_archive(struct layer_archive *a);

/* Takes fd, on failure too.  Bytes in a file that are packed by gzip or zstd stay as they are, and so
 * does a plain tar with CODEC_NONE; all else (of bzip2 or xz, or from a pipe) is packed by codec into a
 * nameless file in the directory spool.  ERR_CORRUPT, ERR_INPUT as the tar reader has them, and for
 * what is no archive. */
int layer_archive_open(int fd, int spool, enum codec_kind codec, struct layer_archive *out,
	struct err *err);

#endif
