/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/apply_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/strv.h"

void
apply_late(struct apply *a, const struct entry *e, bool has_mode)
{
	a->late = grow(a->late, a->late_count, &a->late_room, sizeof *a->late);
	a->late[a->late_count] = (struct late_dir){
		.path = xstrdup(e->path),
		.index = a->late_count,
		.mtime = apply_time(e),
		.mode = apply_mode(a, e),
		.has_mode = has_mode,
	};
	a->late_count++;
}

void
apply_record_free(struct apply *a)
{
	for (size_t i = 0; i < a->late_count; i++)
		free(a->late[i].path);
	free(a->late);
	for (size_t i = 0; i < a->removal_count; i++)
		free(a->removals[i].path);
	free(a->removals);
	free(a->brought.slots);
	free(a->whited.slots);
	strv_free(&a->whiteouts);
}

static uint64_t
hash(const struct brought *b, const char *path, size_t len)
{
	uint64_t h = b->seed ^ len, word;

	for (; len >= 8; len -= 8, path += 8) {
		memcpy(&word, path, 8);
		h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	word = 0;
	for (; len > 0; len--)
		word = word << 8 | (unsigned char)*path++;
	h = (h ^ word) * UINT64_C(0xc4ceb9fe1a85ec53);
	h ^= h >> 29;
	h *= UINT64_C(0xff51afd7ed558ccd);
	/* bit 0 is the mark, and 0 is a free slot */
	return (h ^ h >> 32) | 2;
}

static uint64_t *
slot(const struct brought *b, uint64_t h)
{
	size_t at = (size_t)(h >> 1) & (b->size - 1);

	while (b->slots[at] != 0 && (b->slots[at] | 1) != (h | 1))
		at = (at + 1) & (b->size - 1);
	return &b->slots[at];
}

static void
brought_grow(struct brought *b)
{
	struct brought larger = { .size = b->size > 0 ? b->size * 2 : 1024, .seed = b->seed };

	if (b->size == 0 && getrandom(&larger.seed, sizeof larger.seed, GRND_NONBLOCK) < 0)
		larger.seed = (uintptr_t)b;
	larger.slots = xcalloc(larger.size, sizeof *larger.slots);
	for (size_t i = 0; i < b->size; i++)
		if (b->slots[i] != 0)
			*slot(&larger, b->slots[i]) = b->slots[i];
	larger.count = b->count;
	free(b->slots);
	*b = larger;
}

/* The path itself, and each directory above it until one is known. */
static void
brought_add(struct brought *b, const char *path)
{
	size_t len = strlen(path);
	uint64_t mark = 1;

	for (;;) {
		uint64_t h, *at;
		bool is_new;

		if (b->count * 2 >= b->size)
			brought_grow(b);
		h = hash(b, path, len) & ~UINT64_C(1);
		at = slot(b, h);
		is_new = *at == 0;
		b->count += is_new;
		*at = *at | h | mark;
		if (!is_new || len == 0)
			return;
		mark = 0;
		while (len > 0 && path[len - 1] != '/')
			len--;
		len -= len > 0;
	}
}

enum brought_kind { BROUGHT_NOTHING, BROUGHT_BELOW, BROUGHT_ITSELF };

static enum brought_kind
brought_find(const struct brought *b, const char *path)
{
	uint64_t found;

	if (b->size == 0)
		return BROUGHT_NOTHING;
	found = *slot(b, hash(b, path, strlen(path)));
	return found == 0 ? BROUGHT_NOTHING : (found & 1) != 0 ? BROUGHT_ITSELF : BROUGHT_BELOW;
}

static void
record(struct apply *a, struct entry *e)
{
	if (a->out != NULL)
		listing_add(&a->list, e);
	entry_free(e);
}

void
apply_record(struct apply *a, struct entry *e)
{
	if (a->o.form == APPLY_ROOT && a->o.dialect == TAR_LAYER)
		brought_add(&a->brought, e->path);
	record(a, e);
}

void
apply_record_mark(struct apply *a, enum entry_kind kind, const char *path)
{
	struct entry e = { .path = xstrdup(path), .kind = kind };

	if (a->o.form == APPLY_OVERLAY)
		brought_add(&a->whited, path);
	if (a->o.form == APPLY_OVERLAY && kind == ENTRY_WHITEOUT)
		strv_add(&a->whiteouts, path);
	record(a, &e);
}

bool
apply_is_whited(const struct apply *a, const char *path)
{
	return brought_find(&a->whited, path) == BROUGHT_ITSELF;
}

bool
apply_is_below_whited(const struct apply *a, const char *path)
{
	AUTO(free) char *above = xstrdup(path);
	char *slash;

	while ((slash = strrchr(above, '/')) != NULL) {
		*slash = '\0';
		if (apply_is_whited(a, above))
			return true;
	}
	return false;
}

int
apply_finish_whiteouts(struct apply *a, struct err *err)
{
	for (size_t i = 0; i < a->whiteouts.count; i++) {
		const char *path = a->whiteouts.items[i], *slash = strrchr(path, '/');
		struct entry none = { 0 };
		struct stat st;
		int said, dir;

		if (slash == NULL || !apply_is_below_whited(a, path))
			continue;
		said = cursor_go(
			a, &a->here, path, (size_t)(slash - path), CURSOR_EXACT, &none, err);
		if (said < 0)
			return -1;
		dir = cursor_fd(&a->here);
		if (said == 0 || fstatat(dir, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!apply_is_whiteout(a, dir, slash + 1, &st))
			continue;
		if (unlinkat(dir, slash + 1, 0) < 0)
			return err_sys(err, "remove the whiteout of '%s'", path);
	}
	return 0;
}

void
apply_record_removal(struct apply *a, const char *path)
{
	if (a->out == NULL)
		return;
	a->removals = grow(a->removals, a->removal_count, &a->removal_room, sizeof *a->removals);
	a->removals[a->removal_count++] =
		(struct removal){ .path = xstrdup(path), .before = a->list.count };
}

static int
purge_children(struct apply *a, int dir, const char *name, struct buf *path, struct err *err)
{
	AUTO(strv) struct strv names = STRV_INIT;
	AUTO(fd) int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	size_t len = path->len;

	if (fd < 0)
		return err_sys(err, "open directory '%s'", path->data);
	if (path_names(fd, &names, err) < 0)
		return err_in(err, "'%s'", path->data);
	for (size_t i = 0; i < names.count; i++) {
		if (len > 0)
			buf_addc(path, '/');
		buf_adds(path, names.items[i]);
		if (apply_purge(a, fd, names.items[i], path, false, err) < 0)
			return -1;
		buf_truncate(path, len);
	}
	return 0;
}

int
apply_purge(struct apply *a, int dir, const char *name, struct buf *path, bool keep_top,
	struct err *err)
{
	enum brought_kind kind = brought_find(&a->brought, path->data);
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "look at '%s'", path->data);
	if (S_ISDIR(st.st_mode) && (keep_top || kind != BROUGHT_NOTHING))
		return purge_children(a, dir, name, path, err);
	if (kind == BROUGHT_ITSELF || keep_top)
		return 0;
	return apply_remove(a, dir, name, path->data, err);
}

static int
deepest_first(const void *x, const void *y)
{
	const struct late_dir *a = x, *b = y;
	int order = entry_path_compare(b->path, a->path);

	/* of several for one directory the last comes last */
	return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* What is still a directory gets its time and mode. */
static int
finish_dir(struct apply *a, const struct late_dir *late, struct err *err)
{
	const char *slash = strrchr(late->path, '/'),
		   *name = slash != NULL ? slash + 1 : late->path;
	struct timespec times[2] = { late->mtime, late->mtime };
	struct entry none = { 0 };
	struct stat st;
	int dir, said;

	said = cursor_go(a, &a->here, late->path, slash != NULL ? (size_t)(slash - late->path) : 0,
		CURSOR_EXACT, &none, err);
	if (said <= 0)
		return said;
	dir = cursor_fd(&a->here);
	if (name[0] == '\0')
		name = ".";
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	if (late->has_mode && apply_chmod(dir, name, late->mode) < 0)
		return err_sys(err, "set the mode of '%s'", late->path);
	if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "set the time of '%s'", late->path);
	return 0;
}

int
apply_finish_dirs(struct apply *a, struct err *err)
{
	if (a->late_count > 1)
		qsort(a->late, a->late_count, sizeof *a->late, deepest_first);
	for (size_t i = 0; i < a->late_count; i++) {
		bool is_last =
			i + 1 == a->late_count || strcmp(a->late[i].path, a->late[i + 1].path) != 0;

		if (is_last && finish_dir(a, &a->late[i], err) < 0)
			return -1;
	}
	return 0;
}
