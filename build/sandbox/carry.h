/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_CARRY_H
#define BUILD_SANDBOX_CARRY_H

#include <sys/types.h>

#include "base/err.h"
#include "build/sandbox/mounts.h"

/* carry - taking an open directory or file along into a new mount namespace.
 *
 * A descriptor belongs to the mount namespace in which it was opened, and the kernel mounts nothing
 * from another one.  So, whichever works first:
 *  - with CAP_SYS_ADMIN outside, a private mount of it is taken along;
 *  - root without it could not open by path again inside, where it is somebody else: a working
 *    directory, though, moves into a new mount namespace by itself, and is mounted from there;
 *  - anybody else opens the path again, and finds the same inode there or stops. */

struct carry {
	int tree;   /* a mount that is attached nowhere; or -1 */
	char *path; /* owned */
	dev_t dev;
	ino_t ino;
	int outer; /* a directory to be lifted; or -1 */
	int below; /* opened below that mount already; or -1 */
	int fd;    /* in the new namespace; -1 before */
};
#define CARRY_INIT                                                 \
	{                                                          \
		.tree = -1, .outer = -1, .below = -1, .fd = -1     \
	}
void auto_carry(struct carry *c);

/* In the old namespaces.  fd -1 is carried as -1. */
int carry_take(int fd, struct carry *c, struct err *err);
/* Two directories with one parent, as an overlay's upper and work must be: on one mount. */
int carry_take_pair(int fd, int beside, struct carry *c, struct carry *c_beside, struct err *err);
/* In the user namespace, and still in the old mount namespace.  Changes the working directory. */
int carry_lift(struct carry *c, struct err *err);
int carry_lift_pair(struct carry *c, struct carry *c_beside, struct err *err);
/* In the new mount namespace: c->fd.  The first before mounts_begin(), the second after. */
int carry_find(struct carry *c, struct err *err);
int carry_place(struct carry *c, struct mounts *m, struct err *err);

#endif
