/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/apply_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"
#include "layers/inodes.h"
#include "layers/xattr.h"

static int
by_path_then_latest(const void *x, const void *y)
{
	const struct removal *a = x, *b = y;
	int order = strcmp(a->path, b->path);

	return order != 0 ? order : (a->before < b->before) - (a->before > b->before);
}

static int
by_name(const void *key, const void *row)
{
	return strcmp(key, ((const struct removal *)row)->path);
}

/* Whether a directory above path was removed after this entry had been made. */
static bool
is_removed(const struct apply *a, const char *path, size_t index)
{
	AUTO(free) char *above = NULL;
	char *slash;

	if (a->removal_count == 0)
		return false;
	above = xstrdup(path);
	while ((slash = strrchr(above, '/')) != NULL) {
		const struct removal *r;

		*slash = '\0';
		r = bsearch(above, a->removals, a->removal_count, sizeof *r, by_name);
		if (r != NULL && index < r->before)
			return true;
	}
	return false;
}

static void
drop_removed(struct apply *a)
{
	struct listing *l = &a->list;
	AUTO(listed) struct listed listed = LISTED_INIT;
	AUTO(free) bool *stays = NULL;
	size_t count = 0;

	if (a->removal_count == 0 && a->whiteouts.count == 0)
		return;
	if (a->removal_count > 1)
		qsort(a->removals, a->removal_count, sizeof *a->removals, by_path_then_latest);
	/* the latest of each path is enough */
	for (size_t i = 0; i < a->removal_count; i++) {
		if (count > 0 && strcmp(a->removals[count - 1].path, a->removals[i].path) == 0)
			free(a->removals[i].path);
		else
			a->removals[count++] = a->removals[i];
	}
	a->removal_count = count;
	stays = xcalloc(l->count + 1, sizeof *stays);
	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = listing_at(l, i, &listed);

		stays[i] = !is_removed(a, e->path, i) &&
			   !(e->kind == ENTRY_WHITEOUT && apply_is_below_whited(a, e->path));
	}
	listing_filter(l, stays);
}

/* 1: *out_name in the directory of a->here is what e is about; 0: it is not there. */
static int
find(struct apply *a, const struct entry *e, const char **out_name, struct stat *st,
	struct err *err)
{
	const char *slash = strrchr(e->path, '/');
	int said = cursor_go(a, &a->here, e->path, slash != NULL ? (size_t)(slash - e->path) : 0,
		CURSOR_EXACT, e, err);

	if (said <= 0)
		return said;
	*out_name = slash != NULL ? slash + 1 : e->path;
	return fstatat(cursor_fd(&a->here), *out_name, st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
hash_file(struct apply *a, const char *name, struct entry *e, struct err *err)
{
	AUTO(fd)
	int fd = openat(cursor_fd(&a->here), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "open '%s'", e->path);
	hasher_reset(a->hasher);
	if (hasher_add_fd(a->hasher, fd, NULL) < 0)
		return err_sys(err, "read '%s'", e->path);
	hasher_digest(a->hasher, &e->digest);
	return 0;
}

/* The name that had the file was replaced, so this link has it now. */
static int
become_file(
	struct apply *a, const char *name, const struct stat *st, struct entry *e, struct err *err)
{
	char target[PATH_MAX];
	ssize_t len;

	free(e->link);
	e->link = NULL;
	/* what an archive says of a link need not be true of its file */
	e->mode = st->st_mode & 07777;
	e->mtime = st->st_mtim.tv_sec;
	e->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	/* otherwise the disk need not know either */
	if (a->o.owner == APPLY_OWNER_KEEP) {
		e->uid = st->st_uid;
		e->gid = st->st_gid;
	}
	switch (st->st_mode & S_IFMT) {
	case S_IFLNK:
		len = readlinkat(cursor_fd(&a->here), name, target, sizeof target);
		if (len < 0)
			return err_sys(err, "read link '%s'", e->path);
		e->kind = ENTRY_SYMLINK;
		e->link = xstrndup(target, (size_t)len);
		return 0;
	case S_IFCHR:
	case S_IFBLK:
		e->kind = S_ISCHR(st->st_mode) ? ENTRY_CHAR : ENTRY_BLOCK;
		e->major = major(st->st_rdev);
		e->minor = minor(st->st_rdev);
		return 0;
	case S_IFIFO:
		e->kind = ENTRY_FIFO;
		return 0;
	default:
		e->kind = ENTRY_FILE;
		e->size = (uint64_t)st->st_size;
		if (xattr_read(cursor_fd(&a->here), name, e, NULL, err) < 0)
			return -1;
		return a->hasher != NULL ? hash_file(a, name, e, err) : 0;
	}
}

/* One entry of a pass: first what is a file by itself, then the links.  1: e was changed. */
static int
check_link(struct apply *a, struct inodes *seen, struct entry *e, struct err *err)
{
	const char *name, *first;
	struct stat st;
	int said = find(a, e, &name, &st, err);

	if (said <= 0)
		return said;
	first = inodes_add(seen, st.st_dev, st.st_ino, e->path);
	if (e->kind != ENTRY_HARDLINK)
		return 0;
	if (first == NULL)
		return become_file(a, name, &st, e, err) < 0 ? -1 : 1;
	if (strcmp(first, e->link) == 0)
		return 0;
	free(e->link);
	e->link = xstrdup(first);
	return 1;
}

/* A link that was made to one file may stand beside another by now: the disk knows which are the
 * same. */
static int
check_links(struct apply *a, struct inodes *seen, struct err *err)
{
	AUTO(listed) struct listed listed = LISTED_INIT;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < a->list.count; i++) {
			enum entry_kind kind = listing_kind(&a->list, i);
			AUTO(entry) struct entry e = { .path = NULL };
			int said;

			/* a link that became a file in this pass is done */
			if (kind == ENTRY_DIR || kind == ENTRY_WHITEOUT || kind == ENTRY_OPAQUE ||
				(kind == ENTRY_HARDLINK) != (pass == 1))
				continue;
			entry_copy(listing_at(&a->list, i, &listed), &e);
			said = check_link(a, seen, &e, err);
			if (said < 0)
				return -1;
			if (said > 0)
				listing_set(&a->list, i, &e);
		}
	}
	return 0;
}

int
apply_finish_listing(struct apply *a, struct err *err)
{
	struct inodes seen = INODES_INIT;
	int said = 0;

	drop_removed(a);
	listing_sort(&a->list);
	if (a->lost_links && a->has_hardlinks)
		said = check_links(a, &seen, err);
	inodes_free(&seen);
	if (said < 0)
		return -1;
	if (a->has_hardlinks)
		listing_order_links(&a->list);
	listing_move(&a->list, a->out);
	return 0;
}
