/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/diagnostic.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "build/dockerfile/utf8.h"

#define LINE_SHOWN_MAX 512   /* bytes of a line in an excerpt */
#define EXCERPT_LINES_MAX 40 /* of the place itself */

void
diagnostics_free(struct diagnostics *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->items[i].message);
	free(d->items);
	free(d->file);
	free(d->text);
	*d = (struct diagnostics)DIAGNOSTICS_INIT;
}

void
auto_diagnostics(struct diagnostics *d)
{
	diagnostics_free(d);
}

void
diagnostics_source(struct diagnostics *d, const char *file, const char *text, size_t len)
{
	free(d->file);
	free(d->text);
	d->file = xstrdup(file);
	d->text = xmalloc(len + 1);
	if (len > 0)
		memcpy(d->text, text, len);
	d->text[len] = '\0';
	d->len = len;
}

void
diagnostics_add(struct diagnostics *d, const struct diagnostic *one, const char *fmt, ...)
{
	va_list ap;

	if (d->count >= DIAGNOSTICS_MAX) {
		d->dropped++;
		return;
	}
	d->items = grow(d->items, d->count, &d->room, sizeof *d->items);
	d->items[d->count] = *one;
	va_start(ap, fmt);
	d->items[d->count].message = xvasprintf(fmt, ap);
	va_end(ap);
	d->count++;
}

size_t
diagnostics_errors(const struct diagnostics *d)
{
	size_t count = 0;

	for (size_t i = 0; i < d->count; i++)
		count += d->items[i].severity == SEVERITY_ERROR;
	return count;
}

/* Few, and mostly in order already. */
void
diagnostics_sort(struct diagnostics *d)
{
	for (size_t i = 1; i < d->count; i++) {
		struct diagnostic one = d->items[i];
		size_t at = i;

		while (at > 0 && d->items[at - 1].line_start > one.line_start) {
			d->items[at] = d->items[at - 1];
			at--;
		}
		d->items[at] = one;
	}
}

static const struct diagnostic *
first_error(const struct diagnostics *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->items[i].severity == SEVERITY_ERROR)
			return &d->items[i];
	return NULL;
}

int
diagnostics_to_err(const struct diagnostics *d, struct err *err)
{
	const struct diagnostic *first = first_error(d);
	size_t more;

	if (first == NULL)
		return 0;
	more = diagnostics_errors(d) - 1 + d->dropped;
	err_set(err, ERR_INPUT, "%s%s", first->message,
		more == 0   ? ""
		: more == 1 ? " (and 1 more error)"
			    : "");
	if (more > 1)
		err_set(err, ERR_INPUT, "%s (and %zu more errors)", first->message, more);
	if (first->line_start > 0)
		return err_in(err, "%s:%d", d->file, first->line_start);
	return d->file != NULL ? err_in(err, "%s", d->file) : -1;
}

void
diagnostic_format(const struct diagnostics *d, const struct diagnostic *one, struct buf *out)
{
	if (one->severity == SEVERITY_WARNING) {
		buf_addf(out, "WARNING: %s", one->rule);
		if (one->url != NULL)
			buf_addf(out, " - %s", one->url);
		buf_addf(out, "\n%s\n", one->message);
	} else if (one->line_start > 0) {
		buf_addf(out, "%s:%d: %s\n", d->file, one->line_start, one->message);
	} else {
		buf_addf(out, "%s: %s\n", d->file, one->message);
	}
	diagnostics_excerpt(d, one->line_start, one->line_end, one->column_line, one->column, out);
}

/* --- excerpts --------------------------------------------------------------------------------- */

/* A walk over the lines of the text. */
struct lines {
	const char *at, *end; /* at NULL: past the last one */
	int number;           /* of the line at `at`; the first is 1 */
};

static struct lines
lines_start(const struct diagnostics *d)
{
	return (struct lines){ .at = d->text, .end = d->text + d->len, .number = 1 };
}

static void
lines_step(struct lines *l)
{
	const char *newline = memchr(l->at, '\n', (size_t)(l->end - l->at));

	l->at = newline != NULL ? newline + 1 : NULL;
	l->number++;
}

static size_t
lines_len(const struct lines *l)
{
	const char *newline = memchr(l->at, '\n', (size_t)(l->end - l->at));

	return (size_t)((newline != NULL ? newline : l->end) - l->at);
}

/* How many lines there are, counted no further than to `enough`. */
static int
count_lines(const struct diagnostics *d, int enough)
{
	struct lines l = lines_start(d);
	int count = 0;

	while (l.at != NULL && count < enough) {
		count++;
		lines_step(&l);
	}
	return count;
}

/* Bytes that could move a terminal's cursor are shown as '?'. */
static void
add_shown(struct buf *out, const char *text, size_t len)
{
	size_t width;

	for (size_t at = 0; at < len && at < LINE_SHOWN_MAX; at += width) {
		uint32_t c = utf8_next(text + at, len - at, &width);

		if ((c < 0x20 && c != '\t') || (c >= 0x7f && c < 0xa0) || c >= UTF8_STRAY)
			buf_addc(out, '?');
		else
			buf_add(out, text + at, width);
	}
}

/* Blanks up to the column, tabs as tabs, so that the caret stands below its character. */
static void
add_caret(struct buf *out, const char *text, size_t len, int column)
{
	size_t width, end = (size_t)column - 1;

	if (end > len || end > LINE_SHOWN_MAX)
		return;
	buf_adds(out, "     |     ");
	for (size_t at = 0; at < end; at += width) {
		utf8_next(text + at, len - at, &width);
		buf_addc(out, text[at] == '\t' ? '\t' : ' ');
	}
	buf_adds(out, "^\n");
}

static void
add_line(const struct lines *l, bool marked, int column, struct buf *out)
{
	size_t len = lines_len(l);

	if (len > 0 && l->at[len - 1] == '\r')
		len--;
	buf_addf(out, " %3d | %s ", l->number, marked ? ">>>" : "   ");
	add_shown(out, l->at, len);
	buf_addc(out, '\n');
	if (column > 0)
		add_caret(out, l->at, len, column);
}

void
diagnostics_excerpt(const struct diagnostics *d, int line_start, int line_end, int column_line,
	int column, struct buf *out)
{
	int first = line_start, last = line_end < line_start ? line_start : line_end;
	int lines, marked_last;
	struct lines l;

	if (last - first >= EXCERPT_LINES_MAX)
		last = first + EXCERPT_LINES_MAX - 1;
	lines = d->text != NULL ? count_lines(d, last + 4) : 0;
	if (line_start < 1 || line_start > lines)
		return;
	last = last > lines ? lines : last;
	marked_last = last;
	/* a lone line gets four more, a range two, as far as there are any on either side */
	for (int pad = first == last ? 4 : 2, taken = 0; taken < pad; taken++) {
		if (first > 1) {
			first--;
			taken++;
		}
		if (last < lines) {
			last++;
			taken++;
		}
	}
	buf_addf(out, "%s:%d\n--------------------\n", d->file, line_start);
	for (l = lines_start(d); l.at != NULL && l.number <= last; lines_step(&l))
		if (l.number >= first)
			add_line(&l, l.number >= line_start && l.number <= marked_last,
				l.number == column_line ? column : 0, out);
	buf_adds(out, "--------------------\n");
}
