/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/event.h"
#include "base/mem.h"
#include "layers/inodes.h"
#include "layers/xattr.h"

/* A directory on the way down: what it holds, sorted, and how far the walk has come. */
struct frame {
	int fd; /* -1: closed for a while */
	dev_t dev;
	ino_t ino;
	struct buf names; /* each '\0'-ended */
	const char **sorted;
	size_t count, next;
	size_t path_len;
};

/* Directories may be nested deeper than a process may open files: those further up are closed, and
 * opened again as ".." of the one below. */
#define OPEN_FRAMES 64

struct walk {
	const struct tree_options *o;
	tree_visitor *visit;
	void *arg;
	struct frame *frames;
	size_t count, room;
	struct buf path;
	struct inodes inodes;
};

static void
frame_free(struct frame *f)
{
	auto_fd(&f->fd);
	buf_free(&f->names);
	free(f->sorted);
}

static void
auto_walk(struct walk *w)
{
	while (w->count > 0)
		frame_free(&w->frames[--w->count]);
	free(w->frames);
	buf_free(&w->path);
	inodes_free(&w->inodes);
}

/* For messages. */
static const char *
shown(const struct walk *w)
{
	return w->path.len > 0 ? w->path.data : ".";
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
read_names(struct frame *f, const struct walk *w, struct err *err)
{
	_Alignas(struct dirent64) char block[32768];
	ssize_t len;

	for (;;) {
		len = getdents64(f->fd, block, sizeof block);
		if (len <= 0)
			break;
		for (ssize_t at = 0; at < len;) {
			const struct dirent64 *d = (const void *)(block + at);

			at += d->d_reclen;
			if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
				continue;
			buf_add(&f->names, d->d_name, strlen(d->d_name) + 1);
			f->count++;
		}
	}
	if (len < 0)
		return err_sys(err, "read directory '%s'", shown(w));
	f->sorted = xcalloc(f->count + 1, sizeof *f->sorted);
	for (size_t i = 0, at = 0; i < f->count; i++) {
		f->sorted[i] = f->names.data + at;
		at += strlen(f->sorted[i]) + 1;
	}
	qsort(f->sorted, f->count, sizeof *f->sorted, by_bytes);
	return 0;
}

/* Takes fd. */
static int
frame_push(struct walk *w, int fd, const struct statx *st, struct err *err)
{
	struct frame f = {
		.fd = fd,
		.dev = makedev(st->stx_dev_major, st->stx_dev_minor),
		.ino = st->stx_ino,
		.names = BUF_INIT,
		.path_len = w->path.len,
	};

	w->frames = grow(w->frames, w->count, &w->room, sizeof *w->frames);
	w->frames[w->count++] = f;
	if (w->count > OPEN_FRAMES)
		auto_fd(&w->frames[w->count - 1 - OPEN_FRAMES].fd);
	return read_names(&w->frames[w->count - 1], w, err);
}

static int
frame_pop(struct walk *w, struct err *err)
{
	struct frame *f = &w->frames[w->count - 1];
	struct stat st;

	if (w->count > 1 && f[-1].fd < 0) {
		f[-1].fd = openat(f->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (f[-1].fd < 0 || fstat(f[-1].fd, &st) < 0)
			return err_sys(err, "open the directory above '%s'", shown(w));
		if (st.st_dev != f[-1].dev || st.st_ino != f[-1].ino)
			return err_set(
				err, ERR_INPUT, "'%s' was moved while it was read", shown(w));
	}
	frame_free(f);
	w->count--;
	return 0;
}

static int
read_link(struct walk *w, int dir, const char *name, struct entry *e, struct err *err)
{
	char target[4097];
	ssize_t len = readlinkat(dir, name, target, sizeof target);

	if (len < 0)
		return err_sys(err, "read link '%s'", shown(w));
	if (len == sizeof target)
		return err_set(err, ERR_INPUT, "link '%s' is too long", shown(w));
	e->link = xstrndup(target, (size_t)len);
	return 0;
}

static enum entry_kind
kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return ENTRY_DIR;
	case S_IFLNK:
		return ENTRY_SYMLINK;
	case S_IFCHR:
		return ENTRY_CHAR;
	case S_IFBLK:
		return ENTRY_BLOCK;
	case S_IFIFO:
		return ENTRY_FIFO;
	default:
		return ENTRY_FILE;
	}
}

