/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_FURNISH_H
#define BUILD_SANDBOX_FURNISH_H

#include <stdbool.h>

#include "base/err.h"
#include "build/sandbox/mounts.h"
#include "build/sandbox/point.h"

/* furnish - what a program expects to find in a root: /proc, /dev, /sys, all fresh.
 *
 * In a mount namespace of its own whose nest holds the root (points->root is its top, attached).  The
 * host's file systems are still in sight. */

struct furnish {
	struct mounts *mounts;
	struct points *points;
	int null;  /* the host's /dev/null, looked at: what covers files */
	int empty; /* a read-only directory of nothing: what covers directories */
	int terminal; /* becomes /dev/console, where programs find the name of their terminal; or -1 */
	bool has_own_network;
	bool has_masks;
};

/* Needs a process of the new pid namespace.  Where a fresh /proc is refused (in containers that mask
 * theirs) the outer one is bound. */
int furnish_proc(struct furnish *f, struct err *err);
int furnish_dev(struct furnish *f, struct err *err);
int furnish_sys(struct furnish *f, struct err *err);

/* Opens null and makes empty; first. */
int furnish_begin(struct furnish *f, struct err *err);
void auto_furnish(struct furnish *f);

#endif
