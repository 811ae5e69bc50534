/* SPDX-License-Identifier: Apache-2.0 */
/* boxuser - owners and users as a program in a box finds them, a line for each thing that is not as
 * the kernel has it for root with a range of ids.  Linked statically: its root has nothing else.
 *
 *	boxuser all      as root, in an empty directory that it may write
 *	boxuser whoami   prints real and effective user, effective group */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;

static void
expect(int is_so, const char *what, int line)
{
	if (is_so)
		return;
	printf("%d: not so: %s (errno %d)\n", line, what, errno);
	failures++;
}
#define IS(condition) expect((condition), #condition, __LINE__)

static int
owned(const char *path, uid_t uid, gid_t gid)
{
	struct stat st;
	struct statx sx;

	if (lstat(path, &st) < 0 ||
		statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &sx) < 0)
		return 0;
	if (st.st_uid != uid || st.st_gid != gid)
		printf("%s belongs to %u:%u\n", path, st.st_uid, st.st_gid);
	return st.st_uid == uid && st.st_gid == gid && sx.stx_uid == uid && sx.stx_gid == gid;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? 0 : st.st_mode;
}

static void
make(const char *path, mode_t mode)
{
	close(open(path, O_WRONLY | O_CREAT | O_TRUNC, mode));
}

static void
try_chown(void)
{
	struct stat st;
	char path[64];
	int fd;

	make("f", 0755);
	IS(chmod("f", 06755) == 0 && chown("f", 3, 4) == 0 && owned("f", 3, 4));
	IS((mode_of("f") & 07777) == 0755);
	IS(chmod("f", 04755) == 0 && (mode_of("f") & 07777) == 04755);
	IS(chown("f", (uid_t)-1, 9) == 0 && owned("f", 3, 9));
	IS(rename("f", "g") == 0 && link("g", "h") == 0 && owned("h", 3, 9));
	IS(lchown("h", 0, 0) == 0 && owned("g", 0, 0));
	IS(symlink("g", "l") == 0 && lchown("l", 5, 6) == 0 && owned("l", 5, 6) &&
		owned("g", 0, 0));
	IS(rename("l", "m") == 0 && owned("m", 5, 6) && unlink("m") == 0);
	IS(symlink("g", "m") == 0 && owned("m", 0, 0));
	IS(chown("m", 7, 8) == 0 && owned("g", 7, 8) && owned("m", 0, 0));
	IS(chown("nothing", 1, 1) < 0 && errno == ENOENT);
	fd = open("g", O_RDWR | O_CLOEXEC);
	IS(fchown(fd, 11, 12) == 0 && owned("g", 11, 12));
	IS(fchownat(fd, "", 13, 14, AT_EMPTY_PATH) == 0 && owned("g", 13, 14));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	IS(chown(path, 15, 16) == 0 && owned("g", 15, 16));
	IS(unlink("g") == 0 && unlink("h") == 0 && fstat(fd, &st) == 0 && st.st_uid == 15);
	close(fd);
	IS(mkfifo("p", 0600) == 0 && chown("p", 1, 2) == 0 && owned("p", 1, 2));
	make("r", 0644);
	IS(owned("r", 0, 0));
}

static void *
ask(void *to)
{
	*(uid_t *)to = getuid();
	return NULL;
}

static void
try_ids(void)
{
	uid_t r, e, s, seen = 0;
	gid_t groups[4] = { 9, 8, 7, 0 };
	pthread_t t;

	IS(setgroups(3, groups) == 0 && getgroups(4, groups) == 3 && groups[0] == 7);
	IS(setegid(5) == 0 && getegid() == 5 && getgid() == 0 && setegid(0) == 0);
	IS(seteuid(33) == 0 && geteuid() == 33 && getuid() == 0);
	IS(setgroups(0, NULL) < 0 && errno == EPERM);
	IS(setuid(44) < 0 && errno == EPERM);
	IS(seteuid(0) == 0);
	IS(setfsuid(12) == 0 && setfsuid((uid_t)-1) == 12 && setfsuid(0) == 12);
	IS(setresgid(34, 34, 34) == 0 && setresuid(33, 33, 33) == 0);
	IS(getresuid(&r, &e, &s) == 0 && r == 33 && e == 33 && s == 33);
	IS(getresgid(&r, &e, &s) == 0 && r == 34 && e == 34 && s == 34);
	IS(setuid(0) < 0 && errno == EPERM && seteuid(0) < 0 && setgid(0) < 0);
	IS(pthread_create(&t, NULL, ask, &seen) == 0 && pthread_join(t, NULL) == 0 && seen == 33);
}

