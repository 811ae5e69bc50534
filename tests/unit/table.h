/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_TABLE_H
#define TESTS_UNIT_TABLE_H

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/test.h"

/* table - the .tsv files of testdata: one case a line, fields between tabs; \t, \r, \n, \0 (which ends the field), \e and \\
 * are written so; lines that begin with "# " are remarks.  One header for a table whose rows are input
 * and wanted output, and a formatter that makes the one from the other. */

#define TABLE_FIELDS_MAX 8

static inline void __attribute__((unused))
table_unescape(char *s)
{
	static const char names[] = "trn0e\\", bytes[] = "\t\r\n\0\033\\";
	char *out = s;
	const char *at;

	for (; *s != '\0'; s++) {
		at = s[0] == '\\' && s[1] != '\0' ? strchr(names, s[1]) : NULL;
		*out++ = at != NULL ? bytes[at - names] : *s;
		s += at != NULL ? 1 : 0;
	}
	*out = '\0';
}

/* Calls row for each line; how many there were. */
static inline size_t __attribute__((unused))
table_each(const char *path, void (*row)(char **fields, size_t count))
{
	FILE *f = fopen(path, "r");
	char *fields[TABLE_FIELDS_MAX], *line = NULL, *rest;
	size_t room = 0, rows = 0, count;

	if (f == NULL) {
		print_error("# %s is not there\n", path);
		_fail(__FILE__, __LINE__);
	}
	while (getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "# ", 2) == 0 || line[0] == '\0')
			continue;
		rest = line;
		for (count = 0; rest != NULL && count < TABLE_FIELDS_MAX; count++)
			fields[count] = strsep(&rest, "\t");
		for (size_t i = 0; i < count; i++)
			table_unescape(fields[i]);
		row(fields, count);
		rows++;
	}
	free(line);
	fclose(f);
	return rows;
}

#endif
