/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_COPY_H
#define BUILD_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "build/dockerfile/heredoc.h"
#include "build/dockerfile/ignore.h"
#include "build/dockerfile/mode.h"
#include "layers/entry.h"
#include "build/copy_list.h"
#include "layers/listing.h"
#include "layers/view.h"

/* copy - what a COPY, ADD or WORKDIR puts where: from the entries of a source and of the
 * destination's root to the entries of one layer.  No file is touched: both roots are views over
 * listings, so the rules (trailing slashes, existing directories, links in the destination,
 * wildcards, owners, modes) are tested as tables, and a base need not be unpacked to be copied
 * onto.
 *
 * The layer has every directory above what it changes, with what that directory has already: an
 * unpacker that makes missing parents by itself would otherwise change their modes and owners. */

/* Files that are sources by themselves, and so may be archives to unpack. */
struct copy_candidates {
	struct copy_candidate {
		size_t parent; /* a place, or COPY_ORIGIN */
		char *path;
	} *items;
	size_t count, room;
};
void copy_candidates_free(struct copy_candidates *c);

struct copy_request {
	const struct view *dest_view; /* NULL: an empty root */
	const char *dest;             /* absolute; a trailing slash counts */
	const struct view *origin;    /* NULL: an empty root */
	bool origin_is_context;       /* owners there do not count: 0:0 */
	const struct strv *sources;   /* NULL: none */
	const struct heredoc *files;
	size_t file_count;
	const struct ignore *exclude; /* NULL: nothing */
	bool parents;                 /* keep the sources' paths below dest */
	bool make_dir;                /* WORKDIR: dest is a directory to make */
	bool has_owner;
	uint32_t uid, gid;
	const struct mode *mode; /* NULL: as it was */
	int64_t mtime;           /* of directories that had to be made */
	const struct copy_place *places;
	size_t place_count;
	struct copy_candidates *candidates; /* filled; NULL: nobody asks */
};

/* ERR_NOTFOUND "'/x' is not there" for a literal source that does not exist; a pattern without
 * match gives nothing.  Views, listings and files of the request are lent to the list. */
int copy_plan(const struct copy_request *r, struct copy_list *out, struct err *err);

#endif
