/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/event.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "layers/config.h"
#include "layers/store_local.h"

/* A database that is begun anew learns what the disk knows: names from index.json, and which blob
 * has which diff id from the manifests and configs that those names reach.  Nothing here fails for
 * what cannot be read: a new store has none of it. */

static int
insert_name(struct db *db, const char *name, const struct descriptor *d, struct err *err)
{
	AUTO(json) json_t *value = descriptor_format(d);
	AUTO(buf) struct buf text = BUF_INIT;

	json_format(value, JSON_STYLE_COMPACT, &text);
	return db_run(db,
		"INSERT OR REPLACE INTO names(name, digest, descriptor, changed) VALUES(?, ?, ?, "
		"?)",
		DB_ARGS(DB_TEXT(name), DB_TEXT(d->digest.text), DB_TEXT(text.data),
			DB_INT(store_now())),
		err);
}

static int
insert_layer(
	struct db *db, const struct digest *diff_id, const struct descriptor *blob, struct err *err)
{
	if (db_run(db,
		    "INSERT INTO layers(diff_id) SELECT ?1 WHERE NOT EXISTS"
		    " (SELECT 1 FROM layers WHERE diff_id = ?1)",
		    DB_ARGS(DB_TEXT(diff_id->text)), err) < 0)
		return -1;
	return db_run(db,
		"INSERT OR REPLACE INTO layer_blobs(layer, digest, media_type, size)"
		" SELECT id, ?2, ?3, ?4 FROM layers WHERE diff_id = ?1",
		DB_ARGS(DB_TEXT(diff_id->text), DB_TEXT(blob->digest.text),
			DB_TEXT(blob->media_type), DB_INT(blob->size)),
		err);
}

static int
learn_manifest(struct store *s, struct db *db, const struct buf *bytes, struct err *err)
{
	AUTO(manifest) struct manifest m = { 0 };
	AUTO(config) struct config c = { 0 };
	AUTO(buf) struct buf text = BUF_INIT;
	struct err ignored = { 0 };

	if (manifest_parse(bytes->data, bytes->len, "", &m, &ignored) < 0 ||
		store_blob_slurp(s, &m.config.digest, CONFIG_MAX, &text, &ignored) < 0 ||
		config_parse(text.data, text.len, &c, &ignored) < 0 ||
		c.diff_id_count != m.layer_count)
		return 0;
	for (size_t i = 0; i < m.layer_count; i++)
		if (insert_layer(db, &c.diff_ids[i], &m.layers[i], err) < 0)
			return -1;
	return 0;
}

static int
learn(struct store *s, struct db *db, const struct digest *d, unsigned depth, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(index) struct index x = { 0 };
	struct err ignored = { 0 };

	if (depth > INDEX_DEPTH_MAX || store_blob_slurp(s, d, MANIFEST_MAX, &bytes, &ignored) < 0)
		return 0;
	if (index_parse(bytes.data, bytes.len, "", &x, &ignored) < 0)
		return learn_manifest(s, db, &bytes, err);
	for (size_t i = 0; i < x.manifest_count; i++)
		if (learn(s, db, &x.manifests[i].digest, depth + 1, err) < 0)
			return -1;
	return 0;
}

static int
learn_entry(struct store *s, struct db *db, const json_t *entry, struct err *err)
{
	AUTO(descriptor) struct descriptor d = { 0 };
	AUTO(free) char *name = NULL;
	const char *text = NULL;
	struct err ignored = { 0 };

	if (descriptor_parse(entry, &d, &ignored) < 0 || d.annotations == NULL ||
		json_get_string(d.annotations, STORE_REF_NAME, &text, &ignored) <= 0 ||
		*text == '\0')
		return 0;
	name = xstrdup(text);
	json_object_del(d.annotations, STORE_REF_NAME);
	if (insert_name(db, name, &d, err) < 0)
		return -1;
	return learn(s, db, &d.digest, 0, err);
}

bool
store_names_are_lost(struct db *db)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct err ignored = { 0 };

	return db_query(db, "SELECT 1 FROM notes WHERE kind = 'store' AND key = 'names-lost'",
		       DB_NO_ARGS, &rows, &ignored) == 0 &&
	       db_next(rows, &ignored) == 1;
}

int
store_rebuild(struct db *db, void *store, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(json) json_t *index = NULL;
	struct store *s = store;
	json_t *manifests = NULL;
	struct err ignored = { 0 };

	if (file_read(s->root, "index.json", STORE_INDEX_MAX, &text, &ignored) < 0 ||
		json_parse(text.data, text.len, &index, &ignored) < 0 ||
		json_get_array(index, "manifests", &manifests, &ignored) <= 0)
		return db_run(db,
			"INSERT OR REPLACE INTO notes(kind, key, value) VALUES('store', "
			"'names-lost', 1)",
			DB_NO_ARGS, err);
	for (size_t i = 0; i < json_array_size(manifests); i++)
		if (learn_entry(s, db, json_array_get(manifests, i), err) < 0)
			return -1;
	return 0;
}
