/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/unchroot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

static bool
is_same(int dir, const char *path)
{
	struct stat a, b;

	return fstat(dir, &a) == 0 && fstatat(AT_FDCWD, path, &b, 0) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* The working directory, which is in a mount namespace of ours, becomes its root. */
static int
make_root(void)
{
	AUTO(fd) int copy = -1;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	copy = open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (copy < 0 || move_mount(copy, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
		fchdir(copy) < 0)
		return -1;
	/* over each other, so that no directory is needed for the old one */
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

int
unchroot(void)
{
	char cwd[PATH_MAX];
	AUTO(fd) int root = -1;
	AUTO(fd) int mounts = -1;

	if (geteuid() != 0) {
		errno = EPERM;
		return -1;
	}
	if (getcwd(cwd, sizeof cwd) == NULL || unshare(CLONE_NEWNS) < 0)
		return -1;
	root = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	mounts = openat(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	/* joining one's own mount namespace leads to its root, whatever ours was */
	if (root < 0 || mounts < 0 || setns(mounts, CLONE_NEWNS) < 0)
		return -1;
	if (is_same(root, "/")) {
		(void)!chdir(cwd);
		errno = EINVAL;
		return -1;
	}
	if (fchdir(root) < 0 || make_root() < 0)
		return -1;
	return chdir(cwd);
}
