/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
auto_json(json_t **value)
{
	json_decref(*value);
	*value = NULL;
}

/* jansson's own ceiling is far higher, and what walks a value after us recurses. */
static int
depth_check(const char *bytes, size_t len, struct err *err)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return err_set(err, ERR_INPUT,
					"JSON is nested more than %d levels deep", JSON_DEPTH_MAX);
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return 0;
}

static int
load(const char *bytes, size_t len, size_t flags, json_t **out, struct err *err)
{
	json_error_t why;
	json_t *value = json_loadb(bytes, len, flags | JSON_DECODE_ANY, &why);

	if (value == NULL) {
		/* the text may quote the document */
		for (char *c = why.text; *c != '\0'; c++)
			if ((unsigned char)*c < 0x20 || *c == 0x7f)
				*c = '?';
		return err_set(err, ERR_INPUT, "not JSON: line %d, column %d: %s", why.line,
			why.column, why.text);
	}
	*out = value;
	return 0;
}

int
json_parse(const char *bytes, size_t len, json_t **out, struct err *err)
{
	if (depth_check(bytes, len, err) < 0)
		return -1;
	return load(bytes, len, JSON_REJECT_DUPLICATES, out, err);
}

int
json_parse_own(const char *bytes, size_t len, json_t **out, struct err *err)
{
	return load(bytes, len, JSON_ALLOW_NUL, out, err);
}

/* 1 and *out: it is there and not null; 0: it is not; -1: o is no object. */
static int
member(const json_t *o, const char *name, json_t **out, struct err *err)
{
	json_t *value;

	if (o == NULL || json_is_null(o))
		return 0;
	if (!json_is_object(o))
		return err_set(err, ERR_INPUT, "'%s' is looked for in what is not an object", name);
	value = json_object_get(o, name);
	if (value == NULL || json_is_null(value))
		return 0;
	*out = value;
	return 1;
}

static int
wrong_type(const char *name, const char *wanted, struct err *err)
{
	return err_set(err, ERR_INPUT, "'%s' is not %s", name, wanted);
}

int
json_get_string(const json_t *o, const char *name, const char **out, struct err *err)
{
	json_t *value = NULL;
	int there = member(o, name, &value, err);

	if (there <= 0)
		return there;
	if (!json_is_string(value))
		return wrong_type(name, "a string", err);
	*out = json_string_value(value);
	return 1;
}

int
json_get_uint(const json_t *o, const char *name, uint64_t *out, struct err *err)
{
	json_t *value = NULL;
	int there = member(o, name, &value, err);

	if (there <= 0)
		return there;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return wrong_type(name, "a whole number of 0 or more", err);
	*out = (uint64_t)json_integer_value(value);
	return 1;
}

int
json_get_bool(const json_t *o, const char *name, bool *out, struct err *err)
{
	json_t *value = NULL;
	int there = member(o, name, &value, err);

	if (there <= 0)
		return there;
	if (!json_is_boolean(value))
		return wrong_type(name, "true or false", err);
	*out = json_is_true(value);
	return 1;
}

int
json_get_object(const json_t *o, const char *name, json_t **out, struct err *err)
{
	json_t *value = NULL;
	int there = member(o, name, &value, err);

	if (there <= 0)
		return there;
	if (!json_is_object(value))
		return wrong_type(name, "an object", err);
	*out = value;
	return 1;
}

int
json_get_array(const json_t *o, const char *name, json_t **out, struct err *err)
{
	json_t *value = NULL;
	int there = member(o, name, &value, err);

	if (there <= 0)
		return there;
	if (!json_is_array(value))
		return wrong_type(name, "an array", err);
	*out = value;
	return 1;
}

int
json_get_strv(const json_t *o, const char *name, struct strv *out, struct err *err)
{
	json_t *value = NULL, *item;
	size_t i;
	int there = json_get_array(o, name, &value, err);

	if (there <= 0)
		return there;
	json_array_foreach (value, i, item)
		if (!json_is_string(item))
			return wrong_type(name, "an array of strings", err);
	json_array_foreach (value, i, item)
		strv_add(out, json_string_value(item));
	return 1;
}

/* Length of the UTF-8 character at s, which ends with a zero; 0: it is none.  The table is RFC
 * 3629's, so neither surrogates nor long forms pass. */
static size_t
utf8_len(const unsigned char *s)
{
	static const struct {
		unsigned char first_min, first_max, second_min, second_max, len;
	} rows[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	if (s[0] < 0x80)
		return 1;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (s[0] < rows[i].first_min || s[0] > rows[i].first_max)
			continue;
		if (s[1] < rows[i].second_min || s[1] > rows[i].second_max)
			return 0;
		for (size_t k = 2; k < rows[i].len; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].len;
	}
	return 0;
}

json_t *
json_text(const char *s)
{
	AUTO(buf) struct buf clean = BUF_INIT;
	size_t n;

	for (const char *c = s; *c != '\0'; c += n > 0 ? n : 1) {
		n = utf8_len((const unsigned char *)c);
		if (n > 0)
			buf_add(&clean, c, n);
		else
			buf_adds(&clean, "\xef\xbf\xbd");
	}
	return json_stringn_nocheck(clean.data, clean.len);
}

