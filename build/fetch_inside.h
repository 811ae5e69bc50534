/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_FETCH_INSIDE_H
#define BUILD_FETCH_INSIDE_H

#include "build/fetch.h"

/* fetch_inside - the two ways of fetching, for fetch_run().  1: what is known at *same is what there is, and
 * nothing was fetched; 0: *facts are those of what was; -1. */

/* The file `name` in dir; out (may be NULL): its descriptor, open. */
int fetch_http(const struct fetch_job *job, int dir, const char *name, int *out, size_t *same,
	json_t **facts, struct err *err);
int fetch_git(const struct fetch_job *job, size_t *same, json_t **facts, struct err *err);

#endif
