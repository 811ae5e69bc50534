/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "layers/store_local.h"

/* Cache records and notes. */

#define USED_MAX 512 /* written down when so many wait */

void
cache_record_free(struct cache_record *r)
{
	free(r->key);
	free(r->group);
	auto_json(&r->value);
	free(r->layers);
	free(r->blobs);
	*r = (struct cache_record)CACHE_RECORD_INIT;
}

void
auto_cache_record(struct cache_record *r)
{
	cache_record_free(r);
}

/* Lists are stored as texts with blanks between. */
static void
read_lists(struct cache_record *r, const char *layers, const char *blobs)
{
	AUTO(free) char *text = xstrdup(blobs);
	char *rest = text;
	char *item = NULL;
	size_t room = 0;

	while (*layers != '\0') {
		char *end = NULL;
		int64_t id = strtoll(layers, &end, 10);

		if (end == layers)
			break;
		r->layers = grow(r->layers, r->layer_count, &room, sizeof *r->layers);
		r->layers[r->layer_count++] = id;
		layers = end;
	}
	room = 0;
	while ((item = strsep(&rest, " ")) != NULL) {
		struct err ignored = { 0 };
		struct digest d;

		if (digest_parse(item, &d, &ignored) < 0)
			continue;
		r->blobs = grow(r->blobs, r->blob_count, &room, sizeof *r->blobs);
		r->blobs[r->blob_count++] = d;
	}
}

static void
write_lists(const struct cache_record *r, struct buf *layers, struct buf *blobs)
{
	for (size_t i = 0; i < r->layer_count; i++)
		buf_addf(layers, "%s%" PRId64, i == 0 ? "" : " ", r->layers[i]);
	for (size_t i = 0; i < r->blob_count; i++)
		buf_addf(blobs, "%s%s", i == 0 ? "" : " ", r->blobs[i].text);
}

#define RECORD_COLUMNS "key, kind, value, layers, blobs, used"

/* 1; 0 for one whose value cannot be read. */
static int
read_record(const struct db_rows *rows, struct cache_record *out)
{
	AUTO(cache_record) struct cache_record r = CACHE_RECORD_INIT;
	const char *value = db_text(rows, 2);
	struct err ignored = { 0 };

	if (json_parse(value, strlen(value), &r.value, &ignored) < 0)
		return 0;
	r.key = xstrdup(db_text(rows, 0));
	r.group = db_text(rows, 1)[0] == '\0' ? NULL : xstrdup(db_text(rows, 1));
	read_lists(&r, db_text(rows, 3), db_text(rows, 4));
	r.used = db_int(rows, 5);
	*out = r;
	r = (struct cache_record)CACHE_RECORD_INIT;
	return 1;
}

/* A layer may have been lost with a damaged database, in the midst of a batch: then its record goes
 * too. */
static int
layers_exist(struct db *db, const struct cache_record *r, struct err *err)
{
	for (size_t i = 0; i < r->layer_count; i++) {
		int found = db_has(db, "SELECT 1 FROM layers WHERE id = ?",
			DB_ARGS(DB_INT(r->layers[i])), err);

		if (found <= 0)
			return found;
	}
	return 1;
}