static void
set_stat(struct entry *e, const struct statx *st)
{
	e->kind = kind_of(st->stx_mode);
	e->mode = st->stx_mode & 07777;
	e->uid = st->stx_uid;
	e->gid = st->stx_gid;
	e->mtime = st->stx_mtime.tv_sec;
	e->mtime_ns = st->stx_mtime.tv_nsec;
	if (e->kind == ENTRY_FILE)
		e->size = st->stx_size;
	if (e->kind == ENTRY_CHAR || e->kind == ENTRY_BLOCK) {
		e->major = st->stx_rdev_major;
		e->minor = st->stx_rdev_minor;
	}
	if (e->kind == ENTRY_SYMLINK)
		e->mode = 0777; /* some file systems say otherwise, and nobody uses it */
}

/* Overlay's whiteouts are all names of one inode, so they are told from others before hard links
 * are. */
static bool
is_whiteout(const struct walk *w, const struct statx *st)
{
	return w->o->kind == TREE_OVERLAY && S_ISCHR(st->stx_mode) && st->stx_rdev_major == 0 &&
	       st->stx_rdev_minor == 0;
}

static bool
is_mounted(const struct statx *st, dev_t dev)
{
	if ((st->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0)
		return (st->stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
	return S_ISDIR(st->stx_mode) && makedev(st->stx_dev_major, st->stx_dev_minor) != dev;
}

static void
set_owner(struct entry *e, const struct ownership *o)
{
	e->uid = o->uid;
	e->gid = o->gid;
	if (o->device == 0 || e->kind != ENTRY_FILE)
		return;
	e->kind = o->device == S_IFBLK ? ENTRY_BLOCK : ENTRY_CHAR;
	e->size = 0;
	e->major = o->major;
	e->minor = o->minor;
}

/* Whose it is, where that is not on the disk. */
static void
read_owner(const struct walk *w, int dir, const char *name, const struct statx *st, struct entry *e)
{
	const struct ownership_row key = {
		.dev = makedev(st->stx_dev_major, st->stx_dev_minor),
		.ino = st->stx_ino,
		.born = st->stx_btime.tv_sec,
		.born_ns = st->stx_btime.tv_nsec,
	};
	const struct ownership_row *row;
	char text[OWNERSHIP_TEXT_SIZE];
	struct ownership o;
	ssize_t len;

	/* elsewhere whoever owns a file may write such an attribute, and could so give it to root */
	if (w->o->kind != TREE_OVERLAY || w->o->owners == NULL)
		return;
	if (S_ISREG(st->stx_mode) || S_ISDIR(st->stx_mode)) {
		len = xattr_get(dir, name, OWNERSHIP_ATTRIBUTE, text, sizeof text);
		if (len > 0 && ownership_parse(text, (size_t)len, &o))
			set_owner(e, &o);
		return;
	}
	row = owners_find(w->o->owners, &key);
	if (row != NULL)
		set_owner(e, &row->owner);
}

/* What a file has besides its stat: the name it shares, its link, its attributes. */
static int
read_rest(struct walk *w, int dir, const char *name, const struct statx *st, struct entry *e,
	unsigned *marks, struct err *err)
{
	const char *first;

	if (!S_ISDIR(st->stx_mode) && st->stx_nlink > 1) {
		first = inodes_add(&w->inodes, makedev(st->stx_dev_major, st->stx_dev_minor),
			st->stx_ino, e->path);
		if (first != NULL) {
			e->kind = ENTRY_HARDLINK;
			e->size = 0;
			e->major = e->minor = 0;
			e->link = xstrdup(first);
			return 0;
		}
	}
	if (e->kind == ENTRY_SYMLINK)
		return read_link(w, dir, name, e, err);
	if (w->o->no_xattrs || (e->kind != ENTRY_FILE && e->kind != ENTRY_DIR))
		return 0;
	if (xattr_read(dir, name, e, w->o->kind == TREE_OVERLAY ? marks : NULL, err) < 0)
		return err_in(err, "'%s'", shown(w));
	if ((*marks & XATTR_REDIRECT) != 0)
		return err_set(err, ERR_CORRUPT,
			"'%s' is a redirect or metacopy of overlay, not a whole file", shown(w));
	return 0;
}

/* An entry that is only a mark: kind and path. */
static int
visit_mark(struct walk *w, enum entry_kind kind, int dir, const char *name, struct err *err)
{
	AUTO(entry) struct entry e = { .path = xstrdup(w->path.data), .kind = kind };

	return w->visit(&e, dir, name, w->arg, err);
}

/* One file, whose path is in w->path; as the visitor says. */
static int
visit(struct walk *w, int dir, const char *name, const struct statx *st, struct err *err)
{
	AUTO(entry) struct entry e = { .path = NULL };
	unsigned marks = 0;
	int said;

	if (is_whiteout(w, st))
		return visit_mark(w, ENTRY_WHITEOUT, dir, name, err);
	if (S_ISSOCK(st->stx_mode)) {
		event_warn("'%s' is a socket, which layers cannot hold", shown(w));
		return 0;
	}
	e.path = xstrdup(w->path.data);
	set_stat(&e, st);
	read_owner(w, dir, name, st, &e);
	if (read_rest(w, dir, name, st, &e, &marks, err) < 0)
		return -1;
	if ((marks & XATTR_WHITEOUT) != 0 && e.kind == ENTRY_FILE && e.size == 0)
		return visit_mark(w, ENTRY_WHITEOUT, dir, name, err);
	said = w->visit(&e, dir, name, w->arg, err);
	if (said == 0 && (marks & XATTR_OPAQUE) != 0 && S_ISDIR(st->stx_mode))
		return visit_mark(w, ENTRY_OPAQUE, dir, name, err);
	return said;
}

static int
stat_at(struct walk *w, int dir, const char *name, struct statx *st, struct err *err)
{
	if (statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME,
		    st) < 0)
		return err_sys(err, "look at '%s'", shown(w));
	return 0;
}

/* Into the directory at w->path. */
static int
descend(struct walk *w, int dir, const char *name, const struct statx *st, struct err *err)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "open directory '%s'", shown(w));
	return frame_push(w, fd, st, err);
}

