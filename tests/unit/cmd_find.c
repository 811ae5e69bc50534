/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "base/strv.h"
#include "cmd/files_show.h"
#include "cmd/find_tests.h"

/* usr/bin/Tool, a file of 1025 bytes, 04755, 7:8, at 1714566600 */
static const struct entry tool = { .path = (char *)"usr/bin/Tool",
	.kind = ENTRY_FILE,
	.mode = 04755,
	.uid = 7,
	.gid = 8,
	.size = 1025,
	.mtime = 1714566600 };
static const struct entry root = { .path = (char *)"", .kind = ENTRY_DIR, .mode = 0755 };
static const struct entry link_to_tool = {
	.path = (char *)"l", .kind = ENTRY_SYMLINK, .mode = 0777, .link = (char *)"/usr/bin/Tool"
};

/* Words are apart by blanks. */
static int
pass(const struct entry *e, const char *text, struct err *err)
{
	AUTO(strv) struct strv words = STRV_INIT;
	AUTO(find_tests) struct find_tests tests = FIND_TESTS_INIT;
	const struct find_subject s = { .entry = e, .layer = 2, .depth = 3 };

	strv_split(&words, text, " ");
	if (find_tests_parse((const char *const *)words.items, words.count, &tests, err) < 0)
		return -1;
	return find_tests_pass(&tests, &s);
}

static void
passes(const struct entry *e, const char *text)
{
	struct err err = { 0 };
	int got = pass(e, text, &err);

	if (got != 1)
		print_error("# %s: %s\n", text, err.msg);
	same_int(got, 1);
}

static void
passes_not(const struct entry *e, const char *text)
{
	struct err err = { 0 };
	int got = pass(e, text, &err);

	if (got != 0)
		print_error("# %s: %s\n", text, err.msg);
	same_int(got, 0);
}

TEST(tests_mean_what_they_do_in_find)
{
	static const char *const yes[] = { "-name To*", "-name Tool", "-iname t*", "-path /usr/*",
		"-path *bin*", "-type f", "-type d,f", "-size 3", "-size 2k", "-size -3k",
		"-size +1k", "-size 1025c", "-size 1M", "-size -2M", "-perm 4755", "-perm -4000",
		"-perm -4111", "-perm /6000", "-perm /0", "-uid 7", "-gid +7", "-uid -8",
		"-newermt 2024-05-01", "-newermt 2024-05-01T12:29:59Z", "-newermt @1714566599",
		"! -empty", "-layer 2", "-layer -3", "-mindepth 3", "-maxdepth 3",
		"-type f -name Tool -size +0", "! -type d ! -name x", "-not -name x", "-print" };
	static const char *const no[] = { "-name tool", "-name bin/Tool", "-path usr*", "-type d",
		"-type l,d", "-size 1k", "-size +2k", "-size -1M", "-size +1M", "-perm 755",
		"-perm -022", "-perm /022", "-uid 8", "-gid -8", "-newermt 2024-05-02",
		"-newermt @1714566600", "-empty", "-layer +2", "-mindepth 4", "-maxdepth 2",
		"-lname *", "! -name Tool", "! ! -name x", "-type f -name x" };

	for (size_t i = 0; i < COUNT_OF(yes); i++)
		passes(&tool, yes[i]);
	for (size_t i = 0; i < COUNT_OF(no); i++)
		passes_not(&tool, no[i]);
	passes(&root, "-name /");
	passes(&root, "-path /");
	passes(&link_to_tool, "-lname */Tool");
	passes(&link_to_tool, "-perm 777");
}

static void
is_refused(const char *text, const char *message)
{
	struct err err = { 0 };

	fails(pass(&tool, text, &err), message);
	same_int(err.kind, ERR_USAGE);
}

TEST(what_is_no_test_is_refused)
{
	is_refused("-name", "'-name' wants <glob>");
	is_refused("!", "'!' wants a test behind it");
	is_refused("! -maxdepth 1", "'! -maxdepth' means nothing");
	is_refused(
		"-type s", "'-type s': it wants f, d, l, c, b or p, or some of them with commas");
	is_refused("-size k", "'-size k': it wants a number with c, w, b, k, M or G behind it");
	is_refused("-size 1kk", "'-size 1kk': it wants a number with c, w, b, k, M or G behind it");
	is_refused("-perm u+s", "'-perm u+s': it wants an octal mode: 644, -022 for all of these "
				"bits, /022 for any");
	is_refused("-perm 10000", "'-perm 10000': it wants an octal mode: 644, -022 for all of "
				  "these bits, /022 for any");
	is_refused("-uid root", "'-uid root': it wants a number, or +N for more, -N for less");
	is_refused("-uid 99999999999999999999",
		"'-uid 99999999999999999999': it wants a number, or +N for more, -N for less");
	is_refused("-newermt yesterday",
		"'-newermt yesterday': it wants a time in UTC: 2024-05-01, '2024-05-01 12:30:00', "
		"@1714564800");
	is_refused("-exec rm",
		"'-exec' is no test; there are: ! -name -iname -path -lname -type -size -empty "
		"-perm "
		"-uid -gid -newer -newermt -layer -mindepth -maxdepth -ls -print -print0");
}

static void
has_mode(enum entry_kind kind, uint32_t mode, const char *wanted)
{
	const struct entry e = { .kind = kind, .mode = mode };
	AUTO(buf) struct buf b = BUF_INIT;

	show_mode(&e, &b);
	same_str(b.data, wanted);
}

TEST(modes_are_shown_as_ls_does)
{
	has_mode(ENTRY_FILE, 0644, "-rw-r--r--");
	has_mode(ENTRY_DIR, 01777, "drwxrwxrwt");
	has_mode(ENTRY_DIR, 01770, "drwxrwx--T");
	has_mode(ENTRY_FILE, 06755, "-rwsr-sr-x");
	has_mode(ENTRY_FILE, 06000, "---S--S---");
	has_mode(ENTRY_SYMLINK, 0, "lrwxrwxrwx");
	has_mode(ENTRY_CHAR, 0666, "crw-rw-rw-");
	has_mode(ENTRY_BLOCK, 0660, "brw-rw----");
	has_mode(ENTRY_FIFO, 0600, "prw-------");
}

TEST(times_are_shown_in_UTC)
{
	AUTO(buf) struct buf b = BUF_INIT;

	show_time(1714566600, &b);
	buf_addc(&b, ' ');
	show_time(-1, &b);
	buf_addc(&b, ' ');
	show_time(INT64_MAX, &b);
	same_str(b.data, "2024-05-01 12:30 1969-12-31 23:59 @9223372036854775807");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { CASE(tests_mean_what_they_do_in_find),
		CASE(what_is_no_test_is_refused), CASE(modes_are_shown_as_ls_does),
		CASE(times_are_shown_in_UTC) };

	return RUN(tests);
}
