/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"

/* Files that are made belong to who makes them, or to their directory's group.  Where that is 0:0, as
 * most often, the kernel makes them. */

struct making {
	struct where where;
	const char *name; /* in where */
	int parent;
	struct ownership owner;
};
#define MAKING_INIT          \
	{                    \
		.parent = -1 \
	}

static void
auto_making(struct making *m)
{
	auto_fd(&m->parent);
}

/* Splits the path; dir gets what is before the last component. */
static bool
split(struct making *m, struct where *dir)
{
	char *path = m->where.path, *slash;
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return false;
	m->name = slash + 1;
	len = slash == path ? 1 : (size_t)(slash - path);
	memcpy(dir->path, path, len);
	dir->path[len] = '\0';
	dir->follow = true;
	return *m->name != '\0' && strcmp(m->name, ".") != 0 && strcmp(m->name, "..") != 0;
}

/* true: it is ours to make, in m->parent, and belongs to m->owner. */
static bool
begin_in(struct call *c, const struct where *dir, bool is_device, struct making *m)
{
	const struct identity *who = call_identity(c);
	struct ownership of_dir = { .uid = 0 };
	struct stat st;

	(void)owner_of(c->s, dir->path, true, &of_dir);
	m->owner = (struct ownership){ .uid = who->user.fs, .gid = who->group.fs };
	if (!is_device && m->owner.uid == 0 && m->owner.gid == 0 && of_dir.gid == 0)
		return false;
	m->parent = where_open(dir);
	if (m->parent < 0 || fstat(m->parent, &st) < 0 || !S_ISDIR(st.st_mode))
		return false;
	if ((st.st_mode & S_ISGID) != 0)
		m->owner.gid = of_dir.gid;
	return (is_device || m->owner.uid != 0 || m->owner.gid != 0) && call_is_alive(c);
}

static bool
begin(struct call *c, int dir, uint64_t path, bool is_device, struct making *m)
{
	struct where parent;

	return call_where(c, dir, path, AT_SYMLINK_NOFOLLOW, &m->where) == 0 && split(m, &parent) &&
	       begin_in(c, &parent, is_device, m);
}

static void
take_umask(const struct call *c)
{
	long mask = call_status(c, "\nUmask:", 8);

	umask(mask < 0 ? 022 : (mode_t)mask);
}

