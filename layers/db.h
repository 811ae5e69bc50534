/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_DB_H
#define LAYERS_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* db - SQLite's only caller: one connection to a store's db.sqlite, for one process and one
 * thread.
 *
 * Readers never wait.  Writers queue at db.lock (flock: the kernel wakes the next one, and a
 * dead one holds nothing).  A file that is not a database, or is damaged, is moved into
 * quarantine/ and a new one is begun; other processes notice at their next statement and go on
 * with the new one.
 *
 * SQL texts must be string constants: prepared statements are kept by their address. */

struct db;

/* Fills a database that was just begun, inside its first transaction. */
typedef int db_fill(struct db *db, void *arg, struct err *err);

/* root: lent descriptor of the store, path: its absolute path. */
int db_open(int root, const char *path, db_fill *fill, void *arg, struct db **out, struct err *err);
void db_free(struct db *db);
void auto_db(struct db **db);

enum db_kind { DB_KIND_NULL, DB_KIND_INT, DB_KIND_TEXT, DB_KIND_BYTES };
struct db_value {
	enum db_kind kind;
	int64_t number;
	const void *bytes; /* lent until the statement ends */
	size_t len;
};
#define DB_INT(n) { .kind = DB_KIND_INT, .number = (int64_t)(n) }
#define DB_TEXT(s) { .kind = DB_KIND_TEXT, .bytes = (s) } /* NULL and "" are stored as NULL */
#define DB_BYTES(b, n) { .kind = DB_KIND_BYTES, .bytes = (b), .len = (n) }
#define DB_ARGS(...)                          \
	(const struct db_value[]){ __VA_ARGS__ }, \
		sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value)
#define DB_NO_ARGS NULL, 0

/* Statements with rows: db_query, then db_next until it returns 0, then db_end (or
 * AUTO(db_rows)). */
struct db_rows;
int db_query(struct db *db, const char *sql, const struct db_value *args, size_t count,
	struct db_rows **out, struct err *err);
int db_next(struct db_rows *rows, struct err *err); /* 1, 0, -1 */
int64_t db_int(const struct db_rows *rows, int column);
const char *db_text(const struct db_rows *rows, int column); /* "" for NULL; lent until db_next */
const void *db_bytes(const struct db_rows *rows, int column, size_t *len);
void db_end(struct db_rows *rows);
void auto_db_rows(struct db_rows **rows);

/* Statements without. */
int db_run(struct db *db, const char *sql, const struct db_value *args, size_t count,
	struct err *err);
/* Whether there is such a row: 1, 0, -1. */
int db_has(struct db *db, const char *sql, const struct db_value *args, size_t count,
	struct err *err);
int64_t db_last_id(const struct db *db);
uint64_t db_changes(const struct db *db); /* rows of the last db_run */

/* Transactions.  After a power loss the last ones may be missing, but their order is kept and none
 * is ever half there. */
int db_begin(struct db *db, struct err *err);
int db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db);
/* What was committed survives a power loss, before something is done that must not be earlier. */
int db_sync(struct db *db, struct err *err);

/* A failure since the last db_begin was for want of space. */
bool db_is_full(const struct db *db);

/* The last failure was damage to the file.  db_heal begins anew, outside of any transaction. */
bool db_is_damaged(const struct db *db);
int db_heal(struct db *db, struct err *err);
/* All of the file is read; 1 sound, 0 damaged (why), -1. */
int db_verify(struct db *db, char why[256], struct err *err);

#endif
