/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_ROOTFS_MOUNT_H
#define BUILD_SANDBOX_ROOTFS_MOUNT_H

#include "base/err.h"
#include "build/sandbox/mounts.h"
#include "build/sandbox/rootfs.h"

/* rootfs_mount - the part of rootfs that box shares: the descriptors in r belong to this mount
 * namespace already.  Out: the stacked root's top, attached nowhere yet. */
int rootfs_mount(const struct rootfs *r, struct mounts *m, int *out, struct err *err);

#endif
