/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_STORE_LOCAL_H
#define LAYERS_STORE_LOCAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "layers/db.h"
#include "layers/pin.h"
#include "layers/store.h"

/* What the files of the store share; nobody else includes this. */

struct store {
	int root;
	char *path;   /* absolute */
	pid_t owner;  /* who may use the database */
	struct pins *pins;
	struct db *db;
	unsigned batch; /* depth */
	struct strv used; /* keys of records whose use is not written down yet */
	char boot[40];
};

/* The database, opened when first asked for; an error in a worker. */
int store_db(struct store *s, struct db **out, struct err *err);
/* One transaction around a write, or part of the batch that is open (which alone forbids). */
int store_write_begin(struct store *s, bool alone, struct err *err);
int store_write_end(struct store *s, int result, struct err *err);
/* After a failure: the database was damaged, and is new now, so one more try is worth it. */
bool store_mended(struct store *s, int result, struct err *err);
int store_used_flush(struct store *s, struct err *err);

/* The row of a name; text: the descriptor as JSON. */
int store_name_insert(struct db *db, const char *name, const struct descriptor *d, const char *text,
	struct err *err);
#define STORE_REF_NAME "org.opencontainers.image.ref.name"
#define STORE_INDEX_MAX (64u << 20)
int store_index_format(struct db *db, struct buf *out, struct err *err);
/* index.json from the names, inside the transaction that changes them.  It is written first and
 * is the truth about names: a database that turns out not to know of it takes over what it says. */
int store_index_write(struct store *s, struct db *db, struct err *err);
/* That, inside a transaction; and when a database is opened, outside of one. */
int store_names_sync(struct store *s, struct db *db, struct err *err);
int store_names_follow(struct store *s, struct db *db, struct err *err);
/* Notes that index.json, as it is now, is what the database has. */
int store_index_note(struct store *s, struct db *db, struct err *err);
/* A new database gets what index.json and the blobs know. */
int store_rebuild(struct db *db, void *store, struct err *err);
/* index.json could not be read either, so nothing tells which images are wanted. */
bool store_names_are_lost(struct db *db);

void store_id_new(char id[STORE_ID_SIZE]);
bool store_id_is_valid(const char *id);
int64_t store_now(void);
/* fsync of a directory below the root. */
int store_dir_sync(struct store *s, const char *name, struct err *err);
/* Moves a path below the root to trash/<random>; a missing one is fine. */
int store_condemn(struct store *s, const char *name, struct err *err);
/* One with these bytes, that nobody knows yet; not synced. */
int ingest_write(struct store *s, const void *bytes, size_t len, struct ingest **out,
	struct err *err);
/* Names a written ingest otherwise than as a blob; frees it. */
int ingest_place(struct ingest **i, const char *path, mode_t mode, struct err *err);
/* Without pinning: for gc and check. */
int store_blob_stat(struct store *s, const struct digest *d, uint64_t *size, struct err *err);
int store_blob_slurp(struct store *s, const struct digest *d, size_t limit, struct buf *out,
	struct err *err);

#endif
