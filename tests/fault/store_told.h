/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FAULT_STORE_TOLD_H
#define TESTS_FAULT_STORE_TOLD_H

#include "tests/fault/store_work.h"

/* told - what children that work on a store until they are killed were told by it, in memory that outlives
 * them: each name must mean what it meant when the last call that changed it returned. */

#define TOLD_CHILDREN 3
#define TOLD_NAMES 6 /* per child */

struct promise {
	char digest[DIGEST_TEXT_SIZE];  /* "": no such name */
	char pending[DIGEST_TEXT_SIZE]; /* what a call that has not returned would make of it */
	bool is_changing;
};
struct told {
	struct promise names[TOLD_CHILDREN][TOLD_NAMES];
	unsigned long done[TOLD_CHILDREN];
	bool was_damaged; /* cache records may have lost what they promised */
};

struct told *told_new(void);
unsigned long told_done(const struct told *t);
/* Starts the children; each works until it is killed. */
void told_start(struct told *t, const char *root, struct work *w, pid_t pids[TOLD_CHILDREN]);
/* The number of promises that were not kept, which are printed. */
int told_check(struct told *t, struct work *w);

#endif
