/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

/* show - words from strangers on a terminal.  A name, label or error from outside may hold bytes that move the
 * cursor, set titles or turn text around; shown, they are "\x1b", "\u202e". */

/* Appends text; '\n' and '\t' are kept with show_text and escaped with show_line. */
void show_text(const char *text, struct buf *out);
void show_line(const char *text, struct buf *out);

/* "1.5MB": at most 4 digits, powers of 1000, as docker prints sizes */
void show_size(unsigned long long bytes, struct buf *out);
/* "3 days ago"; now and then are seconds since 1970; then 0: "N/A" */
void show_age(long long now, long long then, struct buf *out);

/* Rows of columns, each as wide as its widest cell, three blanks between. */
struct show_table {
	struct strv cells;
	size_t columns;
};
void show_table(const struct show_table *table, struct buf *out);

/* Writes it all to stdout.  A reader that went away is no failure. */
int show_answer(const struct buf *answer, struct err *err);

#endif
