/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/exec_form.h"

#include <string.h>

#include "base/buf.h"
#include "build/dockerfile/utf8.h"

/* A JSON reader of its own: a text that is no JSON is no error here, it is the shell form; and
 * which texts are JSON must be what Go says (a lone surrogate is, a control character in a string
 * is not). */

#define DEPTH_MAX 1000 /* of values that are skipped */

struct json_text {
	const char *at, *end;
};

static void
skip_blanks(struct json_text *t)
{
	while (t->at < t->end &&
		(*t->at == ' ' || *t->at == '\t' || *t->at == '\n' || *t->at == '\r'))
		t->at++;
}

static bool
take(struct json_text *t, char c)
{
	if (t->at >= t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

static bool
take_hex4(struct json_text *t, uint32_t *out)
{
	uint32_t value = 0;

	if (t->end - t->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = t->at[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	t->at += 4;
	*out = value;
	return true;
}

static bool
take_unicode(struct json_text *t, struct buf *out)
{
	uint32_t high, low;

	if (!take_hex4(t, &high))
		return false;
	if (high >= 0xd800 && high < 0xdc00 && t->end - t->at >= 2 && t->at[0] == '\\' &&
		t->at[1] == 'u') {
		struct json_text after = { t->at + 2, t->end };

		if (!take_hex4(&after, &low))
			return false;
		if (low >= 0xdc00 && low < 0xe000) {
			t->at = after.at;
			utf8_add(out, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
			return true;
		}
	}
	utf8_add(out, high >= 0xd800 && high < 0xe000 ? 0xfffd : high);
	return true;
}

static bool
take_escape(struct json_text *t, struct buf *out)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *which;

	if (t->at >= t->end || *t->at == '\0')
		return false;
	if (*t->at == 'u') {
		t->at++;
		return take_unicode(t, out);
	}
	which = strchr(names, *t->at);
	if (which == NULL)
		return false;
	buf_addc(out, values[which - names]);
	t->at++;
	return true;
}

static bool
take_string(struct json_text *t, struct buf *out)
{
	if (!take(t, '"'))
		return false;
	while (t->at < t->end) {
		char c = *t->at++;

		if (c == '"')
			return true;
		if ((unsigned char)c < 0x20)
			return false;
		if (c != '\\')
			buf_addc(out, c);
		else if (!take_escape(t, out))
			return false;
	}
	return false;
}

static bool
skip_digits(struct json_text *t)
{
	const char *start = t->at;

	while (t->at < t->end && *t->at >= '0' && *t->at <= '9')
		t->at++;
	return t->at > start;
}

static bool
skip_number(struct json_text *t)
{
	take(t, '-');
	if (!take(t, '0') && !skip_digits(t))
		return false;
	if (take(t, '.') && !skip_digits(t))
		return false;
	if (take(t, 'e') || take(t, 'E')) {
		if (!take(t, '+'))
			take(t, '-');
		return skip_digits(t);
	}
	return true;
}

static bool
skip_word(struct json_text *t, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(t->end - t->at) < len || memcmp(t->at, word, len) != 0)
		return false;
	t->at += len;
	return true;
}

static bool skip_value(struct json_text *t, unsigned depth);

static bool
skip_members(struct json_text *t, char close, unsigned depth)
{
	AUTO(buf) struct buf name = BUF_INIT;

	skip_blanks(t);
	if (take(t, close))
		return true;
	for (;;) {
		skip_blanks(t);
		if (close == '}') {
			if (!take_string(t, &name))
				return false;
			skip_blanks(t);
			if (!take(t, ':'))
				return false;
			skip_blanks(t);
		}
		if (!skip_value(t, depth + 1))
			return false;
		skip_blanks(t);
		if (take(t, close))
			return true;
		if (!take(t, ','))
			return false;
	}
}

static bool
skip_value(struct json_text *t, unsigned depth)
{
	AUTO(buf) struct buf text = BUF_INIT;

	if (t->at >= t->end || depth > DEPTH_MAX)
		return false;
	switch (*t->at) {
	case '"':
		return take_string(t, &text);
	case '{':
		t->at++;
		return skip_members(t, '}', depth);
	case '[':
		t->at++;
		return skip_members(t, ']', depth);
	case 't':
		return skip_word(t, "true");
	case 'f':
		return skip_word(t, "false");
	case 'n':
		return skip_word(t, "null");
	default:
		return skip_number(t);
	}
}

/* false: no JSON.  *strange: an element that is no string; *zero: one with a zero byte. */
static bool
take_array(struct json_text *t, struct strv *words, bool *strange, bool *zero)
{
	AUTO(buf) struct buf text = BUF_INIT;

	if (!take(t, '['))
		return false;
	skip_blanks(t);
	if (take(t, ']'))
		return true;
	for (;;) {
		skip_blanks(t);
		if (t->at < t->end && *t->at == '"') {
			buf_clear(&text);
			if (!take_string(t, &text))
				return false;
			*zero |= memchr(text.data, '\0', text.len) != NULL;
			strv_addn(words, text.data, text.len);
		} else {
			*strange = true;
			if (!skip_value(t, 1))
				return false;
		}
		skip_blanks(t);
		if (take(t, ']'))
			return true;
		if (!take(t, ','))
			return false;
	}
}

int
exec_form_parse(const char *text, struct strv *out, struct err *err)
{
	AUTO(strv) struct strv words = STRV_INIT;
	struct json_text t;
	bool strange = false, zero = false;
	size_t start, end;

	utf8_trim(text, strlen(text), &start, &end);
	if (start == end || text[start] != '[')
		return 0;
	/* only the blanks in front are any white space; those behind must be JSON's */
	t = (struct json_text){ text + start, text + strlen(text) };
	if (!take_array(&t, &words, &strange, &zero))
		return 0;
	skip_blanks(&t);
	if (t.at != t.end)
		return 0;
	if (strange)
		return err_set(err, ERR_INPUT,
			"when using JSON array syntax, arrays must be comprised of strings only");
	if (zero)
		return err_set(err, ERR_INPUT, "a string of a JSON array can not hold a zero byte");
	strv_add_all(out, &words);
	return 1;
}
