/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_ARCHIVE_H
#define LAYERS_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "layers/stream.h"

/* archive - a tar archive from anybody, as ADD takes it: plain, or compressed by gzip, zstd, bzip2 or
 * xz, recognised by its bytes and never by its name. */

/* So many first bytes are enough to tell, one whole block of bzip2 being the most. */
#define ARCHIVE_SNIFF_SIZE (1u << 20)

/* Whether a file that begins so (all of it, or ARCHIVE_SNIFF_SIZE bytes) is a tar archive with at least
 * one header, after decompression. */
bool archive_sniff(const void *bytes, size_t len);

/* The tar bytes.  Takes next, on failure too.  How much may come out is the caller's to bound. */
int archive_decode(struct stream *next, struct stream **out, struct err *err);

#endif
