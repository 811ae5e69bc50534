/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"
#include "tests/unit/scratch.h"

/* What a look-up gave: the errno negated, or a number that names the file. */
static intmax_t
outcome(int fd)
{
	struct stat st;

	if (fd < 0)
		return -errno;
	fstat(fd, &st);
	close(fd);
	return (intmax_t)(st.st_ino << 8 ^ (st.st_dev & 0xff)) |
	       ((intmax_t)S_ISLNK(st.st_mode) << 62);
}

/* The same look-up by openat2 and by the walker; the walker's answer. */
static intmax_t
open_both(int root, const char *path, int flags)
{
	intmax_t by_kernel, by_walker;

	by_kernel = outcome(path_open(root, path, flags, 0600));
	path_without_openat2(1);
	by_walker = outcome(path_open(root, path, flags, 0600));
	path_without_openat2(0);
	if (by_kernel != by_walker)
		print_error("# '%s' with flags %#o: kernel %jd, walker %jd\n", path,
			(unsigned)flags, by_kernel, by_walker);
	same_int(by_walker, by_kernel);
	return by_walker;
}

static void
make_tree(int dir)
{
	static const char *const links[][2] = {
		{ "f", "to-file" },
		{ "d", "to-dir" },
		{ "/d", "absolute" },
		{ "/", "to-root" },
		{ "../../../../d/f", "escape" },
		{ "d/", "slash" },
		{ "f/", "file-slash" },
		{ "nothing", "dangling" },
		{ "d/new", "to-new" },
		{ "self", "self" },
		{ "ping", "pong" },
		{ "pong", "ping" },
		{ "to-dir/../absolute/e/../f", "winding" },
		{ ".", "dot" },
		{ "..", "dotdot" },
		{ "../f", "d/up" },
		{ "/etc/passwd", "passwd" },
		{ "..", "d/e/parent" },
	};
	char name[16], target[16];

	same_int(mkdirat(dir, "d", 0755), 0);
	same_int(mkdirat(dir, "d/e", 0755), 0);
	make_file(dir, "f", "");
	make_file(dir, "d/f", "");
	for (size_t i = 0; i < COUNT_OF(links); i++)
		same_int(symlinkat(links[i][0], dir, links[i][1]), 0);
	make_file(dir, "chain0", "");
	for (int i = 1; i <= PATH_LINKS_MAX + 1; i++) {
		snprintf(name, sizeof name, "chain%d", i);
		snprintf(target, sizeof target, "chain%d", i - 1);
		same_int(symlinkat(target, dir, name), 0);
	}
}

static const char *const looked_up[] = {
	"",
	".",
	"..",
	"/",
	"//",
	"/..",
	"/../..",
	"f",
	"/f",
	"./f",
	"../f",
	"../../../f",
	"f/",
	"f/.",
	"f/..",
	"f/x",
	"d",
	"d/",
	"d/.",
	"d/..",
	"d//f",
	"d/../f",
	"d/e/../../f",
	"d/e/../../../../f",
	"missing",
	"missing/",
	"missing/x",
	"missing/..",
	"to-file",
	"to-file/",
	"to-dir",
	"to-dir/",
	"to-dir/f",
	"to-dir/..",
	"absolute",
	"absolute/f",
	"to-root",
	"to-root/",
	"to-root/d/f",
	"to-root/to-root/f",
	"escape",
	"slash",
	"slash/f",
	"file-slash",
	"dangling",
	"dangling/",
	"dangling/x",
	"self",
	"self/",
	"self/x",
	"ping",
	"winding",
	"dot",
	"dot/f",
	"dotdot",
	"dotdot/f",
	"d/up",
	"d/up/",
	"passwd",
	"d/e/parent",
	"d/e/parent/f",
	"d/e/parent/../f",
	"chain39",
	"chain40",
	"chain41",
	"to-dir/e/parent/up",
};

TEST(the_walker_finds_what_the_kernel_finds)
{
	static const int flags[] = {
		O_RDONLY,
		O_PATH,
		O_PATH | O_NOFOLLOW,
		O_RDONLY | O_NOFOLLOW,
		O_RDONLY | O_DIRECTORY,
		O_PATH | O_DIRECTORY,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
		O_PATH | O_DIRECTORY | O_NOFOLLOW,
		O_WRONLY,
		O_RDWR | O_CREAT | O_EXCL,
	};
	AUTO(scratch) struct scratch s = scratch();

	make_tree(s.dir);
	for (size_t i = 0; i < COUNT_OF(looked_up); i++)
		for (size_t k = 0; k < COUNT_OF(flags); k++) {
			/* what one way made the other would find */
			if ((flags[k] & O_EXCL) && strncmp(looked_up[i], "missing", 7) == 0)
				continue;
			open_both(s.dir, looked_up[i], flags[k]);
		}
}

