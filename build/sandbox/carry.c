/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "build/sandbox/stack.h"

void
auto_carry(struct carry *c)
{
	auto_fd(&c->tree);
	auto_fd(&c->outer);
	auto_fd(&c->below);
	auto_fd(&c->fd);
	free(c->path);
	c->path = NULL;
}

static int
take_path(int fd, struct carry *c, struct err *err)
{
	char link[32], path[PATH_MAX];
	struct stat st;
	ssize_t len;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "look at what to mount");
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path);
	if (len < 0)
		return err_sys(err, "find the path of what to mount");
	c->path = xstrndup(path, (size_t)len);
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	return 0;
}

/* Root that may not mount here: will the path be of use to it inside? */
static bool
needs_lift(int fd)
{
	struct stat st;

	return geteuid() == 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

int
carry_take(int fd, struct carry *c, struct err *err)
{
	*c = (struct carry)CARRY_INIT;
	if (fd < 0)
		return 0;
	c->tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (c->tree >= 0)
		return 0;
	if (needs_lift(fd))
		c->outer = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return take_path(fd, c, err);
}

/* The same directory by way of a mount of its parent. */
static int
open_below(int tree, struct carry *c, struct err *err)
{
	const char *slash = strrchr(c->path, '/');
	AUTO(fd)
	int fd = openat(tree, slash != NULL ? slash + 1 : c->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open '%s' again", c->path);
	if (st.st_dev != c->dev || st.st_ino != c->ino)
		return err_set(err, ERR_SYSTEM,
			"'%s' was replaced, or is not beside its work directory", c->path);
	c->below = fd_steal(&fd);
	free(c->path);
	c->path = NULL;
	return 0;
}

int
carry_take_pair(int fd, int beside, struct carry *c, struct carry *c_beside, struct err *err)
{
	*c = (struct carry)CARRY_INIT;
	*c_beside = (struct carry)CARRY_INIT;
	if (fd < 0)
		return 0;
	if (beside < 0)
		return carry_take(fd, c, err);
	if (take_path(fd, c, err) < 0 || take_path(beside, c_beside, err) < 0)
		return -1;
	c->tree = open_tree(fd, "..", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (c->tree >= 0)
		return open_below(c->tree, c, err) < 0 ? -1 : open_below(c->tree, c_beside, err);
	if (needs_lift(fd))
		c->outer = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

static int
mount_here(void *arg)
{
	struct carry *c = arg;

	c->tree = open_tree(AT_FDCWD, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return 0;
}

/* In a child with its own mount namespace, our descriptors and our memory; it ends, the mount
 * stays. */
static int
lift(struct carry *c, struct err *err)
{
	AUTO(stack) void *stack = NULL;
	pid_t pid;

	if (fchdir(c->outer) < 0)
		return 0; /* there is still the path */
	if (stack_make(&stack, err) < 0)
		return -1;
	pid = clone(mount_here, (char *)stack + STACK_SIZE,
		CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWNS | SIGCHLD, c);
	if (pid < 0)
		return err_sys(err, "make a mount namespace");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	auto_fd(&c->outer);
	return chdir("/") < 0 ? err_sys(err, "chdir /") : 0;
}

int
carry_lift(struct carry *c, struct err *err)
{
	if (c->outer < 0)
		return 0;
	if (lift(c, err) < 0)
		return -1;
	if (c->tree >= 0) {
		free(c->path);
		c->path = NULL;
	}
	return 0;
}

int
carry_lift_pair(struct carry *c, struct carry *c_beside, struct err *err)
{
	if (c->outer < 0)
		return 0;
	if (lift(c, err) < 0)
		return -1;
	if (c->tree < 0)
		return 0;
	return open_below(c->tree, c, err) < 0 ? -1 : open_below(c->tree, c_beside, err);
}

int
carry_find(struct carry *c, struct err *err)
{
	AUTO(fd) int fd = -1;
	struct stat st;

	if (c->path == NULL)
		return 0;
	fd = open(c->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open '%s' again, inside", c->path);
	if (st.st_dev != c->dev || st.st_ino != c->ino)
		return err_set(
			err, ERR_SYSTEM, "'%s' was replaced while it was being used", c->path);
	c->fd = fd_steal(&fd);
	return 0;
}

int
carry_place(struct carry *c, struct mounts *m, struct err *err)
{
	AUTO(fd) int top = -1;

	if (c->tree >= 0 && mounts_place(m, c->tree, &top, err) < 0)
		return -1;
	/* what was opened below a mount is good once that has a place */
	if (c->below >= 0)
		c->fd = fcntl(c->below, F_DUPFD_CLOEXEC, 3);
	else if (c->tree >= 0)
		c->fd = fd_steal(&top);
	return 0;
}
