/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/point.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

void
auto_points(struct points *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->rows[i].path);
	free(p->rows);
	*p = (struct points)POINTS_INIT;
}

static struct point *
add(struct points *p, enum point_kind kind, const char *path)
{
	struct point *row;

	p->rows = grow(p->rows, p->count, &p->room, sizeof *p->rows);
	row = &p->rows[p->count++];
	*row = (struct point){ .kind = kind, .path = xstrdup(path) };
	return row;
}

static bool
has(const struct points *p, const char *path)
{
	for (size_t i = 0; i < p->count; i++)
		if (streq(p->rows[i].path, path))
			return true;
	return false;
}

static bool
is_one_mount(int a, int b)
{
	struct statx x, y;

	if (statx(a, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) < 0 ||
		statx(b, "", AT_EMPTY_PATH, STATX_MNT_ID, &y) < 0)
		return false;
	/* Linux before 5.8 tells file systems apart, but not their mounts */
	if ((x.stx_mask & y.stx_mask & STATX_MNT_ID) != 0)
		return x.stx_mnt_id == y.stx_mnt_id;
	return x.stx_dev_major == y.stx_dev_major && x.stx_dev_minor == y.stx_dev_minor;
}

/* The path of a directory within the merged root, without links; NULL if it is on another mount. */
static char *
path_in_root(const struct points *p, int dir)
{
	char link[32], path[PATH_MAX], root[PATH_MAX];
	ssize_t len, root_len;

	if (!is_one_mount(p->root, dir))
		return NULL;
	snprintf(link, sizeof link, "/proc/self/fd/%d", p->root);
	root_len = readlink(link, root, sizeof root);
	snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
	len = readlink(link, path, sizeof path);
	if (root_len < 0 || len < root_len || memcmp(root, path, (size_t)root_len) != 0)
		return NULL;
	if (len == root_len)
		return xstrdup("");
	return path[root_len] != '/' ? NULL
				     : xstrndup(path + root_len + 1, (size_t)(len - root_len - 1));
}

/* Writes down the parent and, as far as they will be copied up with it, its parents. */
static int
note_parents(struct points *p, const char *path, struct err *err)
{
	AUTO(free) char *at = xstrdup(path);
	struct stat st;

	if (has(p, path))
		return 0;
	for (;;) {
		AUTO(fd)
		int fd = path_open(p->root, *at != '\0' ? at : "/", O_PATH | O_NOFOLLOW, 0);
		bool is_upper =
			fstatat(p->upper, at, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0;
		char *slash;

		if (is_upper && !streq(at, path))
			return 0;
		if (fd < 0 || fstat(fd, &st) < 0)
			return err_sys(err, "/%s", at);
		if (!has(p, at))
			add(p, is_upper ? POINT_PARENT : POINT_COPIED, at)->was = st;
		if (is_upper)
			return 0;
		slash = strrchr(at, '/');
		at[slash != NULL ? slash - at : 0] = '\0';
	}
}

static int
make(struct points *p, const char *parent, const char *name, bool is_dir, struct err *err)
{
	AUTO(fd) int dir = path_open(p->root, parent, O_PATH | O_DIRECTORY, 0);
	AUTO(free) char *where = NULL;
	AUTO(free) char *full = NULL;
	struct stat st;

	if (dir < 0)
		return err_sys(err, "%s", parent);
	where = p->upper >= 0 ? path_in_root(p, dir) : NULL;
	if (where != NULL && note_parents(p, where, err) < 0)
		return -1;
	if ((is_dir ? mkdirat(dir, name, 0755) : mknodat(dir, name, S_IFREG | 0644, 0)) < 0)
		return errno == EROFS
			       ? err_set(err, ERR_INPUT, "'%s/%s' is missing in a read-only root",
					 parent, name)
			       : err_sys(err, "make '%s/%s'", parent, name);
	if (where == NULL)
		return 0;
	full = xasprintf("%s%s%s", where, *where != '\0' ? "/" : "", name);
	/* a mount inside the root that only looks like it has nothing in the upper */
	if (fstatat(p->upper, full, &st, AT_SYMLINK_NOFOLLOW) == 0)
		add(p, is_dir ? POINT_DIR : POINT_FILE, full)->ino = st.st_ino;
	return 0;
}

static char *
read_link(int fd)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(fd, "", text, sizeof text);

	return len > 0 && len < (ssize_t)sizeof text ? xstrndup(text, (size_t)len) : NULL;
}

