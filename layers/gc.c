/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/gc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "layers/gc_mark.h"
#include "layers/store_local.h"
#include "layers/walk.h"

/* Removing what nothing reaches, in this order:
 *
 * 1. Mark once without locks: reads the documents, so that step 3 is quick.
 * 2. Begin a transaction (no record can change), then lock the pins (nobody can pin).  In this
 * order, for others pin while they hold a transaction.
 * 3. Mark again.  Delete the records that are not marked, and commit.
 * 4. Rename what is not marked into trash/, and unlock the pins.
 * 5. Empty trash/.
 *
 * Killed after 3, or without power (hence a sync before 4): files without records, which the next
 * gc finds.  Nothing is ever a record without its file that was not so before. */

/* what SQLite wants to write before it can read */
#define DB_ROOM ((uint64_t)1 << 20)

struct gc {
	struct mark mark;
	const struct gc_options *options;
	struct store *store;
	struct strv condemned; /* paths below the root */
	struct gc_result result;
};

static void
condemn(struct gc *g, const char *dir, const char *name, uint64_t size, uint64_t *count)
{
	strv_addf(&g->condemned, "%s/%s", dir, name);
	g->result.freed += size;
	(*count)++;
}

static uint64_t
size_at(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : (uint64_t)st.st_size;
}

static int
judge_blob(int dir, const char *name, void *arg, struct err *err)
{
	struct gc *g = arg;
	size_t len = strlen(name);
	const char *algorithm = len == 64 ? "sha256" : len == 128 ? "sha512" : NULL;
	char text[DIGEST_TEXT_SIZE + 8];
	char parent[16];

	(void)err;
	if (algorithm == NULL || strspn(name, "0123456789abcdef") != len) /* check says so aloud */
		return 0;
	snprintf(text, sizeof text, "%s:%s", algorithm, name);
	snprintf(parent, sizeof parent, "blobs/%s", algorithm);
	if (!mark_has(&g->mark, 'b', text))
		condemn(g, parent, name, size_at(dir, name), &g->result.blobs);
	return 0;
}

static int
judge_tree(int dir, const char *name, void *arg, struct err *err)
{
	struct gc *g = arg;
	uint64_t size = 0;

	(void)dir;
	if (mark_has(&g->mark, 't', name))
		return 0;
	if (mark_tree_size(&g->mark, name, &size, err) < 0)
		return -1;
	condemn(g, "trees", name, size, &g->result.trees);
	return 0;
}

static int
judge_listing(int dir, const char *name, void *arg, struct err *err)
{
	struct gc *g = arg;
	uint64_t uncounted = 0;

	(void)err;
	if (!mark_has(&g->mark, 'f', name))
		condemn(g, "listings", name, size_at(dir, name), &uncounted);
	return 0;
}

/* The lock tells whether somebody is at it; while we hold it, nobody begins. */
static int
judge_partial(int dir, const char *name, void *arg, struct err *err)
{
	struct gc *g = arg;
	AUTO(fd) int fd = -1;
	bool is_known = strncmp(name, "sha256-", 7) == 0 || strncmp(name, "sha512-", 7) == 0;
	bool is_wanted = is_known && !g->options->drop_partials && !g->mark.is_full;
	struct stat st;
	struct stat named;

	if (fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(named.st_mode))
		return g->options->dry_run ? 0 : path_remove(dir, name, err);
	fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	/* it may have been committed and begun anew since it was opened: then the name is another's
	 */
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0 ||
		fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) < 0 || named.st_ino != st.st_ino)
		return 0;
	if (is_wanted) {
		g->result.kept += (uint64_t)st.st_size;
		return 0;
	}
	if (!g->options->dry_run)
		unlinkat(dir, name, 0);
	g->result.partials++;
	g->result.freed += (uint64_t)st.st_size;
	return 0;
}

