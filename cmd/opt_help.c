/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/opt.h"

#include <string.h>

#define HELP_INDENT 2
#define HELP_TEXT 28 /* the column where texts begin */

/* "-f, --file <path>": the row's first column. */
static void
add_row(const struct opt *row, struct buf *out)
{
	if (row->letter != 0)
		buf_addf(out, "-%c, ", row->letter);
	else
		buf_adds(out, "    ");
	buf_addf(out, "--%s", row->name);
	if (row->kind == OPT_KIND_TRISTATE)
		buf_addf(out, "[=<%s>]", row->arg);
	else if (opt_takes_value(row))
		buf_addf(out, " <%s>", row->arg);
}

void
opt_fill(const char *text, size_t at, size_t indent, struct buf *out)
{
	bool first = true; /* on this line */

	while (*text != '\0') {
		size_t len = strcspn(text, " \n");

		if (len > 0) {
			if (!first && at + 1 + len > OPT_HELP_COLUMNS) {
				buf_addf(out, "\n%*s", (int)indent, "");
				at = indent;
				first = true;
			}
			if (!first) {
				buf_addc(out, ' ');
				at++;
			}
			buf_add(out, text, len);
			at += len;
			first = false;
			text += len;
		}
		if (*text == '\n') {
			buf_addf(out, "\n%*s", text[1] == '\n' ? 0 : (int)indent, "");
			at = indent;
			first = true;
		}
		if (*text != '\0')
			text++;
	}
	buf_addc(out, '\n');
}

static void
help_row(const struct opt *row, struct buf *out)
{
	AUTO(buf) struct buf text = BUF_INIT;
	size_t line = out->len;
	size_t at;

	buf_addf(out, "%*s", HELP_INDENT, "");
	add_row(row, out);
	at = out->len - line;
	if (at + 2 > HELP_TEXT) {
		buf_addc(out, '\n');
		at = 0;
	}
	buf_addf(out, "%*s", (int)(HELP_TEXT - at), "");
	buf_adds(&text, row->help);
	if (row->words != NULL) {
		buf_adds(&text, ": ");
		for (const struct opt_word *w = row->words; w->name != NULL; w++)
			buf_addf(&text, "%s%s", w == row->words ? "" : ", ", w->name);
	}
	opt_fill(text.data, HELP_TEXT, HELP_TEXT, out);
}

void
opt_help(const struct opt *rows, struct buf *out)
{
	for (const struct opt *o = rows; o->kind != OPT_KIND_END; o++)
		help_row(o, out);
}
