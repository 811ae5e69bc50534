/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "layers/check_local.h"
#include "layers/reach.h"
#include "layers/store_local.h"
#include "layers/texts.h"

#define DEPTH_MAX 64

/* Names: all they reach is here, or it is known where to get it ----------------------------------
 */

struct closure {
	struct check *check;
	struct texts seen;
	struct buf missing; /* why the name is no good; empty: it is */
};

static int
can_be_had(struct check *c, const struct digest *d, struct err *err)
{
	return db_has(
		c->db, "SELECT 1 FROM sources WHERE digest = ?", DB_ARGS(DB_TEXT(d->text)), err);
}

static int
miss(struct closure *k, const struct reach_item *item, const char *why, struct err *err)
{
	static const char *const words[] = {
		[REACH_MANIFEST] = "manifest",
		[REACH_SUBJECT] = "subject",
		[REACH_CONFIG] = "config",
		[REACH_LAYER] = "layer",
	};
	int known = can_be_had(k->check, &item->digest, err);

	if (known != 0)
		return known < 0 ? -1 : 0;
	if (k->missing.len == 0)
		buf_addf(&k->missing, "its %s %s %s", words[item->kind], item->digest.text, why);
	return 0;
}

static int
follow(struct closure *k, const struct reach_item *item, unsigned depth, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(reach) struct reach reach = REACH_INIT;
	struct err odd = { 0 };
	uint64_t size = 0;
	int there = 0;

	if (!texts_add(&k->seen, item->digest.text))
		return 0;
	there = store_blob_stat(k->check->store, &item->digest, &size, err);
	if (there < 0)
		return -1;
	if (there == 0)
		return item->kind == REACH_SUBJECT ? 0 : miss(k, item, "is missing", err);
	if (size != item->size)
		return miss(k, item, "has another size than its descriptor says", err);
	if (item->kind != REACH_MANIFEST || depth > DEPTH_MAX)
		return 0;
	if (store_blob_slurp(k->check->store, &item->digest, REACH_MAX, &bytes, &odd) < 0 ||
		reach_parse(bytes.data, bytes.len, &reach, &odd) < 0)
		return miss(k, item, "cannot be read", err);
	for (size_t i = 0; i < reach.count; i++)
		if (follow(k, &reach.items[i], depth + 1, err) < 0)
			return -1;
	return 0;
}

/* The name with its blobs is pinned by reading it, so nobody takes them away meanwhile. */
static int
check_name(struct check *c, const char *name, struct err *err)
{
	AUTO(descriptor) struct descriptor d = { 0 };
	AUTO(texts) struct texts seen = TEXTS_INIT;
	AUTO(buf) struct buf missing = BUF_INIT;
	struct closure k = { .check = c, .seen = TEXTS_INIT, .missing = BUF_INIT };
	struct reach_item root = { .kind = REACH_MANIFEST };
	int result = store_name_get(c->store, name, &d, err);

	if (result <= 0)
		return result;
	root.digest = d.digest;
	root.size = d.size;
	result = follow(&k, &root, 0, err);
	seen = k.seen; /* owned here from now on */
	missing = k.missing;
	c->result.names++;
	if (result < 0 || missing.len == 0)
		return result;
	if (c->options->repair && store_name_remove(c->store, name, err) < 0)
		return -1;
	return check_wrong(c, "name", name, NULL, missing.data, err);
}

