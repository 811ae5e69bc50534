/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SCAN_H
#define BUILD_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"
#include "build/dockerfile/ignore.h"
#include "layers/listing.h"

/* scan - what a context directory holds, as far as some sources of COPY, ADD and bind mounts can
 * reach: a sorted listing with the digest of every file, owners 0:0.  Ignored directories are not
 * entered unless an exception may match below.
 *
 * Files that were hashed before are not read again: the stat cache tells by path, device, inode, size,
 * mtime and ctime, to the nanosecond.  A file that changed less than a second before it was looked
 * at is not remembered, since a later change could leave all of these alike. */

struct scan_request {
	int dir;                     /* the context's directory */
	const struct ignore *ignore; /* NULL: nothing is ignored */
	const struct strv *sources;  /* as in COPY, expanded; patterns too */
	int cache; /* of an earlier scan, in a file that may be of another version, or damaged; -1: none */
	int new_cache;    /* an empty file for that of this one, for the next scan; -1: nobody wants it */
	unsigned threads; /* to hash with; 0: one */
};

struct scan_result {
	struct listing listing;
	bool is_as_before; /* and so is the cache: nothing was written to the new one */
	uint64_t bytes;    /* looked at */
	uint64_t hashed;   /* that had to be read */
};
#define SCAN_RESULT_INIT                 \
	{                                \
		.listing = LISTING_INIT, \
	}
void auto_scan_result(struct scan_result *r);

/* Uses threads, which are joined before it returns.  A file that cannot be read and is no part of
 * the sources does no harm; ERR_DENIED names one that is. */
int scan_context(const struct scan_request *r, struct scan_result *out, struct err *err);

#endif
