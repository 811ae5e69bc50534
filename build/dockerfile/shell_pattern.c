/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/shell_pattern.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "build/dockerfile/utf8.h"

/* A pattern is a row of elements.  All places at which some prefix of the row can end are kept at
 * once and moved along the value one character at a time; each remembers where its match began, the
 * earliest of those that meet.  So the work is bounded by pattern times value, whatever they are.
 */

#define NOWHERE SIZE_MAX

enum element_kind { ELEMENT_CHAR, ELEMENT_ANY, ELEMENT_STAR };

struct element {
	enum element_kind kind;
	uint32_t c;
};

struct row {
	struct element *elements;
	size_t count;
};

static void
auto_row(struct row *r)
{
	free(r->elements);
}

/* The character behind a backslash, at text[*at]; true when the two are an element. */
static int
read_escape(const char *text, size_t len, size_t *at, uint32_t *out, struct err *err)
{
	size_t width;
	char next = *at < len ? text[*at] : '\0';

	if (next == '}' || next == '/')
		return 0;
	if (next == '*' || next == '?' || next == '\\') {
		*out = (uint32_t)(unsigned char)next;
		++*at;
		return 1;
	}
	width = *at < len ? utf8_width(text + *at, len - *at) : 0;
	return err_set(err, ERR_INPUT,
		"invalid pattern (%s) in substitution: invalid escape '\\%.*s'", text, (int)width,
		text + *at);
}

static int
read_row(const char *text, struct row *out, struct err *err)
{
	size_t len = strlen(text), at = 0, width;

	out->elements = xcalloc(len + 1, sizeof *out->elements);
	out->count = 0;
	while (at < len) {
		struct element e = { ELEMENT_CHAR, utf8_next(text + at, len - at, &width) };

		at += width;
		if (e.c == '*') {
			e.kind = ELEMENT_STAR;
		} else if (e.c == '?') {
			e.kind = ELEMENT_ANY;
		} else if (e.c == '\\') {
			int is_element = read_escape(text, len, &at, &e.c, err);

			if (is_element < 0)
				return -1;
			if (is_element == 0)
				continue;
		}
		out->elements[out->count++] = e;
	}
	return 0;
}

/* The value as characters, so that it can be walked from either end. */
struct characters {
	uint32_t *c;
	size_t count;
};

static void
auto_characters(struct characters *t)
{
	free(t->c);
}

static void
read_characters(const char *text, struct characters *out)
{
	size_t len = strlen(text), at = 0, width;

	out->c = xcalloc(len + 1, sizeof *out->c);
	out->count = 0;
	while (at < len) {
		out->c[out->count++] = utf8_next(text + at, len - at, &width);
		at += width;
	}
}

static void
write_characters(const struct characters *t, size_t from, size_t to, struct buf *out)
{
	for (size_t i = from; i < to; i++)
		utf8_add(out, t->c[i]);
}

static void
reverse_row(struct row *r)
{
	for (size_t i = 0, j = r->count; i + 1 < j; i++) {
		struct element e = r->elements[i];

		r->elements[i] = r->elements[--j];
		r->elements[j] = e;
	}
}

static void
reverse_characters(struct characters *t)
{
	for (size_t i = 0, j = t->count; i + 1 < j; i++) {
		uint32_t c = t->c[i];

		t->c[i] = t->c[--j];
		t->c[j] = c;
	}
}

static int
check_work(const struct row *r, const struct characters *t, struct err *err)
{
	if (r->count != 0 && t->count > SHELL_PATTERN_WORK_MAX / r->count)
		return err_set(
			err, ERR_INPUT, "value is too long for the pattern of its substitution");
	return 0;
}

/* ends[i]: where a match that has come to element i began, or NOWHERE.  Steps over stars for free.
 */
static void
pass_stars(const struct row *r, size_t *ends)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->elements[i].kind == ELEMENT_STAR && ends[i] < ends[i + 1])
			ends[i + 1] = ends[i];
}

/* Over one character; false: nothing is left. */
static bool
step(const struct row *r, size_t *ends, uint32_t c)
{
	bool alive = false;

	ends[r->count] = NOWHERE;
	for (size_t i = r->count; i-- > 0;) {
		const struct element *e = &r->elements[i];
		size_t began = ends[i];
		bool takes = e->kind == ELEMENT_CHAR ? e->c == c : c != '\n';

		if (e->kind == ELEMENT_STAR) {
			ends[i] = takes ? began : NOWHERE;
		} else {
			ends[i] = NOWHERE;
			if (takes && began < ends[i + 1])
				ends[i + 1] = began;
		}
	}
	pass_stars(r, ends);
	for (size_t i = 0; i <= r->count && !alive; i++)
		alive = ends[i] != NOWHERE;
	return alive;
}

