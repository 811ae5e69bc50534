/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "layers/gc.h"
#include "layers/store_local.h"
#include "layers/walk.h"

#define WALK_DEPTH_MAX 200

int
walk_names(int root, const char *path,
	int (*each)(int dir, const char *name, void *arg, struct err *err), void *arg,
	struct err *err)
{
	AUTO(fd) int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	AUTO(strv) struct strv names = STRV_INIT;
	int result = 0;

	if (fd < 0)
		return err_sys(err, "read '%s'", path);
	if (path_names(fd, &names, err) < 0)
		return err_in(err, "'%s'", path);
	for (size_t i = 0; i < names.count && result == 0; i++)
		result = each(fd, names.items[i], arg, err);
	return result;
}

struct size_walk {
	uint64_t size;
	unsigned depth;
};

static int
add_size(int dir, const char *name, void *arg, struct err *err)
{
	struct size_walk *w = arg;
	struct err ignored = { 0 };
	struct stat st;

	(void)err;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISREG(st.st_mode))
		w->size += (uint64_t)st.st_blocks * 512;
	if (!S_ISDIR(st.st_mode) || w->depth >= WALK_DEPTH_MAX)
		return 0;
	w->depth++;
	walk_names(dir, name, add_size, w, &ignored);
	w->depth--;
	return 0;
}

uint64_t
walk_size(int dir, const char *name)
{
	struct size_walk w = { 0 };
	struct err ignored = { 0 };

	add_size(dir, name, &w, &ignored);
	return w.size;
}

struct flat_walk {
	uint64_t size;
	uint64_t count;
};

static int
add_flat(int dir, const char *name, void *arg, struct err *err)
{
	struct flat_walk *w = arg;
	struct stat st;

	(void)err;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)) {
		w->size += (uint64_t)st.st_size;
		w->count++;
	}
	return 0;
}

static int
one_number(struct db *db, const char *sql, uint64_t *out, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;

	if (db_query(db, sql, DB_NO_ARGS, &rows, err) < 0 || db_next(rows, err) < 0)
		return -1;
	*out = (uint64_t)db_int(rows, 0);
	return 0;
}

static int
use_records(struct db *db, struct store_usage *u, struct err *err)
{
	if (one_number(db, "SELECT coalesce(sum(size), 0) FROM trees", &u->trees, err) < 0 ||
		one_number(db, "SELECT count(*) FROM trees", &u->tree_count, err) < 0 ||
		one_number(db, "SELECT count(*) FROM records", &u->record_count, err) < 0)
		return -1;
	return one_number(db, "SELECT count(*) FROM names", &u->name_count, err);
}

static int
use_files(struct store *s, struct store_usage *u, struct err *err)
{
	struct flat_walk blobs = { 0 };
	struct flat_walk listings = { 0 };
	struct flat_walk partials = { 0 };
	struct statvfs vfs;

	if (walk_names(s->root, "blobs/sha256", add_flat, &blobs, err) < 0 ||
		walk_names(s->root, "blobs/sha512", add_flat, &blobs, err) < 0 ||
		walk_names(s->root, "listings", add_flat, &listings, err) < 0 ||
		walk_names(s->root, "ingest", add_flat, &partials, err) < 0)
		return -1;
	if (fstatvfs(s->root, &vfs) < 0)
		return err_sys(err, "look at the file system of '%s'", s->path);
	u->blobs = blobs.size;
	u->blob_count = blobs.count;
	u->listings = listings.size;
	u->partials = partials.size;
	u->free = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	return 0;
}

int
store_usage(struct store *s, struct store_usage *out, struct err *err)
{
	struct store_usage u = { 0 };
	struct db *db = NULL;
	int result = store_db(s, &db, err);

	if (result == 0)
		result = use_records(db, &u, err);
	if (store_mended(s, result, err))
		result = use_records(s->db, &u, err);
	if (result < 0 || use_files(s, &u, err) < 0)
		return -1;
	u.mounts = walk_size(s->root, "mounts-cache");
	*out = u;
	return 0;
}

int
gc_budget(struct store *s, const struct gc_options *o, uint64_t *out, struct err *err)
{
	struct store_usage u = { 0 };
	uint64_t used = 0;
	uint64_t budget = UINT64_MAX;

	if (o->max_size == 0 && o->min_free == 0) {
		*out = budget;
		return 0;
	}
	if (use_records(s->db, &u, err) < 0 || use_files(s, &u, err) < 0)
		return -1;
	used = u.blobs + u.trees + u.listings;
	if (o->max_size > 0)
		budget = o->max_size;
	if (o->min_free > u.free) {
		uint64_t missing = o->min_free - u.free;
		uint64_t may_stay = used > missing ? used - missing : 0;

		if (may_stay < budget)
			budget = may_stay;
	}
	*out = budget;
	return 0;
}

static int
list_unmeasured(struct store *s, struct strv *out, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int more = 0;

	if (db_query(s->db, "SELECT id FROM trees WHERE size = 0", DB_NO_ARGS, &rows, err) < 0)
		return -1;
	while ((more = db_next(rows, err)) == 1)
		strv_add(out, db_text(rows, 0));
	return more;
}

int
gc_measure(struct store *s, struct err *err)
{
	AUTO(strv) struct strv trees = STRV_INIT;
	AUTO(free) uint64_t *sizes = NULL;
	int result = 0;

	if (list_unmeasured(s, &trees, err) < 0)
		return -1;
	if (trees.count == 0)
		return 0;
	sizes = xcalloc(trees.count, sizeof *sizes);
	for (size_t i = 0; i < trees.count; i++) {
		char name[64];

		snprintf(name, sizeof name, "trees/%.40s/fs", trees.items[i]);
		sizes[i] = 1 + walk_size(s->root, name); /* never 0, which is not measured */
	}
	result = store_write_begin(s, false, err);
	for (size_t i = 0; i < trees.count && result == 0; i++)
		result = db_run(s->db, "UPDATE trees SET size = ? WHERE id = ?",
			DB_ARGS(DB_INT(sizes[i]), DB_TEXT(trees.items[i])), err);
	result = store_write_end(s, result, err);
	return result < 0 && db_is_full(s->db) ? 0 : result;
}