static void
try_making(void)
{
	struct stat st;
	int fd, fd2;

	umask(027);
	fd = open("new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	IS(fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == 33 && st.st_gid == 34);
	IS((st.st_mode & 07777) == 0640 && fcntl(fd, F_GETFD) == FD_CLOEXEC &&
		write(fd, "x", 1) == 1);
	IS(open("new", O_RDWR | O_CREAT | O_EXCL, 0666) < 0 && errno == EEXIST);
	fd2 = open("new", O_RDWR | O_CREAT | O_TRUNC, 0666);
	IS(fd2 >= 0 && fstat(fd, &st) == 0 && st.st_size == 0 && fcntl(fd2, F_GETFD) == 0);
	IS(open("none/new", O_WRONLY | O_CREAT, 0666) < 0 && errno == ENOENT);
	IS(mkdir("dir", 0777) == 0 && owned("dir", 33, 34) && (mode_of("dir") & 07777) == 0750);
	IS(mkdir("dir", 0777) < 0 && errno == EEXIST && mkdir("dir/sub/", 0777) == 0);
	IS(owned("dir/sub", 33, 34));
	IS(symlink("x", "dir/l") == 0 && owned("dir/l", 33, 34));
	IS(mkfifo("dir/p", 0600) == 0 && owned("dir/p", 33, 34));
	IS(chown("new", 0, 34) < 0 && errno == EPERM);
	IS(chown("new", 33, 34) == 0 && chown("new", 33, 99) < 0);
	IS(mknod("dev", S_IFCHR | 0600, makedev(1, 3)) < 0 && errno == EPERM);
	fd2 = open("dir", O_TMPFILE | O_RDWR, 0600);
	IS(fd2 < 0 || (fstat(fd2, &st) == 0 && st.st_uid == 33));
	fd2 = open("dir", O_PATH | O_DIRECTORY);
	IS(openat(fd2, "at", O_WRONLY | O_CREAT, 0600) >= 0 && owned("dir/at", 33, 34));
	IS(creat("dir/creat", 0600) >= 0 && owned("dir/creat", 33, 34));
	close(fd);
}

/* A child of a parent that has gone. */
static void
try_orphan(void)
{
	uid_t seen = 0;
	int ends[2];
	pid_t pid;

	IS(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		pid = getpid();
		if (fork() == 0) {
			while (getppid() == pid)
				;
			seen = geteuid();
			_exit(write(ends[1], &seen, sizeof seen) < 0);
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	close(ends[1]);
	IS(read(ends[0], &seen, sizeof seen) == sizeof seen && seen == 33);
}

static void
try_socket(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), to = socket(AF_UNIX, SOCK_STREAM, 0);
	struct ucred c;
	socklen_t len = sizeof c;

	IS(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1) == 0);
	IS(connect(to, (struct sockaddr *)&a, sizeof a) == 0);
	IS(getsockopt(to, SOL_SOCKET, SO_PEERCRED, &c, &len) == 0 && c.uid == 33 && c.gid == 34 &&
		c.pid == getpid());
	unlink("socket");
}

static void
said(const char *program, const char *wanted)
{
	char text[64] = "";
	int ends[2];
	pid_t pid;

	IS(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], 1);
		execl(program, program, "whoami", (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	close(ends[1]);
	IS(read(ends[0], text, sizeof text - 1) > 0);
	if (strcmp(text, wanted) != 0)
		printf("%s is '%s', not '%s'\n", program, text, wanted);
	IS(strcmp(text, wanted) == 0);
}

static void
as_user(void (*what)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		failures = 0;
		what();
		fflush(stdout);
		_exit(failures != 0);
	}
	IS(waitpid(pid, &status, 0) == pid && status == 0);
}

static void
live_as_user(void)
{
	try_ids();
	try_making();
	try_orphan();
	try_socket();
	said("./plain", "33 33 34");
	said("./suid", "33 1 34");
	said("./sgid", "33 33 2");
	said("./root", "33 0 34");
}

static void
copy_self(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	int from = open("/proc/self/exe", O_RDONLY), to = open(name, O_WRONLY | O_CREAT, 0755);
	struct stat st;

	IS(fstat(from, &st) == 0 && fchown(to, uid, gid) == 0);
	while (st.st_size > 0) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, 1 << 20, 0);

		if (n <= 0)
			break;
		st.st_size -= n;
	}
	IS(st.st_size == 0 && fchmod(to, mode) == 0);
	close(to);
	close(from);
}

