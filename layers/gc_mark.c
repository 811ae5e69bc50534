/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/gc_mark.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "layers/reach.h"
#include "layers/store_local.h"

#define KEY_SIZE 256
#define DEPTH_MAX 64

void
mark_reset(struct mark *m)
{
	texts_free(&m->keep);
	texts_free(&m->pending);
	m->kept = 0;
	m->pending_size = 0;
	m->is_full = false;
}

void
mark_free(struct mark *m)
{
	mark_reset(m);
	for (size_t i = 0; i < m->documents.room; i++) {
		struct reach *reach = m->documents.slots[i].value;

		if (reach != NULL)
			reach_free(reach);
		free(reach);
	}
	texts_free(&m->documents);
}

static void
make_key(char key[KEY_SIZE], char kind, const char *text)
{
	snprintf(key, KEY_SIZE, "%c %s", kind, text);
}

bool
mark_has(const struct mark *m, char kind, const char *text)
{
	char key[KEY_SIZE];

	make_key(key, kind, text);
	return texts_has(&m->keep, key) || texts_has(&m->pending, key);
}

static bool
add(struct mark *m, char kind, const char *text, uint64_t size)
{
	char key[KEY_SIZE];

	if (mark_has(m, kind, text))
		return false;
	make_key(key, kind, text);
	texts_add(&m->pending, key);
	m->pending_size += size;
	return true;
}

static void
accept(struct mark *m)
{
	for (size_t i = 0; i < m->pending.room; i++)
		if (m->pending.slots[i].text != NULL)
			texts_add(&m->keep, m->pending.slots[i].text);
	m->kept += m->pending_size;
	m->pending_size = 0;
	texts_free(&m->pending);
}

/* Of a root that may go: the first that does not fit ends it for all older ones that cost anything.
 */
static bool
accept_if_affordable(struct mark *m)
{
	bool fits = m->kept + m->pending_size <= m->budget;

	if (!fits)
		m->is_full = true;
	if (m->pending_size == 0 || (fits && !m->is_full)) {
		accept(m);
		return true;
	}
	texts_free(&m->pending);
	m->pending_size = 0;
	return false;
}

/* Not hashed: of a damaged document as much is kept as it still names.  What cannot be read now
 * might name anything, so gc ends; what is too large or no document names nothing. */
static int
read_document(struct mark *m, const struct digest *d, struct reach *out, struct err *err)
{
	AUTO(buf) struct buf name = BUF_INIT;
	AUTO(buf) struct buf bytes = BUF_INIT;
	struct err odd = { 0 };

	store_blob_name(d, &name);
	if (file_read(store_dir(m->store), name.data, REACH_MAX, &bytes, &odd) < 0) {
		if (odd.kind == ERR_NOTFOUND || odd.kind == ERR_INPUT)
			return 0;
		return err_set(err, odd.kind, "%s", odd.msg);
	}
	if (bytes.len > 0 && bytes.data[0] == '{' &&
		reach_parse(bytes.data, bytes.len, out, &odd) < 0)
		*out = (struct reach)REACH_INIT;
	return 1;
}

/* One that is missing is not remembered: it may be there the next time. */
static int
load(struct mark *m, const struct digest *d, const struct reach **out, struct err *err)
{
	static const struct reach nothing = REACH_INIT;
	AUTO(reach) struct reach reach = REACH_INIT;
	void **value = texts_value(&m->documents, d->text);
	int found = 0;

	if (value != NULL) {
		*out = *value;
		return 0;
	}
	found = read_document(m, d, &reach, err);
	if (found <= 0) {
		*out = &nothing;
		return found;
	}
	texts_add(&m->documents, d->text);
	value = texts_value(&m->documents, d->text);
	*value = xmemdup(&reach, sizeof reach);
	reach = (struct reach)REACH_INIT;
	*out = *value;
	return 0;
}

