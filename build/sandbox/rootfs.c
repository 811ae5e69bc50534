/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"
#include "build/sandbox/carry.h"
#include "build/sandbox/ids.h"
#include "build/sandbox/mounts.h"
#include "build/sandbox/rootfs_mount.h"

/* How a layer's directory is named to the kernel. */
enum naming {
	BY_FD,   /* Linux 6.13 */
	BY_PATH, /* /proc/self/fd/N, one by one: Linux 6.5 */
};

static int
set_layer(int fs, enum naming naming, const char *key, int fd)
{
	char path[32];

	if (naming == BY_FD)
		return fsconfig(fs, FSCONFIG_SET_FD, key, NULL, fd);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0);
}

/* What the kernel says about it, or the errno's name. */
static int
refused(int fs, int error, struct err *err)
{
	char text[512];
	ssize_t len = read(fs, text, sizeof text - 1);

	if (len > 2) {
		text[len] = '\0';
		text[strcspn(text, "\n")] = '\0';
		return err_set(err, ERR_SYSTEM, "stack the root: %s", text + 2);
	}
	errno = error;
	return err_sys(err, "stack the root (overlay)");
}

static int
overlay(const struct rootfs *r, enum naming naming, int *out, struct err *err)
{
	AUTO(fd) int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		return refused(fs, errno, err);
	for (size_t i = 0; i < r->lower_count; i++)
		if (set_layer(fs, naming, "lowerdir+", r->lowers[i]) < 0)
			return refused(fs, errno, err);
	if (r->upper >= 0) {
		/* without it (Linux 5.10) every copied file is synced: slower, not wrong */
		(void)fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0);
		if (set_layer(fs, naming, "upperdir", r->upper) < 0 ||
			set_layer(fs, naming, "workdir", r->work) < 0)
			return refused(fs, errno, err);
	}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return refused(fs, errno, err);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV);
	if (fd < 0)
		return err_sys(err, "stack the root (overlay)");
	*out = fd;
	return 0;
}

/* mount(2) takes one page of options, so descriptors are named by number from /proc/self/fd. */
static int
overlay_classic(const struct rootfs *r, struct mounts *m, int *out, struct err *err)
{
	static const char *const wishes[] = { "userxattr,volatile", "userxattr" };
	AUTO(fd) int spot = -1;
	char target[48];

	if (mounts_spot(m, true, &spot, err) < 0)
		return -1;
	if (chdir("/proc/self/fd") < 0)
		return err_sys(err, "/proc/self/fd");
	snprintf(target, sizeof target, "/proc/self/fd/%d", spot);
	for (size_t w = 0; w < COUNT_OF(wishes); w++) {
		AUTO(buf) struct buf o = BUF_INIT;

		buf_addf(&o, "%s,lowerdir=", wishes[w]);
		for (size_t i = 0; i < r->lower_count; i++)
			buf_addf(&o, "%s%d", i > 0 ? ":" : "", r->lowers[i]);
		if (r->upper >= 0)
			buf_addf(&o, ",upperdir=%d,workdir=%d", r->upper, r->work);
		if (mount("overlay", target, "overlay", MS_NODEV, o.data) == 0) {
			snprintf(target, sizeof target, "%u", m->count - 1);
			*out = openat(m->nest, target, O_PATH | O_DIRECTORY | O_CLOEXEC);
			return *out < 0 ? err_sys(err, "open the root") : 0;
		}
	}
	return err_sys(err, "stack the root (overlay)");
}

