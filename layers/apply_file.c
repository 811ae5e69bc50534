/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/apply_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/event.h"
#include "base/mem.h"
#include "base/path.h"
#include "layers/ownership.h"
#include "layers/xattr.h"

#define OPAQUE_NAME "user.overlay.opaque"
#define WHITEOUT_NAME "user.overlay.whiteout"

bool
apply_is_whiteout(const struct apply *a, int dir, const char *name, const struct stat *st)
{
	char value;

	if (a->o.form != APPLY_OVERLAY)
		return false;
	if (S_ISCHR(st->st_mode))
		return st->st_rdev == makedev(0, 0);
	return S_ISREG(st->st_mode) && st->st_size == 0 &&
	       xattr_get(dir, name, WHITEOUT_NAME, &value, sizeof value) >= 0;
}

int
apply_remove(struct apply *a, int dir, const char *name, const char *path, struct err *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "look at '%s'", path);
	if (S_ISDIR(st.st_mode)) {
		if (path_remove(dir, name, err) < 0)
			return -1;
		apply_record_removal(a, path);
	} else if (unlinkat(dir, name, 0) < 0) {
		return err_sys(err, "replace '%s'", path);
	}
	/* what was there may have other names, which the listing tells by this one */
	a->lost_links = true;
	cursor_forget(&a->here, path);
	cursor_forget(&a->target, path);
	return 0;
}

struct timespec
apply_time(const struct entry *e)
{
	return (struct timespec){ .tv_sec = e->mtime,
		.tv_nsec = e->mtime_ns < 1000000000 ? e->mtime_ns : 0 };
}

uint32_t
apply_mode(const struct apply *a, const struct entry *e)
{
	return a->o.owner == APPLY_OWNER_CALLER ? e->mode & 0777 : e->mode & 07777;
}

static bool
wants_owner(const struct apply *a, const struct entry *e, bool has_setgid)
{
	return a->o.owner != APPLY_OWNER_CALLER &&
	       (e->uid != a->uid || e->gid != a->gid || has_setgid);
}

static int
owner_failed(const struct apply *a, const struct entry *e, struct err *err)
{
	if (a->o.owner == APPLY_OWNER_TRY && (errno == EINVAL || errno == EPERM))
		return 0;
	if (errno == EINVAL)
		return err_set(err, ERR_DENIED,
			"'%s' belongs to %u:%u, which this user namespace does not have: "
			"this user needs a larger range in /etc/subuid and /etc/subgid",
			e->path, e->uid, e->gid);
	return err_sys(err, "give '%s' to %u:%u", e->path, e->uid, e->gid);
}

/* Attributes that the file system or the kernel will not have are kept in the listing alone. */
static int
xattr_failed(struct apply *a, const struct entry *e, const char *name, struct err *err)
{
	bool is_soft = errno == ENOTSUP || errno == ENOSYS || errno == EINVAL || errno == E2BIG ||
		       errno == ENOSPC || (errno == EPERM && a->o.owner != APPLY_OWNER_KEEP) ||
		       (errno == EPERM && strcmp(name, "security.capability") == 0);

	if (!is_soft)
		return err_sys(err, "set attribute %s of '%s'", name, e->path);
	if (!a->warned_xattr)
		event_warn("attribute %s of '%s' cannot be kept here: %s", name, e->path,
			strerror(errno));
	a->warned_xattr = true;
	return 0;
}

static int
give(struct apply *a, int fd, const struct entry *e, bool was_there, struct err *err)
{
	if (fchown(fd, e->uid, e->gid) == 0) {
		/* whose it was meant to be before */
		if (was_there && a->o.owner == APPLY_OWNER_TRY)
			(void)fremovexattr(fd, OWNERSHIP_ATTRIBUTE);
		return 0;
	}
	if (owner_failed(a, e, err) < 0)
		return -1;
	/* where the file system takes no attributes, only the listing knows */
	(void)ownership_set(fd, &(struct ownership){ .uid = e->uid, .gid = e->gid });
	return 0;
}