int
check_names(struct check *c, struct err *err)
{
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;

	if (store_name_list(c->store, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (check_name(c, names.items[i].name, err) < 0)
			return err_in(err, "name '%s'", names.items[i].name);
	return 0;
}

/* Records: what they point to is there -----------------------------------------------------------
 */

/* Collected first and put right afterwards, for a row that is being read should not be deleted. */
static int
collect(struct check *c, const char *query,
	int (*is_wrong)(struct check *, struct db_rows *, struct err *), struct strv *out,
	uint64_t *count, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int more = 0;

	if (db_query(c->db, query, DB_NO_ARGS, &rows, err) < 0)
		return -1;
	while ((more = db_next(rows, err)) == 1) {
		int wrong = is_wrong(c, rows, err);

		if (wrong < 0)
			return -1;
		if (wrong > 0)
			strv_add(out, db_text(rows, 0));
		(*count)++;
	}
	return more;
}

static int
tree_is_missing(struct check *c, struct db_rows *rows, struct err *err)
{
	char name[64];

	(void)err;
	snprintf(name, sizeof name, "trees/%.40s/fs", db_text(rows, 0));
	return !store_id_is_valid(db_text(rows, 0)) ||
	       faccessat(c->store->root, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

static int
tree_is_unknown(struct check *c, struct db_rows *rows, struct err *err)
{
	(void)c;
	(void)err;
	return db_text(rows, 1)[0] == '\0';
}

static int
listing_is_missing(struct check *c, struct db_rows *rows, struct err *err)
{
	char name[64];

	(void)err;
	snprintf(name, sizeof name, "listings/%.40s", db_text(rows, 1));
	return faccessat(c->store->root, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

static int
layer_exists(struct check *c, const char *id, struct err *err)
{
	return db_has(c->db, "SELECT 1 FROM layers WHERE id = ?", DB_ARGS(DB_TEXT(id)), err);
}

static int
record_is_wrong(struct check *c, struct db_rows *rows, struct err *err)
{
	AUTO(strv) struct strv ids = STRV_INIT;
	AUTO(json) json_t *value = NULL;
	const char *text = db_text(rows, 1);
	struct err odd = { 0 };

	if (json_parse(text, strlen(text), &value, &odd) < 0)
		return 1;
	strv_split(&ids, db_text(rows, 2), " ");
	for (size_t i = 0; i < ids.count; i++) {
		int there = ids.items[i][0] == '\0' ? 1 : layer_exists(c, ids.items[i], err);

		if (there <= 0)
			return there < 0 ? -1 : 1;
	}
	return 0;
}

/* A row that points to something gone: gc deletes rows first, so one that is still there is wrong.
 */
static int
still_there(struct check *c, const char *query, const char *which, struct err *err)
{
	return db_has(c->db, query, DB_ARGS(DB_TEXT(which)), err);
}

static int
count_layers(struct check *c, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;

	if (db_query(c->db, "SELECT count(*) FROM layers", DB_NO_ARGS, &rows, err) < 0 ||
		db_next(rows, err) < 0)
		return -1;
	c->result.layers = (uint64_t)db_int(rows, 0);
	return 0;
}

int
check_records(struct check *c, struct err *err)
{
	uint64_t uncounted = 0;
	const struct {
		const char *query;
		int (*is_wrong)(struct check *, struct db_rows *, struct err *);
		uint64_t *count;
		const char *what, *again, *statement, *text;
		bool is_note;
	} steps[] = {
		{ "SELECT id FROM trees", tree_is_missing, &c->result.trees, "tree",
			"SELECT 1 FROM trees WHERE id = ?", "DELETE FROM trees WHERE id = ?",
			"its files are missing", false },
		{ "SELECT l.id, t.id FROM layers l LEFT JOIN trees t ON t.id = l.tree"
		  " WHERE l.tree IS NOT NULL",
			tree_is_unknown, &uncounted, "layer",
			"SELECT 1 FROM layers WHERE id = ? AND tree NOT IN (SELECT id FROM trees)",
			"UPDATE layers SET tree = NULL WHERE id = ?", "its tree has no record",
			false },
		{ "SELECT id, listing FROM layers WHERE listing IS NOT NULL", listing_is_missing,
			&uncounted, "listing", "SELECT 1 FROM layers WHERE id = ?",
			"UPDATE layers SET listing = NULL WHERE id = ?",
			"the file is missing: it is made again when needed", true },
		{ "SELECT key, value, layers FROM records", record_is_wrong, &uncounted, "record",
			"SELECT 1 FROM records WHERE key = ?", "DELETE FROM records WHERE key = ?",
			"cannot be read, or one of its layers is missing", false },
	};

	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		AUTO(strv) struct strv wrong = STRV_INIT;

		if (collect(c, steps[i].query, steps[i].is_wrong, &wrong, steps[i].count, err) < 0)
			return -1;
		for (size_t k = 0; k < wrong.count; k++) {
			int there = still_there(c, steps[i].again, wrong.items[k], err);

			if (there > 0 && steps[i].is_note && !c->options->repair)
				check_tell(c, CHECK_NOTE, steps[i].what, wrong.items[k], "%s",
					steps[i].text);
			else if (there > 0)
				there = check_wrong(c, steps[i].what, wrong.items[k],
					steps[i].statement, steps[i].text, err);
			if (there < 0)
				return -1;
		}
	}
	return count_layers(c, err);
}