json_t *
json_strv(const struct strv *v)
{
	json_t *array = json_array();

	for (size_t i = 0; i < v->count; i++)
		json_array_append_new(array, json_text(v->items[i]));
	return array;
}

static void
format_string(const char *s, size_t len, struct buf *out)
{
	const unsigned char *c = (const unsigned char *)s, *end = c + len;

	buf_addc(out, '"');
	for (; c < end; c++) {
		if (*c == '"' || *c == '\\')
			buf_addf(out, "\\%c", *c);
		else if (*c == '\n')
			buf_adds(out, "\\n");
		else if (*c == '\r')
			buf_adds(out, "\\r");
		else if (*c == '\t')
			buf_adds(out, "\\t");
		else if (*c == '\b')
			buf_adds(out, "\\b");
		else if (*c == '\f')
			buf_adds(out, "\\f");
		else if (*c < 0x20 || *c == '<' || *c == '>' || *c == '&')
			buf_addf(out, "\\u%04x", *c);
		else if (*c == 0xe2 && end - c >= 3 && c[1] == 0x80 && (c[2] & 0xfe) == 0xa8) {
			buf_adds(out, c[2] == 0xa8 ? "\\u2028" : "\\u2029");
			c += 2;
		} else
			buf_addc(out, (char)*c);
	}
	buf_addc(out, '"');
}

/* The shortest digits that read back as the same number, laid out as ECMAScript does (and Go):
 * without an exponent from 1e-6 up to 1e21. */
static void
format_real(double number, struct buf *out)
{
	char text[40], digits[24];
	int count = 0, exponent;

	for (int precision = 0; precision <= 16; precision++) {
		snprintf(text, sizeof text, "%.*e", precision, number);
		if (strtod(text, NULL) == number)
			break;
	}
	for (const char *c = text; *c != 'e'; c++)
		if (*c >= '0' && *c <= '9')
			digits[count++] = *c;
	exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	if (text[0] == '-')
		buf_addc(out, '-');
	if (number != 0 && (exponent < -6 || exponent >= 21)) {
		buf_addf(out, "%c%s%.*s", digits[0], count > 1 ? "." : "", count - 1, digits + 1);
		buf_addf(out, "e%c%d", exponent < 0 ? '-' : '+', abs(exponent));
	} else if (exponent < 0) {
		buf_adds(out, "0.");
		for (int i = -1; i > exponent; i--)
			buf_addc(out, '0');
		buf_add(out, digits, (size_t)count);
	} else {
		for (int i = 0; i < count || i <= exponent; i++) {
			if (i == exponent + 1)
				buf_addc(out, '.');
			buf_addc(out, i < count ? digits[i] : '0');
		}
	}
}

static void
format_break(enum json_style style, unsigned depth, struct buf *out)
{
	if (style != JSON_STYLE_INDENT)
		return;
	buf_addc(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		buf_adds(out, "  ");
}

static void format_value(
	const json_t *value, enum json_style style, unsigned depth, struct buf *out);

static void
format_array(const json_t *array, enum json_style style, unsigned depth, struct buf *out)
{
	size_t count = json_array_size(array);

	buf_addc(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		format_break(style, depth + 1, out);
		format_value(json_array_get(array, i), style, depth + 1, out);
	}
	if (count > 0)
		format_break(style, depth, out);
	buf_addc(out, ']');
}

struct row {
	const char *key;
	const json_t *value;
};

static int
by_key(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->key, ((const struct row *)b)->key);
}

static void
format_object(const json_t *object, enum json_style style, unsigned depth, struct buf *out)
{
	size_t count = json_object_size(object), i = 0;
	AUTO(free) struct row *rows = xcalloc(count, sizeof *rows);
	json_t *value, *o = (json_t *)(uintptr_t)object; /* jansson's iterators are not const */
	const char *key;

	json_object_foreach (o, key, value)
		rows[i++] = (struct row){ .key = key, .value = value };
	if (style == JSON_STYLE_SORTED && count > 1)
		qsort(rows, count, sizeof *rows, by_key);
	buf_addc(out, '{');
	for (i = 0; i < count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		format_break(style, depth + 1, out);
		format_string(rows[i].key, strlen(rows[i].key), out);
		buf_adds(out, style == JSON_STYLE_INDENT ? ": " : ":");
		format_value(rows[i].value, style, depth + 1, out);
	}
	if (count > 0)
		format_break(style, depth, out);
	buf_addc(out, '}');
}

static void
format_value(const json_t *value, enum json_style style, unsigned depth, struct buf *out)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		format_object(value, style, depth, out);
		break;
	case JSON_ARRAY:
		format_array(value, style, depth, out);
		break;
	case JSON_STRING:
		format_string(json_string_value(value), json_string_length(value), out);
		break;
	case JSON_INTEGER:
		buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		format_real(json_real_value(value), out);
		break;
	case JSON_TRUE:
		buf_adds(out, "true");
		break;
	case JSON_FALSE:
		buf_adds(out, "false");
		break;
	case JSON_NULL:
		buf_adds(out, "null");
		break;
	}
}

void
json_format(const json_t *value, enum json_style style, struct buf *out)
{
	format_value(value, style, 0, out);
}
