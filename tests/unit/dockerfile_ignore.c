/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/ignore.h"
#include "build/dockerfile/lint.h"
#include "tests/unit/dockerfile_table.h"

/* "lines of the file : path"; a state per directory on the way, as a walk has it. */
static bool
walk_excludes(const struct ignore *ig, const char *path)
{
	AUTO(free) unsigned char *parent = xcalloc(ignore_count(ig) + 1, 1);
	AUTO(free) unsigned char *own = xcalloc(ignore_count(ig) + 1, 1);
	bool top = true, excluded = false;

	for (size_t i = 0; i <= strlen(path); i++) {
		AUTO(free) char *prefix = NULL;

		if (path[i] != '/' && path[i] != '\0')
			continue;
		prefix = xstrndup(path, i);
		excluded = ignore_step(ig, prefix, top ? NULL : parent, own, NULL);
		memcpy(parent, own, ignore_count(ig));
		top = false;
	}
	return excluded;
}

static struct ignore *
parse(const char *input, const char **path, struct buf *out)
{
	const char *colon = strrchr(input, ':');
	struct ignore *ig = NULL;
	struct err err;

	*path = colon + 1;
	if (ignore_parse(input, (size_t)(colon - input), ".dockerignore", &ig, &err) < 0)
		buf_addf(out, "error: %s", err.msg);
	return ig;
}

static void
check_ignore(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	const char *path;
	AUTO(ignore) struct ignore *ig = parse(input, &path, out);
	bool excluded;

	if (ig == NULL)
		return;
	excluded = ignore_excludes(ig, path, NULL);
	buf_adds(out, excluded ? "out" : "in");
	if (walk_excludes(ig, path) != excluded)
		buf_adds(out, ", but not in a walk");
}

static void
check_ignore_enter(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	const char *path;
	AUTO(ignore) struct ignore *ig = parse(input, &path, out);

	if (ig != NULL)
		buf_adds(out, ignore_may_enter(ig, path) ? "enter" : "skip");
}

/* The patterns as they are kept: cleaned, with their lines. */
static void
check_ignore_lines(const char *input, size_t len, struct buf *out)
{
	AUTO(ignore) struct ignore *ig = NULL;
	struct err err;

	if (ignore_parse(input, len, ".dockerignore", &ig, &err) < 0) {
		buf_addf(out, "error: %s", err.msg);
		return;
	}
	for (size_t i = 0; i < ignore_count(ig); i++) {
		bool exception;
		int line;
		const char *pattern = ignore_pattern(ig, i, &exception, &line);

		buf_addf(out, "{%d %s%s}", line, exception ? "!" : "", pattern);
	}
}

#define TABLE(name)                             \
	TEST(table_##name)                      \
	{                                       \
		table_run(#name, check_##name); \
	}

TABLE(ignore)
TABLE(ignore_enter)
TABLE(ignore_lines)

TEST(the_deciding_pattern_is_told)
{
	static const char text[] = "*.log\n!keep.log\nbuild\n";
	AUTO(ignore) struct ignore *ig = NULL;
	struct err err = { .kind = ERR_NONE };
	size_t by = 99;

	works(ignore_parse(text, strlen(text), "x", &ig, &err));
	is_true(ignore_has_exceptions(ig));
	is_true(!ignore_excludes(ig, "keep.log", &by));
	same_int(by, 1);
	is_true(ignore_excludes(ig, "build/a.o", &by));
	same_int(by, 2);
	is_true(ignore_step(ig, "a.log", NULL, NULL, &by));
	same_int(by, 0);
}

/* patternmatcher's two ways differ where a pattern was not asked for the parent because it could not
 * change the answer there: a walk then sees it for the first time below. */
TEST(a_walk_is_as_patternmatcher_walks)
{
	static const char text[] = "foo\n!foo/x\nfo*\n";
	AUTO(ignore) struct ignore *ig = NULL;
	struct err err = { .kind = ERR_NONE };

	works(ignore_parse(text, strlen(text), "x", &ig, &err));
	is_true(ignore_excludes(ig, "foo/x", NULL));
	is_true(!walk_excludes(ig, "foo/x"));
}

TEST(lists_of_flags_are_patterns_too)
{
	AUTO(strv) struct strv flags = STRV_INIT;
	AUTO(ignore) struct ignore *ig = NULL;
	AUTO(ignore) struct ignore *bad = NULL;
	struct err err = { .kind = ERR_NONE };

	strv_add(&flags, "*.txt");
	strv_add(&flags, "!a.txt");
	works(ignore_new(&flags, &ig, &err));
	is_true(ignore_excludes(ig, "b.txt", NULL));
	is_true(!ignore_excludes(ig, "a.txt", NULL));
	is_true(!ignore_excludes(ig, "d/b.txt", NULL));
	strv_add(&flags, "[");
	fails(ignore_new(&flags, &bad, &err), "'[': syntax error in pattern");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(table_ignore),
		CASE(table_ignore_enter),
		CASE(table_ignore_lines),
		CASE(the_deciding_pattern_is_told),
		CASE(a_walk_is_as_patternmatcher_walks),
		CASE(lists_of_flags_are_patterns_too),
	};

	return RUN(tests);
}
