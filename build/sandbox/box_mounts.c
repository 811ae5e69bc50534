/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/box_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "build/sandbox/furnish.h"
#include "build/sandbox/rootfs_mount.h"

static int
open_carried(struct inside *in, int (*open_one)(struct inside *, struct carry *, struct err *),
	struct err *err)
{
	for (size_t i = 0; i < in->box->root.lower_count; i++)
		if (open_one(in, &in->lowers[i], err) < 0)
			return -1;
	for (size_t i = 0; i < in->box->mount_count; i++)
		for (size_t k = 0; k < in->mounted[i].count; k++)
			if (open_one(in, &in->mounted[i].items[k], err) < 0)
				return err_in(err, "mount '%s'", in->box->mounts[i].target);
	if (open_one(in, &in->upper, err) < 0 || open_one(in, &in->terminal, err) < 0)
		return -1;
	return open_one(in, &in->work, err);
}

static int
find_one(struct inside *in, struct carry *c, struct err *err)
{
	(void)in;
	return carry_find(c, err);
}

static int
place_one(struct inside *in, struct carry *c, struct err *err)
{
	return carry_place(c, &in->mounts, err);
}

static int
mount_root(struct inside *in, struct err *err)
{
	AUTO(free) int *lowers = xcalloc(in->box->root.lower_count + 1, sizeof *lowers);
	struct rootfs r = {
		.lowers = lowers,
		.lower_count = in->box->root.lower_count,
		.upper = in->upper.fd,
		.work = in->work.fd,
	};
	AUTO(fd) int top = -1;

	for (size_t i = 0; i < r.lower_count; i++)
		lowers[i] = in->lowers[i].fd;
	if (rootfs_mount(&r, &in->mounts, &top, err) < 0 ||
		mounts_place(&in->mounts, top, &in->root, err) < 0)
		return -1;
	in->points.root = in->root;
	in->points.upper = in->upper.fd;
	return 0;
}

