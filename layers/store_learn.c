/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/event.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "layers/config.h"
#include "layers/store_local.h"
#include "layers/texts.h"

/* What the database learns from the disk.  index.json is the truth about names: it is written and
 * synced before the transaction that changes them ends, and the database notes which index.json it
 * agrees with. When that is another one than is there (somebody died between the two; a power loss
 * or a damaged WAL took the last transactions; another program named something), its names are
 * taken over.  One that is begun anew also learns which blob has which diff id, from the manifests
 * and configs that names reach. */

static int
insert_name(struct db *db, const char *name, const struct descriptor *d, struct err *err)
{
	AUTO(json) json_t *value = descriptor_format(d);
	AUTO(buf) struct buf text = BUF_INIT;

	json_format(value, JSON_STYLE_COMPACT, &text);
	return store_name_insert(db, name, d, text.data, err);
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

static bool
is_known(struct db *db, const char *name, const struct digest *d)
{
	struct err ignored = { 0 };

	return db_has(db, "SELECT 1 FROM names WHERE name = ? AND digest = ?",
		       DB_ARGS(DB_TEXT(name), DB_TEXT(d->text)), &ignored) == 1;
}

/* What cannot be read is left out: it may be another program's. */
static int
learn_entry(
	struct store *s, struct db *db, const json_t *entry, struct texts *names, struct err *err)
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
	texts_add(names, name);
	if (is_known(db, name, &d.digest))
		return 0;
	if (insert_name(db, name, &d, err) < 0)
		return -1;
	return learn(s, db, &d.digest, 0, err);
}

static int
forget_others(struct db *db, const struct texts *names, struct err *err)
{
	AUTO(strv) struct strv gone = STRV_INIT;
	AUTO(db_rows) struct db_rows *rows = NULL;
	int more = 0;

	if (db_query(db, "SELECT name FROM names", DB_NO_ARGS, &rows, err) < 0)
		return -1;
	while ((more = db_next(rows, err)) == 1)
		if (!texts_has(names, db_text(rows, 0)))
			strv_add(&gone, db_text(rows, 0));
	if (more < 0)
		return -1;
	auto_db_rows(&rows);
	for (size_t i = 0; i < gone.count; i++)
		if (db_run(db, "DELETE FROM names WHERE name = ?", DB_ARGS(DB_TEXT(gone.items[i])),
			    err) < 0)
			return -1;
	return 0;
}

/* 1: taken over, 0: index.json cannot be read, -1. */
static int
learn_index(struct store *s, struct db *db, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(json) json_t *index = NULL;
	AUTO(texts) struct texts names = TEXTS_INIT;
	json_t *manifests = NULL;
	struct err ignored = { 0 };

	if (file_read(s->root, "index.json", STORE_INDEX_MAX, &text, &ignored) < 0 ||
		json_parse(text.data, text.len, &index, &ignored) < 0 ||
		json_get_array(index, "manifests", &manifests, &ignored) <= 0)
		return 0;
	for (size_t i = 0; i < json_array_size(manifests); i++)
		if (learn_entry(s, db, json_array_get(manifests, i), &names, err) < 0)
			return -1;
	if (forget_others(db, &names, err) < 0 || store_index_note(s, db, err) < 0)
		return -1;
	return 1;
}

bool
store_names_are_lost(struct db *db)
{
	struct err ignored = { 0 };

	return db_has(db, "SELECT 1 FROM notes WHERE kind = 'store' AND key = 'names-lost'",
		       DB_NO_ARGS, &ignored) == 1;
}

int
store_rebuild(struct db *db, void *store, struct err *err)
{
	int learned = learn_index(store, db, err);

	if (learned != 0)
		return learned < 0 ? -1 : 0;
	return db_run(db,
		"INSERT OR REPLACE INTO notes(kind, key, value) VALUES('store', 'names-lost', 1)",
		DB_NO_ARGS, err);
}

/* It is renamed into its place, never written there, so this tells one from another. */
static void
identify(struct store *s, char out[96])
{
	struct stat st;

	out[0] = '\0';
	if (fstatat(s->root, "index.json", &st, AT_SYMLINK_NOFOLLOW) == 0)
		snprintf(out, 96, "%ju %jd.%09ld %jd", (uintmax_t)st.st_ino,
			(intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (intmax_t)st.st_size);
}

int
store_index_note(struct store *s, struct db *db, struct err *err)
{
	char now[96];

	identify(s, now);
	return db_run(db,
		"INSERT OR REPLACE INTO notes(kind, key, value) VALUES('store', 'index', "
		"coalesce(?, ''))",
		DB_ARGS(DB_TEXT(now)), err);
}

/* 1, 0, -1. */
static int
agrees(struct store *s, struct db *db, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	char now[96];
	int found = 0;

	identify(s, now);
	if (db_query(db, "SELECT value FROM notes WHERE kind = 'store' AND key = 'index'",
		    DB_NO_ARGS, &rows, err) < 0)
		return -1;
	found = db_next(rows, err);
	return found == 1 ? streq(db_text(rows, 0), now) && now[0] != '\0' : found;
}

int
store_names_sync(struct store *s, struct db *db, struct err *err)
{
	int done = agrees(s, db, err);

	if (done == 0)
		done = learn_index(s, db, err);
	if (done != 0)
		return done < 0 ? -1 : 0;
	/* with names lost, even a damaged index.json is better than one without them */
	return store_names_are_lost(db) ? 0 : store_index_write(s, db, err);
}

int
store_names_follow(struct store *s, struct db *db, struct err *err)
{
	int same = agrees(s, db, err);

	if (same != 0)
		return same < 0 ? -1 : 0;
	if (db_begin(db, err) < 0)
		return -1;
	if (store_names_sync(s, db, err) == 0)
		return db_commit(db, err);
	db_rollback(db);
	return -1;
}