int
rootfs_mount(const struct rootfs *r, struct mounts *m, int *out, struct err *err)
{
	struct err reason, unknown;
	AUTO(fd) int top = -1;

	if (r->lower_count > ROOTFS_LOWERS_MAX)
		return err_set(err, ERR_INPUT,
			"%zu layers are more than the kernel stacks, which is %d", r->lower_count,
			ROOTFS_LOWERS_MAX);
	if (r->lower_count == 0 && r->upper < 0)
		return err_set(err, ERR_USAGE, "a root of nothing");
	if (r->lower_count == 0)
		return mounts_clone(m, r->upper, false, MOUNT_ATTR_NODEV, out, err);
	/* the kernel wants two directories to stack */
	if (r->lower_count == 1 && r->upper < 0)
		return mounts_clone(
			m, r->lowers[0], false, MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY, out, err);
	if (!m->is_classic) {
		/* a kernel that does not know descriptors refuses them, whatever else is wrong */
		if (overlay(r, BY_FD, out, &unknown) == 0 || overlay(r, BY_PATH, out, &reason) == 0)
			return 0;
	}
	if (overlay_classic(r, m, &top, err) == 0) {
		*out = fd_steal(&top);
		return 0;
	}
	/* mount(2) gives a number, this one the kernel's words */
	if (!m->is_classic)
		*err = reason;
	return -1;
}

struct view {
	struct carry *lowers;
	size_t count;
};

static void
auto_view(struct view *v)
{
	for (size_t i = 0; i < v->count; i++)
		auto_carry(&v->lowers[i]);
	free(v->lowers);
}

int
rootfs_view(int userns_fd, const struct rootfs *r, int *root_fd, struct err *err)
{
	AUTO(view) struct view v = { xcalloc(r->lower_count + 1, sizeof *v.lowers), 0 };
	AUTO(mounts) struct mounts m = MOUNTS_INIT;
	AUTO(free) int *fds = xcalloc(r->lower_count + 1, sizeof *fds);
	struct rootfs stack = { .lowers = fds, .upper = -1, .work = -1 };

	/* the upper is one more layer, the top one */
	for (size_t i = 0; i < r->lower_count + 1; i++) {
		int fd = i == 0 ? r->upper : r->lowers[i - 1];

		if (fd < 0)
			continue;
		if (carry_take(fd, &v.lowers[v.count++], err) < 0)
			return -1;
	}
	if (ids_join(userns_fd, err) < 0)
		return -1;
	for (size_t i = 0; i < v.count; i++)
		if (carry_lift(&v.lowers[i], err) < 0)
			return -1;
	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(err, "make a mount namespace");
	for (size_t i = 0; i < v.count; i++)
		if (carry_find(&v.lowers[i], err) < 0)
			return -1;
	if (mounts_begin(&m, err) < 0)
		return -1;
	for (size_t i = 0; i < v.count; i++) {
		if (carry_place(&v.lowers[i], &m, err) < 0)
			return -1;
		fds[stack.lower_count++] = v.lowers[i].fd;
	}
	return rootfs_mount(&stack, &m, root_fd, err);
}

static int
make_layer(int dir, const char *name, int *out, struct err *err)
{
	if (mkdirat(dir, name, 0700) < 0 ||
		(*out = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(err, "make a directory in the store");
	return 0;
}

int
rootfs_probe(int userns_fd, int dir_fd, struct err *err)
{
	AUTO(mounts) struct mounts m = MOUNTS_INIT;
	AUTO(carry) struct carry dir = CARRY_INIT;
	AUTO(fd) int lower = -1;
	AUTO(fd) int upper = -1;
	AUTO(fd) int work = -1;
	AUTO(fd) int top = -1;
	struct rootfs r = { .lowers = &lower, .lower_count = 1 };

	if (carry_take(dir_fd, &dir, err) < 0 || ids_join(userns_fd, err) < 0 ||
		carry_lift(&dir, err) < 0)
		return -1;
	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(err, "make a mount namespace");
	if (carry_find(&dir, err) < 0 || mounts_begin(&m, err) < 0 ||
		carry_place(&dir, &m, err) < 0 || make_layer(dir.fd, "lower", &lower, err) < 0 ||
		make_layer(dir.fd, "upper", &upper, err) < 0 ||
		make_layer(dir.fd, "work", &work, err) < 0)
		return -1;
	r.upper = upper;
	r.work = work;
	return rootfs_mount(&r, &m, &top, err);
}
