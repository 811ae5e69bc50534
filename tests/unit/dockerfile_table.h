/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_DOCKERFILE_TABLE_H
#define TESTS_UNIT_DOCKERFILE_TABLE_H

#include <fcntl.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/strv.h"
#include "tests/unit/test.h"

/* dockerfile_table - rows of testdata/dockerfile/<name>.tsv: input, what is wanted, and the rule in
 * words, with a tab between.  Lines that begin with # and empty lines are no rows.  In a field the
 * picture of a character stands for it: U+2424 newline, U+2409 tab, U+240D carriage return, U+2400 zero
 * byte, U+2420 a blank at an end. */

#define TABLE_SIZE_MAX (1024 * 1024)

static const struct {
	const char *picture;
	char c;
} table_pictures[] = {
	{ "\xe2\x90\xa4", '\n' },
	{ "\xe2\x90\x89", '\t' },
	{ "\xe2\x90\x8d", '\r' },
	{ "\xe2\x90\x80", '\0' },
	{ "\xe2\x90\xa0", ' ' },
};

static inline void
table_field(const char *text, size_t len, struct buf *out)
{
	size_t at = 0;

	while (at < len) {
		size_t i;

		for (i = 0; i < COUNT_OF(table_pictures); i++)
			if (len - at >= 3 && memcmp(text + at, table_pictures[i].picture, 3) == 0)
				break;
		if (i < COUNT_OF(table_pictures)) {
			buf_addc(out, table_pictures[i].c);
			at += 3;
		} else {
			buf_addc(out, text[at++]);
		}
	}
}

/* The other way: so that what was got can be compared with the field as it is written. */
static inline void
table_picture(const char *text, size_t len, struct buf *out)
{
	for (size_t at = 0; at < len; at++) {
		size_t i;

		for (i = 0; i < COUNT_OF(table_pictures) - 1; i++)
			if (text[at] == table_pictures[i].c)
				break;
		if (i < COUNT_OF(table_pictures) - 1)
			buf_adds(out, table_pictures[i].picture);
		else if (text[at] == ' ' && (at == 0 || at + 1 == len))
			buf_adds(out, "\xe2\x90\xa0");
		else
			buf_addc(out, text[at]);
	}
}

/* What a table checks: the row's input to text. */
typedef void table_check(const char *input, size_t len, struct buf *out);

static inline int
table_row(const char *name, int number, const char *row, table_check *check)
{
	AUTO(strv) struct strv fields = STRV_INIT;
	AUTO(buf) struct buf input = BUF_INIT;
	AUTO(buf) struct buf wanted = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(buf) struct buf shown = BUF_INIT;
	size_t blank;

	strv_split(&fields, row, "\t");
	if (fields.count != 3 || *fields.items[2] == '\0') {
		print_error("# %s.tsv:%d: a row is input, wanted, rule\n", name, number);
		return 1;
	}
	table_field(fields.items[0], strlen(fields.items[0]), &input);
	check(input.data, input.len, &got);
	table_field(fields.items[1], strlen(fields.items[1]), &wanted);
	/* what is put together of parts has a blank before each */
	blank = got.len > 0 && got.data[0] == ' ' && wanted.data[0] != ' ';
	if (got.len - blank == wanted.len && memcmp(got.data + blank, wanted.data, wanted.len) == 0)
		return 0;
	table_picture(got.data, got.len, &shown);
	print_error("# %s.tsv:%d: %s\n#  input: %s\n#    got: %s\n# wanted: %s\n", name, number,
		fields.items[2], fields.items[0], shown.data, fields.items[1]);
	return 1;
}

/* All rows are checked, then the test fails if one of them did. */
static inline void
table_run(const char *name, table_check *check)
{
	AUTO(free) char *path = xasprintf("%s/dockerfile/%s.tsv", TESTDATA, name);
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(strv) struct strv lines = STRV_INIT;
	struct err err = { .kind = ERR_NONE };
	int bad = 0, rows = 0;

	works(file_read(AT_FDCWD, path, TABLE_SIZE_MAX, &text, &err));
	strv_split(&lines, text.data, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		const char *line = lines.items[i];

		if (*line == '\0' || *line == '#')
			continue;
		rows++;
		bad += table_row(name, (int)i + 1, line, check);
	}
	is_true(rows > 0);
	same_int(bad, 0);
}

#endif
