/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_UNPACK_H
#define BUILD_UNPACK_H

#include <stdbool.h>

#include "base/err.h"
#include "layers/listing.h"
#include "layers/stream.h"

/* unpack - somebody's tar archive (plain or compressed) as files of ours in a directory of ours.  No
 * namespace is needed: owners, set-id bits and devices are in the listing alone.  For workers. */

/* A context: files as they are. */
int unpack_context(struct stream *in /* taken, on failure too */, int dir, struct err *err);

/* For ADD: out gets what the archive names, sorted - not the directories it only implies, nor the root, nor
 * names of whiteouts - with the digests of files; attributes other than security.capability are left
 * out.  Every file can be read afterwards, whatever its mode was. */
int unpack_listed(struct stream *in /* taken, on failure too */, int dir, struct listing *out,
	struct err *err);

/* Whether a file's first bytes are those of an archive; its position is the start again. */
int unpack_sniff(int fd, bool *is_archive, struct err *err);

#endif
