/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

void
auto_carry(struct carry *c)
{
	auto_fd(&c->tree);
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

int
carry_take(int fd, struct carry *c, struct err *err)
{
	*c = (struct carry)CARRY_INIT;
	if (fd < 0)
		return 0;
	c->tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return c->tree >= 0 ? 0 : take_path(fd, c, err);
}

/* The same directory by way of a mount of its parent. */
static int
open_below(int tree, struct carry *c, struct err *err)
{
	const char *slash = strrchr(c->path, '/');
	struct stat st;

	c->below =
		openat(tree, slash != NULL ? slash + 1 : c->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (c->below < 0 || fstat(c->below, &st) < 0)
		return err_sys(err, "open '%s' again", c->path);
	if (st.st_dev != c->dev || st.st_ino != c->ino)
		return err_set(err, ERR_SYSTEM,
			"'%s' was replaced, or is not beside its work directory", c->path);
	free(c->path);
	c->path = NULL;
	return 0;
}

int
carry_take_pair(int fd, int beside, struct carry *c, struct carry *c_beside, struct err *err)
{
	AUTO(fd) int tree = -1;

	*c = (struct carry)CARRY_INIT;
	*c_beside = (struct carry)CARRY_INIT;
	if (fd < 0)
		return 0;
	if (beside < 0)
		return carry_take(fd, c, err);
	if (take_path(fd, c, err) < 0 || take_path(beside, c_beside, err) < 0)
		return -1;
	tree = open_tree(fd, "..", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return 0;
	if (open_below(tree, c, err) < 0 || open_below(tree, c_beside, err) < 0)
		return -1;
	c->tree = fd_steal(&tree);
	return 0;
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