TEST(the_walker_creates_what_the_kernel_creates)
{
	static const struct {
		const char *path, *made;
	} rows[] = {
		{ "new", "new" },
		{ "to-new", "d/new" },
		{ "dangling", "nothing" },
		{ "to-dir/../x", "x" },
		{ "../../x", "x" },
		{ "new/", NULL },
		{ "d", NULL },
		{ "d/.", NULL },
		{ "d/..", NULL },
		{ "/", NULL },
		{ "missing/x", NULL },
		{ "to-dir", NULL },
		{ "self", NULL },
	};
	AUTO(scratch) struct scratch s = scratch();

	make_tree(s.dir);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int number[2];

		for (int without = 0; without < 2; without++) {
			AUTO(fd) int fd = -1;

			path_without_openat2(without);
			errno = 0;
			fd = path_open(s.dir, rows[i].path, O_WRONLY | O_CREAT, 0640);
			number[without] = errno;
			same_int(fd >= 0, rows[i].made != NULL);
			if (rows[i].made != NULL)
				same_int(unlinkat(s.dir, rows[i].made, 0), 0);
		}
		path_without_openat2(0);
		if (rows[i].made == NULL)
			same_int(number[1], number[0]);
	}
}

TEST(magic_links_are_never_followed)
{
	AUTO(fd) int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd) int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	AUTO(free) char *by_fd = xasprintf("/proc/self/fd/%d", file);
	AUTO(free) char *below_root = xasprintf("/proc/%d/root/etc", (int)getpid());

	same_int(open_both(root, by_fd, O_RDONLY), -ELOOP);
	same_int(open_both(root, below_root, O_RDONLY), -ELOOP);
	same_int(open_both(root, "/proc/self/exe", O_RDONLY), -ELOOP);
	same_int(open_both(root, "/proc/self/cwd/.", O_PATH), -ELOOP);
	same_int(open_both(root, "/proc/thread-self/ns/user", O_PATH), -ELOOP);
	is_true(open_both(root, "/proc/self/exe", O_PATH | O_NOFOLLOW) > 0);
	is_true(open_both(root, "/proc/self/status", O_RDONLY) > 0);
	is_true(open_both(root, "/proc/mounts", O_RDONLY) > 0);
}

/* Random trees of directories and links, random paths: both ways agree. */
TEST(the_walker_agrees_with_the_kernel_on_random_trees)
{
	static const char *const words[] = { "a", "b", "c", "..", ".", "", "a/b", "/", "/a",
		"../c" };
	unsigned seed = (unsigned)getpid();
	AUTO(scratch) struct scratch s = scratch();

	print_message("# seed %u\n", seed);
	for (int tree = 0; tree < 10; tree++) {
		struct err err = { 0 };

		for (int i = 0; i < 14; i++) {
			AUTO(buf) struct buf path = BUF_INIT;
			AUTO(buf) struct buf target = BUF_INIT;
			AUTO(fd) int parent = -1;
			char name[256];

			for (int k = rand_r(&seed) % 3; k >= 0; k--)
				buf_addf(&path, "%c%s", 'a' + rand_r(&seed) % 3, k > 0 ? "/" : "");
			for (int k = rand_r(&seed) % 3; k >= 0; k--)
				buf_addf(&target, "%s/",
					words[rand_r(&seed) % (int)COUNT_OF(words)]);
			if (rand_r(&seed) % 2)
				buf_truncate(&target, target.len - 1);
			parent = path_open_parent(s.dir, path.data, name);
			if (parent < 0)
				continue;
			if (rand_r(&seed) % 2)
				(void)!mkdirat(parent, name, 0755);
			else
				(void)!symlinkat(target.data, parent, name);
		}
		for (int i = 0; i < 60; i++) {
			AUTO(buf) struct buf path = BUF_INIT;

			for (int k = rand_r(&seed) % 5; k >= 0; k--)
				buf_addf(&path, "%s/", words[rand_r(&seed) % (int)COUNT_OF(words)]);
			if (rand_r(&seed) % 2)
				buf_truncate(&path, path.len - 1);
			open_both(s.dir, path.data, O_RDONLY);
			open_both(s.dir, path.data, O_PATH | O_NOFOLLOW);
		}
		for (char name[2] = "a"; name[0] <= 'c'; name[0]++)
			works(path_remove(s.dir, name, &err));
	}
}

