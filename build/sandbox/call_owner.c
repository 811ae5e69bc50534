/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

#define UNSET UINT32_MAX

/* --- what is noted ---------------------------------------------------------------------------- */

static struct ownership_row
row_of(const struct statx *st)
{
	return (struct ownership_row){
		.dev = makedev(st->stx_dev_major, st->stx_dev_minor),
		.ino = st->stx_ino,
		.born = st->stx_btime.tv_sec,
		.born_ns = st->stx_btime.tv_nsec,
	};
}

bool
owner_of(const struct supervisor *s, const char *path, bool follow, struct ownership *out)
{
	const struct ownership_row *row;
	struct ownership_row key;
	char text[OWNERSHIP_TEXT_SIZE];
	struct statx st;
	ssize_t len = (follow ? getxattr : lgetxattr)(path, OWNERSHIP_ATTRIBUTE, text, sizeof text);

	if (len > 0 && ownership_parse(text, (size_t)len, out))
		return true;
	if (s->owners.count == 0 || statx(AT_FDCWD, path, follow ? 0 : AT_SYMLINK_NOFOLLOW,
					    STATX_INO | STATX_BTIME, &st) < 0)
		return false;
	key = row_of(&st);
	row = owners_find(&s->owners, &key);
	if (row != NULL)
		*out = row->owner;
	return row != NULL;
}

/* The kernel knows its path, through all renames; the root must be the box's for that. */
static ino_t
find_in_upper(struct supervisor *s, const char *link, const struct statx *st)
{
	char path[PATH_MAX];
	ssize_t len;
	struct statx found;
	AUTO(fd) int fd = -1;

	if (s->upper < 0)
		return 0;
	if (s->roots_differ && (fchdir(s->root) < 0 || chroot(".") < 0 || fchdir(s->proc) < 0))
		return 0;
	s->root_ino = s->roots_differ ? 0 : s->root_ino;
	len = readlink(link, path, sizeof path - 1);
	if (len <= 0 || path[0] != '/')
		return 0;
	path[len] = '\0';
	fd = path_open(s->upper, path, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &found) < 0)
		return 0;
	if ((found.stx_mode & S_IFMT) != (st->stx_mode & S_IFMT) ||
		found.stx_btime.tv_sec != st->stx_btime.tv_sec ||
		found.stx_btime.tv_nsec != st->stx_btime.tv_nsec)
		return 0;
	return found.stx_ino;
}

int
owner_note(struct supervisor *s, int fd, const struct ownership *o)
{
	bool is_plain = o->uid == 0 && o->gid == 0 && o->device == 0, has_room;
	char text[OWNERSHIP_TEXT_SIZE], link[32];
	size_t len = ownership_format(o, text);
	struct ownership_row row;
	struct statx st;

	snprintf(link, sizeof link, "self/fd/%d", fd);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
		return errno;
	row = row_of(&st);
	if (S_ISREG(st.stx_mode) || S_ISDIR(st.stx_mode)) {
		has_room = is_plain
				   ? removexattr(link, OWNERSHIP_ATTRIBUTE) == 0 || errno == ENODATA
				   : setxattr(link, OWNERSHIP_ATTRIBUTE, text, len, 0) == 0;
		if (has_room && owners_find(&s->owners, &row) == NULL)
			return 0;
	}
	if (is_plain && owners_find(&s->owners, &row) == NULL)
		return 0;
	if (s->owners.count >= OWNERS_MAX)
		return ENOSPC;
	row.owner = *o;
	row.upper = S_ISREG(st.stx_mode) || S_ISDIR(st.stx_mode) ? 0 : find_in_upper(s, link, &st);
	owners_put(&s->owners, &row);
	return 0;
}

/* --- chown ------------------------------------------------------------------------------------ */

static bool
may_chown(const struct call *c, const struct ownership *now, uint32_t uid, uint32_t gid)
{
	const struct identity *who = call_identity(c);

	if (who->user.effective == 0)
		return (c->s->caps & (UINT64_C(1) << CAP_CHOWN)) != 0 ||
		       (uid == now->uid && gid == now->gid);
	return now->uid == who->user.fs && uid == now->uid &&
	       (gid == now->gid || identity_has_group(who, gid));
}

static int64_t
change(struct call *c, const struct where *w, uint32_t uid, uint32_t gid)
{
	struct ownership now = { .uid = 0 }, next;
	char link[32];
	int error;
	AUTO(fd) int fd = -1;

	if (uid == UNSET && gid == UNSET)
		return CALL_CONTINUE;
	fd = where_open(w);
	if (fd < 0)
		return CALL_CONTINUE;
	snprintf(link, sizeof link, "self/fd/%d", fd);
	(void)owner_of(c->s, link, true, &now);
	next = now;
	next.uid = uid != UNSET ? uid : now.uid;
	next.gid = gid != UNSET ? gid : now.gid;
	if (!may_chown(c, &now, next.uid, next.gid))
		return -EPERM;
	if (!call_is_alive(c))
		return CALL_CONTINUE;
	/* to whom it belongs already: copied up, without its set-id bits and with a new time */
	if (fchownat(fd, "", 0, 0, AT_EMPTY_PATH) < 0)
		return -errno;
	error = owner_note(c->s, fd, &next);
	return -error;
}

