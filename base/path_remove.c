/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strv.h"

/* A tree may be deeper than there are descriptors, or stack.  So one directory is open at a time.
 * On entering it, all that is no directory goes at once and the names of its directories are kept;
 * they are then tried one by one: an empty one goes, a mount point is refused by the kernel, a full
 * one is entered. The way back is "..", which must be the directory that we came from: if it is
 * not, somebody moves the tree about while we remove it, and we stop. */

#define ENTER_MAX 100 /* times, for one directory that somebody keeps filling */

struct level {
	struct strv below; /* directories in it that are still there; the last is next */
	int entered;       /* how often that one was */
	dev_t dev;
	ino_t ino;
};

struct removal {
	int fd; /* the directory of the last level */
	struct level *levels;
	size_t count, room;
};

static void
auto_removal(struct removal *r)
{
	auto_fd(&r->fd);
	for (size_t i = 0; i < r->count; i++)
		strv_free(&r->levels[i].below);
	free(r->levels);
}

static struct level *
last_level(struct removal *r)
{
	return &r->levels[r->count - 1];
}

/* Descriptor of the directory with all rights for its owner. */
static int
open_writable(int dir, const char *name)
{
	enum { FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC };
	AUTO(fd) int fd = openat(dir, name, FLAGS);
	struct stat st;

	if (fd < 0 && errno == EACCES) {
		if (fchmodat(dir, name, 0700, AT_SYMLINK_NOFOLLOW) < 0) {
			errno = EACCES;
			return -1;
		}
		fd = openat(dir, name, FLAGS);
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	/* where it is not ours, the removal itself will say so */
	if ((st.st_mode & 0700) != 0700 && fchmod(fd, (st.st_mode & 07777) | 0700) < 0 &&
		errno != EPERM)
		return -1;
	return fd_steal(&fd);
}

/* 0: gone; 1: it is a directory. */
static int
remove_file(int dir, const char *name)
{
	struct stat st;
	int number;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR)
		return 1;
	/* EPERM is also what POSIX says for a directory */
	number = errno;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return 1;
	errno = number;
	return -1;
}

static int
scan(struct removal *r, struct err *err)
{
	struct level *level = last_level(r);
	struct dirent *entry;
	DIR *stream;
	int copy, is_dir = 0;

	copy = openat(r->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stream = copy >= 0 ? fdopendir(copy) : NULL;
	if (stream == NULL) {
		auto_fd(&copy);
		return err_sys(err, "list a directory");
	}
	for (errno = 0; (entry = readdir(stream)) != NULL; errno = 0) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		is_dir = entry->d_type == DT_DIR ? 1 : remove_file(r->fd, entry->d_name);
		if (is_dir < 0) {
			err_sys(err, "'%s'", entry->d_name);
			break;
		}
		if (is_dir > 0)
			strv_add(&level->below, entry->d_name);
	}
	if (entry == NULL && errno != 0)
		is_dir = err_sys(err, "list a directory");
	closedir(stream);
	return is_dir < 0 ? -1 : 0;
}

static int
descend(struct removal *r, int dir, const char *name, struct err *err)
{
	AUTO(fd) int fd = open_writable(dir, name);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "'%s'", name);
	auto_fd(&r->fd);
	r->fd = fd_steal(&fd);
	r->levels = grow(r->levels, r->count, &r->room, sizeof *r->levels);
	r->levels[r->count++] = (struct level){ .dev = st.st_dev, .ino = st.st_ino };
	return scan(r, err);
}

static int
ascend(struct removal *r, struct err *err)
{
	AUTO(fd) int fd = openat(r->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	strv_free(&last_level(r)->below);
	r->count--;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "'..'");
	if (st.st_dev != last_level(r)->dev || st.st_ino != last_level(r)->ino)
		return err_set(err, ERR_SYSTEM, "somebody moves it meanwhile");
	auto_fd(&r->fd);
	r->fd = fd_steal(&fd);
	return 0;
}

/* 0: gone; 1: a directory that has something in it. */
static int
remove_directory(int dir, const char *name)
{
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTDIR) /* swapped for a file just now */
		return remove_file(dir, name);
	return errno == ENOTEMPTY || errno == EEXIST ? 1 : -1;
}

static int
remove_below(struct removal *r, struct err *err)
{
	for (;;) {
		struct level *level = last_level(r);
		struct strv *below = &level->below;
		const char *name;
		int full;

		if (below->count == 0 && r->count == 1)
			return 0;
		if (below->count == 0) {
			if (ascend(r, err) < 0)
				return -1;
			continue;
		}
		name = below->items[below->count - 1];
		full = remove_directory(r->fd, name);
		if (full < 0)
			return err_sys(err, "'%s'", name);
		if (full == 0) {
			strv_remove(below, below->count - 1);
			level->entered = 0;
		} else if (level->entered++ == ENTER_MAX) {
			return err_set(
				err, ERR_SYSTEM, "'%s' is filled as fast as it is emptied", name);
		} else if (descend(r, r->fd, name, err) < 0) {
			return -1;
		}
	}
}

static int
remove_tree(int dir, const char *name, struct err *err)
{
	for (int tries = 0; tries < ENTER_MAX; tries++) {
		AUTO(removal) struct removal r = { .fd = -1 };
		int full = remove_directory(dir, name);

		if (full == 0)
			return 0;
		if (full < 0)
			return err_sys(err, "the directory itself");
		if (descend(&r, dir, name, err) < 0 || remove_below(&r, err) < 0)
			return -1;
	}
	return err_set(err, ERR_SYSTEM, "it is filled as fast as it is emptied");
}

int
path_remove(int dir, const char *name, struct err *err)
{
	int is_dir = remove_file(dir, name);

	if (is_dir < 0)
		return err_sys(err, "remove '%s'", name);
	if (is_dir > 0 && remove_tree(dir, name, err) < 0)
		return err_in(err, "remove '%s'", name);
	return 0;
}
