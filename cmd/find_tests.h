/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_FIND_TESTS_H
#define CMD_FIND_TESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "layers/entry.h"

/* find_tests - which files find gives.  Tests are spelled and mean what they do in find(1); a file must
 * pass all of them.  (POSIX.1-2017 find; GNU findutils manual) */

struct find_test {
	const struct find_word *word;
	bool negated;
	const char *text; /* lent */
	/* what it was parsed to */
	char sign;        /* '+', '-', or 0 */
	uint64_t number, unit;
	uint32_t kinds;   /* bits, by enum entry_kind */
	int64_t time;     /* and nanoseconds */
	uint32_t time_ns;
};

struct find_tests {
	struct find_test *items;
	size_t count, room;
	size_t depth_min, depth_max;
	bool ends_with_zero; /* -print0 */
	bool is_long;        /* -ls */
};
#define FIND_TESTS_INIT { .depth_max = SIZE_MAX }
void auto_find_tests(struct find_tests *t);

/* Words as on find's command line, lent.  ERR_USAGE for what is not known, with what is. */
int find_tests_parse(const char *const *words, size_t count, struct find_tests *out, struct err *err);
/* -newer: its file's time is the caller's to find. */
bool find_test_wants_file(const struct find_test *t);

struct find_subject {
	const struct entry *entry; /* no HARDLINK */
	size_t layer;              /* from 1 */
	size_t depth;
};
bool find_tests_pass(const struct find_tests *t, const struct find_subject *s);


#endif
