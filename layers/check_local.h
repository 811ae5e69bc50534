/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_CHECK_LOCAL_H
#define LAYERS_CHECK_LOCAL_H

#include <stdint.h>

#include "layers/check.h"
#include "layers/db.h"

/* What the files of check share; nobody else includes this. */

struct check {
	struct store *store;
	struct db *db;
	const struct check_options *options;
	check_report *report;
	void *arg;
	struct check_result result;
};

/* Tells, counts, returns 0. */
int check_tell(struct check *c, enum check_grade grade, const char *what, const char *which,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Something is wrong: with repair, statement (one argument: which, may be NULL: done otherwise)
 * puts it right. */
int check_wrong(struct check *c, const char *what, const char *which, const char *statement,
	const char *text, struct err *err);

int check_names(struct check *c, struct err *err);
int check_records(struct check *c, struct err *err);

#endif
