/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_BOX_INSIDE_H
#define BUILD_SANDBOX_BOX_INSIDE_H

#include <sys/types.h>

#include "build/sandbox/box.h"
#include "build/sandbox/carry.h"
#include "build/sandbox/mounts.h"
#include "build/sandbox/point.h"
#include "build/sandbox/supervisor.h"
#include "build/sandbox/user.h"

/* box_inside - the half of a box that runs in its namespaces, up to the exec.
 *
 * Two processes: a guard, which is the first of an outer pid namespace, and the program, which is the
 * first of an inner one.  The program can shake off the signal that is to come when its parent dies
 * (prctl, or a set-uid program); it cannot leave the guard's namespace, and the guard cannot be reached
 * by it.  So when the worker is killed, the guard is, and with it everything in the box.
 * With has_init there is no inner namespace, and the guard is the init.
 *
 * All of them share the worker's memory until the exec, so there is nothing to copy and nothing to
 * send: only one of the three runs at a time, while the others wait for it. */

/* what one of box->mounts is made of: the one descriptor of a bind, the lowers of a stack */
struct carried {
	struct carry *items;
	size_t count;
};

struct inside {
	const struct box *box;
	const struct seccomp *seccomp; /* NULL: none */
	uint64_t caps;
	struct carry *lowers; /* box->root.lower_count */
	struct carry upper, work;
	struct carry terminal; /* with has_tty */
	struct carried *mounted; /* box->mount_count */
	struct supervision supervision; /* pid 0: none */
	int worker; /* a pidfd; or -1 */
	uint64_t oom_kills; /* before */

	struct mounts mounts;
	struct points points;
	int root; /* the root's top */
	int cwd;
	struct user user;

	/* what comes of it */
	struct err error; /* kind ERR_NONE: the program was started */
	int status;       /* then: its wait status, or -1 */
};

/* The guard's life. */
int box_guard(void *inside);

/* All that is mounted; then the root is ready to be entered. */
int box_mounts(struct inside *in, struct err *err);

/* From the mounted root to the exec; returns on failure only. */
int box_start(struct inside *in, struct err *err);

#endif
