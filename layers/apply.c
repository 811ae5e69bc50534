/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/mem.h"
#include "layers/apply_parts.h"
#include "layers/xattr.h"

/* Applying an archive, entry by entry:
 *
 *	1 the directory that holds it is found beneath the tree, or made (apply_cursor.c)
 *	2 what has its name is replaced, never followed (apply_file.c)
 *	3 its bytes arrive; then owner, mode, attributes, time, in this order, because each undoes
 *the one before: chown clears set-id bits and capabilities, writing changes the time 4 it is
 *recorded under the path that it really has (apply_record.c)
 *
 * At the end directories get their times, and the record becomes a listing. */

#define READ_SIZE (256u << 10)

/* What the umask takes away is not known without changing it, except from here. */
static mode_t
current_umask(void)
{
	AUTO(buf) struct buf status = BUF_INIT;
	const char *line;
	struct err ignored;

	AUTO(fd) int fd = openat(AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || buf_read(&status, fd, 65536, &ignored) < 0)
		return 0777;
	line = strstr(status.data, "\nUmask:");
	return line != NULL ? (mode_t)strtoul(line + strlen("\nUmask:"), NULL, 8) : 0777;
}

struct apply *
apply_new(int tree, const struct apply_options *o, struct listing *out)
{
	struct apply *a = xzalloc(sizeof *a);
	char none;

	a->o = *o;
	if (a->o.max_entries == 0)
		a->o.max_entries = TAR_ENTRIES_MAX;
	a->tree = tree;
	a->out = out;
	a->fd = -1;
	a->uid = geteuid();
	a->gid = getegid();
	/* a default ACL takes the umask's place */
	a->umask = current_umask();
	if (xattr_get(tree, ".", "system.posix_acl_default", &none, 0) >= 0)
		a->umask = 0777;
	cursor_init(&a->here, tree);
	cursor_init(&a->target, tree);
	if (o->digests && out != NULL)
		a->hasher = hasher_new(DIGEST_SHA256);
	return a;
}

void
apply_free(struct apply *a)
{
	if (a == NULL)
		return;
	auto_fd(&a->fd);
	entry_free(&a->file);
	hasher_free(a->hasher);
	cursor_free(&a->here);
	cursor_free(&a->target);
	listing_free(&a->list);
	apply_record_free(a);
	free(a);
}

void
auto_apply(struct apply **a)
{
	apply_free(*a);
	*a = NULL;
}

/* The file's bytes are all there. */
static int
end_file(struct apply *a, struct err *err)
{
	struct entry *e = &a->file;
	uint32_t mode = a->o.owner == APPLY_OWNER_CALLER ? e->mode & 0777 : e->mode;
	struct timespec mtime = apply_time(e);
	struct timespec times[2] = { mtime, mtime };
	bool is_exact = (mode & ~0777u) == 0 && (mode & a->umask) == 0;

	if (a->fd < 0)
		return 0;
	if (a->left > 0)
		return err_set(err, ERR_CORRUPT, "'%s' ends early", e->path);
	if (a->has_hole && ftruncate(a->fd, (off_t)e->size) < 0)
		return err_sys(err, "write '%s'", e->path);
	if (apply_attributes(a, a->fd, e, cursor_has_setgid(&a->here), err) < 0)
		return -1;
	if (!is_exact && fchmod(a->fd, mode) < 0)
		return err_sys(err, "set the mode of '%s'", e->path);
	if (futimens(a->fd, times) < 0)
		return err_sys(err, "set the time of '%s'", e->path);
	auto_fd(&a->fd);
	if (a->hasher != NULL)
		hasher_digest(a->hasher, &e->digest);
	apply_record(a, e);
	entry_free(e);
	return 0;
}

static int
start_file(struct apply *a, const char *name, struct entry *e, struct err *err)
{
	if (e->size > (uint64_t)INT64_MAX || __builtin_add_overflow(a->size, e->size, &a->size) ||
		(a->o.max_size > 0 && a->size > a->o.max_size))
		return err_set(err, ERR_INPUT, "the files of this archive are larger than allowed");
	if (apply_make_file(a, name, e, err) < 0)
		return -1;
	a->file = *e;
	*e = (struct entry){ .path = NULL };
	a->left = a->file.size;
	a->has_hole = false;
	if (a->hasher != NULL)
		hasher_reset(a->hasher);
	return 0;
}

