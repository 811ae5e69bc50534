/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_ROOTFS_H
#define BUILD_SANDBOX_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* rootfs - directories stacked into one root.
 *
 * lowers: descriptors (O_PATH) of directories, the top one first; they are only read.  Whiteouts and
 * opaque marks in them are overlayfs's, in its user.overlay form.
 * upper, work: descriptors of two directories with one parent, not on an overlay, both owned by 0:0 of
 * the namespace; work is empty and not used again.  upper -1: the root is read-only.
 * No lowers: the upper itself is the root.  The root's own mode and owner are the upper's.
 *
 * The upper is mounted volatile: nothing in it is on disk until somebody syncs it. */

/* What the kernel takes. */
#define ROOTFS_LOWERS_MAX 500

struct rootfs {
	const int *lowers;
	size_t lower_count;
	int upper, work;
};
#define ROOTFS_INIT { .upper = -1, .work = -1 }

/* Enters the namespace (if not inside yet) and a mount namespace of its own, and gives a descriptor
 * of the stacked root's top directory, read-only whatever r->upper says: for a worker that looks at
 * a merged tree.  Descriptors are opened beneath it as usual; it is gone when the last is closed. */
int rootfs_view(int userns_fd, const struct rootfs *r, int *root_fd, struct err *err);

/* For doctor, in a process made for it: can directory fd, which belongs to the namespace's 0:0, hold an
 * upper on this machine?  Leaves directories in it.  ERR_SYSTEM has the kernel's reason. */
int rootfs_probe(int userns_fd, int dir_fd, struct err *err);

#endif
