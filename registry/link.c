/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/link.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char *
skip(const char *s, const char *what)
{
	return s + strspn(s, what);
}

/* rel is a list of words, separated by blanks. */
static bool
has_next(const char *value, size_t len)
{
	size_t word;

	while (len > 0) {
		word = 0;
		while (word < len && value[word] != ' ')
			word++;
		if (word == 4 && strncasecmp(value, "next", 4) == 0)
			return true;
		word += word < len ? 1 : 0;
		value += word;
		len -= word;
	}
	return false;
}

/* The parameters of one link; where they end. */
static const char *
read_parameters(const char *s, bool *is_next)
{
	const char *name, *value;
	size_t name_len, len;

	*is_next = false;
	for (s = skip(s, " \t"); *s == ';'; s = skip(s, " \t")) {
		name = skip(s + 1, " \t");
		name_len = strcspn(name, " \t=;,");
		s = skip(name + name_len, " \t");
		if (*s != '=')
			continue;
		value = skip(s + 1, " \t");
		if (*value == '"') {
			len = strcspn(++value, "\"");
			s = value + len + (value[len] == '"' ? 1 : 0);
		} else {
			len = strcspn(value, " \t;,");
			s = value + len;
		}
		if (name_len == 3 && strncasecmp(name, "rel", 3) == 0)
			*is_next = has_next(value, len);
	}
	return s;
}

int
link_next(const char *header, struct buf *out)
{
	const char *target, *s = header;
	size_t len;
	bool is_next;

	for (;;) {
		s = strchr(s, '<');
		if (s == NULL)
			return 0;
		target = s + 1;
		len = strcspn(target, ">");
		if (target[len] == '\0')
			return 0;
		s = read_parameters(target + len + 1, &is_next);
		if (is_next && len > 0) {
			buf_add(out, target, len);
			return 1;
		}
	}
}
