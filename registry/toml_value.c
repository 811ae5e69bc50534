/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/toml_value.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "registry/toml.h"

#define NUMBER_MAX 64

static int value(struct toml_text *t, json_t **out, unsigned depth);

int
toml_wrong(struct toml_text *t, const char *what)
{
	return err_set(t->err, ERR_INPUT, "line %u: %s", t->line, what);
}

bool
toml_is(const struct toml_text *t, char c)
{
	return t->at < t->end && *t->at == c;
}

void
toml_skip(struct toml_text *t, bool lines)
{
	for (; t->at < t->end; t->at++) {
		if (lines && *t->at == '#')
			while (t->at < t->end && *t->at != '\n')
				t->at++;
		if (lines && toml_is(t, '\n'))
			t->line++;
		else if (!toml_is(t, ' ') && !toml_is(t, '\t') && !(lines && toml_is(t, '\r')))
			return;
	}
}

static bool
is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static int
unicode(struct toml_text *t, unsigned digits, struct buf *out)
{
	static const char hex[] = "0123456789abcdef";
	uint32_t c = 0;
	const char *at;

	while (digits-- > 0) {
		if (t->at == t->end)
			return toml_wrong(t, "a string has no end");
		at = *t->at != '\0'
			     ? strchr(hex,
				       *t->at >= 'A' && *t->at <= 'F' ? *t->at + 'a' - 'A' : *t->at)
			     : NULL;
		if (at == NULL)
			return toml_wrong(t, "an escape that is no character");
		c = c << 4 | (uint32_t)(at - hex);
		t->at++;
	}
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return toml_wrong(t, "an escape that is no character");
	buf_add_utf8(out, c);
	return 0;
}

/* After the backslash. */
static int
escape(struct toml_text *t, bool lines, struct buf *out)
{
	static const char names[] = "btnfre\"\\", bytes[] = "\b\t\n\f\r\033\"\\";
	const char *at;
	char c;

	if (t->at == t->end)
		return toml_wrong(t, "a string has no end");
	c = *t->at++;
	if (c == 'u' || c == 'U')
		return unicode(t, c == 'u' ? 4 : 8, out);
	at = c != '\0' ? strchr(names, c) : NULL;
	if (at != NULL) {
		buf_addc(out, bytes[at - names]);
		return 0;
	}
	/* a backslash at the end of a line joins it with the next word */
	if (!lines || (c != '\n' && c != ' ' && c != '\t' && c != '\r'))
		return toml_wrong(t, "an escape that TOML does not have");
	for (t->at--; t->at < t->end && strchr(" \t\r\n", *t->at) != NULL && *t->at != '\0';
		t->at++)
		t->line += *t->at == '\n';
	return 0;
}

static bool
is_triple(const struct toml_text *t, char quote)
{
	return t->end - t->at >= 3 && t->at[0] == quote && t->at[1] == quote && t->at[2] == quote;
}

/* "basic", 'literal', and both with three quotes over several lines */
static int
string(struct toml_text *t, struct buf *out)
{
	char quote = *t->at;
	bool lines = is_triple(t, quote);

	t->at += lines ? 3 : 1;
	if (lines && toml_is(t, '\r'))
		t->at++;
	if (lines && toml_is(t, '\n')) {
		t->at++;
		t->line++;
	}
	for (;;) {
		if (t->at == t->end || *t->at == '\0' || (!lines && *t->at == '\n'))
			return toml_wrong(t, "a string has no end");
		if (lines ? is_triple(t, quote) : *t->at == quote)
			break;
		t->line += *t->at == '\n';
		if (*t->at != '\\' || quote == '\'') {
			buf_addc(out, *t->at++);
			continue;
		}
		t->at++;
		if (escape(t, lines, out) < 0)
			return -1;
	}
	t->at += lines ? 3 : 1;
	/* up to two more quotes belong to the text */
	for (int more = 0; lines && more < 2 && toml_is(t, quote); more++)
		buf_addc(out, *t->at++);
	return 0;
}

int
toml_key_part(struct toml_text *t, struct buf *out)
{
	const char *start = t->at;

	if (toml_is(t, '"') || toml_is(t, '\''))
		return is_triple(t, *t->at) ? toml_wrong(t, "a key of several lines")
					    : string(t, out);
	while (t->at < t->end && is_bare(*t->at))
		t->at++;
	if (t->at == start)
		return toml_wrong(t, "a key is missing");
	buf_add(out, start, (size_t)(t->at - start));
	return 0;
}

