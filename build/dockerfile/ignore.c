/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/ignore.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/path.h"
#include "build/dockerfile/glob.h"
#include "build/dockerfile/utf8.h"

struct rule {
	char *text;
	struct glob *glob;
	struct glob_hint hint;
	bool exception;
	int line;
};

struct ignore {
	struct rule *rules;
	size_t count, room;
	bool exceptions;
	char *file; /* NULL: not from a file */
};

static struct ignore *
ignore_empty(void)
{
	return xzalloc(sizeof(struct ignore));
}

void
ignore_free(struct ignore *ig)
{
	if (ig == NULL)
		return;
	for (size_t i = 0; i < ig->count; i++) {
		free(ig->rules[i].text);
		glob_free(ig->rules[i].glob);
	}
	free(ig->rules);
	free(ig->file);
	free(ig);
}

void
auto_ignore(struct ignore **ig)
{
	ignore_free(*ig);
	*ig = NULL;
}

/* Adds a pattern, which may begin with '!'; it is trimmed and cleaned as patternmatcher does, after
 * whatever the reader of the file has done. */
static int
add_rule(struct ignore *ig, const char *text, size_t len, int line, struct err *err)
{
	AUTO(buf) struct buf clean = BUF_INIT;
	AUTO(free) char *trimmed = NULL;
	struct rule rule = { .line = line };
	size_t start, end;

	utf8_trim(text, len, &start, &end);
	if (start == end)
		return 0;
	if (ig->count >= IGNORE_PATTERNS_MAX)
		return err_set(err, ERR_INPUT, "more than %d patterns", IGNORE_PATTERNS_MAX);
	if (end - start > IGNORE_PATTERN_MAX)
		return err_set(
			err, ERR_INPUT, "a pattern of more than %d bytes", IGNORE_PATTERN_MAX);
	trimmed = xstrndup(text + start, end - start);
	path_clean(trimmed, &clean);
	rule.exception = clean.data[0] == '!';
	if (rule.exception && clean.len == 1)
		return err_set(err, ERR_INPUT, "illegal exclusion pattern: \"!\"");
	rule.text = xstrdup(clean.data + (rule.exception ? 1 : 0));
	rule.glob = glob_new(rule.text);
	if (rule.glob == NULL) {
		free(rule.text);
		return err_set(err, ERR_INPUT, "'%s': syntax error in pattern", trimmed);
	}
	rule.hint = glob_hint(rule.glob);
	ig->rules = grow(ig->rules, ig->count, &ig->room, sizeof *ig->rules);
	ig->rules[ig->count++] = rule;
	ig->exceptions |= rule.exception;
	return 0;
}

/* One line of a file: what is left of it is appended to out ("" when nothing is). */
static void
clean_line(const char *line, size_t len, struct buf *out)
{
	AUTO(free) char *text = NULL;
	AUTO(buf) struct buf clean = BUF_INIT;
	size_t start, end;
	bool exception;

	if (len > 0 && line[0] == '#')
		return;
	utf8_trim(line, len, &start, &end);
	if (start == end)
		return;
	exception = line[start] == '!';
	if (exception) {
		size_t after = start + 1, from, to;

		utf8_trim(line + after, end - after, &from, &to);
		start = after + from;
		end = after + to;
		buf_addc(out, '!');
	}
	text = xstrndup(line + start, end - start);
	if (*text != '\0')
		path_clean(text, &clean);
	if (clean.len > 1 && clean.data[0] == '/')
		buf_adds(out, clean.data + 1);
	else
		buf_adds(out, clean.data);
}

int
ignore_parse(const char *bytes, size_t len, const char *file, struct ignore **out, struct err *err)
{
	AUTO(ignore) struct ignore *ig = ignore_empty();
	AUTO(buf) struct buf pattern = BUF_INIT;
	size_t at = 0;

	ig->file = xstrdup(file);
	if (len > IGNORE_SIZE_MAX)
		return err_set(err, ERR_INPUT, "%s: larger than %d bytes", file, IGNORE_SIZE_MAX);
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	for (int line = 1; at < len; line++) {
		const char *newline = memchr(bytes + at, '\n', len - at);
		size_t end = newline != NULL ? (size_t)(newline - bytes) : len;

		buf_clear(&pattern);
		clean_line(bytes + at, end - at, &pattern);
		if (add_rule(ig, pattern.data, pattern.len, line, err) < 0)
			return err_in(err, "%s:%d", file, line);
		at = end + 1;
	}
	*out = steal(&ig);
	return 0;
}

