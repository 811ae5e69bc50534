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

static int
memory(void)
{
	struct err err = { .kind = ERR_NONE };
	int fd = fd_memory("cache", &err);

	is_true(fd >= 0);
	return fd;
}

static void
scan(const struct fixture *f, const char *ignore_text, const char *sources, int cache,
	int new_cache, struct scan_result *out)
{
	AUTO(ignore) struct ignore *ignore = NULL;
	AUTO(strv) struct strv wanted = STRV_INIT;
	struct err err = { .kind = ERR_NONE };
	struct scan_request r = { .dir = f->dir,
		.sources = &wanted,
		.cache = cache,
		.new_cache = new_cache,
		.threads = 2 };

	strv_split(&wanted, sources, " ");
	if (ignore_text != NULL)
		works(ignore_parse(
			ignore_text, strlen(ignore_text), ".dockerignore", &ignore, &err));
	r.ignore = ignore;
	works(scan_context(&r, out, &err));
}

static void
lists(const struct fixture *f, const char *ignore, const char *sources, const char *wanted)
{
	AUTO(scan_result) struct scan_result got = SCAN_RESULT_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;

	scan(f, ignore, sources, -1, -1, &got);
	for (size_t i = 0; i < got.listing.count; i++) {
		const struct entry *e = listing_at(&got.listing, i, &at);

		buf_addf(&text, "%s%s%s", i > 0 ? " " : "", e->path,
			e->kind == ENTRY_DIR ? "/" : "");
	}
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
	AUTO(listed) struct listed at = LISTED_INIT;

	put(&f, "a", "text");
	same_int(linkat(f.dir, "a", f.dir, "b", 0), 0);
	scan(&f, NULL, ".", -1, -1, &got);
	same_int(got.listing.count, 2);
	same_int(listing_kind(&got.listing, 0), ENTRY_FILE);
	same_int(listing_kind(&got.listing, 1), ENTRY_HARDLINK);
	same_str(listing_at(&got.listing, 1, &at)->link, "a");
	same_int(got.hashed, 4);
}

TEST(owners_do_not_count_and_modes_do)
{
	AUTO(fixture) struct fixture f = fixture_new();
	AUTO(scan_result) struct scan_result got = SCAN_RESULT_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;

	put(&f, "a", "text");
	same_int(fchmodat(f.dir, "a", 04751, 0), 0);
	scan(&f, NULL, ".", -1, -1, &got);
	listing_at(&got.listing, 0, &at);
	same_int(at.entry.mode, 04751);
	same_int(at.entry.uid, 0);
	same_int(at.entry.gid, 0);
}

TEST(a_file_that_just_changed_is_not_remembered)
{
	AUTO(fixture) struct fixture f = fixture_new();
	AUTO(scan_result) struct scan_result first = SCAN_RESULT_INIT;
	AUTO(scan_result) struct scan_result second = SCAN_RESULT_INIT;
	AUTO(fd) int cache = memory();

	put(&f, "a", "text");
	scan(&f, NULL, ".", -1, cache, &first);
	same_int(first.hashed, 4);
	scan(&f, NULL, ".", cache, -1, &second);
	same_int(second.hashed, 4);
}

/* A cache of three files, cut to len bytes; which of them it still knows, as letters. */
static char *
known_of(size_t len, const struct stat_key *key)
{
	static const char *const paths[] = { "a", "a/b", "a-b" };
	AUTO(stat_writer) struct stat_writer w = STAT_WRITER_INIT;
	AUTO(stat_reader) struct stat_reader r = STAT_READER_INIT;
	AUTO(fd) int fd = memory();
	struct stat_key kept = { .dev = 1, .ino = 2, .size = 3, .mtime_ns = -4, .ctime_ns = 5 };
	struct buf text = BUF_INIT;
	struct err err = { .kind = ERR_NONE };
	struct digest d, got;

	stat_writer_open(&w, fd);
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		digest_of(paths[i], strlen(paths[i]), &d);
		works(stat_writer_add(&w, paths[i], &kept, &d, &err));
	}
	works(stat_writer_end(&w, &err));
	if (len > 0)
		same_int(ftruncate(fd, (off_t)len), 0);
	stat_reader_open(&r, fd);
	is_true(!stat_reader_find(&r, "", &kept, &got));
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		digest_of(paths[i], strlen(paths[i]), &d);
		if (stat_reader_find(&r, paths[i], key != NULL ? key : &kept, &got)) {
			same_str(got.text, d.text);
			buf_addc(&text, (char)('1' + i));
		}
		if (i < 2)
			is_true(!stat_reader_find(&r, i == 0 ? "a/a" : "a/c", &kept, &got));
	}
	return buf_steal(&text);
}

TEST(the_cache_is_asked_for_everything_that_stat_tells)
{
	struct stat_key key = { .dev = 1, .ino = 2, .size = 3, .mtime_ns = -4, .ctime_ns = 5 };
	AUTO(free) char *all = known_of(0, NULL);

	same_str(all, "123");
	for (size_t i = 0; i < 5; i++) {
		struct stat_key other = key;
		AUTO(free) char *got = NULL;

		((int64_t *)&other)[i]++;
		got = known_of(0, &other);
		same_str(got, "");
	}
}

TEST(of_a_cache_that_was_cut_the_whole_rows_are_good)
{
	AUTO(free) char *none = known_of(7, NULL), *one = known_of(8 + 40, NULL);

	same_str(none, "");
	same_str(one, "1");
}

TEST(a_changed_file_with_its_old_size_and_time_is_read_again)
{
	AUTO(fixture) struct fixture f = fixture_new();
	AUTO(scan_result) struct scan_result first = SCAN_RESULT_INIT;
	AUTO(scan_result) struct scan_result second = SCAN_RESULT_INIT;
	AUTO(fd) int cache = memory();
	AUTO(listed) struct listed one = LISTED_INIT, two = LISTED_INIT;

	put(&f, "a", "one");
	age(&f, "a", 1000);
	scan(&f, NULL, ".", -1, cache, &first);
	put(&f, "a", "two");
	age(&f, "a", 1000);
	scan(&f, NULL, ".", cache, -1, &second);
	is_true(!digest_same(&listing_at(&first.listing, 0, &one)->digest,
		&listing_at(&second.listing, 0, &two)->digest));
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
		CASE(of_a_cache_that_was_cut_the_whole_rows_are_good),
		CASE(a_changed_file_with_its_old_size_and_time_is_read_again),
	};

	return RUN(tests);
}
