/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/lint.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "build/dockerfile/lex.h"
#include "build/dockerfile/quote.h"
#include "build/dockerfile/utf8.h"

void
lint_config_free(struct lint_config *c)
{
	strv_free(&c->skip);
	strv_free(&c->experimental);
	*c = (struct lint_config)LINT_CONFIG_INIT;
}

void
auto_lint_config(struct lint_config *c)
{
	lint_config_free(c);
}

void
lint_config_copy(const struct lint_config *c, struct lint_config *out)
{
	struct lint_config copy = *c;

	copy.skip = copy.experimental = (struct strv)STRV_INIT;
	strv_add_all(&copy.skip, &c->skip);
	strv_add_all(&copy.experimental, &c->experimental);
	*out = copy;
}

static char *
trimmed(const char *text, size_t len)
{
	size_t start, end;

	utf8_trim(text, len, &start, &end);
	return xstrndup(text + start, end - start);
}

/* "all", or names with commas between them. */
static void
read_names(const char *value, bool *all, struct strv *out)
{
	AUTO(strv) struct strv names = STRV_INIT;

	*all = streq(value, "all");
	if (*all)
		return;
	strv_free(out);
	strv_split(&names, value, ",");
	for (size_t i = 0; i < names.count; i++)
		strv_take(out, trimmed(names.items[i], strlen(names.items[i])));
}

static int
read_option(const char *option, size_t len, struct lint_config *c, struct err *err)
{
	AUTO(free) char *text = xstrndup(option, len);
	AUTO(free) char *quoted = quote(text);
	AUTO(free) char *name = NULL;
	AUTO(free) char *value = NULL;
	const char *equals = strchr(text, '=');

	if (equals == NULL)
		return err_set(err, ERR_INPUT, "invalid check option %s", quoted);
	name = trimmed(text, (size_t)(equals - text));
	value = trimmed(equals + 1, strlen(equals + 1));
	if (streq(name, "skip")) {
		read_names(value, &c->skip_all, &c->skip);
	} else if (streq(name, "experimental")) {
		read_names(value, &c->experimental_all, &c->experimental);
	} else if (streq(name, "error")) {
		if (bool_parse(value, &c->error) < 0)
			return err_set(err, ERR_INPUT,
				"failed to parse check option %s: '%s' is no boolean", quoted,
				value);
	} else {
		return err_set(err, ERR_INPUT, "invalid check option \"%s\"", name);
	}
	return 0;
}

int
lint_config_parse(const char *text, struct lint_config *out, struct err *err)
{
	AUTO(lint_config) struct lint_config c = LINT_CONFIG_INIT;
	AUTO(free) char *options = trimmed(text, strlen(text));
	const char *at = options;

	/* at most three, the last of which may hold anything */
	for (int i = 0; i < 3 && *options != '\0'; i++) {
		size_t len = i < 2 ? strcspn(at, ";") : strlen(at);

		if (read_option(at, len, &c, err) < 0)
			return -1;
		if (at[len] == '\0')
			break;
		at += len + 1;
	}
	lint_config_free(out);
	*out = c;
	c = (struct lint_config)LINT_CONFIG_INIT;
	return 0;
}

void
lint_config_comments(const struct strv *comments, struct lint_config *out)
{
	for (size_t i = 0; i < comments->count; i++) {
		AUTO(free) char *value = NULL;
		struct directive d;
		struct err ignored;

		if (!directive_parse(comments->items[i], strlen(comments->items[i]), "", &d) ||
			!directive_is(&d, "check"))
			continue;
		value = xstrndup(d.value, d.value_len);
		value[strcspn(value, " ")] = '\0';
		/* one that cannot be read is a comment like any other */
		lint_config_parse(value, out, &ignored);
		return;
	}
}