/* The first match at or behind `from` (only there when fixed): the longest, or the shortest. */
static bool
find(const struct row *r, const struct characters *t, size_t from, bool fixed, bool greedy,
	size_t *ends, size_t *out_start, size_t *out_end)
{
	size_t start = NOWHERE, end = 0;

	for (size_t i = 0; i <= r->count; i++)
		ends[i] = NOWHERE;
	for (size_t at = from;; at++) {
		/* once a match is known, no later start is of interest */
		if (start == NOWHERE && (!fixed || at == from) && at < ends[0])
			if (ends[0] == NOWHERE)
				ends[0] = at;
		pass_stars(r, ends);
		if (ends[r->count] != NOWHERE && ends[r->count] <= start) {
			start = ends[r->count];
			end = at;
			if (!greedy)
				break;
			for (size_t i = 0; i <= r->count; i++)
				if (ends[i] != NOWHERE && ends[i] > start)
					ends[i] = NOWHERE;
		}
		if (at == t->count)
			break;
		if (!step(r, ends, t->c[at]) && (start != NOWHERE || fixed))
			break;
	}
	if (start == NOWHERE)
		return false;
	*out_start = start;
	*out_end = end;
	return true;
}

int
shell_pattern_cut(const char *pattern, const char *value, char end, int greedy, struct buf *out,
	struct err *err)
{
	AUTO(row) struct row row = { NULL, 0 };
	AUTO(characters) struct characters text = { NULL, 0 };
	AUTO(free) size_t *ends = NULL;
	size_t from, to = 0;

	if (read_row(pattern, &row, err) < 0)
		return -1;
	read_characters(value, &text);
	if (check_work(&row, &text, err) < 0)
		return -1;
	ends = xcalloc(row.count + 1, sizeof *ends);
	/* the shortest match at the back is the shortest at the front of what is turned round */
	if (end == '%') {
		reverse_row(&row);
		reverse_characters(&text);
	}
	find(&row, &text, 0, true, greedy != 0, ends, &from, &to);
	if (end == '%') {
		reverse_characters(&text);
		write_characters(&text, 0, text.count - to, out);
	} else {
		write_characters(&text, to, text.count, out);
	}
	return 0;
}

/* The name of a template's variable at t; its length, 0 for none. */
static size_t
template_name(const char *t, bool *braces)
{
	size_t at, width;

	*braces = t[0] == '{';
	/* no look at all that follows: there may be as many names as characters */
	for (at = *braces; t[at] != '\0'; at += width) {
		uint32_t c = utf8_next(t + at, strnlen(t + at, 4), &width);

		if (!utf8_is_letter(c) && !utf8_is_digit(c) && c != '_')
			break;
	}
	if (!*braces)
		return at;
	return at > 1 && t[at] == '}' ? at + 1 : 0;
}

static void
add_template(const char *t, const struct characters *text, size_t from, size_t to, struct buf *out)
{
	while (*t != '\0') {
		const char *dollar = strchr(t, '$');
		bool braces;
		size_t len;

		if (dollar == NULL) {
			buf_adds(out, t);
			return;
		}
		buf_add(out, t, (size_t)(dollar - t));
		t = dollar + 1;
		len = template_name(t, &braces);
		if (*t == '$' || len == 0)
			buf_addc(out, '$');
		else if (len == (braces ? 3u : 1u) && t[braces] == '0')
			write_characters(text, from, to, out);
		t += *t == '$' ? 1 : len;
	}
}

int
shell_pattern_replace(const char *pattern, const char *value, const char *replacement, int all,
	struct buf *out, struct err *err)
{
	AUTO(row) struct row row = { NULL, 0 };
	AUTO(characters) struct characters text = { NULL, 0 };
	AUTO(free) size_t *ends = NULL;
	size_t done = 0, from, to, search = 0, last_end = NOWHERE;

	if (read_row(pattern, &row, err) < 0)
		return -1;
	read_characters(value, &text);
	if (check_work(&row, &text, err) < 0)
		return -1;
	ends = xcalloc(row.count + 1, sizeof *ends);
	while (search <= text.count && find(&row, &text, search, false, true, ends, &from, &to)) {
		/* an empty match right behind another one does not count */
		if (from != to || from != last_end) {
			write_characters(&text, done, from, out);
			if (all)
				add_template(replacement, &text, from, to, out);
			else
				buf_adds(out, replacement);
			done = to;
			last_end = to;
		}
		search = to > from ? to : to + 1;
		if (out->len > SHELL_PATTERN_OUT_MAX)
			return err_set(err, ERR_INPUT,
				"result of a substitution is larger than %d bytes",
				SHELL_PATTERN_OUT_MAX);
		if (!all)
			break;
	}
	write_characters(&text, done, text.count, out);
	return 0;
}
