/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_PROBE_H
#define BUILD_SANDBOX_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "build/sandbox/ids.h"

/* probe - what this machine allows, found by trying it.  Facts as data: doctor prints them, and a build
 * that cannot have a box says the one that is missing. */

enum probe_answer {
	PROBE_NO,
	PROBE_PARTLY, /* it works, with a loss that detail names */
	PROBE_YES,
};

struct probe_fact {
	const char *name; /* "user-namespace", "id-range", "overlay", "proc", "sysfs", "network", ... */
	enum probe_answer answer;
	char detail[256]; /* what was found: "100000-165535", the kernel's refusal */
	char advice[256]; /* the one change that would give a better answer; "" if none */
};

#define PROBE_FACTS_MAX 24

/* Which step of the ladder a box has here. */
enum probe_rung {
	PROBE_RUNG_NONE,     /* no box: builds of COPY and metadata only */
	PROBE_RUNG_ONE_ID,   /* one id: chown to others fails */
	PROBE_RUNG_SUPERVISED, /* one id: owners and users are noted by a supervisor */
	PROBE_RUNG_RANGE,    /* an id range */
};

struct probe {
	struct ids ids;
	enum probe_rung rung;
	struct probe_fact facts[PROBE_FACTS_MAX];
	size_t count;
};

/* dir_fd: a writable directory of the store (it is left as it was), or -1 for no overlay facts.
 * Takes some milliseconds; forks. */
void probe_run(int dir_fd, struct probe *out);

#endif