static int
next_file(struct walk *w, struct err *err)
{
	struct frame *f = &w->frames[w->count - 1];
	const char *name = f->sorted[f->next++];
	int dir = f->fd, said;
	struct statx st;

	if (w->path.len > 0)
		buf_addc(&w->path, '/');
	buf_adds(&w->path, name);
	if (w->path.len > ENTRY_PATH_MAX)
		return err_set(err, ERR_INPUT, "'%.60s...' is longer than %d bytes", w->path.data,
			ENTRY_PATH_MAX);
	if (stat_at(w, dir, name, &st, err) < 0)
		return -1;
	if (w->o->one_file_system && is_mounted(&st, f->dev))
		return 0;
	said = visit(w, dir, name, &st, err);
	if (said < 0)
		return -1;
	if (said == 0 && S_ISDIR(st.stx_mode))
		return descend(w, dir, name, &st, err);
	return 0;
}

int
tree_walk(int root, const struct tree_options *o, tree_visitor *visitor, void *arg, struct err *err)
{
	AUTO(walk) struct walk w = { .o = o, .visit = visitor, .arg = arg, .path = BUF_INIT };
	struct statx st;
	int said;

	if (stat_at(&w, root, ".", &st, err) < 0)
		return -1;
	said = visit(&w, root, ".", &st, err);
	if (said != 0)
		return said < 0 ? -1 : 0;
	if (descend(&w, root, ".", &st, err) < 0)
		return -1;
	while (w.count > 0) {
		struct frame *f = &w.frames[w.count - 1];

		buf_truncate(&w.path, f->path_len);
		if ((f->next < f->count ? next_file(&w, err) : frame_pop(&w, err)) < 0)
			return -1;
	}
	return 0;
}

static int
take(const struct entry *e, int dir, const char *name, void *arg, struct err *err)
{
	(void)dir;
	(void)name;
	(void)err;
	listing_add(arg, e);
	return 0;
}

int
tree_list(int root, const struct tree_options *o, struct listing *out, struct err *err)
{
	AUTO(listing) struct listing l = LISTING_INIT;

	if (tree_walk(root, o, take, &l, err) < 0)
		return -1;
	listing_move(&l, out);
	return 0;
}
