/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_LIMITS_H
#define BUILD_SANDBOX_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* limits - how much a box may use.
 *
 * Without being asked: no core dumps, at most LIMITS_FILES_SOFT open files until the program raises
 * that itself (some close every possible descriptor), and the caller's other limits. */

#define LIMITS_FILES_SOFT 65536

struct limits_row {
	int resource; /* RLIMIT_* */
	uint64_t soft, hard;
};

#define LIMITS_ROWS_MAX 16

struct limits {
	struct limits_row rows[LIMITS_ROWS_MAX];
	size_t count;
};
#define LIMITS_INIT { .count = 0 }

/* One "--ulimit": "nofile=1024", "nofile=1024:2048", "core=unlimited" or "=-1"; a later one for the
 * same resource replaces.  ERR_INPUT names what is wrong. */
int limits_add(struct limits *l, const char *text, struct err *err);

/* How many processes of this machine the kernel has killed for want of memory since it started; 0 where
 * it does not say. */
uint64_t limits_oom_kills(void);

/* In a process about to exec.  l may be NULL.  ERR_DENIED names the limit that is above this user's
 * hard limit. */
int limits_apply(const struct limits *l, struct err *err);

#endif
