/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/reply.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"

#define WORDS_MAX 600
#define LINE_MAX_LEN 200

void
reply_clean(const char *text, size_t max, struct buf *out)
{
	size_t i;

	for (i = 0; text[i] != '\0' && i < max; i++)
		buf_addc(out, (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i]);
}

static bool
is_json(const struct http_response *r)
{
	const char *type = http_header(r, "content-type", 0);

	return type == NULL || strcasestr(type, "json") != NULL;
}

static bool
is_html(const struct http_response *r)
{
	const char *type = http_header(r, "content-type", 0);

	return type != NULL && strcasestr(type, "html") != NULL;
}

static json_t *
errors_of(const struct http_response *r, json_t **document)
{
	json_t *errors;
	struct err err;

	if (r->body.len == 0 || json_parse(r->body.data, r->body.len, document, &err) < 0)
		return NULL;
	errors = json_object_get(*document, "errors");
	return json_is_array(errors) && json_array_size(errors) > 0 ? errors : NULL;
}

static const char *
member(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text != NULL ? text : "";
}

void
reply_words(const struct http_response *r, struct buf *out)
{
	AUTO(json) json_t *document = NULL;
	const json_t *errors = is_json(r) ? errors_of(r, &document) : NULL, *error;
	AUTO(buf) struct buf words = BUF_INIT;
	size_t i;

	json_array_foreach ((json_t *)errors, i, error) {
		buf_addf(&words, "%s%s%s%s", i > 0 ? "; " : "", member(error, "code"),
			member(error, "code")[0] != '\0' && member(error, "message")[0] != '\0'
				? ": "
				: "",
			member(error, "message"));
		/* some keep the reason here, as text */
		if (member(error, "detail")[0] != '\0')
			buf_addf(&words, " (%s)", member(error, "detail"));
	}
	if (words.len == 0 && document != NULL)
		buf_adds(&words, member(document, "details")[0] != '\0'
					 ? member(document, "details")
					 : member(document, "message"));
	if (words.len == 0 && is_html(r))
		buf_adds(&words, "it answers with a web page");
	if (words.len == 0 && document == NULL)
		buf_add(&words, r->body.data, strcspn(r->body.data, "\r\n"));
	reply_clean(words.data, words.len > WORDS_MAX ? WORDS_MAX : words.len, out);
}

bool
reply_has_code(const struct http_response *r, const char *code)
{
	AUTO(json) json_t *document = NULL;
	const json_t *errors = errors_of(r, &document), *error;
	size_t i;

	json_array_foreach ((json_t *)errors, i, error) {
		if (streq(member(error, "code"), code))
			return true;
	}
	return false;
}

struct meaning {
	int status;
	const char *code; /* NULL: any */
	enum err_kind kind;
	const char *next; /* what to do; %s: the host; NULL: nothing */
};

static const struct meaning meanings[] = {
	{ 400, "MANIFEST_BLOB_UNKNOWN", ERR_NOTFOUND, NULL },
	{ 400, "BLOB_UNKNOWN", ERR_NOTFOUND, NULL },
	{ 401, NULL, ERR_DENIED, "log in with 'cooper login %s'" },
	{ 403, NULL, ERR_DENIED,
		"these credentials may not do that; 'cooper auth explain %s' says where they are "
		"from" },
	{ 404, "NAME_UNKNOWN", ERR_NOTFOUND,
		"no such repository, or it must be created first, or you may not see it" },
	{ 404, NULL, ERR_NOTFOUND, NULL },
	{ 405, NULL, ERR_DENIED,
		"this registry does not allow that: it may be read-only, or a cache" },
	{ 408, NULL, ERR_REMOTE, NULL },
	{ 413, NULL, ERR_DENIED, "something on the way limits the size of uploads" },
	{ 425, NULL, ERR_REMOTE, NULL },
	{ 429, NULL, ERR_REMOTE,
		"too many requests: wait, log in with 'cooper login %s', or use a mirror" },
};

static const struct meaning *
find_meaning(const struct http_response *r)
{
	size_t i;

	for (i = 0; i < COUNT_OF(meanings); i++)
		if (meanings[i].status == r->status &&
			(meanings[i].code == NULL || reply_has_code(r, meanings[i].code)))
			return &meanings[i];
	return NULL;
}

/* What is left of a quota, where the registry says so. */
static void
add_quota(const struct http_response *r, struct buf *out)
{
	const char *limit = http_header(r, "ratelimit-limit", 0);
	const char *left = http_header(r, "ratelimit-remaining", 0);
	const char *after = http_header(r, "retry-after", 0);

	if (limit != NULL) {
		buf_adds(out, "; limit ");
		reply_clean(limit, 40, out);
	}
	if (left != NULL) {
		buf_adds(out, "; remaining ");
		reply_clean(left, 40, out);
	}
	if (after != NULL) {
		buf_adds(out, "; try again after ");
		reply_clean(after, 40, out);
		buf_adds(out, strspn(after, "0123456789") == strlen(after) ? " seconds" : "");
	}
}

int
reply_failed(const char *method, const struct url *url, const char *host,
	const struct http_response *r, struct err *err)
{
	const struct meaning *m = find_meaning(r);
	enum err_kind kind = m != NULL ? m->kind : r->status >= 500 ? ERR_REMOTE : ERR_DENIED;
	AUTO(buf) struct buf text = BUF_INIT;
	size_t start;

	buf_addf(&text, "%s ", method);
	url_show(url, &text);
	buf_addf(&text, ": %d ", r->status);
	start = text.len;
	reply_words(r, &text);
	if (text.len == start)
		buf_truncate(&text, start - 1);
	if (r->status == 429)
		add_quota(r, &text);
	if (m != NULL && m->next != NULL) {
		const char *at = strstr(m->next, "%s");

		buf_adds(&text, " (");
		buf_add(&text, m->next, at != NULL ? (size_t)(at - m->next) : strlen(m->next));
		if (at != NULL)
			buf_addf(&text, "%s%s", host, at + 2);
		buf_addc(&text, ')');
	}
	return err_set(err, kind, "%s", text.data);
}
