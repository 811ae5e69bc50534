/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"

#define TRIES_MAX 100 /* against somebody who swaps the last component for a link and back */

struct walk {
	int *dirs; /* the way down; the first is the root and not ours */
	size_t count, room;
	struct buf text; /* still to be walked from `at` on */
	size_t at;
	int links;
};

struct component {
	char name[NAME_MAX + 1]; /* "": there is none, the text is used up */
	bool last;               /* nothing but slashes after it */
	bool slash;              /* at least one */
};

static int
here(const struct walk *w)
{
	return w->dirs[w->count - 1];
}

static void
enter(struct walk *w, int fd)
{
	w->dirs = grow(w->dirs, w->count, &w->room, sizeof *w->dirs);
	w->dirs[w->count++] = fd;
}

static void
leave_to(struct walk *w, size_t count)
{
	while (w->count > count)
		auto_fd(&w->dirs[--w->count]);
}

static void
auto_walk(struct walk *w)
{
	leave_to(w, 1);
	free(w->dirs);
	buf_free(&w->text);
}

static int
next_component(struct walk *w, struct component *out)
{
	const char *c = w->text.data + w->at;
	size_t len;

	c += strspn(c, "/");
	len = strcspn(c, "/");
	if (len > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(out->name, c, len);
	out->name[len] = '\0';
	c += len;
	out->slash = *c == '/';
	out->last = c[strspn(c, "/")] == '\0';
	w->at = (size_t)(c - w->text.data);
	return 0;
}

/* Of procfs all links are magic but those in its root (self, mounts, ...) and those of drivers,
 * which know the length of their text; 64 is what a link of .../fd/ says. */
static bool
is_magic(int dir, const struct stat *link, ssize_t len)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(dir, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return false;
	if (fstat(dir, &st) == 0 && st.st_ino == 1)
		return false;
	return link->st_size != len || len == 64;
}

static int
follow(struct walk *w, int link, const struct stat *st)
{
	AUTO(buf) struct buf text = BUF_INIT;
	char target[PATH_MAX];
	ssize_t n;

	if (w->links++ == PATH_LINKS_MAX) {
		errno = ELOOP;
		return -1;
	}
	n = readlinkat(link, "", target, sizeof target);
	if (n < 0)
		return -1;
	if (is_magic(here(w), st, n)) {
		errno = ELOOP;
		return -1;
	}
	if (n > 0 && target[0] == '/')
		leave_to(w, 1);
	buf_add(&text, target, (size_t)n);
	buf_adds(&text, w->text.data + w->at);
	buf_free(&w->text);
	w->text = text;
	text = (struct buf)BUF_INIT;
	w->at = 0;
	return 0;
}

/* The kernel wants the right to search a directory even for its "." and "..". */
static int
may_search(int dir)
{
	AUTO(fd) int fd = openat(dir, ".", O_PATH | O_CLOEXEC);

	return fd < 0 ? -1 : 0;
}

static int
walk_dots(struct walk *w, const char *name)
{
	if (may_search(here(w)) < 0)
		return -1;
	if (name[1] == '.' && w->count > 1)
		leave_to(w, w->count - 1);
	return 0;
}

static int
walk_into(struct walk *w, const char *name)
{
	AUTO(fd) int fd = openat(here(w), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (S_ISLNK(st.st_mode))
		return follow(w, fd, &st);
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	enter(w, fd_steal(&fd));
	return 0;
}

/* 1: name is a link that has been followed; 0: it is none, or missing. */
static int
follow_last(struct walk *w, const char *name)
{
	AUTO(fd) int fd = openat(here(w), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISLNK(st.st_mode))
		return 0;
	return follow(w, fd, &st) < 0 ? -1 : 1;
}

/* O_PATH and O_NOFOLLOW together open a link itself instead of failing. */
static bool
is_link(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* The descriptor, -1, or -2: the last component was a link, and there is more to walk now. */
static int
open_last(struct walk *w, const struct component *c, int flags, mode_t mode)
{
	bool exclusive = (flags & O_CREAT) && (flags & O_EXCL);
	int fd = -1, followed;

	if (c->slash && (flags & O_CREAT)) {
		errno = EISDIR;
		return -1;
	}
	if (c->slash)
		flags = (flags & ~O_NOFOLLOW) | O_DIRECTORY;
	if ((flags & O_NOFOLLOW) || exclusive)
		return openat(here(w), c->name, flags, mode);
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		followed = follow_last(w, c->name);
		if (followed != 0)
			return followed < 0 ? -1 : -2;
		fd = openat(here(w), c->name, flags | O_NOFOLLOW, mode);
		if (fd >= 0 ? !is_link(fd) : errno != ELOOP)
			return fd;
		auto_fd(&fd);
	}
	errno = ELOOP;
	return -1;
}

int
path_walk(int root, const char *path, int flags, mode_t mode)
{
	AUTO(walk) struct walk w = { .text = BUF_INIT };
	struct component c;
	int fd;

	enter(&w, root);
	if (*path == '\0' || strlen(path) >= PATH_MAX) {
		errno = *path == '\0' ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	buf_adds(&w.text, path);
	for (;;) {
		if (next_component(&w, &c) < 0)
			return -1;
		if (c.name[0] == '\0')
			return openat(here(&w), ".", flags, mode);
		if (streq(c.name, ".") || streq(c.name, "..")) {
			if (walk_dots(&w, c.name) < 0)
				return -1;
		} else if (!c.last) {
			if (walk_into(&w, c.name) < 0)
				return -1;
		} else {
			fd = open_last(&w, &c, flags, mode);
			if (fd != -2)
				return fd;
		}
	}
}
