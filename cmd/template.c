/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/template.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* What stands between the braces, as it is eaten. */
struct reader {
	const char *at, *end;
};

static void
skip_blanks(struct reader *r)
{
	while (r->at < r->end && isspace((unsigned char)*r->at))
		r->at++;
}

static bool
eat_word(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	skip_blanks(r);
	if ((size_t)(r->end - r->at) <= len || strncmp(r->at, word, len) != 0 ||
		!isspace((unsigned char)r->at[len]))
		return false;
	r->at += len;
	skip_blanks(r);
	return true;
}

static int
not_there(const char *name, const json_t *object, struct err *err)
{
	AUTO(buf) struct buf names = BUF_INIT;
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value)
		buf_addf(&names, "%s%s", names.len == 0 ? "" : ", ", key);
	return err_set(err, ERR_USAGE, "format: there is no '%s'%s%s", name,
		names.len == 0 ? "" : ", only ", names.data);
}

/* .A.B, or . */
static int
eat_path(struct reader *r, const json_t **value, struct err *err)
{
	skip_blanks(r);
	if (r->at == r->end || *r->at != '.')
		return err_set(err, ERR_USAGE,
			"format: '{{%.*s}}' is not understood, only "
			"{{.Member}}, {{json .Member}} and {{index .Member "
			"\"key\"}}",
			(int)(r->end - r->at), r->at);
	while (r->at < r->end && *r->at == '.') {
		const char *begin = ++r->at;
		AUTO(free) char *name = NULL;

		while (r->at < r->end && (isalnum((unsigned char)*r->at) || *r->at == '_'))
			r->at++;
		if (r->at == begin)
			break;
		name = xstrndup(begin, (size_t)(r->at - begin));
		if (json_object_get(*value, name) == NULL)
			return not_there(name, *value, err);
		*value = json_object_get(*value, name);
	}
	skip_blanks(r);
	return 0;
}

/* "key" or 0 */
static int
eat_index(struct reader *r, const json_t **value, struct err *err)
{
	AUTO(free) char *name = NULL;
	const char *begin = r->at, *end;
	json_t *found;

	if (r->at < r->end && *r->at == '"') {
		begin++;
		end = memchr(begin, '"', (size_t)(r->end - begin));
		if (end == NULL)
			return err_set(err, ERR_USAGE, "format: a '\"' is missing");
		name = xstrndup(begin, (size_t)(end - begin));
		found = json_object_get(*value, name);
		if (found == NULL)
			return not_there(name, *value, err);
		r->at = end + 1;
	} else {
		while (r->at < r->end && isdigit((unsigned char)*r->at))
			r->at++;
		name = xstrndup(begin, (size_t)(r->at - begin));
		found = json_array_get(*value, strtoul(name, NULL, 10));
		if (found == NULL || r->at == begin)
			return err_set(err, ERR_USAGE, "format: there is no element '%s'", name);
	}
	*value = found;
	skip_blanks(r);
	return 0;
}

static int
format_action(struct reader *r, const json_t *value, struct buf *out, struct err *err)
{
	bool as_json = eat_word(r, "json");
	bool indexed = !as_json && eat_word(r, "index");

	if (eat_path(r, &value, err) < 0)
		return -1;
	while (indexed && r->at < r->end)
		if (eat_index(r, &value, err) < 0)
			return -1;
	if (r->at != r->end)
		return err_set(err, ERR_USAGE, "format: '%.*s' is not understood",
			(int)(r->end - r->at), r->at);
	if (json_is_string(value) && !as_json)
		buf_adds(out, json_string_value(value));
	else
		json_format(value, JSON_STYLE_COMPACT, out);
	return 0;
}

int
template_format(const char *text, const json_t *value, struct buf *out, struct err *err)
{
	const char *begin;

	while ((begin = strstr(text, "{{")) != NULL) {
		const char *end = strstr(begin, "}}");
		struct reader r = { begin + 2, end };

		if (end == NULL)
			return err_set(err, ERR_USAGE, "format: '}}' is missing");
		buf_add(out, text, (size_t)(begin - text));
		if (format_action(&r, value, out, err) < 0)
			return -1;
		text = end + 2;
	}
	buf_adds(out, text);
	return 0;
}