static int
array(struct toml_text *t, json_t **out, unsigned depth)
{
	AUTO(json) json_t *list = json_array();

	for (t->at++;;) {
		json_t *item = NULL;

		toml_skip(t, true);
		if (toml_is(t, ']'))
			break;
		if (value(t, &item, depth + 1) < 0)
			return -1;
		json_array_append_new(list, item);
		toml_skip(t, true);
		if (toml_is(t, ','))
			t->at++;
		else if (!toml_is(t, ']'))
			return toml_wrong(t, "a list has no end");
	}
	t->at++;
	*out = steal(&list);
	return 0;
}

static int
inline_table(struct toml_text *t, json_t **out, unsigned depth)
{
	AUTO(json) json_t *table = json_object();

	for (t->at++;;) {
		toml_skip(t, false);
		if (toml_is(t, '}'))
			break;
		if (toml_pair(t, table, depth + 1) < 0)
			return -1;
		toml_skip(t, false);
		if (toml_is(t, ','))
			t->at++;
		else if (!toml_is(t, '}'))
			return toml_wrong(t, "a table has no end");
	}
	t->at++;
	*out = steal(&table);
	return 0;
}

static json_t *
number(const char *text)
{
	const char *digits = text + strspn(text, "+-");
	bool is_whole = strspn(digits, "0123456789") == strlen(digits);
	int base = 10;
	char *end;
	long long whole;
	double real;

	if (strncmp(text, "0x", 2) == 0 || strncmp(text, "0o", 2) == 0 ||
		strncmp(text, "0b", 2) == 0) {
		base = text[1] == 'x' ? 16 : text[1] == 'o' ? 8 : 2;
		digits = text + 2;
		is_whole = digits[0] != '-' && digits[0] != '+';
	}
	errno = 0;
	if (is_whole) {
		whole = strtoll(base == 10 ? text : digits, &end, base);
		return *end == '\0' && *digits != '\0' && errno == 0 ? json_integer(whole) : NULL;
	}
	if (strspn(text, "+-0123456789.eE") != strlen(text))
		return NULL;
	real = strtod(text, &end);
	return *end == '\0' && errno == 0 ? json_real(real) : NULL;
}

/* true, false, a number, or a date, which stays text */
static int
word(struct toml_text *t, json_t **out)
{
	char text[NUMBER_MAX];
	size_t len = 0;

	for (; t->at < t->end && (is_bare(*t->at) || strchr("+.:", *t->at) != NULL) &&
		*t->at != '\0';
		t->at++) {
		if (len == sizeof text - 1)
			return toml_wrong(t, "a value that is neither text nor number");
		if (*t->at != '_')
			text[len++] = *t->at;
	}
	text[len] = '\0';
	if (streq(text, "true") || streq(text, "false"))
		*out = json_boolean(text[0] == 't');
	else if (len > 9 && strspn(text, "0123456789") == 4 && text[4] == '-' && text[7] == '-')
		*out = json_text(text);
	else
		*out = len > 0 ? number(text) : NULL;
	return *out != NULL ? 0 : toml_wrong(t, "a value that is neither text nor number");
}

static int
value(struct toml_text *t, json_t **out, unsigned depth)
{
	AUTO(buf) struct buf text = BUF_INIT;

	if (depth > TOML_DEPTH_MAX)
		return toml_wrong(t, "values are nested too deep");
	if (toml_is(t, '['))
		return array(t, out, depth);
	if (toml_is(t, '{'))
		return inline_table(t, out, depth);
	if (!toml_is(t, '"') && !toml_is(t, '\''))
		return word(t, out);
	if (string(t, &text) < 0)
		return -1;
	*out = json_text(text.data);
	return 0;
}

int
toml_pair(struct toml_text *t, json_t *table, unsigned depth)
{
	json_t *item = NULL, *inner;

	for (;; table = inner) {
		AUTO(buf) struct buf key = BUF_INIT;

		if (toml_key_part(t, &key) < 0)
			return -1;
		if (strlen(key.data) != key.len)
			return toml_wrong(t, "a key with a zero byte");
		toml_skip(t, false);
		if (toml_is(t, '=')) {
			t->at++;
			toml_skip(t, false);
			if (json_object_get(table, key.data) != NULL)
				return toml_wrong(t, "a key is there twice");
			if (value(t, &item, depth) < 0)
				return -1;
			if (json_object_set_new(table, key.data, item) < 0)
				return toml_wrong(t, "a key that is not UTF-8");
			return 0;
		}
		if (!toml_is(t, '.') || ++depth > TOML_DEPTH_MAX)
			return toml_wrong(t, "'=' is missing after a key");
		t->at++;
		toml_skip(t, false);
		inner = json_object_get(table, key.data);
		if (inner == NULL) {
			inner = json_object();
			if (json_object_set_new(table, key.data, inner) < 0)
				return toml_wrong(t, "a key that is not UTF-8");
		}
		if (!json_is_object(inner))
			return toml_wrong(t, "a key is there twice");
	}
}