/* Pins what the record needs, then looks whether it is still there. */
static int
hold(struct store *s, struct db *db, const struct cache_record *r, struct err *err)
{
	for (size_t i = 0; i < r->layer_count; i++) {
		char id[24];

		snprintf(id, sizeof id, "%" PRId64, r->layers[i]);
		if (store_pin(s, STORE_PIN_LAYER, id, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < r->blob_count; i++)
		if (store_pin(s, STORE_PIN_BLOB, r->blobs[i].text, err) < 0)
			return -1;
	return layers_exist(db, r, err);
}

static int
find(struct db *db, const char *key, struct cache_record *out, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int found = 0;

	if (db_query(db, "SELECT " RECORD_COLUMNS " FROM records WHERE key = ?",
		    DB_ARGS(DB_TEXT(key)), &rows, err) < 0)
		return -1;
	found = db_next(rows, err);
	return found == 1 ? read_record(rows, out) : found;
}

/* A collector may have evicted the record before its layers were pinned: a layer whose blob is still
 * wanted then stays, without its tree. */
static int
is_still_there(struct db *db, const struct cache_record *r, struct err *err)
{
	AUTO(buf) struct buf layers = BUF_INIT;
	AUTO(buf) struct buf blobs = BUF_INIT;

	write_lists(r, &layers, &blobs);
	return db_has(db,
		"SELECT 1 FROM records WHERE key = ? AND coalesce(layers, '') = coalesce(?, '')",
		DB_ARGS(DB_TEXT(r->key), DB_TEXT(layers.data)), err);
}

static int
get(struct store *s, const char *key, struct cache_record *out, struct err *err)
{
	AUTO(cache_record) struct cache_record r = CACHE_RECORD_INIT;
	struct db *db = NULL;
	int found = store_db(s, &db, err);

	if (found == 0)
		found = find(db, key, &r, err);
	if (found == 1)
		found = hold(s, db, &r, err);
	if (found == 1)
		found = is_still_there(db, &r, err);
	if (found <= 0)
		return found;
	*out = r;
	r = (struct cache_record)CACHE_RECORD_INIT;
	return 1;
}

int
store_cache_get(struct store *s, const char *key, struct cache_record *out, struct err *err)
{
	int result = get(s, key, out, err);

	if (store_mended(s, result, err))
		return 0;
	if (result == 1) {
		struct err ignored = { 0 };

		strv_add(&s->used, key);
		if (s->used.count >= USED_MAX && s->batch == 0)
			store_used_flush(s, &ignored); /* only the order of eviction */
	}
	return result;
}

static int
put(struct store *s, const struct cache_record *r, struct err *err)
{
	AUTO(buf) struct buf value = BUF_INIT;
	AUTO(buf) struct buf layers = BUF_INIT;
	AUTO(buf) struct buf blobs = BUF_INIT;

	int result = 0;

	json_format(r->value, JSON_STYLE_COMPACT, &value);
	write_lists(r, &layers, &blobs);
	if (store_write_begin(s, false, err) < 0)
		return -1;
	result = layers_exist(s->db, r, err);
	if (result == 1)
		result = db_run(s->db,
			"INSERT OR REPLACE INTO records(" RECORD_COLUMNS
			") VALUES(?, ?, ?, ?, ?, ?)",
			DB_ARGS(DB_TEXT(r->key), DB_TEXT(r->group), DB_TEXT(value.data),
				DB_TEXT(layers.data), DB_TEXT(blobs.data), DB_INT(store_now())),
			err);
	return store_write_end(s, result, err);
}

int
store_cache_put(struct store *s, const struct cache_record *r, struct err *err)
{
	int result = put(s, r, err);

	return store_mended(s, result, err) ? put(s, r, err) : result;
}

static int delete (struct store *s, const char *key, struct err *err)
{
	if (store_write_begin(s, false, err) < 0)
		return -1;
	return store_write_end(s,
		db_run(s->db, "DELETE FROM records WHERE key = ?", DB_ARGS(DB_TEXT(key)), err),
		err);
}

int
store_cache_remove(struct store *s, const char *key, struct err *err)
{
	int result = delete (s, key, err);

	return store_mended(s, result, err) ? 0 : result;
}

static int
each_record(struct store *s, const char *group,
	int (*each)(const struct cache_record *r, void *arg, struct err *err), void *arg,
	struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct db *db = NULL;
	int more = 0;

	if (store_db(s, &db, err) < 0)
		return -1;
	if (group == NULL)
		more = db_query(db,
			"SELECT " RECORD_COLUMNS " FROM records ORDER BY used DESC, rowid DESC",
			DB_NO_ARGS, &rows, err);
	else
		more = db_query(db,
			"SELECT " RECORD_COLUMNS " FROM records WHERE kind = ?"
			" ORDER BY used DESC, rowid DESC",
			DB_ARGS(DB_TEXT(group)), &rows, err);
	if (more < 0)
		return -1;
	while ((more = db_next(rows, err)) == 1) {
		AUTO(cache_record) struct cache_record r = CACHE_RECORD_INIT;
		int result = read_record(rows, &r);

		if (result == 1)
			result = each(&r, arg, err);
		if (result != 0)
			return result;
	}
	return more;
}

int
store_cache_each(struct store *s, const char *group,
	int (*each)(const struct cache_record *r, void *arg, struct err *err), void *arg,
	struct err *err)
{
	int result = each_record(s, group, each, arg, err);

	return store_mended(s, result, err) ? 0 : result;
}

/* Notes */

static int
get_note(struct store *s, const char *kind, const char *key, struct buf *out, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct db *db = NULL;
	const void *bytes = NULL;
	size_t len = 0;
	int found = 0;

	if (store_db(s, &db, err) < 0 ||
		db_query(db, "SELECT value FROM notes WHERE kind = ? AND key = ?",
			DB_ARGS(DB_TEXT(kind), DB_TEXT(key)), &rows, err) < 0)
		return -1;
	found = db_next(rows, err);
	if (found == 1) {
		bytes = db_bytes(rows, 0, &len);
		buf_add(out, bytes, len);
	}
	return found;
}

int
store_note_get(struct store *s, const char *kind, const char *key, struct buf *out, struct err *err)
{
	int result = get_note(s, kind, key, out, err);

	return store_mended(s, result, err) ? 0 : result;
}

static int
put_note(struct store *s, const char *kind, const char *key, const void *bytes, size_t len,
	struct err *err)
{
	if (store_write_begin(s, false, err) < 0)
		return -1;
	return store_write_end(s,
		db_run(s->db, "INSERT OR REPLACE INTO notes(kind, key, value) VALUES(?, ?, ?)",
			DB_ARGS(DB_TEXT(kind), DB_TEXT(key), DB_BYTES(bytes, len)), err),
		err);
}

int
store_note_put(struct store *s, const char *kind, const char *key, const void *bytes, size_t len,
	struct err *err)
{
	int result = 0;

	if (len > STORE_NOTE_MAX)
		return err_set(err, ERR_INPUT, "a note of %zu bytes is too large", len);
	result = put_note(s, kind, key, bytes, len, err);
	return store_mended(s, result, err) ? put_note(s, kind, key, bytes, len, err) : result;
}

static int
delete_note(struct store *s, const char *kind, const char *key, struct err *err)
{
	if (store_write_begin(s, false, err) < 0)
		return -1;
	return store_write_end(s,
		db_run(s->db, "DELETE FROM notes WHERE kind = ? AND key = ?",
			DB_ARGS(DB_TEXT(kind), DB_TEXT(key)), err),
		err);
}

int
store_note_remove(struct store *s, const char *kind, const char *key, struct err *err)
{
	int result = delete_note(s, kind, key, err);

	return store_mended(s, result, err) ? 0 : result;
}
