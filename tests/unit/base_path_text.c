/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "base/path.h"

/* What names mean as text. */

TEST(paths_are_cleaned_as_go_does)
{
	static const char *const rows[][2] = {
		{ "", "." },
		{ ".", "." },
		{ "/", "/" },
		{ "//", "/" },
		{ "/.", "/" },
		{ "/..", "/" },
		{ "/../../a", "/a" },
		{ "..", ".." },
		{ "../..", "../.." },
		{ "../../a", "../../a" },
		{ "a/..", "." },
		{ "a/../..", ".." },
		{ "a/../../b", "../b" },
		{ "a/b/../c", "a/c" },
		{ "abc//def//ghi/", "abc/def/ghi" },
		{ "/abc/def/../ghi/../jkl", "/abc/jkl" },
		{ "abc/./../def", "def" },
		{ "abc/../../././../def", "../../def" },
		{ "/a/..", "/" },
		{ "a/b/c/../../..", "." },
		{ "..a/...", "..a/..." },
		{ "./a", "a" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf) struct buf out = BUF_INIT;
		AUTO(free) char *wanted = xasprintf("/x/y%s", rows[i][1]);

		buf_adds(&out, "/x/y"); /* what is there already does not count */
		path_clean(rows[i][0], &out);
		same_str(out.data, wanted);
	}
}

TEST(joining_cleans_and_lets_the_absolute_replace)
{
	static const char *const rows[][3] = {
		{ "/a", "b", "/a/b" },
		{ "/a", "/b/../c", "/c" },
		{ "/a/b", "../..", "/" },
		{ "", "b", "b" },
		{ "a", "", "a" },
		{ "", "", "." },
		{ "a", "../../b", "../b" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf) struct buf out = BUF_INIT;

		path_join(rows[i][0], rows[i][1], &out);
		same_str(out.data, rows[i][2]);
	}
}

TEST(a_path_has_a_last_name_and_what_is_before_it)
{
	static const struct {
		const char *path, *base;
		size_t dir_len;
	} rows[] = {
		{ "/a/b", "b", 2 },
		{ "/a", "a", 1 },
		{ "a", "a", 0 },
		{ "a//b", "b", 1 },
		{ "a/", "", 1 },
		{ "/", "", 1 },
		{ "", "", 0 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		same_str(path_base(rows[i].path), rows[i].base);
		same_int(path_dir_len(rows[i].path), rows[i].dir_len);
	}
}

TEST(only_a_directory_is_meant_by_a_slash_or_dots_at_the_end)
{
	is_true(path_wants_dir("/") && path_wants_dir("a/") && path_wants_dir(".") &&
		path_wants_dir("a/.") && path_wants_dir("..") && path_wants_dir("/a/.."));
	is_true(!path_wants_dir("") && !path_wants_dir("a") && !path_wants_dir("/a") &&
		!path_wants_dir("a.") && !path_wants_dir("a/..."));
}

TEST(inside_means_equal_or_below)
{
	is_true(path_is_inside("/a/b", "/a"));
	is_true(path_is_inside("/a", "/a"));
	is_true(path_is_inside("/a", "/"));
	is_true(path_is_inside("a", "."));
	is_true(path_is_inside("..a", "."));
	is_true(!path_is_inside("/ab", "/a"));
	is_true(!path_is_inside("/", "/a"));
	is_true(!path_is_inside("../a", "."));
	is_true(!path_is_inside("..", "."));
	is_true(!path_is_inside("/a", "."));
	is_true(!path_is_inside("a", "/"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(paths_are_cleaned_as_go_does),
		CASE(joining_cleans_and_lets_the_absolute_replace),
		CASE(a_path_has_a_last_name_and_what_is_before_it),
		CASE(only_a_directory_is_meant_by_a_slash_or_dots_at_the_end),
		CASE(inside_means_equal_or_below),
	};

	return RUN(tests);
}
