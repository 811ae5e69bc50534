/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/challenge.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void
challenges_free(struct challenges *c)
{
	size_t i;

	for (i = 0; i < c->count; i++) {
		free(c->items[i].scheme);
		strv_free(&c->items[i].parameters);
	}
	free(c->items);
	*c = (struct challenges)CHALLENGES_INIT;
}

void
auto_challenges(struct challenges *c)
{
	challenges_free(c);
}

static bool
is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static size_t
token_len(const char *s)
{
	size_t len = 0;

	while (is_token_char(s[len]))
		len++;
	return len;
}

static const char *
skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

static char *
lower(const char *s, size_t len)
{
	char *text = xstrndup(s, len);
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] + 'a' - 'A');
	return text;
}

/* Appends the value at s to out; where it ends, or NULL for a string without an end. */
static const char *
read_value(const char *s, struct buf *out)
{
	size_t len;

	if (*s != '"') {
		len = strcspn(
			s, ", \t"); /* more than a token may have, since URLs come unquoted too */
		buf_add(out, s, len);
		return s + len;
	}
	for (s++; *s != '"'; s++) {
		if (*s == '\\' && s[1] != '\0')
			s++;
		if (*s == '\0')
			return NULL;
		buf_addc(out, *s);
	}
	return s + 1;
}

/* Whether "name = value" starts here; if so, where its value does. */
static const char *
parameter_value(const char *s)
{
	size_t len = token_len(s);
	const char *at = skip_blanks(s + len);

	if (len == 0 || *at != '=')
		return NULL;
	at = skip_blanks(at + 1);
	return *at == '=' || *at == ',' || *at == '\0'
		       ? NULL
		       : at; /* then it is the padding of a token68 */
}

static const char *
read_parameter(struct challenge *c, const char *s, const char *value)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(free) char *name = lower(s, token_len(s));
	const char *end;

	buf_addf(&text, "%s=", name);
	end = read_value(value, &text);
	if (end == NULL)
		return NULL;
	if (challenge_parameter(c, name) == NULL && c->parameters.count < CHALLENGE_PARAMETERS_MAX)
		strv_add(&c->parameters, text.data);
	return skip_blanks(end);
}

/* One challenge; where the next one starts, or NULL. */
static const char *
read_challenge(struct challenges *all, const char *s)
{
	size_t len = token_len(s);
	struct challenge *c;
	const char *value;

	if (len == 0 || all->count == CHALLENGE_COUNT_MAX)
		return NULL;
	all->items = grow(all->items, all->count, &all->room, sizeof *all->items);
	c = &all->items[all->count++];
	*c = (struct challenge){ .scheme = lower(s, len), .parameters = STRV_INIT };
	s = skip_blanks(s + len);
	if (*s != ',' && *s != '\0' && parameter_value(s) == NULL)
		return skip_blanks(s + strcspn(s, ", \t"));
	for (;;) {
		s += strspn(s, ", \t");
		value = parameter_value(s);
		if (value == NULL)
			return s;
		s = read_parameter(c, s, value);
		if (s == NULL || (*s != ',' && *s != '\0'))
			return NULL;
	}
}

void
challenges_add(struct challenges *c, const char *header)
{
	while (header != NULL) {
		header += strspn(header, ", \t");
		header = *header != '\0' ? read_challenge(c, header) : NULL;
	}
}

const struct challenge *
challenges_find(const struct challenges *c, const char *scheme)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		if (streq(c->items[i].scheme, scheme))
			return &c->items[i];
	return NULL;
}

const char *
challenge_parameter(const struct challenge *c, const char *name)
{
	return strv_env_get(&c->parameters, name);
}
