/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "build/scan.h"
#include "build/stat_cache.h"

/* A context directory, made anew for each test. */
struct fixture {
	char path[64];
	int dir;
};

static struct fixture
fixture_new(void)
{
	struct fixture f = { .path = "/tmp/cooper-scan-XXXXXX" };

	is_true(mkdtemp(f.path) != NULL);
	f.dir = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	is_true(f.dir >= 0);
	return f;
}

static void
auto_fixture(struct fixture *f)
{
	struct err err;

	auto_fd(&f->dir);
	path_remove(AT_FDCWD, f->path, &err);
}

static void
put(const struct fixture *f, const char *path, const char *text)
{
	AUTO(free) char *parent = xstrndup(path, path_dir_len(path));
	struct err err = { .kind = ERR_NONE };

	if (*parent != '\0') {
		int fd = path_mkdirs(f->dir, parent, 0755);

		is_true(fd >= 0);
		close(fd);
	}
	works(file_write(f->dir, path, text, strlen(text), 0644, FILE_NO_SYNC, &err));
}

/* As if it had been written long ago: the cache remembers nothing that is young. */
static void
age(const struct fixture *f, const char *path, time_t when)
{
	const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };

	same_int(utimensat(f->dir, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void
scan(const struct fixture *f, const char *ignore_text, const char *sources, const struct buf *cache,
	struct scan_result *out)
{
	AUTO(ignore) struct ignore *ignore = NULL;
	AUTO(strv) struct strv wanted = STRV_INIT;
	struct err err = { .kind = ERR_NONE };
	struct scan_request r = { .dir = f->dir, .sources = &wanted, .threads = 2 };

	strv_split(&wanted, sources, " ");
	if (ignore_text != NULL)
		works(ignore_parse(
			ignore_text, strlen(ignore_text), ".dockerignore", &ignore, &err));
	r.ignore = ignore;
	if (cache != NULL) {
		r.cache = cache->data;
		r.cache_len = cache->len;
	}
	works(scan_context(&r, out, &err));
}

static void
lists(const struct fixture *f, const char *ignore, const char *sources, const char *wanted)
{
	AUTO(scan_result) struct scan_result got = SCAN_RESULT_INIT;
	AUTO(buf) struct buf text = BUF_INIT;

	scan(f, ignore, sources, NULL, &got);
	for (size_t i = 0; i < got.listing.count; i++)
		buf_addf(&text, "%s%s%s", i > 0 ? " " : "", got.listing.entries[i].path,
			got.listing.entries[i].kind == ENTRY_DIR ? "/" : "");
	same_str(text.data, wanted);
}

TEST(only_what_the_sources_reach_is_listed)
{
	AUTO(fixture) struct fixture f = fixture_new();

	put(&f, "src/a.c", "a");
	put(&f, "src/sub/b.c", "b");
	put(&f, "other/c.c", "c");
	put(&f, "top.txt", "t");
	lists(&f, NULL, "src", "src/ src/a.c src/sub/ src/sub/b.c");
	lists(&f, NULL, "src/sub", "src/ src/sub/ src/sub/b.c");
	lists(&f, NULL, "*.txt", "top.txt");
	lists(&f, NULL, "*/*.c", "other/ other/c.c src/ src/a.c");
	lists(&f, NULL, ".", "other/ other/c.c src/ src/a.c src/sub/ src/sub/b.c top.txt");
	lists(&f, NULL, "/top.txt ../src/a.c", "src/ src/a.c top.txt");
	lists(&f, NULL, "nothing", "");
}

TEST(ignored_files_are_not_there_and_exceptions_are)
{
	AUTO(fixture) struct fixture f = fixture_new();

	put(&f, "a/x", "1");
	put(&f, "a/keep/y", "2");
	put(&f, "b/z", "3");
	lists(&f, "a\n", ".", "b/ b/z");
	lists(&f, "a\n!a/keep\n", ".", "a/ a/keep/ a/keep/y b/ b/z");
	lists(&f, "*\n!b\n", ".", "b/ b/z");
	lists(&f, "*\n!nothing/here\n", ".", "");
}

TEST(a_link_on_the_way_makes_everything_wanted)
{
	AUTO(fixture) struct fixture f = fixture_new();

	put(&f, "real/x", "1");
	put(&f, "other", "2");
	same_int(symlinkat("real", f.dir, "link"), 0);
	lists(&f, NULL, "link/x", "link other real/ real/x");
}

TEST(a_link_inside_a_wanted_directory_leads_nowhere_else)
{
	AUTO(fixture) struct fixture f = fixture_new();

	put(&f, "src/x", "1");
	put(&f, "other", "2");
	same_int(symlinkat("../other", f.dir, "src/link"), 0);
	lists(&f, NULL, "src", "src/ src/link src/x");
}

TEST(a_source_that_is_a_link_makes_everything_wanted)
{
	AUTO(fixture) struct fixture f = fixture_new();

	put(&f, "real/x", "1");
	same_int(symlinkat("real", f.dir, "link"), 0);
	lists(&f, NULL, "link", "link real/ real/x");
	lists(&f, NULL, "l*", "link real/ real/x");
}

TEST(of_two_names_the_second_is_a_hard_link)
{
	AUTO(fixture) struct fixture f = fixture_new();
	AUTO(scan_result) struct scan_result got = SCAN_RESULT_INIT;

	put(&f, "a", "text");
	same_int(linkat(f.dir, "a", f.dir, "b", 0), 0);
	scan(&f, NULL, ".", NULL, &got);
	same_int(got.listing.count, 2);
	same_int(got.listing.entries[0].kind, ENTRY_FILE);
	same_int(got.listing.entries[1].kind, ENTRY_HARDLINK);
	same_str(got.listing.entries[1].link, "a");
	same_int(got.hashed, 4);
}

TEST(owners_do_not_count_and_modes_do)
{
	AUTO(fixture) struct fixture f = fixture_new();
	AUTO(scan_result) struct scan_result got = SCAN_RESULT_INIT;

	put(&f, "a", "text");
	same_int(fchmodat(f.dir, "a", 04751, 0), 0);
	scan(&f, NULL, ".", NULL, &got);
	same_int(got.listing.entries[0].mode, 04751);
	same_int(got.listing.entries[0].uid, 0);
	same_int(got.listing.entries[0].gid, 0);
}

TEST(a_file_that_just_changed_is_not_remembered)
{
	AUTO(fixture) struct fixture f = fixture_new();
	AUTO(scan_result) struct scan_result first = SCAN_RESULT_INIT;
	AUTO(scan_result) struct scan_result second = SCAN_RESULT_INIT;

	put(&f, "a", "text");
	scan(&f, NULL, ".", NULL, &first);
	same_int(first.hashed, 4);
	scan(&f, NULL, ".", &first.cache, &second);
	same_int(second.hashed, 4);
}

TEST(the_cache_is_asked_for_everything_that_stat_tells)
{
	struct stat_key key = { .dev = 1, .ino = 2, .size = 3, .mtime_ns = 4, .ctime_ns = 5 },
			other;
	struct stat_cache cache = { .rows = NULL }, read = { .rows = NULL };
	AUTO(buf) struct buf text = BUF_INIT;
	struct digest d, got;

	digest_of("x", 1, &d);
	stat_cache_add(&cache, &key, &d);
	stat_cache_format(&cache, &text);
	stat_cache_parse(text.data, text.len, &read);
	is_true(stat_cache_get(&read, &key, &got));
	same_str(got.text, d.text);
	for (size_t i = 0; i < 5; i++) {
		other = key;
		((int64_t *)&other)[i]++;
		is_true(!stat_cache_get(&read, &other, &got));
	}
	stat_cache_free(&read);
	stat_cache_parse(text.data, text.len - 1, &read);
	is_true(!stat_cache_get(&read, &key, &got));
	stat_cache_free(&read);
	stat_cache_free(&cache);
}

TEST(a_changed_file_with_its_old_size_and_time_is_read_again)
{
	AUTO(fixture) struct fixture f = fixture_new();
	AUTO(scan_result) struct scan_result first = SCAN_RESULT_INIT;
	AUTO(scan_result) struct scan_result second = SCAN_RESULT_INIT;

	put(&f, "a", "one");
	age(&f, "a", 1000);
	scan(&f, NULL, ".", NULL, &first);
	put(&f, "a", "two");
	age(&f, "a", 1000);
	scan(&f, NULL, ".", &first.cache, &second);
	is_true(!digest_same(&first.listing.entries[0].digest, &second.listing.entries[0].digest));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(only_what_the_sources_reach_is_listed),
		CASE(ignored_files_are_not_there_and_exceptions_are),
		CASE(a_link_on_the_way_makes_everything_wanted),
		CASE(a_link_inside_a_wanted_directory_leads_nowhere_else),
		CASE(a_source_that_is_a_link_makes_everything_wanted),
		CASE(of_two_names_the_second_is_a_hard_link),
		CASE(owners_do_not_count_and_modes_do),
		CASE(a_file_that_just_changed_is_not_remembered),
		CASE(the_cache_is_asked_for_everything_that_stat_tells),
		CASE(a_changed_file_with_its_old_size_and_time_is_read_again),
	};

	return RUN(tests);
}
