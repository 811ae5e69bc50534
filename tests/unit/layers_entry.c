/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "layers/entry.h"

TEST(names_become_paths)
{
	static const struct {
		const char *name, *path;
	} rows[] = { { "a", "a" }, { "/a", "a" }, { "//a//b/", "a/b" }, { "./", "" }, { ".", "" },
		{ "", "" }, { "/", "" }, { "a/./b/.", "a/b" }, { "./a", "a" }, { "...", "..." },
		{ ".a/..b", ".a/..b" }, { "a\n\x1b", "a\n\x1b" } };
	AUTO(buf) struct buf path = BUF_INIT;
	struct err err = { 0 };
	size_t i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		buf_clear(&path);
		works(entry_path_clean(rows[i].name, &path, &err));
		same_str(path.data, rows[i].path);
	}
}

TEST(names_that_climb_or_are_endless_are_refused)
{
	static const char *const bad[] = { "..", "../a", "a/..", "a/../b", "/..", "./../a" };
	AUTO(free) char *endless = xzalloc(ENTRY_PATH_MAX + 2);
	AUTO(buf) struct buf path = BUF_INIT;
	struct err err = { 0 };
	size_t i;

	buf_adds(&path, "kept");
	for (i = 0; i < COUNT_OF(bad); i++) {
		same_int(entry_path_clean(bad[i], &path, &err), -1);
		same_int(err.kind, ERR_INPUT);
	}
	memset(endless, 'x', ENTRY_PATH_MAX + 1);
	same_int(entry_path_clean(endless, &path, &err), -1);
	same_str(path.data, "kept");
	fails(entry_path_clean("a/../b", &path, &err), "name 'a/../b' contains '..'");
}

static int
order(const void *a, const void *b)
{
	return entry_compare(a, b);
}

TEST(a_directory_comes_right_before_what_it_holds)
{
	struct entry e[] = { { .path = (char *)"a-b" }, { .path = (char *)"a/b/c" },
		{ .path = (char *)"a", .kind = ENTRY_OPAQUE }, { .path = (char *)"a/b" },
		{ .path = (char *)"a.d" }, { .path = (char *)"a", .kind = ENTRY_DIR },
		{ .path = (char *)"a\x01" }, { .path = (char *)"" }, { .path = (char *)"a\xff" } };
	static const char *const wanted[] = { "", "a", "a", "a/b", "a/b/c", "a\x01", "a-b", "a.d",
		"a\xff" };
	size_t i;

	qsort(e, COUNT_OF(e), sizeof *e, order);
	for (i = 0; i < COUNT_OF(e); i++)
		same_str(e[i].path, wanted[i]);
	same_int(e[1].kind, ENTRY_DIR);
	same_int(e[2].kind, ENTRY_OPAQUE);
}

TEST(xattrs_are_kept_sorted_and_copied)
{
	AUTO(entry) struct entry e = { .path = xstrdup("f") };
	AUTO(entry) struct entry copy = { .path = NULL };

	entry_xattr_add(&e, "user.b", "2", 1);
	entry_xattr_add(&e, "user.a", "1", 1);
	entry_xattr_add(&e, "user.c", "\0x", 2);
	entry_xattr_add(&e, "user.b", "", 0);
	entry_copy(&e, &copy);
	same_int(copy.xattr_count, 3);
	same_str(copy.xattrs[0].name, "user.a");
	same_str(copy.xattrs[1].name, "user.b");
	same_int(copy.xattrs[1].len, 0);
	same_bytes(copy.xattrs[2].value, copy.xattrs[2].len, "\0x", 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(names_become_paths),
		CASE(names_that_climb_or_are_endless_are_refused),
		CASE(a_directory_comes_right_before_what_it_holds),
		CASE(xattrs_are_kept_sorted_and_copied),
	};

	return RUN(tests);
}