/* The lock file stays: whoever waits for it must get the same one as those who come later. */
static int
judge_mount(int dir, const char *name, void *arg, struct err *err)
{
	struct gc *g = arg;
	AUTO(fd) int lock = -1;
	char lock_name[160];

	if (ends_with(name, ".lock"))
		return 0;
	snprintf(lock_name, sizeof lock_name, "%.128s.lock", name);
	lock = openat(dir, lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
		return 0;
	g->result.mounts++;
	if (g->options->dry_run)
		return 0;
	snprintf(lock_name, sizeof lock_name, "mounts-cache/%.128s", name);
	return store_condemn(g->store, lock_name, err);
}

static int
judge_disk(struct gc *g, struct err *err)
{
	int root = store_dir(g->store);

	if (walk_names(root, "blobs/sha256", judge_blob, g, err) < 0 ||
		walk_names(root, "blobs/sha512", judge_blob, g, err) < 0 ||
		walk_names(root, "trees", judge_tree, g, err) < 0)
		return -1;
	return walk_names(root, "listings", judge_listing, g, err);
}

/* Runs a statement for each first column of a query that is not marked. */
static int
forget_unmarked(struct gc *g, const char *query, const char *kinds, const char *statement,
	uint64_t *count, struct err *err)
{
	AUTO(strv) struct strv gone = STRV_INIT;
	AUTO(db_rows) struct db_rows *rows = NULL;
	int more = 0;

	if (db_query(g->mark.db, query, DB_NO_ARGS, &rows, err) < 0)
		return -1;
	while ((more = db_next(rows, err)) == 1) {
		bool marked = false;

		for (const char *kind = kinds; *kind != '\0'; kind++)
			marked = marked || mark_has(&g->mark, *kind, db_text(rows, 0));
		if (!marked)
			strv_add(&gone, db_text(rows, 0));
	}
	if (more < 0)
		return -1;
	auto_db_rows(&rows);
	*count += gone.count;
	for (size_t i = 0; i < gone.count && !g->options->dry_run; i++)
		if (db_run(g->mark.db, statement, DB_ARGS(DB_TEXT(gone.items[i])), err) < 0)
			return -1;
	return 0;
}

static int
forget_records(struct gc *g, struct err *err)
{
	uint64_t uncounted = 0;
	static const struct {
		const char *query;
		const char *kinds;
		const char *statement;
	} steps[] = {
		{ "SELECT id FROM trees", "t", "DELETE FROM trees WHERE id = ?" },
		{ "SELECT tree FROM layers WHERE tree IS NOT NULL", "t",
			"UPDATE layers SET tree = NULL WHERE tree = ?" },
		{ "SELECT id FROM layers WHERE NOT EXISTS"
		  " (SELECT 1 FROM layer_blobs WHERE layer = id)",
			"lw", "DELETE FROM layers WHERE id = ?" },
		{ "SELECT DISTINCT digest FROM sources", "b",
			"DELETE FROM sources WHERE digest = ?" },
	};

	if (forget_unmarked(g, "SELECT rowid FROM records", "k",
		    "DELETE FROM records WHERE rowid = ?", &g->result.records, err) < 0 ||
		forget_unmarked(g, "SELECT DISTINCT layer FROM layer_blobs", "lw",
			"DELETE FROM layer_blobs WHERE layer = ?", &g->result.layers, err) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		if (forget_unmarked(g, steps[i].query, steps[i].kinds, steps[i].statement,
			    i == 2 ? &g->result.layers : &uncounted, err) < 0)
			return -1;
	return 0;
}

static int
rename_condemned(struct gc *g, struct err *err)
{
	for (size_t i = 0; i < g->condemned.count; i++)
		if (store_condemn(g->store, g->condemned.items[i], err) < 0)
			return -1;
	return 0;
}

static int
judge(struct gc *g, bool with_records, struct err *err)
{
	mark_reset(&g->mark);
	g->result = (struct gc_result){ 0 };
	strv_free(&g->condemned);
	if (mark_all(&g->mark, true, err) < 0 || judge_disk(g, err) < 0)
		return -1;
	return with_records ? forget_records(g, err) : 0;
}

static int
sweep(struct gc *g, struct err *err)
{
	AUTO(fd) int pins = -1;
	int result = 0;

	if (store_write_begin(g->store, false, err) < 0)
		return -1;
	result = store_names_sync(g->store, g->mark.db, err);
	if (result == 0)
		pins = pins_lock(store_dir(g->store), err);
	result = pins < 0 ? -1 : judge(g, true, err);
	if (store_write_end(g->store, result, err) < 0)
		return -1;
	if (g->options->dry_run || g->condemned.count == 0)
		return 0;
	if (db_sync(g->mark.db, err) < 0)
		return -1;
	return rename_condemned(g, err);
}

/* On a full file system not even the deletion of a record can be written.  What somebody may be
 * about to record is pinned before, so marking needs no transaction; it only leaves records of
 * things that are gone, until the sweep that follows. */
static int
sweep_files_only(struct gc *g, struct err *err)
{
	AUTO(fd) int pins = pins_lock(store_dir(g->store), err);

	if (pins < 0 || judge(g, false, err) < 0)
		return -1;
	return rename_condemned(g, err);
}

static int
empty_one(int dir, const char *name, void *arg, struct err *err)
{
	struct gc *g = arg;
	struct err refused = { 0 };

	(void)err;
	/* what mapped ids own is for a worker inside the user namespace, what is busy for the next
	 * gc */
	if (path_remove(dir, name, &refused) < 0)
		g->result.trash_left++;
	return 0;
}

static int
empty_trash(struct gc *g, struct err *err)
{
	g->result.trash_left = 0;
	return walk_names(store_dir(g->store), "trash", empty_one, g, err);
}

static int
sweep_full(struct gc *g, struct err *err)
{
	struct gc_result first;

	if (walk_names(store_dir(g->store), "ingest", judge_partial, g, err) < 0 ||
		sweep_files_only(g, err) < 0 || empty_trash(g, err) < 0)
		return -1;
	first = g->result;
	if (sweep(g, err) < 0)
		return -1;
	g->result.blobs += first.blobs;
	g->result.trees += first.trees;
	g->result.freed += first.freed;
	return 0;
}

static int
condemn_one(int dir, const char *name, void *arg, struct err *err)
{
	struct gc *g = arg;
	char path[300];

	g->result.freed += walk_size(dir, name);
	snprintf(path, sizeof path, "quarantine/%s", name);
	return g->options->dry_run ? 0 : store_condemn(g->store, path, err);
}

static int
sweep_rest(struct gc *g, struct err *err)
{
	int root = store_dir(g->store);

	if (walk_names(root, "ingest", judge_partial, g, err) < 0)
		return -1;
	if (g->options->drop_mounts && walk_names(root, "mounts-cache", judge_mount, g, err) < 0)
		return -1;
	if (g->options->drop_partials && walk_names(root, "quarantine", condemn_one, g, err) < 0)
		return -1;
	return g->options->dry_run ? 0 : empty_trash(g, err);
}

/* A database that cannot be written at all cannot be read either.  Partial downloads can be had
 * again, and go without it. */
static int
open_db(struct gc *g, struct err *err)
{
	struct statvfs fs;
	struct err ignored = { 0 };

	if (store_db(g->store, &g->mark.db, err) == 0)
		return 0;
	if (g->options->dry_run || fstatvfs(store_dir(g->store), &fs) < 0 ||
		(uint64_t)fs.f_bavail * fs.f_frsize >= DB_ROOM)
		return -1;
	g->mark.is_full = true;
	if (walk_names(store_dir(g->store), "ingest", judge_partial, g, &ignored) < 0)
		return -1;
	(void)empty_trash(g, &ignored);
	return store_db(g->store, &g->mark.db, err);
}

static int
run(struct gc *g, struct err *err)
{
	struct gc_result first;
	int result = 0;

	if (open_db(g, err) < 0)
		return -1;
	first = g->result;
	/* without names, all images look like garbage */
	if (store_names_are_lost(g->mark.db))
		return err_set(err, ERR_CORRUPT,
			"the names of images were lost with a damaged database: name those you "
			"need by "
			"their digests, then run `cooper check --repair`");
	if (gc_measure(g->store, err) < 0 ||
		gc_budget(g->store, g->options, &g->mark.budget, err) < 0 ||
		mark_all(&g->mark, false, err) < 0)
		return -1;
	result = sweep(g, err);
	if (result < 0 && db_is_full(g->mark.db) && !g->options->dry_run)
		result = sweep_full(g, err);
	if (result < 0)
		return -1;
	g->result.kept = g->mark.kept;
	g->result.partials += first.partials;
	g->result.freed += first.freed;
	return sweep_rest(g, err);
}

static int
try_gc(struct store *s, const struct gc_options *o, struct gc_result *out, struct err *err)
{
	struct gc g = { .store = s, .options = o, .condemned = STRV_INIT };
	int result = 0;

	g.mark = (struct mark){ .store = s, .options = o, .keep = TEXTS_INIT };
	result = run(&g, err);
	if (result == 0)
		*out = g.result;
	mark_free(&g.mark);
	strv_free(&g.condemned);
	return result;
}

int
store_gc(struct store *s, const struct gc_options *o, struct gc_result *out, struct err *err)
{
	int result = 0;

	if (s->batch > 0)
		return err_set(err, ERR_SYSTEM, "gc inside a batch");
	result = try_gc(s, o, out, err);
	if (store_mended(s, result, err))
		result = try_gc(s, o, out, err);
	return result < 0 ? err_in(err, "remove what is not needed from the store") : 0;
}
