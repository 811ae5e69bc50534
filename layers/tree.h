/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_TREE_H
#define LAYERS_TREE_H

#include <stdbool.h>

#include "base/err.h"
#include "layers/entry.h"
#include "layers/listing.h"
#include "layers/ownership.h"

/* tree - a directory tree on disk as entries, in the order of layers.
 *
 * The order of readdir does not show: siblings are sorted, and of several names of one file the first
 * in that order is the file, the others are HARDLINKs to it.  Sockets are left out with a warning.
 * Symlinks are never followed.  Attributes: user.* and security.capability, of which those of overlays
 * (xattr_is_layers) are left out.  Run it inside the user namespace of the tree's owners: outside,
 * owners and capabilities are others. */

enum tree_kind {
	TREE_PLAIN,   /* files are what they are */
	TREE_OVERLAY, /* a lower or upper directory of overlay: whiteouts and opaque directories are such */
};

struct tree_options {
	enum tree_kind kind;
	bool one_file_system; /* what is mounted in it is left out */
	bool no_xattrs;
	/* OVERLAY whose owners the file system cannot say (see ownership.h): those of what has no attributes, by device
	 * and inode here; attributes of all else are believed then.  NULL, and PLAIN: files are whose they are on
	 * the disk, whatever an attribute says. */
	const struct owners *owners;
};
#define TREE_OPTIONS_INIT { .kind = TREE_PLAIN }

/* One file: its entry, and where it can be opened: openat(dir, name, O_NOFOLLOW...).  The root has the
 * path "" and the name ".".  An OPAQUE comes right after its DIR.  The entry is lent.  0: go on; 1: do not
 * go into this directory; -1: stop. */
typedef int tree_visitor(const struct entry *e, int dir, const char *name, void *arg, struct err *err);

int tree_walk(int root, const struct tree_options *o, tree_visitor *visit, void *arg, struct err *err);

/* All of it.  out is appended to, and stays sorted when it was empty. */
int tree_list(int root, const struct tree_options *o, struct listing *out, struct err *err);

#endif