/* A file in the nest with these bytes: it exists in memory and in this mount namespace only. */
static int
make_file(struct inside *in, const struct box_mount *m, int *out, struct err *err)
{
	AUTO(free) char *name = xasprintf("file%u", in->mounts.count++);
	AUTO(fd)
	int fd = openat(in->mounts.nest, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int top;

	if (fd < 0 || fd_write(fd, m->bytes, m->len) < 0)
		return err_sys(err, "write a file in memory");
	if ((m->uid != 0 || m->gid != 0) && fchown(fd, m->uid, m->gid) < 0 &&
		!(in->supervision.pid > 0 && errno == EINVAL &&
			ownership_set(fd, &(struct ownership){ .uid = m->uid, .gid = m->gid }) ==
				0))
		return errno == EINVAL ? err_set(err, ERR_INPUT,
						 "its owner %u:%u has no id in this box (see "
						 "'cooper doctor')",
						 m->uid, m->gid)
				       : err_sys(err, "give it to %u:%u", m->uid, m->gid);
	if (fchmod(fd, m->mode) < 0)
		return err_sys(err, "set its mode");
	top = openat(in->mounts.nest, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0)
		return err_sys(err, "open a file in memory");
	*out = top;
	return 0;
}

static int
make_tmpfs(struct inside *in, const struct box_mount *m, unsigned attrs, int *out, struct err *err)
{
	AUTO(free)
	char *options = m->size != 0 ? xasprintf("mode=%o,uid=%u,gid=%u,size=%llu", m->mode, m->uid,
					       m->gid, (unsigned long long)m->size)
				     : xasprintf("mode=%o,uid=%u,gid=%u", m->mode, m->uid, m->gid);

	return mounts_new(&in->mounts, "tmpfs", options, attrs | MOUNT_ATTR_NOSUID, out, err);
}

/* Where something of a stacked root is to be mounted; what is written stays in the nest. */
static int
open_stack(struct inside *in, size_t index, int *out, struct err *err)
{
	const struct box_mount *m = &in->box->mounts[index];
	const struct carried *c = &in->mounted[index];
	AUTO(free) int *lowers = xcalloc(c->count + 1, sizeof *lowers);
	AUTO(fd) int upper = -1;
	AUTO(fd) int work = -1;
	AUTO(fd) int top = -1;
	AUTO(fd) int root = -1;
	struct rootfs r = { .lowers = lowers, .lower_count = c->count, .upper = -1, .work = -1 };
	int fd;

	for (size_t i = 0; i < c->count; i++)
		lowers[i] = c->items[i].fd;
	if (!m->is_read_only && (mounts_spot(&in->mounts, true, &upper, err) < 0 ||
					mounts_spot(&in->mounts, true, &work, err) < 0))
		return -1;
	r.upper = upper;
	r.work = work;
	if (rootfs_mount(&r, &in->mounts, &top, err) < 0 ||
		mounts_place(&in->mounts, top, &root, err) < 0)
		return -1;
	fd = path_open(root, m->source, O_PATH, 0);
	if (fd < 0)
		return err_sys(err, "source '%s'", m->source);
	*out = fd;
	return 0;
}

static int
make_mount(struct inside *in, size_t index, int *out, bool *is_dir, struct err *err)
{
	const struct box_mount *m = &in->box->mounts[index];
	unsigned attrs = MOUNT_ATTR_NODEV | (m->is_read_only ? MOUNT_ATTR_RDONLY : 0);
	AUTO(fd) int made = -1;
	struct stat st;
	int source;

	*is_dir = true;
	if (m->kind == BOX_TMPFS)
		return make_tmpfs(in, m, attrs, out, err);
	if (m->kind == BOX_FILE && make_file(in, m, &made, err) < 0)
		return -1;
	if (m->kind == BOX_STACK && open_stack(in, index, &made, err) < 0)
		return -1;
	source = m->kind == BOX_BIND ? in->mounted[index].items[0].fd : made;
	if (fstat(source, &st) < 0)
		return err_sys(err, "look at what to mount");
	*is_dir = S_ISDIR(st.st_mode);
	if (m->kind == BOX_FILE)
		attrs |= MOUNT_ATTR_NOSUID;
	if (mounts_clone(&in->mounts, source, false, attrs, out, err) == 0)
		return 0;
	/* mounts below it belong to somebody with more rights: with them or not at all */
	return mounts_clone(&in->mounts, source, true, attrs, out, err);
}

static int
add_mount(struct inside *in, size_t index, struct err *err)
{
	AUTO(fd) int top = -1;
	AUTO(fd) int target = -1;
	bool is_dir;

	if (make_mount(in, index, &top, &is_dir, err) < 0 ||
		point_open(&in->points, in->box->mounts[index].target, is_dir, &target, err) < 0)
		return -1;
	return mounts_attach(&in->mounts, top, target, err);
}

static int
add_etc(struct inside *in, const char *path, const char *text, struct err *err)
{
	struct box_mount m = { .kind = BOX_FILE, .mode = 0644, .bytes = text };
	AUTO(fd) int source = -1;
	AUTO(fd) int top = -1;
	AUTO(fd) int target = -1;

	if (text == NULL)
		return 0;
	m.len = strlen(text);
	if (point_open(&in->points, path, false, &target, err) < 0) {
		/* a root that cannot be written, without the file: nothing to cover, nowhere to put
		 * it */
		return in->upper.fd < 0 && err->kind == ERR_INPUT ? 0 : -1;
	}
	if (make_file(in, &m, &source, err) < 0 ||
		mounts_clone(&in->mounts, source, false,
			MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				MOUNT_ATTR_NOEXEC,
			&top, err) < 0)
		return err_in(err, "%s", path);
	return mounts_attach(&in->mounts, top, target, err);
}

static int
furnish(struct inside *in, struct err *err)
{
	AUTO(furnish)
	struct furnish f = {
		.mounts = &in->mounts,
		.points = &in->points,
		.null = -1,
		.empty = -1,
		.terminal = in->terminal.fd,
		.has_own_network = in->box->network != BOX_NETWORK_HOST,
		.has_masks = !in->box->is_insecure,
	};

	if (furnish_begin(&f, err) < 0 || furnish_proc(&f, err) < 0 || furnish_dev(&f, err) < 0)
		return -1;
	return furnish_sys(&f, err);
}

int
box_mounts(struct inside *in, struct err *err)
{
	if (open_carried(in, find_one, err) < 0 || mounts_begin(&in->mounts, err) < 0 ||
		open_carried(in, place_one, err) < 0 || mount_root(in, err) < 0 ||
		furnish(in, err) < 0 ||
		add_etc(in, "/etc/resolv.conf", in->box->resolv_conf, err) < 0 ||
		add_etc(in, "/etc/hosts", in->box->hosts, err) < 0)
		return -1;
	for (size_t i = 0; i < in->box->mount_count; i++)
		if (add_mount(in, i, err) < 0)
			return err_in(err, "mount '%s'", in->box->mounts[i].target);
	return points_settle(&in->points, err);
}
