/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/json.h"
#include "base/mem.h"
#include "layers/store_local.h"

#define NAME_MAX_LEN 4096

void
auto_store_names(struct store_names *n)
{
	for (size_t i = 0; i < n->count; i++) {
		free(n->items[i].name);
		descriptor_free(&n->items[i].descriptor);
	}
	free(n->items);
	*n = (struct store_names)STORE_NAMES_INIT;
}

static int
parse_stored(const char *text, struct descriptor *out, struct err *err)
{
	AUTO(json) json_t *value = NULL;

	if (json_parse(text, strlen(text), &value, err) < 0)
		return -1;
	return descriptor_parse(value, out, err);
}

int
store_name_insert(struct db *db, const char *name, const struct descriptor *d, const char *text,
	struct err *err)
{
	return db_run(db,
		"INSERT OR REPLACE INTO names(name, digest, descriptor, changed) VALUES(?, ?, ?, "
		"?)",
		DB_ARGS(DB_TEXT(name), DB_TEXT(d->digest.text), DB_TEXT(text), DB_INT(store_now())),
		err);
}

/* Whether the name means just that already, so that nothing needs to be written. */
static int
is_set(struct store *s, const char *name, const char *text, struct err *err)
{
	if (store_names_are_lost(s->db))
		return 0;
	return db_has(s->db, "SELECT 1 FROM names WHERE name = ? AND descriptor = ?",
		DB_ARGS(DB_TEXT(name), DB_TEXT(text)), err);
}

/* index.json is written before the transaction ends: should we die between the two, the next change
 * of any name writes it anew from the database. */
static int
set(struct store *s, const char *name, const struct descriptor *d, struct err *err)
{
	AUTO(json) json_t *value = descriptor_format(d);
	AUTO(buf) struct buf text = BUF_INIT;
	int result = 0;

	json_format(value, JSON_STYLE_COMPACT, &text);
	if (store_write_begin(s, true, err) < 0)
		return -1;
	result = store_names_sync(s, s->db, err);
	if (result == 0)
		result = is_set(s, name, text.data, err);
	if (result == 0) {
		result = store_name_insert(s->db, name, d, text.data, err);
		if (result == 0)
			result = store_index_write(s, s->db, err);
	}
	return store_write_end(s, result < 0 ? -1 : 0, err);
}

int
store_name_set(struct store *s, const char *name, const struct descriptor *d, struct err *err)
{
	int there = 0;
	int result = 0;

	if (*name == '\0' || strlen(name) > NAME_MAX_LEN)
		return err_set(err, ERR_INPUT, "'%.80s' cannot be a name", name);
	there = store_blob_has(s, &d->digest, NULL, err);
	if (there < 0)
		return -1;
	if (there == 0)
		return err_set(err, ERR_NOTFOUND,
			"%s is not in the store, so it cannot be named '%s'", d->digest.text, name);
	/* the order that a power loss must not change: bytes, then their names, then ours */
	if (store_dir_sync(s, "blobs/sha256", err) < 0 ||
		store_dir_sync(s, "blobs/sha512", err) < 0)
		return -1;
	result = set(s, name, d, err);
	return store_mended(s, result, err) ? set(s, name, d, err) : result;
}

static int
get(struct store *s, const char *name, struct descriptor *out, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct db *db = NULL;
	int found = 0;

	if (store_db(s, &db, err) < 0 || db_query(db, "SELECT descriptor FROM names WHERE name = ?",
						 DB_ARGS(DB_TEXT(name)), &rows, err) < 0)
		return -1;
	found = db_next(rows, err);
	if (found <= 0)
		return found;
	return parse_stored(db_text(rows, 0), out, err) < 0 ? -1 : 1;
}