static int64_t
change_at(struct call *c, int dir, uint64_t path, int flags, const uint64_t ids[2])
{
	struct where w;

	if (call_where(c, dir, path, flags, &w) < 0)
		return CALL_CONTINUE;
	return change(c, &w, (uint32_t)ids[0], (uint32_t)ids[1]);
}

int64_t
call_chown(struct call *c)
{
	return change_at(c, AT_FDCWD, c->args[0], 0, c->args + 1);
}

int64_t
call_lchown(struct call *c)
{
	return change_at(c, AT_FDCWD, c->args[0], AT_SYMLINK_NOFOLLOW, c->args + 1);
}

int64_t
call_fchownat(struct call *c)
{
	return change_at(c, (int)c->args[0], c->args[1], (int)c->args[4], c->args + 2);
}

int64_t
call_fchown(struct call *c)
{
	struct where w;

	if (where_fd(c, (int)c->args[0], &w) < 0)
		return CALL_CONTINUE;
	return change(c, &w, (uint32_t)c->args[1], (uint32_t)c->args[2]);
}

/* --- stat ------------------------------------------------------------------------------------- */

static int64_t
show(struct call *c, const struct where *w, uint64_t to)
{
	struct ownership o;
	struct stat st;

	if (!owner_of(c->s, w->path, w->follow, &o))
		return CALL_CONTINUE;
	if (fstatat(AT_FDCWD, w->path, &st, w->follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
		return CALL_CONTINUE;
	st.st_uid = o.uid;
	st.st_gid = o.gid;
	if (o.device != 0) {
		st.st_mode = (st.st_mode & 07777) | o.device;
		st.st_rdev = makedev(o.major, o.minor);
	}
	return call_write(c, to, &st, sizeof st) < 0 ? CALL_CONTINUE : 0;
}

static int64_t
show_at(struct call *c, int dir, uint64_t path, int flags, uint64_t to)
{
	struct where w;

	return call_where(c, dir, path, flags, &w) < 0 ? CALL_CONTINUE : show(c, &w, to);
}

int64_t
call_stat(struct call *c)
{
	return show_at(c, AT_FDCWD, c->args[0], 0, c->args[1]);
}

int64_t
call_lstat(struct call *c)
{
	return show_at(c, AT_FDCWD, c->args[0], AT_SYMLINK_NOFOLLOW, c->args[1]);
}

int64_t
call_newfstatat(struct call *c)
{
	return show_at(c, (int)c->args[0], c->args[1], (int)c->args[3], c->args[2]);
}

int64_t
call_fstat(struct call *c)
{
	struct where w;

	return where_fd(c, (int)c->args[0], &w) < 0 ? CALL_CONTINUE : show(c, &w, c->args[1]);
}

int64_t
call_statx(struct call *c)
{
	int flags = (int)c->args[2];
	struct where w;
	struct ownership o;
	struct statx st;

	if (call_where(c, (int)c->args[0], c->args[1], flags, &w) < 0 ||
		!owner_of(c->s, w.path, w.follow, &o))
		return CALL_CONTINUE;
	flags &= AT_STATX_SYNC_TYPE | AT_NO_AUTOMOUNT;
	if (statx(AT_FDCWD, w.path, flags | (w.follow ? 0 : AT_SYMLINK_NOFOLLOW),
		    (unsigned)c->args[3], &st) < 0)
		return CALL_CONTINUE;
	st.stx_uid = o.uid;
	st.stx_gid = o.gid;
	if (o.device != 0) {
		st.stx_mode = (uint16_t)((st.stx_mode & 07777) | o.device);
		st.stx_rdev_major = o.major;
		st.stx_rdev_minor = o.minor;
	}
	return call_write(c, c->args[4], &st, sizeof st) < 0 ? CALL_CONTINUE : 0;
}

/* --- copying up ------------------------------------------------------------------------------- */

/* What is noted in the table is found by its inode, and a link of a lower layer gets another one when it
 * is copied up. */
static int64_t
keep(struct call *c, int dir, uint64_t path, int flags)
{
	struct where w;
	struct ownership_row key;
	const struct ownership_row *row;
	struct ownership o;
	struct statx st;
	AUTO(fd) int fd = -1;

	if (c->s->owners.count == 0 || call_where(c, dir, path, flags, &w) < 0 ||
		(fd = where_open(&w)) < 0 ||
		statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
		return CALL_CONTINUE;
	key = row_of(&st);
	row = owners_find(&c->s->owners, &key);
	if (row == NULL || row->upper != 0 || !call_is_alive(c))
		return CALL_CONTINUE;
	o = row->owner;
	if (fchownat(fd, "", 0, 0, AT_EMPTY_PATH) == 0)
		(void)owner_note(c->s, fd, &o);
	return CALL_CONTINUE;
}

int64_t
call_rename(struct call *c)
{
	return keep(c, AT_FDCWD, c->args[0], AT_SYMLINK_NOFOLLOW);
}

int64_t
call_renameat(struct call *c)
{
	return keep(c, (int)c->args[0], c->args[1], AT_SYMLINK_NOFOLLOW);
}

int64_t
call_link(struct call *c)
{
	return keep(c, AT_FDCWD, c->args[0], AT_SYMLINK_NOFOLLOW);
}

int64_t
call_linkat(struct call *c)
{
	int flags = (int)c->args[4];

	return keep(c, (int)c->args[0], c->args[1],
		(flags & AT_EMPTY_PATH) |
			((flags & AT_SYMLINK_FOLLOW) != 0 ? 0 : AT_SYMLINK_NOFOLLOW));
}