static int
note(struct call *c, const struct making *m)
{
	AUTO(fd) int fd = openat(m->parent, m->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? 0 : owner_note(c->s, fd, &m->owner);
}

static int64_t
make_dir(struct call *c, int dir, uint64_t path, uint64_t mode)
{
	AUTO(making) struct making m = MAKING_INIT;

	if (!begin(c, dir, path, false, &m))
		return CALL_CONTINUE;
	take_umask(c);
	if (mkdirat(m.parent, m.name, (mode_t)mode) < 0)
		return -errno;
	return -note(c, &m);
}

int64_t
call_mkdir(struct call *c)
{
	return make_dir(c, AT_FDCWD, c->args[0], c->args[1]);
}

int64_t
call_mkdirat(struct call *c)
{
	return make_dir(c, (int)c->args[0], c->args[1], c->args[2]);
}

static int64_t
make_symlink(struct call *c, uint64_t target, int dir, uint64_t path)
{
	AUTO(making) struct making m = MAKING_INIT;
	char text[PATH_MAX];

	if (!begin(c, dir, path, false, &m) || call_read_text(c, target, text, sizeof text) < 0)
		return CALL_CONTINUE;
	if (symlinkat(text, m.parent, m.name) < 0)
		return -errno;
	return -note(c, &m);
}

int64_t
call_symlink(struct call *c)
{
	return make_symlink(c, c->args[0], AT_FDCWD, c->args[1]);
}

int64_t
call_symlinkat(struct call *c)
{
	return make_symlink(c, c->args[0], (int)c->args[1], c->args[2]);
}

/* An empty file that stands for the device. */
static int64_t
make_device(struct call *c, struct making *m, mode_t mode, uint64_t device)
{
	if (call_identity(c)->user.effective != 0 || (c->s->caps & (UINT64_C(1) << CAP_MKNOD)) == 0)
		return -EPERM;
	m->owner.device = mode & S_IFMT;
	m->owner.major = major(device);
	m->owner.minor = minor(device);
	if (mknodat(m->parent, m->name, S_IFREG | (mode & 07777), 0) < 0)
		return -errno;
	return -note(c, m);
}

static int64_t
make_node(struct call *c, int dir, uint64_t path, mode_t mode, uint64_t device)
{
	AUTO(making) struct making m = MAKING_INIT;
	bool is_device = S_ISCHR(mode) || S_ISBLK(mode);

	/* what overlay takes for a removed file it does not let anybody make */
	if (S_ISCHR(mode) && device == 0)
		return CALL_CONTINUE;
	if (!begin(c, dir, path, is_device, &m))
		return CALL_CONTINUE;
	take_umask(c);
	if (is_device)
		return make_device(c, &m, mode, device);
	if (mknodat(m.parent, m.name, mode, 0) < 0)
		return -errno;
	return -note(c, &m);
}

int64_t
call_mknod(struct call *c)
{
	return make_node(c, AT_FDCWD, c->args[0], (mode_t)c->args[1], c->args[2]);
}

int64_t
call_mknodat(struct call *c)
{
	return make_node(c, (int)c->args[0], c->args[1], (mode_t)c->args[2], c->args[3]);
}

/* Hands it to the process. */
static int64_t
give(const struct call *c, int fd, int flags)
{
	struct seccomp_notif_addfd add = {
		.id = c->id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (uint32_t)fd,
		.newfd_flags = (flags & O_CLOEXEC) != 0 ? O_CLOEXEC : 0,
	};
	int number;

	if (ioctl(c->s->notify, SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0)
		return CALL_ANSWERED;
	/* before Linux 5.14 in two steps */
	add.flags = 0;
	number = errno == EINVAL ? ioctl(c->s->notify, SECCOMP_IOCTL_NOTIF_ADDFD, &add) : -1;
	return number >= 0 ? number : -errno;
}

/* A file without a name: where is its directory. */
static int64_t
make_nameless(struct call *c, int dir, uint64_t path, int flags, mode_t mode)
{
	AUTO(making) struct making m = MAKING_INIT;
	AUTO(fd) int fd = -1;
	int error;

	if (call_where(c, dir, path, 0, &m.where) < 0 || !begin_in(c, &m.where, false, &m))
		return CALL_CONTINUE;
	take_umask(c);
	fd = openat(m.parent, ".", flags | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	error = owner_note(c->s, fd, &m.owner);
	return error != 0 ? -error : give(c, fd, flags);
}

/* Only a file that is not there is made here, so that nothing but a new file can be what is opened. */
static int64_t
make_file(struct call *c, int dir, uint64_t path, int flags, mode_t mode)
{
	AUTO(making) struct making m = MAKING_INIT;
	AUTO(fd) int fd = -1;
	struct stat st;
	int error;

	if ((flags & O_PATH) != 0)
		return CALL_CONTINUE;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return make_nameless(c, dir, path, flags, mode);
	if (!begin(c, dir, path, false, &m) ||
		fstatat(m.parent, m.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return CALL_CONTINUE;
	take_umask(c);
	fd = openat(m.parent, m.name, flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return errno == EEXIST ? CALL_CONTINUE : -errno;
	error = owner_note(c->s, fd, &m.owner);
	return error != 0 ? -error : give(c, fd, flags);
}

int64_t
call_open(struct call *c)
{
	return make_file(c, AT_FDCWD, c->args[0], (int)c->args[1], (mode_t)c->args[2]);
}

int64_t
call_creat(struct call *c)
{
	return make_file(c, AT_FDCWD, c->args[0], O_CREAT | O_WRONLY | O_TRUNC, (mode_t)c->args[1]);
}

int64_t
call_openat(struct call *c)
{
	return make_file(c, (int)c->args[0], c->args[1], (int)c->args[2], (mode_t)c->args[3]);
}

int64_t
call_openat2(struct call *c)
{
	struct open_how how;

	/* how it is to be resolved is the kernel's affair */
	if (call_read(c, c->args[2], &how, sizeof how) < 0 || how.resolve != 0 ||
		(how.flags & O_CREAT) == 0)
		return CALL_CONTINUE;
	return make_file(c, (int)c->args[0], c->args[1], (int)how.flags, (mode_t)how.mode);
}
