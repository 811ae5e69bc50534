/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strv.h"

struct fd_path {
	char text[32];
};

static struct fd_path
fd_path(int fd)
{
	struct fd_path p;

	snprintf(p.text, sizeof p.text, "/proc/self/fd/%d", fd);
	return p;
}

static const struct {
	unsigned attr;
	unsigned long flag, shown; /* for mount(2), by statvfs(2) */
} attr_rows[] = {
	{ MOUNT_ATTR_RDONLY, MS_RDONLY, ST_RDONLY },
	{ MOUNT_ATTR_NOSUID, MS_NOSUID, ST_NOSUID },
	{ MOUNT_ATTR_NODEV, MS_NODEV, ST_NODEV },
	{ MOUNT_ATTR_NOEXEC, MS_NOEXEC, ST_NOEXEC },
};

static unsigned long
classic_flags(unsigned attrs)
{
	unsigned long flags = 0;

	for (size_t i = 0; i < COUNT_OF(attr_rows); i++)
		if ((attrs & attr_rows[i].attr) != 0)
			flags |= attr_rows[i].flag;
	return flags;
}

/* A remount sets all flags, and those that the mount had outside may not be taken away here. */
static int
add_attrs(int top, unsigned attrs)
{
	struct statvfs now;

	if (fstatvfs(top, &now) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(attr_rows); i++)
		if ((now.f_flag & attr_rows[i].shown) != 0)
			attrs |= attr_rows[i].attr;
	return mount(
		NULL, fd_path(top).text, NULL, MS_BIND | MS_REMOUNT | classic_flags(attrs), NULL);
}

void
auto_mounts(struct mounts *m)
{
	auto_fd(&m->nest);
}

/* Where a nest can lie: what is below is out of sight, so nothing that is needed later. */
static const char *const places[] = { "/tmp", "/mnt", "/run", "/var", "/home", "/root" };

static int
begin_classic(struct mounts *m, struct err *err)
{
	m->is_classic = true;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		if (mount("tmpfs", places[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=700") < 0)
			continue;
		m->nest = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (m->nest >= 0)
			return 0;
	}
	return err_sys(err, "mount a tmpfs");
}

/* Over the root, it hides nothing, because our own root stays below; but leaving the root takes one
 * step more then. */
static int
put_nest(int nest)
{
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (move_mount(nest, "", AT_FDCWD, places[i], MOVE_MOUNT_F_EMPTY_PATH) == 0)
			return 0;
	return move_mount(nest, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
}

int
mounts_begin(struct mounts *m, struct err *err)
{
	AUTO(fd) int fs = -1;
	AUTO(fd) int nest = -1;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "keep mounts private");
	fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return begin_classic(m, err);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "mode", "700", 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ||
		(nest = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)) < 0)
		return err_sys(err, "mount a tmpfs");
	if (put_nest(nest) < 0)
		return begin_classic(m, err);
	m->nest = fd_steal(&nest);
	return 0;
}

static int
new_spot(struct mounts *m, bool is_dir, char name[16], struct err *err)
{
	snprintf(name, 16, "%u", m->count++);
	if ((is_dir ? mkdirat(m->nest, name, 0755) : mknodat(m->nest, name, S_IFREG | 0600, 0)) < 0)
		return err_sys(err, "make room for a mount");
	return 0;
}

static int
open_spot(struct mounts *m, const char *name, int *out, struct err *err)
{
	int fd = openat(m->nest, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "open a mount");
	*out = fd;
	return 0;
}

int
mounts_spot(struct mounts *m, bool is_dir, int *out, struct err *err)
{
	char name[16];

	return new_spot(m, is_dir, name, err) < 0 ? -1 : open_spot(m, name, out, err);
}

static int
new_classic(struct mounts *m, const char *type, const char *options, unsigned attrs, int *out,
	struct err *err)
{
	AUTO(fd) int spot = -1;
	char name[16];