/* Makes the first component of *path that is missing; or, where that is a link to nothing, replaces
 * it in *path by what it says. */
static int
step(struct points *p, char **path, bool is_dir, struct err *err)
{
	for (char *s = *path;;) {
		size_t skip = strspn(s, "/"), len = strcspn(s + skip, "/");
		size_t end = (size_t)(s - *path) + skip + len;
		bool is_last = (*path)[end + strspn(*path + end, "/")] == '\0';
		AUTO(free) char *prefix = xstrndup(*path, end);
		AUTO(free) char *parent = xstrndup(*path, end - len);
		AUTO(free) char *name = xstrndup(*path + end - len, len);
		AUTO(free) char *link = NULL;
		AUTO(free) char *rest = NULL;
		AUTO(fd) int fd = path_open(p->root, prefix, O_PATH, 0);

		s = *path + end;
		if (fd >= 0) {
			if (is_last)
				return 0;
			continue;
		}
		if (errno != ENOENT)
			return err_sys(err, "%s", prefix);
		fd = path_open(p->root, prefix, O_PATH | O_NOFOLLOW, 0);
		if (fd < 0)
			return make(p, parent, name, is_dir || !is_last, err);
		link = read_link(fd);
		if (link == NULL)
			return err_sys(err, "%s", prefix);
		rest = xasprintf("%s%s%s", link[0] == '/' ? "" : parent, link, s);
		free(*path);
		*path = steal(&rest);
		return 0;
	}
}

int
point_open(struct points *p, const char *path, bool is_dir, int *out, struct err *err)
{
	AUTO(free) char *at = xstrdup(path);
	struct stat st;

	/* each turn makes one component or follows one link; a path has at most PATH_MAX / 2 */
	for (unsigned turns = 0; turns < PATH_MAX / 2 + PATH_LINKS_MAX; turns++) {
		AUTO(fd) int fd = path_open(p->root, at, O_PATH, 0);

		if (fd >= 0) {
			if (fstat(fd, &st) < 0)
				return err_sys(err, "%s", path);
			if ((S_ISDIR(st.st_mode) != 0) != is_dir)
				return err_set(err, ERR_INPUT,
					"'%s' in the root is %s directory, and %s "
					"is to be mounted there",
					path, is_dir ? "not a" : "a", is_dir ? "one" : "a file");
			*out = fd_steal(&fd);
			return 0;
		}
		if (errno != ENOENT)
			return err_sys(err, "mount point '%s'", path);
		if (step(p, &at, is_dir, err) < 0)
			return err_in(err, "mount point '%s'", path);
	}
	return err_set(err, ERR_INPUT, "mount point '%s': too many links", path);
}

int
point_open_top(struct points *p, const char *name, int *out, struct err *err)
{
	int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	AUTO(fd) int fd = openat(p->root, name, flags);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(p->root, name, 0755) < 0)
			return err_sys(err, "make /%s in the root", name);
		fd = openat(p->root, name, flags);
	}
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(err, ERR_INPUT,
			"/%s in the root is not a directory (a link there is not followed)", name);
	if (fd < 0)
		return err_sys(err, "open /%s in the root", name);
	*out = fd_steal(&fd);
	return 0;
}

int
points_settle(struct points *p, struct err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct point row = p->rows[i];
		struct stat st;

		if (row.kind == POINT_COPIED || row.kind == POINT_PARENT) {
			int r = fstatat(
				p->upper, row.path, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);

			if (r < 0 && errno != ENOENT)
				return err_sys(err, "/%s", row.path);
			/* on another mount after all */
			if (r < 0) {
				free(row.path);
				continue;
			}
			row.mtime = st.st_mtim;
		}
		p->rows[kept++] = row;
	}
	p->count = kept;
	return 0;
}