/* The name may have been changed, and what it meant removed, between reading and pinning. */
static int
get_pinned(struct store *s, const char *name, struct descriptor *out, struct err *err)
{
	for (;;) {
		AUTO(descriptor) struct descriptor d = { 0 };
		int result = get(s, name, &d, err);

		if (result <= 0)
			return result;
		result = pins_add(s->pins, STORE_PIN_BLOB, d.digest.text, err);
		if (result < 0)
			return -1;
		if (result == 0) {
			if (out != NULL) {
				*out = d;
				d = (struct descriptor){ 0 };
			}
			return 1;
		}
	}
}

int
store_name_get(struct store *s, const char *name, struct descriptor *out, struct err *err)
{
	int result = get_pinned(s, name, out, err);

	return store_mended(s, result, err) ? get_pinned(s, name, out, err) : result;
}

static int delete (struct store *s, const char *name, struct err *err)
{
	int result = 0;

	if (store_write_begin(s, true, err) < 0)
		return -1;
	result = store_names_sync(s, s->db, err);
	if (result == 0)
		result = db_run(
			s->db, "DELETE FROM names WHERE name = ?", DB_ARGS(DB_TEXT(name)), err);
	if (result == 0 && db_changes(s->db) > 0)
		result = store_index_write(s, s->db, err) < 0 ? -1 : 1;
	return store_write_end(s, result, err);
}

int
store_name_remove(struct store *s, const char *name, struct err *err)
{
	int result = delete (s, name, err);

	return store_mended(s, result, err) ? delete (s, name, err) : result;
}

static int
list(struct db *db, struct store_names *out, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;
	int more = 0;

	if (db_query(db, "SELECT name, descriptor, changed FROM names ORDER BY name", DB_NO_ARGS,
		    &rows, err) < 0)
		return -1;
	while ((more = db_next(rows, err)) == 1) {
		struct store_name item = { .changed = db_int(rows, 2) };

		struct err odd = { 0 };

		if (parse_stored(db_text(rows, 1), &item.descriptor, &odd) < 0) {
			event_warn("the store's name '%s' cannot be read: %s", db_text(rows, 0),
				odd.msg);
			continue;
		}
		item.name = xstrdup(db_text(rows, 0));
		names.items = grow(names.items, names.count, &names.room, sizeof *names.items);
		names.items[names.count++] = item;
	}
	if (more < 0)
		return -1;
	*out = names;
	names = (struct store_names)STORE_NAMES_INIT;
	return 0;
}

int
store_name_list(struct store *s, struct store_names *out, struct err *err)
{
	struct db *db = NULL;
	int result = store_db(s, &db, err);

	if (result == 0)
		result = list(db, out, err);
	return store_mended(s, result, err) ? list(s->db, out, err) : result;
}

/* index.json -------------------------------------------------------------------------------------
 */

static json_t *
index_entry(const struct store_name *name)
{
	json_t *entry = descriptor_format(&name->descriptor);
	json_t *annotations = json_object_get(entry, "annotations");

	if (!json_is_object(annotations)) {
		annotations = json_object();
		json_object_set_new(entry, "annotations", annotations);
	}
	json_object_set_new(annotations, STORE_REF_NAME, json_text(name->name));
	return entry;
}

int
store_index_format(struct db *db, struct buf *out, struct err *err)
{
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;
	AUTO(json) json_t *index = json_object();
	json_t *manifests = json_array();

	json_object_set_new(index, "schemaVersion", json_integer(2));
	json_object_set_new(index, "mediaType", json_string(MEDIA_OCI_INDEX));
	json_object_set_new(index, "manifests", manifests);
	if (list(db, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		json_array_append_new(manifests, index_entry(&names.items[i]));
	json_format(index, JSON_STYLE_COMPACT, out);
	return 0;
}

int
store_index_write(struct store *s, struct db *db, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(ingest) struct ingest *in = NULL;

	if (store_index_format(db, &text, err) < 0)
		return -1;
	if (ingest_write(s, text.data, text.len, &in, err) < 0)
		return err_in(err, "'index.json'");
	if (ingest_sync(in, err) < 0 || ingest_place(&in, "index.json", 0644, err) < 0)
		return -1;
	if (store_dir_sync(s, ".", err) < 0)
		return -1;
	return store_index_note(s, db, err);
}