TEST(directories_are_made_through_links_with_the_mode_asked_for)
{
	static const struct {
		const char *path, *made;
	} rows[] = {
		{ "x/y/z", "x/y/z" },
		{ "/abs/olute/", "abs/olute" },
		{ "../../up", "up" },
		{ "to-dir/n", "d/n" },
		{ "escape-dir/n", "out/n" },
		{ "dangling/n", "nothing/n" },
		{ "d/deep/n", "d/elsewhere/n" },
		{ "d", "d" },
		{ ".", "." },
		{ "", "." },
	};

	for (int without = 0; without < 2; without++) {
		AUTO(scratch) struct scratch s = scratch();
		mode_t mask = umask(077);

		path_without_openat2(without);
		same_int(mkdirat(s.dir, "d", 0755), 0);
		make_file(s.dir, "f", "");
		same_int(symlinkat("d", s.dir, "to-dir"), 0);
		same_int(symlinkat("/../../out", s.dir, "escape-dir"), 0);
		same_int(symlinkat("nothing", s.dir, "dangling"), 0);
		same_int(symlinkat("elsewhere", s.dir, "d/deep"), 0);
		same_int(symlinkat("self", s.dir, "self"), 0);
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			AUTO(fd) int fd = path_mkdirs(s.dir, rows[i].path, 02775);
			struct stat by_fd, by_name;

			is_true(fd >= 0);
			same_int(fstat(fd, &by_fd), 0);
			same_int(fstatat(s.dir, rows[i].made, &by_name, AT_SYMLINK_NOFOLLOW), 0);
			same_int(by_fd.st_ino, by_name.st_ino);
			if (i < 7)
				same_int(by_fd.st_mode & 07777, 02775);
		}
		umask(mask);
		same_int(path_mkdirs(s.dir, "f/x", 0755), -1);
		same_int(errno, ENOTDIR);
		same_int(path_mkdirs(s.dir, "self/x", 0755), -1);
		same_int(errno, ELOOP);
		path_without_openat2(0);
	}
}

TEST(the_parent_is_opened_and_the_last_name_given)
{
	static const struct {
		const char *path, *dir, *name;
		int number;
	} rows[] = {
		{ "a", ".", "a", 0 },
		{ "/a//", ".", "a", 0 },
		{ "d/x", "d", "x", 0 },
		{ "to-dir/x", "d", "x", 0 },
		{ "../../d/..x", "d", "..x", 0 },
		{ "to-dir", ".", "to-dir", 0 },
		{ "/", NULL, NULL, EINVAL },
		{ "", NULL, NULL, EINVAL },
		{ "d/..", NULL, NULL, EINVAL },
		{ "d/./", NULL, NULL, EINVAL },
		{ "missing/x", NULL, NULL, ENOENT },
	};
	AUTO(scratch) struct scratch s = scratch();

	same_int(mkdirat(s.dir, "d", 0755), 0);
	same_int(symlinkat("d", s.dir, "to-dir"), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char name[256] = "untouched";
		AUTO(fd) int fd = path_open_parent(s.dir, rows[i].path, name);
		struct stat by_fd, by_name;

		if (rows[i].name == NULL) {
			same_int(errno, rows[i].number);
			same_int(fd, -1);
			same_str(name, "untouched");
			continue;
		}
		same_str(name, rows[i].name);
		same_int(fstat(fd, &by_fd), 0);
		same_int(fstatat(s.dir, rows[i].dir, &by_name, 0), 0);
		same_int(by_fd.st_ino, by_name.st_ino);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_walker_finds_what_the_kernel_finds),
		CASE(the_walker_creates_what_the_kernel_creates),
		CASE(magic_links_are_never_followed),
		CASE(the_walker_agrees_with_the_kernel_on_random_trees),
		CASE(directories_are_made_through_links_with_the_mode_asked_for),
		CASE(the_parent_is_opened_and_the_last_name_given),
	};

	return RUN(tests);
}
