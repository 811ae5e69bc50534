/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path_walk.h"

/* Cuts the last component off out, which holds text of ours from start on; false: there is none
 * that a ".." can take away. */
static bool
drop_last(struct buf *out, size_t start)
{
	size_t at = out->len;

	while (at > start && out->data[at - 1] != '/')
		at--;
	if (at == out->len || streq(out->data + at, ".."))
		return false;
	buf_truncate(out, at > start + 1 ? at - 1 : at); /* the first '/' stays */
	return true;
}

void
path_clean(const char *path, struct buf *out)
{
	size_t start = out->len, len;
	bool absolute = *path == '/';

	if (absolute)
		buf_addc(out, '/');
	for (const char *c = path; *c != '\0'; c += len) {
		len = strcspn(c, "/");
		if (len == 0) {
			len = 1;
			continue;
		}
		if (len == 1 && c[0] == '.')
			continue;
		if (len == 2 && c[0] == '.' && c[1] == '.' && (drop_last(out, start) || absolute))
			continue;
		if (out->len > start && out->data[out->len - 1] != '/')
			buf_addc(out, '/');
		buf_add(out, c, len);
	}
	if (out->len == start)
		buf_addc(out, '.');
}

void
path_join(const char *a, const char *b, struct buf *out)
{
	AUTO(buf) struct buf both = BUF_INIT;

	if (*b != '/' && *a != '\0') {
		buf_adds(&both, a);
		buf_addc(&both, '/');
	}
	buf_adds(&both, b);
	path_clean(both.data, out);
}

const char *
path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

bool
path_wants_dir(const char *path)
{
	const char *last = path_base(path);

	return (last[0] == '\0' && last > path) || streq(last, ".") || streq(last, "..");
}

size_t
path_dir_len(const char *path)
{
	size_t len = (size_t)(path_base(path) - path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return len;
}

bool
path_is_inside(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (streq(dir, "."))
		return *path != '/' && !streq(path, "..") && !starts_with(path, "../");
	if (streq(dir, "/"))
		return *path == '/';
	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

enum openat2_state { UNKNOWN, THERE, MISSING };
static _Atomic int openat2_state;

int
path_without_openat2(int without)
{
	return atomic_exchange(&openat2_state, without ? MISSING : UNKNOWN) == MISSING;
}

static int
openat2_beneath(int root, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)flags,
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* Some filters answer an unknown call with EPERM, which for a real path would mean something else.
 */
static bool
has_openat2(int root)
{
	AUTO(fd) int fd = -1;

	if (atomic_load(&openat2_state) != UNKNOWN)
		return atomic_load(&openat2_state) == THERE;
	fd = openat2_beneath(root, ".", O_PATH | O_CLOEXEC, 0);
	if (fd < 0 && errno != ENOSYS && errno != EPERM)
		return true; /* root itself is at fault: let the real call say so */
	atomic_store(&openat2_state, fd >= 0 ? THERE : MISSING);
	return fd >= 0;
}

int
path_open(int root, const char *path, int flags, mode_t mode)
{
	int fd;

	/* openat2 is stricter than open about what makes no sense together */
	flags |= O_CLOEXEC;
	if (flags & O_PATH)
		flags &= O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC;
	mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? mode & 07777 : 0;
	if (has_openat2(root)) {
		/* EAGAIN: something was renamed on the way just now */
		for (int tries = 0; tries < 100; tries++) {
			fd = openat2_beneath(root, path, flags, mode);
			if (fd >= 0 || (errno != EAGAIN && errno != EINTR && errno != ENOSYS &&
					       errno != ELOOP))
				return fd;
			/* a filter was installed since; or links were counted twice, as Linux does
			 * where others change the tree and it walks a second time */
			if (errno == ENOSYS || errno == ELOOP)
				break;
		}
	}
	return path_walk(root, path, flags, mode);
}

/* A directory whose entries may be forbidden to list can still be passed through. */
static int
open_directory(int root, const char *path)
{
	int fd = path_open(root, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0 && errno == EACCES)
		fd = path_open(root, path, O_PATH | O_DIRECTORY, 0);
	return fd;
}

/* The new directory has the mode's bits whatever the umask is; the owner's are lent until it is
 * open. */
static int
make_directory(int dir, const char *name, mode_t mode)
{
	AUTO(fd) int fd = -1;

	if (mkdirat(dir, name, mode | 0700) < 0)
		return -1;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, mode) < 0)
		return -1;
	return fd_steal(&fd);
}

/* Makes what the text names; all before its last component is there. */
static int
make_last(int root, const char *path, mode_t mode)
{
	AUTO(fd) int fd = open_directory(root, path);
	AUTO(fd) int parent = -1;
	char name[NAME_MAX + 1];

	if (fd >= 0 || errno != ENOENT)
		return fd_steal(&fd);
	parent = path_open_parent(root, path, name);
	if (parent < 0)
		return -1;
	fd = make_directory(parent, name, mode);
	if (fd < 0 && errno == EEXIST) /* somebody was faster, or it is a link to nothing */
		fd = open_directory(root, path);
	return fd_steal(&fd);
}

/* Where path's first len bytes end in a link, puts what it says in their place. */
static int
expand_link(int root, struct buf *path, size_t len)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(fd) int parent = -1;
	char name[NAME_MAX + 1], target[PATH_MAX];
	ssize_t n;

	buf_add(&text, path->data, len);
	parent = path_open_parent(root, text.data, name);
	if (parent < 0)
		return -1;
	n = readlinkat(parent, name, target, sizeof target);
	if (n < 0) {
		errno = errno == EINVAL ? ENOENT : errno;
		return -1;
	}
	buf_truncate(&text, target[0] == '/' ? 0 : (size_t)(path_base(text.data) - text.data));
	buf_add(&text, target, (size_t)n);
	buf_add(&text, path->data + len, path->len - len);
	buf_clear(path);
	buf_add(path, text.data, text.len);
	return 0;
}

int
path_mkdirs(int root, const char *path, mode_t mode)
{
	AUTO(buf) struct buf all = BUF_INIT;
	AUTO(fd) int fd = open_directory(root, *path != '\0' ? path : ".");
	size_t len = 0;
	int links = 0;

	if (fd >= 0 || errno != ENOENT)
		return fd_steal(&fd);
	buf_adds(&all, path);
	for (;;) {
		AUTO(buf) struct buf prefix = BUF_INIT;

		len += strspn(all.data + len, "/");
		if (all.data[len] == '\0')
			return fd_steal(&fd);
		len += strcspn(all.data + len, "/");
		buf_add(&prefix, all.data, len);
		auto_fd(&fd);
		fd = make_last(root, prefix.data, mode);
		if (fd >= 0)
			continue;
		if (errno != ENOENT)
			return -1;
		if (links++ == PATH_LINKS_MAX) {
			errno = ELOOP;
			return -1;
		}
		if (expand_link(root, &all, len) < 0)
			return -1;
		len = 0;
	}
}

int
path_open_parent(int root, const char *path, char name[256])
{
	AUTO(buf) struct buf parent = BUF_INIT;
	size_t end = strlen(path), start, len;
	int fd;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	len = end - start;
	if (len > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (len == 0 || (len <= 2 && memcmp(path + start, "..", len) == 0)) {
		errno = EINVAL;
		return -1;
	}
	if (start > 0)
		buf_add(&parent, path, start);
	else
		buf_addc(&parent, '.');
	fd = open_directory(root, parent.data);
	if (fd < 0)
		return -1;
	memcpy(name, path + start, len);
	name[len] = '\0';
	return fd;
}
