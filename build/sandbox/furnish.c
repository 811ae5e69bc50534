/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/furnish.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"

#define QUIET (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* Covered in /proc and /sys: they tell about, or reach into, the machine.  What docker and podman
 * cover, together. */
static const char *const proc_masks[] = {
	"acpi",
	"asound",
	"interrupts",
	"kcore",
	"keys",
	"latency_stats",
	"sched_debug",
	"scsi",
	"timer_list",
	"timer_stats",
};
static const char *const sys_masks[] = {
	"devices/virtual/powercap",
	"firmware",
	"fs/selinux",
};
static const char *const proc_read_only[] = {
	"bus",
	"fs",
	"irq",
	"sys",
	"sysrq-trigger",
};

static const struct device {
	const char *name;
	unsigned major, minor;
} devices[] = {
	{ "null", 1, 3 },
	{ "zero", 1, 5 },
	{ "full", 1, 7 },
	{ "random", 1, 8 },
	{ "urandom", 1, 9 },
	{ "tty", 5, 0 },
};

static const struct link {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },
};

/* The host's device, or ENODEV: in a container somebody may have put something else there. */
static int
open_device(const struct device *d)
{
	AUTO(free) char *path = xasprintf("/dev/%s", d->name);
	AUTO(fd) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(d->major, d->minor)) {
		errno = ENODEV;
		return -1;
	}
	return fd_steal(&fd);
}

int
furnish_begin(struct furnish *f, struct err *err)
{
	AUTO(fd) int top = -1;

	f->null = open_device(&devices[0]);
	if (f->null < 0)
		return err_sys(err, "/dev/null is not what it should be");
	if (!f->has_masks)
		return 0;
	if (mounts_new(f->mounts, "tmpfs", "mode=555", QUIET | MOUNT_ATTR_RDONLY, &top, err) < 0)
		return -1;
	return mounts_place(f->mounts, top, &f->empty, err);
}

void
auto_furnish(struct furnish *f)
{
	auto_fd(&f->null);
	auto_fd(&f->empty);
}

static int
bind_onto(struct furnish *f, int source, bool deep, unsigned attrs, int target, struct err *err)
{
	AUTO(fd) int top = -1;

	if (mounts_clone(f->mounts, source, deep, attrs, &top, err) < 0)
		return -1;
	return mounts_attach(f->mounts, top, target, err);
}

