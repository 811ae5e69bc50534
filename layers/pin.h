/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_PIN_H
#define LAYERS_PIN_H

#include <stdbool.h>

#include "base/err.h"

/* pin - what live processes use, so that gc keeps it.
 *
 * Each process has one file pins/<id>, held by flock as long as it or a worker it forked lives,
 * with a line for each thing: its kind, a blank, its text.  A line is added under a shared lock
 * of pins/lock, and only then is it looked whether the thing is there; gc holds that lock
 * exclusively from reading all pins until what it condemned is out of sight.  So either gc saw
 * the pin, or the pinner sees that the thing is gone. */

struct pins;
/* root: lent descriptor of the store. */
int pins_open(int root, struct pins **out, struct err *err);
void pins_free(struct pins *p);  /* the process is done with all of it */
void pins_leave(struct pins *p); /* in a worker: frees memory, ends nothing */
/* Threads and forked workers may add.  1: newly pinned, 0: was already, -1. */
int pins_add(struct pins *p, char kind, const char *text, struct err *err);

/* gc's side.  Everybody who wants to add waits between the two. */
int pins_lock(int root, struct err *err); /* a descriptor; closing it unlocks */
/* All lines of live processes; files of dead ones are removed.  Only under pins_lock(); without
 * it (is_locked false) nothing can be said of who lives, and all lines are given. */
int pins_each(int root, bool is_locked,
	int (*each)(char kind, const char *text, void *arg, struct err *err), void *arg,
	struct err *err);

#endif
