/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_MOUNTS_H
#define BUILD_SANDBOX_MOUNTS_H

#include <stdbool.h>
#include <sys/mount.h>

#include "base/err.h"

/* mounts - making mounts by descriptor, in a mount namespace that is this process's own.
 *
 * A mount is first made where nobody can reach it, and then attached onto a descriptor, so no path of
 * a stranger's is ever walked twice.  The new mount API where the kernel has it; else mount(2) on
 * /proc/self/fd/N, staged in the nest.
 *
 * The nest is a small file system in memory which holds what is being made; it is left behind by
 * pivot_root. */

struct mounts {
	int nest;
	unsigned count;  /* names used in the nest */
	bool is_classic; /* without fsopen, open_tree and move_mount */
};
#define MOUNTS_INIT { .nest = -1 }
void auto_mounts(struct mounts *m);

/* Ends propagation to other namespaces and makes the nest. */
int mounts_begin(struct mounts *m, struct err *err);

/* attrs: MOUNT_ATTR_RDONLY, _NOSUID, _NODEV, _NOEXEC.  options: "mode=755,size=64k" or NULL.
 * Out: a descriptor of the new mount's top; it can be used with *at calls at once. */
int mounts_new(struct mounts *m, const char *type, const char *options, unsigned attrs, int *out,
	struct err *err);

/* A bind of what fd is open on (a directory or file of this mount namespace).  deep: with what is
 * mounted below, and attrs for all of it; before Linux 5.12 what is mounted below keeps its own. */
int mounts_clone(struct mounts *m, int fd, bool deep, unsigned attrs, int *out, struct err *err);

/* Puts a mount of the two calls above onto what target is open on. */
int mounts_attach(struct mounts *m, int mount, int target, struct err *err);

/* Attaches it in the nest instead, where it can be mounted upon; out: its top. */
int mounts_place(struct mounts *m, int mount, int *out, struct err *err);

/* A new empty directory or file in the nest (O_PATH). */
int mounts_spot(struct mounts *m, bool is_dir, int *out, struct err *err);

#endif