/* Overlay obeys this one as a whiteout, wherever it comes from. */
static bool
is_zero_device(struct apply *a, const struct entry *e)
{
	if (e->kind != ENTRY_CHAR || e->major != 0 || e->minor != 0)
		return false;
	if (!a->warned_zero)
		event_warn("'%s' is device 0:0, which does not exist; it is left out", e->path);
	a->warned_zero = true;
	return true;
}

/* Everything but whiteouts; takes what e holds. */
static int
make(struct apply *a, const char *name, struct entry *e, struct err *err)
{
	int made = 0;

	switch (e->kind) {
	case ENTRY_FILE:
		return start_file(a, name, e, err);
	case ENTRY_DIR:
		made = apply_make_dir(a, &a->here, name, e, err);
		break;
	case ENTRY_SYMLINK:
	case ENTRY_HARDLINK:
		made = apply_make_link(a, name, e, err);
		break;
	default:
		made = apply_make_node(a, name, e, err);
		break;
	}
	if (made < 0)
		return -1;
	apply_record(a, e);
	return 0;
}

static int
remove_below(struct apply *a, const char *name, const struct entry *e, struct err *err)
{
	AUTO(buf) struct buf path = BUF_INIT;

	if (name == NULL)
		buf_add(&path, a->here.path.data, a->here.path.len);
	else
		cursor_join(&a->here, name, &path);
	apply_record_mark(a, e->kind, path.data);
	return apply_purge(a, cursor_fd(&a->here), name != NULL ? name : ".", &path,
		e->kind == ENTRY_OPAQUE, err);
}

static int
apply_whiteout(struct apply *a, const char *dir, size_t dir_len, const char *name,
	const struct entry *e, struct err *err)
{
	bool is_overlay = a->o.form == APPLY_OVERLAY;
	int said = cursor_go(
		a, &a->here, dir, dir_len, is_overlay ? CURSOR_MAKE : CURSOR_FIND, e, err);

	if (said <= 0)
		return said; /* onto a root: nothing is there to be removed */
	return is_overlay ? apply_make_whiteout(a, name, err) : remove_below(a, name, e, err);
}

static int
apply_opaque(struct apply *a, const struct entry *e, struct err *err)
{
	bool is_overlay = a->o.form == APPLY_OVERLAY;
	int said = cursor_go(a, &a->here, e->path, strlen(e->path),
		is_overlay ? CURSOR_MAKE : CURSOR_FIND, e, err);

	if (said <= 0)
		return said;
	return is_overlay ? apply_mark_opaque(a, &a->here, NULL, a->here.path.data, err)
			  : remove_below(a, NULL, e, err);
}

/* A copy without attributes that are not a layer's. */
static void
copy_clean(const struct entry *e, const char *path, struct entry *out)
{
	size_t kept = 0;

	entry_copy(e, out);
	free(out->path);
	out->path = xstrdup(path);
	for (size_t i = 0; i < out->xattr_count; i++) {
		if (xattr_is_layers(out->xattrs[i].name)) {
			out->xattrs[kept++] = out->xattrs[i];
			continue;
		}
		free(out->xattrs[i].name);
		free(out->xattrs[i].value);
	}
	out->xattr_count = kept;
}

static int
check(struct apply *a, const struct entry *e, struct err *err)
{
	size_t depth = 0;

	if (++a->entries > a->o.max_entries)
		return err_set(err, ERR_INPUT, "the archive has more than %ju entries",
			(uintmax_t)a->o.max_entries);
	for (const char *p = e->path; *p != '\0'; p++)
		depth += *p == '/';
	if (depth >= APPLY_DEPTH_MAX)
		return err_set(err, ERR_INPUT, "'%.60s...' has more than %d components", e->path,
			APPLY_DEPTH_MAX);
	return 0;
}

static int
apply_root(struct apply *a, const struct entry *e, struct err *err)
{
	AUTO(entry) struct entry copy = { .path = NULL };

	if (e->kind != ENTRY_DIR)
		return err_set(
			err, ERR_INPUT, "the archive replaces its own root by something else");
	copy_clean(e, "", &copy);
	if (apply_root_attributes(a, &copy, err) < 0)
		return -1;
	a->here.frames[0].has_setgid = (copy.mode & S_ISGID) != 0;
	apply_record(a, &copy);
	return 0;
}

