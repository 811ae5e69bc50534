/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/match.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "build/dockerfile/utf8.h"

#define MALFORMED (-1)

/* One character of a class, freed by '\\' or as it is; false: malformed. */
static bool
class_char(const char **pattern, uint32_t *out)
{
	size_t width, len = strnlen(*pattern, 5);

	if (len == 0 || **pattern == '-' || **pattern == ']')
		return false;
	if (**pattern == '\\') {
		++*pattern;
		if (--len == 0)
			return false;
	}
	*out = utf8_next(*pattern, len, &width);
	if (*out >= UTF8_STRAY)
		return false;
	*pattern += width;
	return **pattern != '\0';
}

/* *pattern is behind '['; afterwards behind ']'. */
static int
match_class(const char **pattern, uint32_t c)
{
	bool negated = **pattern == '^', found = false;
	uint32_t low, high;

	if (negated)
		++*pattern;
	for (unsigned ranges = 0; **pattern != ']' || ranges == 0; ranges++) {
		if (!class_char(pattern, &low))
			return MALFORMED;
		high = low;
		if (**pattern == '-') {
			++*pattern;
			if (!class_char(pattern, &high))
				return MALFORMED;
		}
		if (low <= c && c <= high)
			found = true;
	}
	++*pattern;
	return found != negated;
}

/* One element of the pattern that is no star against the front of path. */
static int
match_one(const char **pattern, const char **path)
{
	size_t width = 0;
	uint32_t c = **path == '\0' ? 0 : utf8_next(*path, strnlen(*path, 4), &width);
	int result;

	switch (**pattern) {
	case '[':
		++*pattern;
		result = match_class(pattern, c);
		if (result == 1 && width == 0)
			result = 0;
		break;
	case '?':
		++*pattern;
		result = width != 0 && c != '/';
		break;
	case '\\':
		++*pattern;
		if (**pattern == '\0')
			return MALFORMED;
		__attribute__((fallthrough));
	default:
		result = **pattern == **path;
		++*pattern;
		width = 1;
		break;
	}
	if (result == 1)
		*path += width;
	return result;
}

/* The rest of a pattern that does not match can still be malformed. */
static int
check(const char *pattern)
{
	const char *path;

	while (*pattern != '\0') {
		path = "";
		if (*pattern == '*')
			pattern++;
		else if (match_one(&pattern, &path) == MALFORMED)
			return MALFORMED;
	}
	return 0;
}

int
match_path(const char *pattern, const char *path)
{
	const char *star = NULL, *star_path = NULL;

	if (check(pattern) == MALFORMED)
		return MALFORMED;
	/* the last star alone is ever asked to take more: an earlier one taking more cannot help */
	for (;;) {
		if (*pattern == '*') {
			while (*pattern == '*')
				pattern++;
			star = pattern;
			star_path = path;
			continue;
		}
		if (*pattern == '\0' && *path == '\0')
			return 1;
		if (*pattern != '\0' && match_one(&pattern, &path) == 1)
			continue;
		if (star == NULL || *star_path == '\0' || *star_path == '/')
			return 0;
		pattern = star;
		path = ++star_path;
	}
}

bool
match_is_pattern(const char *text)
{
	return strpbrk(text, "*?[\\") != NULL;
}
