/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/csv.h"

#include <string.h>

#include "base/buf.h"

static int
fail_at(const char *text, const char *at, const char *what, struct err *err)
{
	return err_set(err, ERR_INPUT, "parse error on line 1, column %zu: %s",
		(size_t)(at - text) + 1, what);
}

/* A field in quotes, behind the first one; *at is then behind the last. */
static int
take_quoted(const char *text, const char **at, const char *end, struct buf *field, struct err *err)
{
	for (;;) {
		const char *quote = memchr(*at, '"', (size_t)(end - *at));

		if (quote == NULL)
			return fail_at(text, *at, "extraneous or missing \" in quoted-field", err);
		buf_add(field, *at, (size_t)(quote - *at));
		*at = quote + 1;
		if (*at == end || **at == ',')
			return 0;
		if (**at != '"')
			return fail_at(
				text, quote, "extraneous or missing \" in quoted-field", err);
		buf_addc(field, '"');
		++*at;
	}
}

int
csv_parse(const char *text, struct strv *out, struct err *err)
{
	AUTO(strv) struct strv fields = STRV_INIT;
	AUTO(buf) struct buf field = BUF_INIT;
	const char *at = text, *end = text + strlen(text);

	if (end > at && end[-1] == '\n')
		end -= end - at > 1 && end[-2] == '\r' ? 2 : 1;
	if (at == end)
		return err_set(err, ERR_INPUT, "EOF");
	for (;;) {
		const char *quote;
		size_t len;

		buf_clear(&field);
		if (at < end && *at == '"') {
			at++;
			if (take_quoted(text, &at, end, &field, err) < 0)
				return -1;
		} else {
			for (len = 0; at + len < end && at[len] != ','; len++)
				continue;
			quote = memchr(at, '"', len);
			if (quote != NULL)
				return fail_at(text, quote, "bare \" in non-quoted-field", err);
			buf_add(&field, at, len);
			at += len;
		}
		if (fields.count >= CSV_FIELDS_MAX)
			return err_set(err, ERR_INPUT, "more than %d fields", CSV_FIELDS_MAX);
		strv_addn(&fields, field.data, field.len);
		if (at == end)
			break;
		at++;
	}
	strv_add_all(out, &fields);
	return 0;
}
