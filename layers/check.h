/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_CHECK_H
#define LAYERS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "layers/store.h"

/* check - is the store what it says it is: blobs hash to their names, names reach all they need
 * (or know where to get it), records and disk agree, the layout is valid. */

enum check_grade {
	CHECK_NOTE,     /* garbage or a stale copy: gc or the next write cleans it */
	CHECK_PROBLEM,  /* something is wrong */
	CHECK_REPAIRED, /* was wrong, and was put right */
};

struct check_finding {
	enum check_grade grade;
	const char *what;  /* "blob", "name", "tree", "layer", "listing", "record", ... */
	const char *which; /* its digest, name or id */
	const char *text;  /* what is wrong with it, and what was done */
};
typedef void check_report(const struct check_finding *finding, void *arg);

struct check_options {
	bool repair;     /* bad blobs to quarantine/, records of missing things dropped */
	bool skip_bytes; /* do not re-hash blobs: sizes only */
};
struct check_result {
	uint64_t blobs, bytes, names, trees, layers; /* looked at */
	uint64_t notes, problems, repaired;
};

/* 0 also when problems were found: see out->problems.  Safe beside other processes. */
int store_check(struct store *s, const struct check_options *o, check_report *report, void *arg,
	struct check_result *out, struct err *err);

#endif
