/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/mem.h"
#include "layers/store_local.h"

/* How the store uses its database: opened late, written in transactions that nest, mended when
 * damaged. */

/* Trees that were not synced before another boot may hold anything. */
static int
forget_unsynced(struct store *s, struct db *db, struct err *err)
{
	int found = 0;
	int result = 0;

	if (s->boot[0] == '\0')
		return 0;
	found = db_has(db, "SELECT 1 FROM trees WHERE boot IS NOT NULL AND boot <> ? LIMIT 1",
		DB_ARGS(DB_TEXT(s->boot)), err);
	if (found <= 0)
		return found;
	if (db_begin(db, err) < 0)
		return -1;
	result = db_run(db,
		"UPDATE layers SET tree = NULL WHERE tree IN"
		" (SELECT id FROM trees WHERE boot IS NOT NULL AND boot <> ?)",
		DB_ARGS(DB_TEXT(s->boot)), err);
	if (result == 0)
		result = db_run(db, "DELETE FROM trees WHERE boot IS NOT NULL AND boot <> ?",
			DB_ARGS(DB_TEXT(s->boot)), err);
	if (result == 0)
		return db_commit(db, err);
	db_rollback(db);
	return -1;
}

int
store_db(struct store *s, struct db **out, struct err *err)
{
	AUTO(db) struct db *db = NULL;

	if (s->owner != getpid())
		return err_set(err, ERR_SYSTEM, "a worker may not use the store's database");
	if (s->db == NULL) {
		if (db_open(s->root, s->path, store_rebuild, s, &db, err) < 0)
			return err_in(err, "store '%s'", s->path);
		if (forget_unsynced(s, db, err) < 0 || store_names_follow(s, db, err) < 0) {
			if (!db_is_damaged(db) || db_heal(db, err) < 0)
				return err_in(err, "store '%s'", s->path);
		}
		s->db = steal(&db);
	}
	*out = s->db;
	return 0;
}

bool
store_mended(struct store *s, int result, struct err *err)
{
	struct err failure = { 0 };

	if (result >= 0 || err->kind != ERR_CORRUPT || s->db == NULL || !db_is_damaged(s->db))
		return false;
	db_rollback(s->db);
	if (db_heal(s->db, &failure) < 0 || (s->batch > 0 && db_begin(s->db, &failure) < 0)) {
		s->batch = 0;
		*err = failure;
		return false;
	}
	return true;
}

static int
begin(struct store *s, struct err *err)
{
	struct db *db = NULL;

	if (store_db(s, &db, err) < 0)
		return -1;
	return db_begin(db, err);
}

int
store_write_begin(struct store *s, bool alone, struct err *err)
{
	int result = 0;

	if (s->batch > 0)
		return alone ? err_set(err, ERR_SYSTEM, "a name cannot be set inside a batch") : 0;
	result = begin(s, err);
	return store_mended(s, result, err) ? begin(s, err) : result;
}

int
store_write_end(struct store *s, int result, struct err *err)
{
	if (s->batch > 0 || s->db == NULL)
		return result;
	if (result < 0) {
		db_rollback(s->db);
		return -1;
	}
	return db_commit(s->db, err) < 0 ? -1 : result;
}

int
store_batch_begin(struct store *s, struct err *err)
{
	if (s->batch == 0 && store_write_begin(s, false, err) < 0)
		return -1;
	s->batch++;
	return 0;
}

static int
write_used(struct store *s, struct db *db, struct err *err)
{
	int64_t now = store_now();

	for (size_t i = 0; i < s->used.count; i++)
		if (db_run(db, "UPDATE records SET used = ? WHERE key = ?",
			    DB_ARGS(DB_INT(now), DB_TEXT(s->used.items[i])), err) < 0)
			return -1;
	strv_free(&s->used);
	return 0;
}

int
store_used_flush(struct store *s, struct err *err)
{
	if (store_write_begin(s, false, err) < 0)
		return -1;
	return store_write_end(s, write_used(s, s->db, err), err);
}

int
store_batch_end(struct store *s, struct err *err)
{
	if (s->batch == 0)
		return err_set(err, ERR_SYSTEM, "write to the store: the batch was given up");
	if (--s->batch > 0)
		return 0;
	return store_write_end(s, write_used(s, s->db, err), err);
}

void
store_batch_cancel(struct store *s)
{
	if (s->batch == 0)
		return;
	s->batch = 0;
	db_rollback(s->db);
}