int
apply_attributes(struct apply *a, int fd, const struct entry *e, bool has_setgid, struct err *err)
{
	if (wants_owner(a, e, has_setgid) && give(a, fd, e, has_setgid, err) < 0)
		return -1;
	for (size_t i = 0; i < e->xattr_count; i++) {
		const struct xattr *x = &e->xattrs[i];

		if (fsetxattr(fd, x->name, x->value, x->len, 0) < 0 &&
			xattr_failed(a, e, x->name, err) < 0)
			return -1;
	}
	return 0;
}

int
apply_chmod(int dir, const char *name, mode_t mode)
{
	AUTO(fd) int fd = -1;
	char path[40];

	/* a C library's call may be newer than the filter of the container around us */
	if (fchmodat(dir, name, mode, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return fchmodat(AT_FDCWD, path, mode, 0);
}

/* Owner and time of what cannot be opened: links and nodes. */
static int
attributes_at(struct apply *a, const char *name, const struct entry *e, struct err *err)
{
	struct timespec mtime = apply_time(e);
	struct timespec times[2] = { mtime, mtime };
	int dir = cursor_fd(&a->here);

	if (wants_owner(a, e, cursor_has_setgid(&a->here)) &&
		fchownat(dir, name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0 &&
		owner_failed(a, e, err) < 0)
		return -1;
	if (e->kind != ENTRY_SYMLINK && apply_chmod(dir, name, apply_mode(a, e)) < 0)
		return err_sys(err, "set the mode of '%s'", e->path);
	if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "set the time of '%s'", e->path);
	return 0;
}

/* A directory that its owner may not write or enter gets that mode when nothing more comes into it.
 */
static int
dir_attributes(struct apply *a, int fd, const struct entry *e, bool has_setgid, struct err *err)
{
	uint32_t mode = apply_mode(a, e);
	bool is_late = (mode & 0700) != 0700;

	if (apply_attributes(a, fd, e, has_setgid, err) < 0)
		return -1;
	if (!is_late && fchmod(fd, mode) < 0)
		return err_sys(err, "set the mode of '%s'", e->path);
	apply_late(a, e, is_late);
	return 0;
}

/* A directory that comes again has only what is said now. */
static int
drop_attributes(int dir, const char *name, int fd, struct err *err)
{
	AUTO(entry) struct entry old = { .path = NULL };

	if (xattr_read(dir, name, &old, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < old.xattr_count; i++)
		if (fremovexattr(fd, old.xattrs[i].name) < 0)
			return err_sys(err, "remove attribute %s", old.xattrs[i].name);
	return 0;
}

int
apply_make_dir(
	struct apply *a, struct cursor *c, const char *name, const struct entry *e, struct err *err)
{
	AUTO(fd) int fd = -1;
	bool was_there = false;
	struct stat st;
	int dir = cursor_fd(c);

	if (mkdirat(dir, name, 0700) < 0) {
		if (errno != EEXIST || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(err, "make directory '%s'", e->path);
		was_there = S_ISDIR(st.st_mode);
		if (!was_there) {
			if (apply_remove(a, dir, name, e->path, err) < 0)
				return -1;
			if (mkdirat(dir, name, 0700) < 0)
				return err_sys(err, "make directory '%s'", e->path);
		}
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open directory '%s'", e->path);
	if (was_there && drop_attributes(dir, name, fd, err) < 0)
		return err_in(err, "'%s'", e->path);
	/* one that was there may belong to anybody */
	if (dir_attributes(a, fd, e, was_there || cursor_has_setgid(c), err) < 0)
		return -1;
	/* what the layers below have here was removed before it came */
	if (!was_there && apply_is_whited(a, e->path))
		return apply_mark_opaque(a, c, name, e->path, err);
	return 0;
}

int
apply_root_attributes(struct apply *a, const struct entry *e, struct err *err)
{
	AUTO(fd) int fd = -1;

	if (a->o.owner == APPLY_OWNER_CALLER)
		return 0; /* the directory is the caller's own */
	fd = openat(a->tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open the tree");
	return dir_attributes(a, fd, e, true, err);
}

int
apply_mark_opaque(
	struct apply *a, struct cursor *c, const char *name, const char *path, struct err *err)
{
	AUTO(fd)
	int fd = openat(cursor_fd(c), name != NULL ? name : ".",
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "open directory '%s'", path);
	if (fsetxattr(fd, OPAQUE_NAME, "y", 1, 0) < 0)
		return err_sys(err, "mark '%s' as opaque", path);
	apply_record_mark(a, ENTRY_OPAQUE, path);
	return 0;
}

/* Overlay knows whiteouts by attribute since Linux 6.8. */
static bool
has_attribute_whiteouts(void)
{
	struct utsname u;
	unsigned major_number = 0, minor_number = 0;

	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &major_number, &minor_number) != 2)
		return false;
	return major_number > 6 || (major_number == 6 && minor_number >= 8);
}

/* Where no device can be made, overlay also obeys an attribute, if the directory says that there
 * are some. */
static int
whiteout_by_attribute(const struct apply *a, const char *name, struct err *err)
{
	int dir = cursor_fd(&a->here);
	AUTO(fd)
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	AUTO(fd) int parent = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char value;

	if (fd < 0 || parent < 0 || fsetxattr(fd, WHITEOUT_NAME, "", 0, 0) < 0)
		return err_sys(err, "make the whiteout of '%s'", name);
	if (fgetxattr(parent, OPAQUE_NAME, &value, 1) != 1 &&
		fsetxattr(parent, OPAQUE_NAME, "x", 1, 0) < 0)
		return err_sys(err, "make the whiteout of '%s'", name);
	return 0;
}

int
apply_make_whiteout(struct apply *a, const char *name, struct err *err)
{
	int dir = cursor_fd(&a->here);
	AUTO(buf) struct buf path = BUF_INIT;
	AUTO(listed) struct listed below = LISTED_INIT;
	struct stat st;

	cursor_join(&a->here, name, &path);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		/* this layer's own: what it removes is below, so a directory starts afresh */
		if (S_ISDIR(st.st_mode))
			return apply_mark_opaque(a, &a->here, name, path.data, err);
		return 0;
	}
	if (errno != ENOENT)
		return err_sys(err, "look at '%s'", path.data);
	if (a->o.lower != NULL && view_entry(a->o.lower, path.data, &below) == NULL)
		return 0; /* there is nothing to be removed */
	if (mknodat(dir, name, S_IFCHR, makedev(0, 0)) < 0) {
		if ((errno != EPERM && errno != EACCES && errno != ENOTSUP) ||
			!has_attribute_whiteouts())
			return err_sys(err, "make the whiteout of '%s'", path.data);
		if (whiteout_by_attribute(a, name, err) < 0)
			return -1;
	}
	apply_record_mark(a, ENTRY_WHITEOUT, path.data);
	return 0;
}

/* Calls make until nothing is in its way any more. */
#define MAKE(a, name, e, call, what, err)                                             \
	do {                                                                          \
		if ((call) == 0)                                                      \
			break;                                                        \
		if (errno != EEXIST)                                                  \
			return err_sys(err, what " '%s'", (e)->path);                 \
		if (apply_remove(a, cursor_fd(&(a)->here), name, (e)->path, err) < 0) \
			return -1;                                                    \
		if ((call) != 0)                                                      \
			return err_sys(err, what " '%s'", (e)->path);                 \
	} while (0)

static int
make_symlink(struct apply *a, const char *name, const struct entry *e, struct err *err)
{
	MAKE(a, name, e, symlinkat(e->link, cursor_fd(&a->here), name), "make link", err);
	return attributes_at(a, name, e, err);
}

/* The target is resolved in the tree, its own name never followed; *out_path is what it really is.
 */
static int
find_target(struct apply *a, const struct entry *e, char name[NAME_MAX + 1], struct buf *out_path,
	struct err *err)
{
	const char *slash = strrchr(e->link, '/'), *last = slash != NULL ? slash + 1 : e->link;
	size_t len = slash != NULL ? (size_t)(slash - e->link) : 0;
	struct stat st;
	int said;

	if (last[0] == '\0' || strlen(last) > NAME_MAX)
		return err_set(err, ERR_INPUT, "'%s' is a hard link to nothing", e->path);
	memcpy(name, last, strlen(last) + 1);
	said = cursor_go(a, &a->target, e->link, len, CURSOR_FIND, e, err);
	if (said < 0)
		return -1;
	if (said == 0 || fstatat(cursor_fd(&a->target), name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		apply_is_whiteout(a, cursor_fd(&a->target), name, &st))
		return err_set(err, ERR_INPUT,
			"'%s' is a hard link to '%s', which this archive does not have", e->path,
			e->link);
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_INPUT, "'%s' is a hard link to '%s', which is a directory",
			e->path, e->link);
	cursor_join(&a->target, name, out_path);
	return 0;
}

static int
make_hardlink(struct apply *a, const char *name, struct entry *e, struct err *err)
{
	AUTO(buf) struct buf path = BUF_INIT;
	char target[NAME_MAX + 1];

	if (find_target(a, e, target, &path, err) < 0)
		return -1;
	if (strcmp(path.data, e->path) == 0)
		return err_set(err, ERR_INPUT, "'%s' is a hard link to itself", e->path);
	/* what is replaced takes the target with it */
	if (path_is_inside(path.data, e->path))
		return err_set(err, ERR_INPUT, "'%s' is a hard link to '%s', which it replaces",
			e->path, path.data);
	MAKE(a, name, e, linkat(cursor_fd(&a->target), target, cursor_fd(&a->here), name, 0),
		"make hard link", err);
	a->has_hardlinks = true;
	free(e->link);
	e->link = buf_steal(&path);
	return 0;
}

int
apply_make_link(struct apply *a, const char *name, struct entry *e, struct err *err)
{
	return e->kind == ENTRY_SYMLINK ? make_symlink(a, name, e, err)
					: make_hardlink(a, name, e, err);
}

/* An empty file that a supervised box shows as that device. */
static bool
make_stand_in(struct apply *a, const char *name, const struct entry *e, mode_t type)
{
	const struct timespec times[2] = { apply_time(e), apply_time(e) };
	const struct ownership o = { e->uid, e->gid, type, e->major, e->minor };
	AUTO(fd)
	int fd = openat(cursor_fd(&a->here), name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return false;
	if (ownership_set(fd, &o) == 0 && fchmod(fd, apply_mode(a, e)) == 0 &&
		futimens(fd, times) == 0)
		return true;
	(void)unlinkat(cursor_fd(&a->here), name, 0);
	return false;
}

static int
make_device(struct apply *a, const char *name, const struct entry *e, mode_t type, struct err *err)
{
	dev_t device = makedev(e->major, e->minor);
	int dir = cursor_fd(&a->here), made = -1;
	struct stat st;

	/* whatever was here is gone, also where the device cannot be made */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		apply_remove(a, dir, name, e->path, err) < 0)
		return -1;
	if (!a->o.no_devices)
		made = mknodat(dir, name, type | 0600, device);
	if (made == 0)
		return attributes_at(a, name, e, err);
	if (!a->o.no_devices && errno != EPERM && errno != EACCES && errno != ENOTSUP &&
		errno != EINVAL)
		return err_sys(err, "make device '%s'", e->path);
	if (!a->o.no_devices && a->o.owner == APPLY_OWNER_TRY && a->o.form == APPLY_OVERLAY &&
		make_stand_in(a, name, e, type))
		return 0;
	if (!a->warned_device)
		event_warn("'%s' is a device, which cannot be made here; layers keep it", e->path);
	a->warned_device = true;
	return 0;
}

int
apply_make_node(struct apply *a, const char *name, const struct entry *e, struct err *err)
{
	if (e->kind != ENTRY_FIFO)
		return make_device(a, name, e, e->kind == ENTRY_CHAR ? S_IFCHR : S_IFBLK, err);
	MAKE(a, name, e, mknodat(cursor_fd(&a->here), name, S_IFIFO | 0600, 0), "make fifo", err);
	return attributes_at(a, name, e, err);
}

/* 0 and a->fd, or -1 with errno. */
static int
open_new(struct apply *a, const char *name, mode_t mode)
{
	a->fd = openat(cursor_fd(&a->here), name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return a->fd < 0 ? -1 : 0;
}

int
apply_make_file(struct apply *a, const char *name, const struct entry *e, struct err *err)
{
	uint32_t mode = apply_mode(a, e);
	bool is_exact = (mode & ~0777u) == 0 && (mode & a->umask) == 0;

	/* set-id bits are lost by a change of owner and by writing, so they wait for its end */
	MAKE(a, name, e, open_new(a, name, is_exact ? (mode_t)mode : 0600), "make file", err);
	return 0;
}