static void
try_setgid_directory(void)
{
	IS(mkdir("shared", 0755) == 0 && chown("shared", 0, 8) == 0 && chmod("shared", 02775) == 0);
	make("shared/f", 0644);
	IS(owned("shared/f", 0, 8));
	IS(mkdir("shared/d", 0755) == 0 && owned("shared/d", 0, 8) &&
		(mode_of("shared/d") & 02000) != 0);
}

static void
change_root(void)
{
	IS(mkdir("root.d", 0755) == 0 && mkdir("root.d/in", 0755) == 0);
	make("root.d/in/f", 0600);
	IS(chroot("root.d") == 0 && symlink("/in/f", "root.d/l") == 0);
	IS(chown("/l", 21, 22) == 0 && chdir("/") == 0 && owned("/in/f", 21, 22) &&
		owned("in/f", 21, 22));
	IS(lchown("/l", 23, 24) == 0 && owned("l", 23, 24));
	IS(chown("/../../in/f", 25, 26) == 0 && owned("in/f", 25, 26));
}

static void
try_limits(void)
{
	struct rlimit limit = { 5, 5 };

	IS(setresuid(40, 40, 40) == 0);
	IS(getrlimit(RLIMIT_LOCKS, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY);
	IS(setrlimit(RLIMIT_LOCKS, &limit) == 0 && getuid() == 40);
}

/* Signals and calls that are answered elsewhere. */
static void
ignore(int number)
{
	(void)number;
}

static void
try_signals(void)
{
	struct sigaction on = { .sa_handler = ignore, .sa_flags = SA_RESTART };
	pid_t parent = getpid(), pid;
	char name[16];

	sigaction(SIGUSR1, &on, NULL);
	IS(setresuid(41, 41, 41) == 0);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 2000; i++)
			kill(parent, SIGUSR1);
		_exit(0);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "s%d", i);
		IS(open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0);
		IS(owned(name, 41, 0) && unlink(name) == 0 && getuid() == 41);
	}
	while (waitpid(pid, NULL, 0) < 0)
		;
}

static int
all(void)
{
	try_chown();
	try_setgid_directory();
	copy_self("plain", 0755, 0, 0);
	copy_self("suid", 04755, 1, 0);
	copy_self("sgid", 02755, 0, 2);
	copy_self("root", 04755, 0, 0);
	IS(chmod(".", 0777) == 0);
	as_user(live_as_user);
	as_user(change_root);
	as_user(try_limits);
	as_user(try_signals);
	IS(geteuid() == 0 && getuid() == 0);
	if (failures == 0)
		puts("all as it should be");
	return failures != 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "whoami") == 0)
		return printf("%u %u %u", getuid(), geteuid(), getegid()) < 0;
	return strcmp(what, "all") == 0 ? all() : 2;
}