static int
reach_blob(struct mark *m, const struct digest *d, bool may_name, unsigned depth, struct err *err)
{
	const struct reach *reach = NULL;
	uint64_t size = 0;

	if (store_blob_stat(m->store, d, &size, err) < 0)
		return -1;
	add(m, 'b', d->text, size);
	if (!may_name || depth > DEPTH_MAX || !add(m, 'd', d->text, 0))
		return 0;
	if (load(m, d, &reach, err) < 0)
		return err_in(err, "read %s", d->text);
	for (size_t i = 0; i < reach->count; i++) {
		const struct reach_item *item = &reach->items[i];
		bool names = item->kind == REACH_MANIFEST || item->kind == REACH_SUBJECT;

		if (reach_blob(m, &item->digest, names, depth + 1, err) < 0)
			return -1;
	}
	return 0;
}

static int
reach_blob_text(struct mark *m, const char *text, bool may_name, struct err *err)
{
	struct digest d;
	struct err odd = { 0 };

	return digest_parse(text, &d, &odd) < 0 ? 0 : reach_blob(m, &d, may_name, 0, err);
}

static uint64_t
listing_size(const struct mark *m, const char *id)
{
	char name[64];
	struct stat st;

	snprintf(name, sizeof name, "listings/%.40s", id);
	return fstatat(store_dir(m->store), name, &st, AT_SYMLINK_NOFOLLOW) < 0
		       ? 0
		       : (uint64_t)st.st_size;
}

static bool
has_blob_here(struct mark *m, const char *id, int *out, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int more = 0;
	bool here = false;

	if (db_query(m->db, "SELECT digest FROM layer_blobs WHERE layer = ?", DB_ARGS(DB_TEXT(id)),
		    &rows, err) < 0) {
		*out = -1;
		return false;
	}
	while ((more = db_next(rows, err)) == 1) {
		struct digest d;
		struct err odd = { 0 };

		if (digest_parse(db_text(rows, 0), &d, &odd) == 0 &&
			store_blob_stat(m->store, &d, NULL, &odd) == 1)
			here = true;
	}
	*out = more;
	return here;
}

static int
reach_layer_blobs(struct mark *m, const char *id, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int more = 0;

	if (db_query(m->db, "SELECT digest FROM layer_blobs WHERE layer = ?", DB_ARGS(DB_TEXT(id)),
		    &rows, err) < 0)
		return -1;
	while ((more = db_next(rows, err)) == 1)
		if (reach_blob_text(m, db_text(rows, 0), false, err) < 0)
			return -1;
	return more;
}

/* A layer with all its forms; its tree may be left out where the blob is here. */
static int
reach_layer(struct mark *m, const char *id, bool drop_tree, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int result = 0;

	/* a pin wants the tree even where a record did not */
	if (!add(m, 'l', id, 0) && drop_tree)
		return 0;
	if (db_query(m->db,
		    "SELECT t.id, t.size, listing FROM layers l LEFT JOIN trees t ON t.id = l.tree"
		    " WHERE l.id = ?",
		    DB_ARGS(DB_TEXT(id)), &rows, err) < 0)
		return -1;
	result = db_next(rows, err);
	if (result <= 0)
		return result;
	if (db_text(rows, 0)[0] != '\0' && !(drop_tree && has_blob_here(m, id, &result, err)))
		add(m, 't', db_text(rows, 0), (uint64_t)db_int(rows, 1));
	if (result < 0)
		return -1;
	if (db_text(rows, 2)[0] != '\0')
		add(m, 'f', db_text(rows, 2), listing_size(m, db_text(rows, 2)));
	return reach_layer_blobs(m, id, err);
}

int
mark_tree_size(const struct mark *m, const char *id, uint64_t *out, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int found = 0;

	if (db_query(m->db, "SELECT size FROM trees WHERE id = ?", DB_ARGS(DB_TEXT(id)), &rows,
		    err) < 0)
		return -1;
	found = db_next(rows, err);
	*out = found == 1 ? (uint64_t)db_int(rows, 0) : 0;
	return found < 0 ? -1 : 0;
}

