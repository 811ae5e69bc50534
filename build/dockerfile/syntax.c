/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/parse.h"

#include <string.h>

#include "base/json.h"
#include "build/dockerfile/lex.h"

/* A first line "#!..." belongs to whoever runs the file. */
static void
start_behind_shebang(struct lexer *l, const char *bytes, size_t len)
{
	const char *line;
	size_t line_len;

	lexer_start(l, bytes, len);
	if (len - l->at >= 2 && memcmp(bytes + l->at, "#!", 2) == 0)
		lexer_line(l, &line, &line_len);
}

static char *
find_directive(const char *bytes, size_t len, const char *prefix)
{
	struct lexer l;
	const char *line;
	size_t line_len;

	start_behind_shebang(&l, bytes, len);
	while (lexer_line(&l, &line, &line_len)) {
		struct directive d;

		if (!directive_parse(line, line_len, prefix, &d))
			return NULL;
		if (directive_is(&d, "syntax"))
			return xstrndup(d.value, d.value_len);
		if (!directive_is(&d, "escape") && !directive_is(&d, "check"))
			return NULL;
	}
	return NULL;
}

static char *
find_member(const char *bytes, size_t len)
{
	AUTO(json) json_t *doc = NULL;
	const char *value = NULL;
	struct lexer l;
	struct err ignored;

	start_behind_shebang(&l, bytes, len);
	if (json_parse(bytes + l.at, len - l.at, &doc, &ignored) < 0 || !json_is_object(doc) ||
		json_get_string(doc, "syntax", &value, &ignored) < 0 || value == NULL)
		return NULL;
	return xstrdup(value);
}

char *
dockerfile_syntax(const char *bytes, size_t len)
{
	char *out = find_directive(bytes, len, "#");

	if (out == NULL)
		out = find_directive(bytes, len, "//");
	if (out == NULL && len <= DOCKERFILE_SIZE_MAX)
		out = find_member(bytes, len);
	return out;
}