int
apply_entry(struct apply *a, const struct entry *e, struct err *err)
{
	const char *slash = strrchr(e->path, '/'), *name = slash != NULL ? slash + 1 : e->path;
	size_t dir_len = slash != NULL ? (size_t)(slash - e->path) : 0;
	AUTO(entry) struct entry copy = { .path = NULL };
	AUTO(buf) struct buf path = BUF_INIT;

	if (end_file(a, err) < 0 || check(a, e, err) < 0)
		return -1;
	if (e->kind == ENTRY_OPAQUE)
		return apply_opaque(a, e, err);
	if (e->path[0] == '\0')
		return apply_root(a, e, err);
	if (strlen(name) > NAME_MAX)
		return err_set(err, ERR_INPUT, "'%.200s...' is a name of more than %d bytes", name,
			NAME_MAX);
	if (e->kind == ENTRY_WHITEOUT)
		return apply_whiteout(a, e->path, dir_len, name, e, err);
	if (is_zero_device(a, e))
		return 0;
	if (cursor_go(a, &a->here, e->path, dir_len, CURSOR_MAKE, e, err) < 0)
		return -1;
	cursor_join(&a->here, name, &path);
	copy_clean(e, path.data, &copy);
	return make(a, name, &copy, err);
}

int
apply_data(struct apply *a, const void *bytes, size_t len, struct err *err)
{
	if (len > a->left)
		return err_set(err, ERR_CORRUPT, "'%s' has more bytes than it said",
			a->file.path != NULL ? a->file.path : "the archive");
	if (fd_write(a->fd, bytes, len) < 0)
		return err_sys(err, "write '%s'", a->file.path);
	a->left -= len;
	if (a->hasher != NULL)
		hasher_add(a->hasher, bytes, len);
	return 0;
}

int
apply_hole(struct apply *a, uint64_t len, struct err *err)
{
	static const char zeros[65536];

	if (len > a->left)
		return err_set(err, ERR_CORRUPT, "'%s' has more bytes than it said",
			a->file.path != NULL ? a->file.path : "the archive");
	if (lseek(a->fd, (off_t)len, SEEK_CUR) < 0)
		return err_sys(err, "write '%s'", a->file.path);
	a->left -= len;
	a->has_hole = true;
	for (; a->hasher != NULL && len > 0;) {
		size_t part = len < sizeof zeros ? (size_t)len : sizeof zeros;

		hasher_add(a->hasher, zeros, part);
		len -= part;
	}
	return 0;
}

int
apply_finish(struct apply *a, struct err *err)
{
	if (end_file(a, err) < 0 || apply_finish_whiteouts(a, err) < 0 ||
		apply_finish_dirs(a, err) < 0)
		return -1;
	return a->out != NULL ? apply_finish_listing(a, err) : 0;
}

static int
apply_bytes(struct apply *a, struct tar_reader *r, char *block, struct err *err)
{
	for (;;) {
		uint64_t hole = tar_reader_hole(r);
		ssize_t len;

		if (hole > 0 && apply_hole(a, hole, err) < 0)
			return -1;
		len = tar_reader_data(r, block, READ_SIZE, err);
		if (len <= 0)
			return (int)len;
		if (apply_data(a, block, (size_t)len, err) < 0)
			return -1;
	}
}

int
apply_layer(struct stream *tar, int tree, const struct apply_options *o, struct listing *out,
	struct err *err)
{
	AUTO(apply) struct apply *a = apply_new(tree, o, out);
	AUTO(tar_reader) struct tar_reader *r = tar_reader_new(tar, o->dialect);
	AUTO(entry) struct entry e = { .path = NULL };
	AUTO(free) char *block = xmalloc(READ_SIZE);
	int more;

	while ((more = tar_reader_next(r, &e, err)) > 0) {
		if (apply_entry(a, &e, err) < 0)
			return -1;
		if (a->fd >= 0 && apply_bytes(a, r, block, err) < 0)
			return -1;
	}
	if (more < 0 || tar_reader_drain(r, err) < 0)
		return -1;
	return apply_finish(a, err);
}
