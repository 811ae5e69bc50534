/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "base/mem.h"
#include "layers/db_file.h"
#include "layers/db_schema.h"

#define SCHEMA_VERSION 1
#define APPLICATION_ID 0x434f4f50 /* "COOP" */
#define BUSY_MS 20000             /* for tools that do not know db.lock */
#define KEPT_MAX 96               /* more statements than the store has */

struct db_rows {
	struct db *db;
	const char *sql;
	sqlite3_stmt *stmt;
	bool in_use;
	bool is_kept;
};

struct db {
	int root; /* lent */
	int lock;
	char *path;
	db_fill *fill;
	void *arg;
	sqlite3 *handle;
	dev_t dev;
	ino_t ino;
	bool is_damaged;
	bool is_full;
	bool in_transaction;
	uint64_t changes;
	size_t open_rows;
	struct db_rows kept[KEPT_MAX];
	size_t kept_count;
};

static int
failed(struct db *db, int code, const char *what, struct err *err)
{
	int system = db->handle != NULL ? sqlite3_system_errno(db->handle) : 0;
	const char *text = db->handle != NULL ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);

	if (code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_CORRUPTFS)
		code = SQLITE_CORRUPT;
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* our statements are right, so the tables are not ours */
		db->is_damaged = true;
		return err_set(err, ERR_CORRUPT, "%s the database: %s", what, text);
	case SQLITE_FULL:
		system = ENOSPC;
		break;
	case SQLITE_BUSY:
		return err_set(
			err, ERR_SYSTEM, "%s the database: another program has it locked", what);
	default:
		break;
	}
	/* its files went away under us: somebody has set a damaged one aside, so look again */
	if (system == ENOENT) {
		db->is_damaged = true;
		return err_set(err, ERR_CORRUPT, "%s the database: it was moved away", what);
	}
	if (system != 0) {
		db->is_full = db->is_full || system == ENOSPC || system == EDQUOT;
		errno = system;
		return err_sys(err, "%s the database", what);
	}
	return err_set(err, ERR_SYSTEM, "%s the database: %s", what, text);
}