const char *
ignore_file(const struct ignore *ig)
{
	return ig->file;
}

int
ignore_new(const struct strv *patterns, struct ignore **out, struct err *err)
{
	AUTO(ignore) struct ignore *ig = ignore_empty();

	for (size_t i = 0; i < patterns->count; i++)
		if (add_rule(ig, patterns->items[i], strlen(patterns->items[i]), 0, err) < 0)
			return -1;
	*out = steal(&ig);
	return 0;
}

size_t
ignore_count(const struct ignore *ig)
{
	return ig->count;
}

bool
ignore_has_exceptions(const struct ignore *ig)
{
	return ig->exceptions;
}

const char *
ignore_pattern(const struct ignore *ig, size_t index, bool *exception, int *line)
{
	const struct rule *rule = &ig->rules[index];

	if (exception != NULL)
		*exception = rule->exception;
	if (line != NULL)
		*line = rule->line;
	return rule->text;
}

static int
count_slashes(const char *path, size_t len)
{
	int count = 0;

	for (size_t i = 0; i < len; i++)
		count += path[i] == '/';
	return count;
}

static inline bool
matches(const struct rule *rule, const char *path, size_t len, int slashes)
{
	return len > 0 && glob_hint_fits(&rule->hint, path, len, slashes) &&
	       glob_matches(rule->glob, path, len);
}

static bool
matches_or_parent(const struct rule *rule, const char *path, size_t len, int slashes)
{
	int passed = 0;

	if (matches(rule, path, len, slashes))
		return true;
	for (size_t i = 0; passed < slashes; i++)
		if (path[i] == '/' && matches(rule, path, i, passed++))
			return true;
	return false;
}

bool
ignore_excludes(const struct ignore *ig, const char *path, size_t *by)
{
	size_t len = strlen(path);
	int slashes = count_slashes(path, len);
	bool excluded = false;

	for (size_t i = 0; i < ig->count; i++) {
		const struct rule *rule = &ig->rules[i];

		/* a rule that could not change the answer is not asked */
		if (rule->exception != excluded || !matches_or_parent(rule, path, len, slashes))
			continue;
		excluded = !rule->exception;
		if (by != NULL)
			*by = i;
	}
	return excluded;
}

bool
ignore_step(const struct ignore *ig, const char *path, const unsigned char *parent,
	unsigned char *own, size_t *by)
{
	size_t len = strlen(path);
	int slashes = count_slashes(path, len);
	bool excluded = false;

	for (size_t i = 0; i < ig->count; i++) {
		const struct rule *rule = &ig->rules[i];
		bool match = parent != NULL && parent[i] != 0;

		/* a rule that is not asked here counts as no match for what is below, too */
		if (!match && rule->exception == excluded)
			match = matches(rule, path, len, slashes);
		if (own != NULL)
			own[i] = match;
		if (!match)
			continue;
		if (by != NULL && excluded == rule->exception)
			*by = i;
		excluded = !rule->exception;
	}
	return excluded;
}

bool
ignore_may_enter(const struct ignore *ig, const char *dir)
{
	size_t len = strlen(dir);

	if (!ig->exceptions)
		return false;
	for (size_t i = 0; i < ig->count; i++)
		if (ig->rules[i].exception && glob_may_match_below(ig->rules[i].glob, dir, len))
			return true;
	return false;
}

bool
ignore_is_everything(const struct ignore *ig)
{
	static const char *const all[] = { "*", "**", "**/*" };

	for (size_t i = 0; i < ig->count; i++)
		for (size_t j = 0; j < COUNT_OF(all) && !ig->rules[i].exception; j++)
			if (streq(ig->rules[i].text, all[j]))
				return true;
	return false;
}
