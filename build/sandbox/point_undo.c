/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/point.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

/* The directory at path, one name at a time and never through a link; -1 if it is not there. */
static int
walk(int upper, const char *path, size_t len)
{
	AUTO(fd) int dir = path_open(upper, "/", O_RDONLY | O_DIRECTORY, 0);

	while (len > 0 && dir >= 0) {
		const char *slash = memchr(path, '/', len);
		size_t step = slash != NULL ? (size_t)(slash - path) : len;
		AUTO(free) char *name = xstrndup(path, step);
		int next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		auto_fd(&dir);
		dir = next;
		path += step;
		len -= step;
		if (len > 0) {
			path++;
			len--;
		}
	}
	return fd_steal(&dir);
}

static int
open_parent(int upper, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');

	*name = slash != NULL ? slash + 1 : path;
	return walk(upper, path, slash != NULL ? (size_t)(slash - path) : 0);
}

static bool
is_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Nothing but what overlay needs to know itself. */
static bool
has_own_xattrs(int dir)
{
	char names[4096];
	ssize_t len = flistxattr(dir, names, sizeof names);

	if (len < 0)
		return errno != ENOTSUP;
	for (const char *s = names; s < names + len; s += strlen(s) + 1)
		if (!starts_with(s, "user.overlay.") || streq(s, "user.overlay.opaque"))
			return true;
	return false;
}

struct parent {
	const struct point *row;
	bool is_untouched;        /* the box has left it as it was when the mounts were made */
	struct timespec times[2]; /* what it should have in the end */
};

static void
look(int upper, const struct point *row, struct parent *out)
{
	AUTO(fd) int dir = walk(upper, row->path, strlen(row->path));
	struct stat st;

	*out = (struct parent){ .row = row,
		.times = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } } };
	if (dir < 0 || fstat(dir, &st) < 0)
		return;
	out->is_untouched = is_time(&st.st_mtim, &row->mtime) && st.st_mode == row->was.st_mode &&
			    st.st_uid == row->was.st_uid && st.st_gid == row->was.st_gid;
	out->times[1] = out->is_untouched ? row->was.st_mtim : st.st_mtim;
}

static void
remove_made(const struct point *row, int upper, struct strv *left)
{
	const char *name;
	AUTO(fd) int dir = open_parent(upper, row->path, &name);
	bool is_dir = row->kind == POINT_DIR;
	struct stat st;

	if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_ino != row->ino)
		return;
	if (is_dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode) || st.st_size != 0)
		return;
	if (unlinkat(dir, name, is_dir ? AT_REMOVEDIR : 0) == 0 || errno == ENOTEMPTY ||
		errno == EEXIST)
		return;
	if (left != NULL)
		strv_add(left, row->path);
}

static void
restore(const struct parent *p, int upper)
{
	AUTO(fd) int dir = walk(upper, p->row->path, strlen(p->row->path));
	const char *name;

	if (dir < 0)
		return;
	if (p->is_untouched && p->row->kind == POINT_COPIED && !has_own_xattrs(dir)) {
		AUTO(fd) int parent = open_parent(upper, p->row->path, &name);

		if (parent >= 0 && unlinkat(parent, name, AT_REMOVEDIR) == 0)
			return;
	}
	(void)futimens(dir, p->times);
}

static int
deepest_first(const void *a, const void *b)
{
	const struct point *const *x = a, *const *y = b;

	return strcmp((*y)->path, (*x)->path);
}

void
points_remove(const struct points *p, int upper, struct strv *left)
{
	AUTO(free) const struct point **rows = xcalloc(p->count + 1, sizeof *rows);
	AUTO(free) struct parent *parents = xcalloc(p->count + 1, sizeof *parents);
	size_t count = 0;

	for (size_t i = 0; i < p->count; i++)
		rows[i] = &p->rows[i];
	qsort(rows, p->count, sizeof *rows, deepest_first);
	/* looked at before the removals, which touch them */
	for (size_t i = 0; i < p->count; i++)
		if (rows[i]->kind == POINT_COPIED || rows[i]->kind == POINT_PARENT)
			look(upper, rows[i], &parents[count++]);
	for (size_t i = 0; i < p->count; i++)
		if (rows[i]->kind == POINT_FILE || rows[i]->kind == POINT_DIR)
			remove_made(rows[i], upper, left);
	for (size_t i = 0; i < count; i++)
		restore(&parents[i], upper);
}