/* dir is the top of a mount of ours, where names are the kernel's: a path of several is safe. */
static int
mask(struct furnish *f, int dir, const char *path, struct err *err)
{
	AUTO(fd) int target = openat(dir, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (target < 0 || fstat(target, &st) < 0)
		return errno == ENOENT || errno == EACCES ? 0 : err_sys(err, "cover %s", path);
	/* as they are: the directory is read-only, and the device takes anything */
	if (bind_onto(f, S_ISDIR(st.st_mode) ? f->empty : f->null, false, 0, target, err) < 0)
		return err_in(err, "cover %s", path);
	return 0;
}

static int
make_read_only(struct furnish *f, int dir, const char *path, struct err *err)
{
	AUTO(fd) int target = openat(dir, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (target < 0)
		return errno == ENOENT ? 0 : err_sys(err, "/proc/%s", path);
	/* deep: outside mounts below it cannot be left behind by us */
	if (bind_onto(f, target, true, QUIET | MOUNT_ATTR_RDONLY, target, err) < 0)
		return err_in(err, "/proc/%s", path);
	return 0;
}

static int
new_proc(struct furnish *f, int *out, struct err *err)
{
	AUTO(fd) int outer = -1;
	struct statfs fs;

	if (mounts_new(f->mounts, "proc", NULL, QUIET, out, err) < 0) {
		if (err->kind != ERR_DENIED)
			return -1;
		outer = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (outer < 0 || mounts_clone(f->mounts, outer, true, QUIET, out, err) < 0)
			return -1;
	}
	/* a pretended /proc would take what we write to it and believe it */
	if (fstatfs(*out, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return err_set(err, ERR_SYSTEM, "/proc is not a proc file system");
	return 0;
}

int
furnish_proc(struct furnish *f, struct err *err)
{
	AUTO(fd) int target = -1;
	AUTO(fd) int proc = -1;

	if (point_open_top(f->points, "proc", &target, err) < 0 || new_proc(f, &proc, err) < 0 ||
		mounts_attach(f->mounts, proc, target, err) < 0)
		return -1;
	if (!f->has_masks)
		return 0;
	for (size_t i = 0; i < COUNT_OF(proc_read_only); i++)
		if (make_read_only(f, proc, proc_read_only[i], err) < 0)
			return -1;
	for (size_t i = 0; i < COUNT_OF(proc_masks); i++)
		if (mask(f, proc, proc_masks[i], err) < 0)
			return -1;
	return 0;
}

static int
add_device(struct furnish *f, int dev, const char *name, int source, struct err *err)
{
	AUTO(fd) int target = -1;

	if (mknodat(dev, name, S_IFREG | 0666, 0) < 0 ||
		(target = openat(dev, name, O_PATH | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return err_sys(err, "/dev/%s", name);
	if (bind_onto(f, source, false, 0, target, err) < 0)
		return err_in(err, "/dev/%s", name);
	return 0;
}

static int
add_devices(struct furnish *f, int dev, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(devices); i++) {
		AUTO(fd) int source = open_device(&devices[i]);

		/* a container may have no /dev/tty; the others everybody counts on */
		if (source < 0 && devices[i].major == 5)
			continue;
		if (source < 0)
			return err_sys(err, "/dev/%s", devices[i].name);
		if (add_device(f, dev, devices[i].name, source, err) < 0)
			return -1;
	}
	if (f->terminal >= 0 && add_device(f, dev, "console", f->terminal, err) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(links); i++)
		if (symlinkat(links[i].target, dev, links[i].name) < 0)
			return err_sys(err, "/dev/%s", links[i].name);
	return 0;
}

static int
add_mount(struct furnish *f, int dev, const char *name, const char *type, const char *options,
	unsigned attrs, struct err *err)
{
	AUTO(fd) int target = -1;
	AUTO(fd) int top = -1;

	if (mkdirat(dev, name, 0755) < 0 && errno != EEXIST)
		return err_sys(err, "/dev/%s", name);
	target = openat(dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0)
		return err_sys(err, "/dev/%s", name);
	if (mounts_new(f->mounts, type, options, attrs, &top, err) < 0)
		return err_in(err, "/dev/%s", name);
	return mounts_attach(f->mounts, top, target, err);
}

int
furnish_dev(struct furnish *f, struct err *err)
{
	AUTO(fd) int target = -1;
	AUTO(fd) int dev = -1;

	/* 755: in a sticky directory that all may write, "> /dev/null" is refused */
	if (point_open_top(f->points, "dev", &target, err) < 0 ||
		mounts_new(f->mounts, "tmpfs", "mode=755,size=65536k", MOUNT_ATTR_NOSUID, &dev,
			err) < 0 ||
		mounts_attach(f->mounts, dev, target, err) < 0 || add_devices(f, dev, err) < 0)
		return -1;
	/* with one id there is no group 5 */
	if (add_mount(f, dev, "pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5",
		    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err) < 0 &&
		add_mount(f, dev, "pts", "devpts", "newinstance,ptmxmode=0666,mode=0620",
			MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err) < 0)
		return -1;
	if (add_mount(f, dev, "shm", "tmpfs", "mode=1777,size=65536k", QUIET, err) < 0)
		return -1;
	return add_mount(f, dev, "mqueue", "mqueue", NULL, QUIET, err);
}

/* The host's cgroups: as of our own namespace where there is one hierarchy, else as they are. */
static int
add_cgroups(struct furnish *f, int sys, struct err *err)
{
	AUTO(fd) int outer = open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd) int target = openat(sys, "fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd) int top = -1;
	struct statfs fs;

	if (outer < 0 || target < 0 || fstatfs(outer, &fs) < 0)
		return 0;
	if (fs.f_type == CGROUP2_SUPER_MAGIC &&
		mounts_new(f->mounts, "cgroup2", NULL, QUIET | MOUNT_ATTR_RDONLY, &top, err) == 0)
		return mounts_attach(f->mounts, top, target, err);
	if (!f->has_own_network)
		return 0; /* came with /sys */
	return bind_onto(f, outer, true, QUIET | MOUNT_ATTR_RDONLY, target, err);
}

int
furnish_sys(struct furnish *f, struct err *err)
{
	AUTO(fd) int target = -1;
	AUTO(fd) int outer = -1;
	AUTO(fd) int sys = -1;

	if (point_open_top(f->points, "sys", &target, err) < 0)
		return -1;
	/* sysfs belongs to a network namespace */
	if (!f->has_own_network ||
		mounts_new(f->mounts, "sysfs", NULL, QUIET | MOUNT_ATTR_RDONLY, &sys, err) < 0) {
		outer = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (outer < 0)
			return err_sys(err, "/sys");
		if (mounts_clone(f->mounts, outer, true, QUIET | MOUNT_ATTR_RDONLY, &sys, err) < 0)
			return err_in(err, "/sys");
	}
	if (mounts_attach(f->mounts, sys, target, err) < 0)
		return err_in(err, "/sys");
	if (f->has_masks)
		for (size_t i = 0; i < COUNT_OF(sys_masks); i++)
			if (mask(f, sys, sys_masks[i], err) < 0)
				return -1;
	return add_cgroups(f, sys, err);
}