static int
lock(struct db *db, struct err *err)
{
	while (flock(db->lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(err, "lock the database");
	return 0;
}

static void
unlock(struct db *db)
{
	flock(db->lock, LOCK_UN);
}

static void
disconnect(struct db *db)
{
	for (size_t i = 0; i < db->kept_count; i++)
		sqlite3_finalize(db->kept[i].stmt);
	db->kept_count = 0;
	sqlite3_close_v2(db->handle);
	db->handle = NULL;
	db->in_transaction = false;
}

static int
execute(struct db *db, const char *sql, struct err *err)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : failed(db, code, "change", err);
}

/* One number; *out is 0 for a file that is still empty. */
static int
pragma(struct db *db, const char *sql, int64_t *out, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return code == SQLITE_ROW ? 0 : failed(db, code, "open", err);
}

/* Which file was opened is seen by its name only, so that name must mean one file all the while; who holds the lock
 * knows that nobody moves it away. */
static int
note_file(struct db *db, const struct stat *before, bool is_locked, struct err *err)
{
	struct stat st;

	if (fstatat(db->root, DB_FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		(!is_locked && (st.st_dev != before->st_dev || st.st_ino != before->st_ino))) {
		db->is_damaged = true;
		return err_set(err, ERR_CORRUPT, "open the database: it was moved away");
	}
	db->dev = st.st_dev;
	db->ino = st.st_ino;
	return 0;
}

/* No checkpoint at close and a WAL that stays: closing must be cheap, and a connection to a file
 * that was moved away must not remove the files of its successor. */
static int
connect_file(struct db *db, bool is_locked, struct err *err)
{
	struct stat before = { .st_ino = 0 };
	bool was_there = fstatat(db->root, DB_FILE_NAME, &before, AT_SYMLINK_NOFOLLOW) == 0;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_EXRESCODE;
	int keep_wal = 1;
	int code;

	if (!was_there && !is_locked) {
		db->is_damaged = true; /* or not made yet */
		return err_set(err, ERR_CORRUPT, "open the database: it is not there");
	}
	code = sqlite3_open_v2(db->path, &db->handle, flags, NULL);
	if (code != SQLITE_OK)
		return failed(db, code, "open", err);
	if (note_file(db, &before, is_locked, err) < 0)
		return -1;
	db->is_damaged = false;
	sqlite3_busy_timeout(db->handle, BUSY_MS);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep_wal);
	return execute(db, "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=150;", err);
}

static int
read_version(struct db *db, int64_t *version, struct err *err)
{
	int64_t application = 0;

	*version = 0;
	if (pragma(db, "PRAGMA user_version", version, err) < 0)
		return -1;
	if (*version == 0)
		return 0;
	if (pragma(db, "PRAGMA application_id", &application, err) < 0)
		return -1;
	if (application != APPLICATION_ID) {
		db->is_damaged = true;
		return err_set(err, ERR_CORRUPT, "open the database: it is not cooper's");
	}
	if (*version > SCHEMA_VERSION)
		return err_set(err, ERR_INPUT,
			"the database was made by a newer cooper (version %lld, this one knows %d)",
			(long long)*version, SCHEMA_VERSION);
	return 0;
}

/* Another process may just be looking whether the file is empty, and for this change SQLite does
 * not wait. Where shared memory does not work, it keeps its rollback journal: slower, as safe. */
static int
use_wal(struct db *db, struct err *err)
{
	int code = SQLITE_BUSY;

	for (int ms = 0; (code & 0xff) == SQLITE_BUSY && ms < BUSY_MS; ms += sqlite3_sleep(1))
		code = sqlite3_exec(db->handle, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : failed(db, code, "open", err);
}

static int
begin_anew(struct db *db, struct err *err)
{
	uint64_t seed = 0;
	char tail[256];

	if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
		return err_sys(err, "read random bytes");
	snprintf(tail, sizeof tail,
		"INSERT INTO sqlite_sequence(name, seq) VALUES('layers', %llu);"
		"PRAGMA application_id=%d; PRAGMA user_version=%d;",
		(unsigned long long)(seed >> 16), APPLICATION_ID, SCHEMA_VERSION);
	if (use_wal(db, err) < 0 || execute(db, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	db->in_transaction = true;
	if (execute(db, db_schema, err) < 0 || execute(db, tail, err) < 0 ||
		(db->fill != NULL && db->fill(db, db->arg, err) < 0) ||
		execute(db, "COMMIT", err) < 0) {
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
		db->in_transaction = false;
		return -1;
	}
	db->in_transaction = false;
	return 0;
}

static bool
is_current(const struct db *db)
{
	struct stat st;

	return fstatat(db->root, DB_FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == db->dev && st.st_ino == db->ino;
}

/* db.lock is held. */
static int
establish(struct db *db, struct err *err)
{
	int64_t version = 0;
	int result = 0;

	if (db->open_rows > 0)
		return err_set(err, ERR_CORRUPT, "the database was replaced while it was read");
	disconnect(db);
	result = connect_file(db, true, err);
	if (result == 0)
		result = read_version(db, &version, err);
	if (result < 0 && db->is_damaged) {
		disconnect(db);
		if (db_file_set_aside(db->root, err) < 0 || connect_file(db, true, err) < 0)
			return -1;
		version = 0;
		result = 0;
	}
	if (result == 0 && version == 0)
		result = begin_anew(db, err);
	return result;
}

static int
establish_locked(struct db *db, struct err *err)
{
	int result = 0;

	if (lock(db, err) < 0)
		return -1;
	result = establish(db, err);
	unlock(db);
	return result;
}

int
db_open(int root, const char *path, db_fill *fill, void *arg, struct db **out, struct err *err)
{
	AUTO(db) struct db *db = xzalloc(sizeof *db);
	int64_t version = 0;

	db->root = root;
	db->fill = fill;
	db->arg = arg;
	db->path = xasprintf("%s/" DB_FILE_NAME, path);
	db->lock = openat(root, "db.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (db->lock < 0)
		return err_sys(err, "open '%s/db.lock'", path);
	if (connect_file(db, false, err) < 0 || read_version(db, &version, err) < 0) {
		if (!db->is_damaged)
			return -1;
	}
	/* The lock is only for making or mending: most commands never take it. */
	if (db->is_damaged || version == 0)
		if (establish_locked(db, err) < 0)
			return -1;
	*out = steal(&db);
	return 0;
}

void
db_free(struct db *db)
{
	if (db == NULL)
		return;
	db_rollback(db);
	disconnect(db);
	auto_fd(&db->lock);
	free(db->path);
	free(db);
}

void
auto_db(struct db **db)
{
	db_free(*db);
	*db = NULL;
}

/* Somebody may have begun anew since. */
static int
follow(struct db *db, struct err *err)
{
	if (db->in_transaction || db->open_rows > 0 || (db->handle != NULL && is_current(db)))
		return 0;
	return establish_locked(db, err);
}

static struct db_rows *
keep_slot(struct db *db, const char *sql)
{
	struct db_rows *rows = NULL;

	for (size_t i = 0; i < db->kept_count; i++)
		if (db->kept[i].sql == sql && !db->kept[i].in_use)
			return &db->kept[i];
	if (db->kept_count < KEPT_MAX) {
		rows = &db->kept[db->kept_count++];
		*rows = (struct db_rows){ .is_kept = true };
	} else {
		rows = xzalloc(sizeof *rows);
	}
	rows->db = db;
	rows->sql = sql;
	return rows;
}

static int
bind(struct db_rows *rows, int at, const struct db_value *value)
{
	switch (value->kind) {
	case DB_KIND_INT:
		return sqlite3_bind_int64(rows->stmt, at, value->number);
	case DB_KIND_TEXT:
		if (value->bytes == NULL || *(const char *)value->bytes == '\0')
			return sqlite3_bind_null(rows->stmt, at);
		return sqlite3_bind_text(rows->stmt, at, value->bytes, -1, SQLITE_STATIC);
	case DB_KIND_BYTES:
		return sqlite3_bind_blob64(rows->stmt, at, value->len == 0 ? "" : value->bytes,
			value->len, SQLITE_STATIC);
	case DB_KIND_NULL:
		break;
	}
	return sqlite3_bind_null(rows->stmt, at);
}

int
db_query(struct db *db, const char *sql, const struct db_value *args, size_t count,
	struct db_rows **out, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int code = SQLITE_OK;

	if (follow(db, err) < 0)
		return -1;
	rows = keep_slot(db, sql);
	rows->in_use = true;
	db->open_rows++;
	if (rows->stmt == NULL)
		code = sqlite3_prepare_v3(db->handle, sql, -1,
			rows->is_kept ? SQLITE_PREPARE_PERSISTENT : 0, &rows->stmt, NULL);
	for (size_t i = 0; code == SQLITE_OK && i < count; i++)
		code = bind(rows, (int)i + 1, &args[i]);
	if (code != SQLITE_OK)
		return failed(db, code, "ask", err);
	*out = steal(&rows);
	return 0;
}

int
db_next(struct db_rows *rows, struct err *err)
{
	int code = sqlite3_step(rows->stmt);

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : failed(rows->db, code, "read", err);
}

int64_t
db_int(const struct db_rows *rows, int column)
{
	return sqlite3_column_int64(rows->stmt, column);
}

const char *
db_text(const struct db_rows *rows, int column)
{
	const unsigned char *text = sqlite3_column_text(rows->stmt, column);

	return text == NULL ? "" : (const char *)text;
}

const void *
db_bytes(const struct db_rows *rows, int column, size_t *len)
{
	const void *bytes = sqlite3_column_blob(rows->stmt, column);

	*len = (size_t)sqlite3_column_bytes(rows->stmt, column);
	return bytes == NULL ? "" : bytes;
}

void
db_end(struct db_rows *rows)
{
	if (rows == NULL)
		return;
	rows->in_use = false;
	rows->db->open_rows--;
	if (rows->is_kept) {
		if (rows->stmt != NULL) {
			sqlite3_reset(rows->stmt);
			sqlite3_clear_bindings(rows->stmt);
		}
		return;
	}
	sqlite3_finalize(rows->stmt);
	free(rows);
}

void
auto_db_rows(struct db_rows **rows)
{
	db_end(*rows);
	*rows = NULL;
}

int
db_run(struct db *db, const char *sql, const struct db_value *args, size_t count, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;

	if (db_query(db, sql, args, count, &rows, err) < 0 || db_next(rows, err) < 0)
		return -1;
	db->changes = (uint64_t)sqlite3_changes64(db->handle);
	return 0;
}

int
db_has(struct db *db, const char *sql, const struct db_value *args, size_t count, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;

	return db_query(db, sql, args, count, &rows, err) < 0 ? -1 : db_next(rows, err);
}

int64_t
db_last_id(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

uint64_t
db_changes(const struct db *db)
{
	return db->changes;
}

int
db_begin(struct db *db, struct err *err)
{
	if (lock(db, err) < 0)
		return -1;
	db->is_full = false;
	if (db->handle == NULL || !is_current(db)) {
		if (establish(db, err) < 0) {
			unlock(db);
			return -1;
		}
	}
	db->in_transaction = true; /* so that nothing below follows */
	if (db_run(db, "BEGIN IMMEDIATE", DB_NO_ARGS, err) < 0) {
		db->in_transaction = false;
		unlock(db);
		return -1;
	}
	return 0;
}

int
db_commit(struct db *db, struct err *err)
{
	if (db_run(db, "COMMIT", DB_NO_ARGS, err) < 0) {
		db_rollback(db);
		return -1;
	}
	db->in_transaction = false;
	unlock(db);
	return 0;
}

int
db_sync(struct db *db, struct err *err)
{
	return db_file_sync(db->root, err);
}

void
db_rollback(struct db *db)
{
	if (!db->in_transaction)
		return;
	if (!sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	db->in_transaction = false;
	unlock(db);
}

bool
db_is_full(const struct db *db)
{
	return db->is_full;
}

bool
db_is_damaged(const struct db *db)
{
	return db->is_damaged;
}

/* A disk that failed for a moment looks like damage, too; so all of it is read once more before it
 * is given up.  1 sound, 0 damaged, -1 not to be told. */
static int
look_again(struct db *db, struct err *err)
{
	int64_t tables = 0, version = 0;
	int result = 0;
	char why[256];

	disconnect(db);
	db->is_damaged = false;
	if (connect_file(db, true, err) < 0 || read_version(db, &version, err) < 0 ||
		pragma(db, db_schema_count, &tables, err) < 0)
		return db->is_damaged ? 0 : -1;
	if (tables != DB_SCHEMA_TABLES)
		return 0;
	db->in_transaction = true; /* db.lock is held: nobody is to be followed */
	result = db_verify(db, why, err);
	db->in_transaction = false;
	return result;
}

int
db_heal(struct db *db, struct err *err)
{
	int sound = 1;

	if (lock(db, err) < 0)
		return -1;
	if (db->is_damaged && db->handle != NULL && db->open_rows == 0 && is_current(db))
		sound = look_again(db, err);
	if (sound == 0) {
		disconnect(db);
		sound = db_file_set_aside(db->root, err);
	}
	if (sound >= 0)
		sound = establish(db, err);
	unlock(db);
	return sound;
}

int
db_verify(struct db *db, char why[256], struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int more = db_query(db, "PRAGMA integrity_check(1)", DB_NO_ARGS, &rows, err);

	if (more == 0)
		more = db_next(rows, err);
	if (more < 0 && !db->is_damaged)
		return -1;
	if (more == 1 && streq(db_text(rows, 0), "ok"))
		return 1;
	snprintf(why, 256, "%.255s", more == 1 ? db_text(rows, 0) : err->msg);
	db->is_damaged = true;
	return 0;
}