static int
reach_pin(char kind, const char *text, void *arg, struct err *err)
{
	struct mark *m = arg;
	uint64_t size = 0;

	switch (kind) {
	case STORE_PIN_BLOB:
		return reach_blob_text(m, text, true, err);
	case STORE_PIN_LAYER:
		return reach_layer(m, text, false, err);
	case STORE_PIN_TREE:
		if (mark_tree_size(m, text, &size, err) < 0)
			return -1;
		add(m, 't', text, size);
		return 0;
	case STORE_PIN_LISTING:
		add(m, 'f', text, listing_size(m, text));
		return 0;
	default: /* of a newer cooper: its own kinds of things are not ours to remove */
		return 0;
	}
}

static int
reach_names(struct mark *m, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int more = 0;

	if (db_query(m->db, "SELECT digest FROM names", DB_NO_ARGS, &rows, err) < 0)
		return -1;
	while ((more = db_next(rows, err)) == 1)
		if (reach_blob_text(m, db_text(rows, 0), true, err) < 0)
			return -1;
	return more;
}

static int
reach_record(struct mark *m, const char *layers, const char *blobs, struct err *err)
{
	AUTO(strv) struct strv layer_ids = STRV_INIT;
	AUTO(strv) struct strv digests = STRV_INIT;

	strv_split(&layer_ids, layers, " ");
	strv_split(&digests, blobs, " ");
	for (size_t i = 0; i < layer_ids.count; i++)
		if (layer_ids.items[i][0] != '\0' &&
			reach_layer(m, layer_ids.items[i], m->options->drop_trees, err) < 0)
			return -1;
	for (size_t i = 0; i < digests.count; i++)
		if (reach_blob_text(m, digests.items[i], true, err) < 0)
			return -1;
	return 0;
}

static int
reach_records(struct mark *m, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int64_t oldest = 0;
	int more = 0;

	if (m->options->drop_cache)
		return 0;
	if (m->options->unused_s > 0)
		oldest = store_now() - m->options->unused_s;
	if (db_query(m->db,
		    "SELECT rowid, layers, blobs FROM records WHERE used >= ?"
		    " ORDER BY used DESC, rowid DESC",
		    DB_ARGS(DB_INT(oldest)), &rows, err) < 0)
		return -1;
	while ((more = db_next(rows, err)) == 1) {
		char id[24];

		snprintf(id, sizeof id, "%" PRId64, db_int(rows, 0));
		add(m, 'k', id, 0);
		if (reach_record(m, db_text(rows, 1), db_text(rows, 2), err) < 0)
			return -1;
		accept_if_affordable(m);
	}
	return more;
}

/* Layers that are kept because an image has their blob: what is known of them stays, and their
 * trees as long as there is room. */
static int
reach_image_layers(struct mark *m, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int more = 0;

	if (db_query(m->db,
		    "SELECT b.digest, l.id, listing, t.id, t.size FROM layer_blobs b"
		    " JOIN layers l ON l.id = b.layer LEFT JOIN trees t ON t.id = l.tree"
		    " ORDER BY l.id DESC",
		    DB_NO_ARGS, &rows, err) < 0)
		return -1;
	while ((more = db_next(rows, err)) == 1) {
		if (!mark_has(m, 'b', db_text(rows, 0)))
			continue;
		add(m, 'w', db_text(rows, 1), 0);
		if (db_text(rows, 2)[0] != '\0')
			add(m, 'f', db_text(rows, 2), listing_size(m, db_text(rows, 2)));
		accept(m);
		if (db_text(rows, 3)[0] == '\0' || m->options->drop_trees)
			continue;
		add(m, 't', db_text(rows, 3), (uint64_t)db_int(rows, 4));
		accept_if_affordable(m);
	}
	return more;
}

int
mark_all(struct mark *m, bool is_locked, struct err *err)
{
	if (pins_each(store_dir(m->store), is_locked, reach_pin, m, err) < 0 ||
		reach_names(m, err) < 0)
		return -1;
	accept(m);
	if (reach_records(m, err) < 0)
		return -1;
	return reach_image_layers(m, err);
}
