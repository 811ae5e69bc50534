/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FAULT_STORE_WORK_H
#define TESTS_FAULT_STORE_WORK_H

#include <stdint.h>

#include "base/mem.h"
#include "layers/check.h"
#include "layers/gc.h"
#include "layers/store.h"

/* work - what builds do to a store, at random, for the tests that disturb it. */

struct work {
	struct store *store;
	uint64_t random; /* not 0 */
	struct err err;
	bool is_damaged; /* records may have lost what they promised */
};

uint32_t work_random(struct work *w);
/* Prints the error and ends the process with status 1. */
void work_need(int result, struct work *w);
/* An image of one to three layers, some of which others make as well. */
void work_image(struct work *w, struct descriptor *out);
/* A tree, its layer with a listing, and a cache record, as a RUN leaves them. */
void work_step(struct work *w);
/* A cache record of somebody's work_step: what it promises must be there. */
void work_lookup(struct work *w);
/* A download that is given up, or resumed and finished. */
void work_partial(struct work *w);
void work_gc(struct work *w);
/* The number of problems, which are printed. */
int work_check(struct work *w);

#endif