	if (new_spot(m, true, name, err) < 0 || open_spot(m, name, &spot, err) < 0)
		return -1;
	if (mount(type, fd_path(spot).text, type, classic_flags(attrs), options) < 0)
		return err_sys(err, "mount %s", type);
	return open_spot(m, name, out, err);
}

static int
configure(int fs, const char *options)
{
	AUTO(strv) struct strv rows = STRV_INIT;

	if (options == NULL)
		return 0;
	strv_split(&rows, options, ",");
	for (size_t i = 0; i < rows.count; i++) {
		char *value = strchr(rows.items[i], '=');

		if (value != NULL)
			*value++ = '\0';
		if (fsconfig(fs, value != NULL ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			    rows.items[i], value, 0) < 0)
			return -1;
	}
	return 0;
}

int
mounts_new(struct mounts *m, const char *type, const char *options, unsigned attrs, int *out,
	struct err *err)
{
	AUTO(fd) int fs = -1;
	int fd;

	if (m->is_classic)
		return new_classic(m, type, options, attrs, out, err);
	fs = fsopen(type, FSOPEN_CLOEXEC);
	if (fs < 0 || configure(fs, options) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ||
		(fd = fsmount(fs, FSMOUNT_CLOEXEC, attrs)) < 0)
		return err_sys(err, "mount %s", type);
	*out = fd;
	return 0;
}

static int
clone_classic(struct mounts *m, int fd, bool deep, unsigned attrs, int *out, struct err *err)
{
	AUTO(fd) int spot = -1;
	AUTO(fd) int top = -1;
	struct stat st;
	char name[16];
	unsigned long flags = MS_BIND | (deep ? MS_REC : 0);

	if (fstat(fd, &st) < 0)
		return err_sys(err, "look at what to mount");
	if (new_spot(m, S_ISDIR(st.st_mode), name, err) < 0 || open_spot(m, name, &spot, err) < 0)
		return -1;
	if (mount(fd_path(fd).text, fd_path(spot).text, NULL, flags, NULL) < 0)
		return err_sys(err, "bind");
	if (open_spot(m, name, &top, err) < 0)
		return -1;
	if (attrs != 0 && add_attrs(top, attrs) < 0)
		return err_sys(err, "bind read-only");
	*out = fd_steal(&top);
	return 0;
}

int
mounts_clone(struct mounts *m, int fd, bool deep, unsigned attrs, int *out, struct err *err)
{
	struct mount_attr attr = { .attr_set = attrs };
	unsigned more = deep ? AT_RECURSIVE : 0;
	AUTO(fd) int top = -1;

	if (m->is_classic)
		return clone_classic(m, fd, deep, attrs, out, err);
	top = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | more);
	if (top < 0)
		return err_sys(err, "bind");
	if (attrs != 0 && mount_setattr(top, "", AT_EMPTY_PATH | more, &attr, sizeof attr) < 0) {
		/* open_tree without mount_setattr: Linux 5.2 to 5.11 */
		if (errno == ENOSYS)
			return clone_classic(m, fd, deep, attrs, out, err);
		return err_sys(err, "bind read-only");
	}
	*out = fd_steal(&top);
	return 0;
}

int
mounts_attach(struct mounts *m, int mount_fd, int target, struct err *err)
{
	int r;

	if (m->is_classic)
		r = mount(fd_path(mount_fd).text, fd_path(target).text, NULL, MS_MOVE, NULL);
	else
		r = move_mount(mount_fd, "", target, "",
			MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	return r < 0 ? err_sys(err, "attach a mount") : 0;
}

int
mounts_place(struct mounts *m, int mount_fd, int *out, struct err *err)
{
	AUTO(fd) int spot = -1;
	struct stat st;
	char name[16];

	if (fstat(mount_fd, &st) < 0)
		return err_sys(err, "look at a mount");
	if (new_spot(m, S_ISDIR(st.st_mode), name, err) < 0 || open_spot(m, name, &spot, err) < 0 ||
		mounts_attach(m, mount_fd, spot, err) < 0)
		return -1;
	return open_spot(m, name, out, err);
}
