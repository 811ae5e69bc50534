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

/* What a directory has, and removing it. */

TEST(removal_takes_the_tree_and_nothing_that_links_point_to)
{
	AUTO(scratch) struct scratch s = scratch();
	struct err err = { 0 };

	same_int(mkdirat(s.dir, "keep", 0755), 0);
	make_file(s.dir, "keep/f", "");
	close(path_mkdirs(s.dir, "t/a/b/c", 0755));
	close(path_mkdirs(s.dir, "t/a/d", 0755));
	make_file(s.dir, "t/a/f", "");
	make_file(s.dir, "t/a/b/c/f", "");
	same_int(symlinkat("../../keep", s.dir, "t/a/link"), 0);
	same_int(symlinkat("..", s.dir, "t/a/b/up"), 0);
	same_int(mkfifoat(s.dir, "t/fifo", 0600), 0);
	same_int(symlinkat("keep", s.dir, "l"), 0);
	works(path_remove(s.dir, "t", &err));
	works(path_remove(s.dir, "l", &err));
	works(path_remove(s.dir, "never-was", &err));
	same_int(faccessat(s.dir, "t", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	same_int(faccessat(s.dir, "keep/f", F_OK, 0), 0);
}

TEST(removal_goes_deeper_than_there_are_descriptors)
{
	enum { DEPTH = 400 };
	AUTO(scratch) struct scratch s = scratch();
	struct rlimit few = { 32, 32 }, before;
	struct err err = { 0 };
	AUTO(fd) int dir = dup(s.dir);

	for (int i = 0; i < DEPTH; i++) {
		int below;

		same_int(mkdirat(dir, "d", 0755), 0);
		same_int(mkdirat(dir, "e", 0755), 0);
		below = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		auto_fd(&dir);
		dir = below;
	}
	getrlimit(RLIMIT_NOFILE, &before);
	few.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	works(path_remove(s.dir, "d", &err));
	works(path_remove(s.dir, "e", &err));
	setrlimit(RLIMIT_NOFILE, &before);
}

TEST(removal_gives_itself_the_rights_that_are_missing)
{
	AUTO(scratch) struct scratch s = scratch();
	int wait_status = -1;
	pid_t pid;

	same_int(fchmod(s.dir, 0777), 0);
	pid = fork();
	if (pid == 0) {
		struct err err = { 0 };
		int failed;

		if (getuid() == 0 && setuid(65534) < 0)
			_exit(2);
		close(path_mkdirs(s.dir, "t/a/b", 0755));
		make_file(s.dir, "t/a/b/f", "");
		failed = fchmodat(s.dir, "t/a/b", 0000, 0) < 0 ||
			 fchmodat(s.dir, "t/a", 0500, 0) < 0 || fchmodat(s.dir, "t", 0100, 0) < 0 ||
			 path_remove(s.dir, "t", &err) < 0;
		if (failed)
			print_error("# %s\n", err.msg);
		_exit(failed);
	}
	same_int(waitpid(pid, &wait_status, 0), pid);
	same_int(wait_status, 0);
}

enum { REFUSED_AS_WANTED, REFUSED_OTHERWISE, NO_MOUNTS_HERE };

/* In a mount namespace of its own, so that nothing stays mounted whatever happens. */
static int
remove_around_a_mount(const struct scratch *s)
{
	AUTO(free) char *target = xasprintf("%s/t/m", s->path);
	AUTO(free) char *kept = xasprintf("%s/keep", s->path);
	struct err err = { 0 };

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0 ||
		mount(kept, target, NULL, MS_BIND, NULL) < 0)
		return NO_MOUNTS_HERE;
	if (path_remove(s->dir, "t", &err) == 0 ||
		!streq(err.msg, "remove 't': 'm': Device or resource busy"))
		return REFUSED_OTHERWISE;
	return faccessat(s->dir, "keep/f", F_OK, 0) == 0 ? REFUSED_AS_WANTED : REFUSED_OTHERWISE;
}

static int
wait_status_of_a_removal_around_a_mount(void)
{
	AUTO(scratch) struct scratch s = scratch();
	int wait_status = -1;
	pid_t pid;

	close(path_mkdirs(s.dir, "t/m", 0755));
	close(path_mkdirs(s.dir, "keep", 0755));
	make_file(s.dir, "keep/f", "");
	pid = fork();
	if (pid == 0)
		_exit(remove_around_a_mount(&s));
	same_int(waitpid(pid, &wait_status, 0), pid);
	return wait_status;
}

TEST(removal_does_not_enter_a_mount)
{
	int wait_status = wait_status_of_a_removal_around_a_mount();

	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == NO_MOUNTS_HERE) {
		print_message("# mounting is refused here\n");
		skip();
	}
	same_int(wait_status, REFUSED_AS_WANTED);
}

static int reads_left = -1; /* until reading a directory fails; -1: it never does */

/* In the place of the C library's. */
struct dirent *
readdir(DIR *stream)
{
	static struct dirent *(*real)(DIR *);
	void *found = dlsym(RTLD_NEXT, "readdir64");

	if (found == NULL)
		found = dlsym(RTLD_NEXT, "readdir");
	memcpy(&real, &found, sizeof real);
	if (reads_left == 0) {
		errno = EIO;
		return NULL;
	}
	reads_left -= reads_left > 0;
	return real(stream);
}

TEST(names_come_sorted_and_as_often_as_asked)
{
	AUTO(scratch) struct scratch s = scratch();
	struct err err = { 0 };

	make_file(s.dir, "b", "");
	make_file(s.dir, ".a", "");
	make_file(s.dir, "\303\251", "");
	make_file(s.dir, "B", "");
	for (int i = 0; i < 2; i++) {
		AUTO(strv) struct strv names = STRV_INIT;
		AUTO(free) char *all = NULL;

		works(path_names(s.dir, &names, &err));
		all = strv_join(&names, " ");
		same_str(all, ".a B b \303\251");
	}
}

TEST(names_are_listed_through_a_descriptor_without_rights)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(fd) int dir = open(s.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO(strv) struct strv names = STRV_INIT;
	struct err err = { 0 };

	works(path_names(dir, &names, &err));
	same_int(names.count, 0);
}

TEST(a_directory_that_cannot_be_read_to_its_end_has_no_names)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(strv) struct strv names = STRV_INIT;
	struct err err = { 0 };
	int got;

	make_file(s.dir, "a", "");
	make_file(s.dir, "b", "");
	reads_left = 3;
	got = path_names(s.dir, &names, &err);
	reads_left = -1;
	same_int(got, -1);
	same_str(err.msg, "read directory: Input/output error");
	same_int(names.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(names_come_sorted_and_as_often_as_asked),
		CASE(names_are_listed_through_a_descriptor_without_rights),
		CASE(a_directory_that_cannot_be_read_to_its_end_has_no_names),
		CASE(removal_takes_the_tree_and_nothing_that_links_point_to),
		CASE(removal_goes_deeper_than_there_are_descriptors),
		CASE(removal_gives_itself_the_rights_that_are_missing),
		CASE(removal_does_not_enter_a_mount),
	};

	return RUN(tests);
}
