/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/lex.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "build/dockerfile/utf8.h"

void
auto_logical(struct logical *l)
{
	buf_free(&l->text);
	strv_free(&l->comments);
	free(l->pieces);
}

void
auto_lexer(struct lexer *l)
{
	strv_free(&l->comments);
}

void
lexer_start(struct lexer *l, const char *bytes, size_t len)
{
	*l = (struct lexer){ .bytes = bytes, .len = len, .escape = '\\' };
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		l->at = 3;
}

bool
lexer_line(struct lexer *l, const char **out, size_t *len)
{
	const char *newline;

	if (l->at >= l->len)
		return false;
	*out = l->bytes + l->at;
	newline = memchr(*out, '\n', l->len - l->at);
	*len = newline != NULL ? (size_t)(newline - *out) + 1 : l->len - l->at;
	l->at += *len;
	l->line++;
	return true;
}

static size_t
skip_spaces(const char *text, size_t len)
{
	size_t at = 0, width;

	while (at < len && utf8_is_space(utf8_next(text + at, len - at, &width)))
		at += width;
	return at;
}

static size_t
without_newline(const char *text, size_t len)
{
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	return len;
}

/* The line's end without the escape that says it goes on: that must stand alone or behind something
 * else than itself, and only blanks may follow. */
static bool
goes_on(const char *text, size_t *len, char escape)
{
	size_t end = *len;

	while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t'))
		end--;
	if (end == 0 || text[end - 1] != escape || (end > 1 && text[end - 2] == escape))
		return false;
	*len = end - 1;
	return true;
}

bool
directive_is(const struct directive *d, const char *name)
{
	return strlen(name) == d->name_len && strncasecmp(d->name, name, d->name_len) == 0;
}

bool
directive_parse(const char *line, size_t len, const char *prefix, struct directive *out)
{
	size_t at = strlen(prefix), end = len;

	if (len < at || memcmp(line, prefix, at) != 0)
		return false;
	at += skip_spaces(line + at, len - at);
	out->name = line + at;
	while (at < len && ((line[at] | 0x20) >= 'a' && (line[at] | 0x20) <= 'z'))
		at++;
	while (at < len && line + at > out->name &&
		(((line[at] | 0x20) >= 'a' && (line[at] | 0x20) <= 'z') ||
			(line[at] >= '0' && line[at] <= '9')))
		at++;
	out->name_len = (size_t)(line + at - out->name);
	while (at < len && strchr("\t\n\f\r ", line[at]) != NULL && line[at] != '\0')
		at++;
	if (out->name_len == 0 || at >= len || line[at] != '=')
		return false;
	at++;
	while (at < len && strchr("\t\n\f\r ", line[at]) != NULL && line[at] != '\0')
		at++;
	while (end > at && strchr("\t\n\f\r ", line[end - 1]) != NULL && line[end - 1] != '\0')
		end--;
	out->value = line + at;
	out->value_len = end - at;
	return end > at;
}

/* 1: the line is a directive; 0: it is not, and none will follow; -1: it cannot be. */
static int
take_directive(struct lexer *l, const char *text, size_t len, struct err *err)
{
	struct {
		const char *name;
		bool *seen;
	} known[] = { { "escape", &l->escape_seen }, { "syntax", &l->syntax_seen },
		{ "check", &l->check_seen } };
	struct directive d;
	size_t i;

	if (l->directives_over)
		return 0;
	l->directives_over = true;
	if (!directive_parse(text, len, "#", &d))
		return 0;
	for (i = 0; i < COUNT_OF(known); i++)
		if (directive_is(&d, known[i].name))
			break;
	if (i == COUNT_OF(known))
		return 0;
	l->directives_over = false;
	if (*known[i].seen)
		return err_set(
			err, ERR_INPUT, "only one %s parser directive can be used", known[i].name);
	*known[i].seen = true;
	if (i != 0)
		return 1;
	if (d.value_len != 1 || (*d.value != '\\' && *d.value != '`'))
		return err_set(err, ERR_INPUT, "invalid escape token '%.*s' does not match ` or \\",
			(int)(d.value_len < 64 ? d.value_len : 64), d.value);
	l->escape = *d.value;
	return 1;
}

/* A comment is remembered for the instruction below it; an empty one makes those above forgotten.
 */
static void
take_comment(struct lexer *l, const char *line, size_t len)
{
	size_t start, end;

	utf8_trim(line + 1, len - 1, &start, &end);
	if (start == end)
		strv_free(&l->comments);
	else
		strv_addn(&l->comments, line + 1 + start, end - start);
}

static void
add_piece(struct logical *out, const char *text, size_t len, int line, size_t column)
{
	out->pieces = grow(out->pieces, out->piece_count, &out->piece_room, sizeof *out->pieces);
	out->pieces[out->piece_count++] =
		(struct lex_piece){ .offset = out->text.len, .line = line, .column = column };
	buf_add(&out->text, text, len);
}

/* The lines that follow one which goes on. */
static void
take_rest(struct lexer *l, struct logical *out)
{
	const char *line;
	size_t len, space;
	bool more = true;

	while (more && lexer_line(l, &line, &len)) {
		len = without_newline(line, len);
		space = skip_spaces(line, len);
		if (space == len) {
			out->empty_lines = true;
		} else if (line[space] != '#') {
			more = goes_on(line, &len, l->escape);
			add_piece(out, line, len, l->line, 0);
		}
	}
}

int
lexer_next(struct lexer *l, struct logical *out, struct err *err)
{
	const char *line;
	size_t len, space;
	bool more;

	buf_clear(&out->text);
	out->piece_count = 0;
	out->empty_lines = false;
	while (lexer_line(l, &line, &len)) {
		int directive;

		len = without_newline(line, len);
		space = skip_spaces(line, len);
		directive = take_directive(l, line + space, len - space, err);
		if (directive < 0)
			return -1;
		if (space < len && line[space] == '#') {
			if (directive == 0)
				take_comment(l, line, len);
			continue;
		}
		if (space == len)
			continue;
		len -= space;
		more = goes_on(line + space, &len, l->escape);
		out->line_start = l->line;
		add_piece(out, line + space, len, l->line, space);
		if (more)
			take_rest(l, out);
		out->line_end = l->line;
		strv_free(&out->comments);
		out->comments = l->comments;
		l->comments = (struct strv)STRV_INIT;
		return 1;
	}
	return 0;
}

void
logical_place(const struct logical *l, size_t offset, int *line, int *column)
{
	size_t i = l->piece_count;

	*line = l->line_start;
	*column = 0;
	while (i > 0 && l->pieces[i - 1].offset > offset)
		i--;
	if (i == 0)
		return;
	*line = l->pieces[i - 1].line;
	*column = (int)(l->pieces[i - 1].column + offset - l->pieces[i - 1].offset) + 1;
}
