/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "layers/store_local.h"

static int
pin_id(struct store *s, int64_t id, struct err *err)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, id);
	return store_pin(s, STORE_PIN_LAYER, text, err);
}

/* A stored digest; one that cannot be read counts as not known. */
static void
read_digest(const char *text, struct digest *out)
{
	struct err ignored = { 0 };

	*out = (struct digest){ .text = "" };
	if (*text != '\0')
		digest_parse(text, out, &ignored);
}

static bool
tree_is_here(struct store *s, const char *id)
{
	char name[64];

	snprintf(name, sizeof name, "trees/%s/fs", id);
	return store_id_is_valid(id) && faccessat(s->root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
read_blobs(struct store *s, struct db *db, struct layer_record *r, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int more = 0;

	if (db_query(db, "SELECT digest, media_type, size FROM layer_blobs WHERE layer = ?",
		    DB_ARGS(DB_INT(r->id)), &rows, err) < 0)
		return -1;
	while (r->blob_count < LAYER_BLOBS_MAX && (more = db_next(rows, err)) == 1) {
		struct layer_blob *blob = &r->blobs[r->blob_count];
		uint64_t size = 0;

		read_digest(db_text(rows, 0), &blob->digest);
		if (digest_is_empty(&blob->digest))
			continue;
		snprintf(blob->media_type, sizeof blob->media_type, "%s", db_text(rows, 1));
		blob->size = (uint64_t)db_int(rows, 2);
		blob->here =
			store_blob_stat(s, &blob->digest, &size, err) == 1 && size == blob->size;
		r->blob_count++;
	}
	return more < 0 ? -1 : 0;
}

static int
read_layer(struct store *s, struct db *db, int64_t id, struct layer_record *out, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct layer_record r = { .id = id };
	int found = 0;

	if (db_query(db,
		    "SELECT diff_id, diff_size, content, l.tree, listing, t.id FROM layers l"
		    " LEFT JOIN trees t ON t.id = l.tree WHERE l.id = ?",
		    DB_ARGS(DB_INT(id)), &rows, err) < 0)
		return -1;
	found = db_next(rows, err);
	if (found <= 0)
		return found;
	read_digest(db_text(rows, 0), &r.diff_id);
	r.diff_size = (uint64_t)db_int(rows, 1);
	read_digest(db_text(rows, 2), &r.content);
	if (tree_is_here(s, db_text(rows, 5)))
		snprintf(r.tree, sizeof r.tree, "%s", db_text(rows, 5));
	r.has_listing = db_text(rows, 4)[0] != '\0';
	if (read_blobs(s, db, &r, err) < 0)
		return -1;
	*out = r;
	return 1;
}

/* Pinned first, so that what is then seen to be there stays: gc keeps all forms of a pinned layer.
 */
static int
get(struct store *s, int64_t id, struct layer_record *out, struct err *err)
{
	struct db *db = NULL;

	if (store_db(s, &db, err) < 0 || pin_id(s, id, err) < 0)
		return -1;
	return read_layer(s, db, id, out, err);
}

/* Of several layers with one diff id (two processes may each have made it), the one with most
 * forms. */
static int
get_best(struct store *s, const char *sql, const char *text, struct layer_record *out,
	struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct db *db = NULL;
	int best = -1;
	int more = 0;

	if (store_db(s, &db, err) < 0 || db_query(db, sql, DB_ARGS(DB_TEXT(text)), &rows, err) < 0)
		return -1;
	while ((more = db_next(rows, err)) == 1) {
		struct layer_record r;
		int found = get(s, db_int(rows, 0), &r, err);
		int forms = 0;

		if (found < 0)
			return -1;
		if (found == 0)
			continue;
		forms = r.tree[0] != '\0' ? 2 : 0;
		for (size_t i = 0; i < r.blob_count; i++)
			forms += r.blobs[i].here ? 1 : 0;
		if (forms > best) {
			best = forms;
			*out = r;
		}
	}
	return more < 0 ? -1 : best >= 0;
}

int
store_layer_get(struct store *s, int64_t id, struct layer_record *out, struct err *err)
{
	int result = get(s, id, out, err);

	return store_mended(s, result, err) ? 0 : result;
}

static int
by_text(struct store *s, const char *sql, const struct digest *d, struct layer_record *out,
	struct err *err)
{
	int result = 0;

	if (digest_is_empty(d))
		return 0;
	result = get_best(s, sql, d->text, out, err);
	return store_mended(s, result, err) ? 0 : result;
}

const struct layer_blob *
layer_blob_here(const struct layer_record *r)
{
	for (size_t i = 0; i < r->blob_count; i++)
		if (r->blobs[i].here)
			return &r->blobs[i];
	return NULL;
}

int
store_layer_by_diff_id(
	struct store *s, const struct digest *diff_id, struct layer_record *out, struct err *err)
{
	return by_text(s, "SELECT id FROM layers WHERE diff_id = ?", diff_id, out, err);
}

int
store_layer_by_blob(
	struct store *s, const struct digest *blob, struct layer_record *out, struct err *err)
{
	return by_text(s, "SELECT layer FROM layer_blobs WHERE digest = ?", blob, out, err);
}

static int
write_blobs(struct store *s, const struct layer_record *r, struct err *err)
{
	for (size_t i = 0; i < r->blob_count; i++) {
		const struct layer_blob *b = &r->blobs[i];

		if (store_pin(s, STORE_PIN_BLOB, b->digest.text, err) < 0 ||
			db_run(s->db,
				"INSERT OR REPLACE INTO layer_blobs(layer, digest, media_type, "
				"size)"
				" VALUES(?, ?, coalesce(?, ''), ?)",
				DB_ARGS(DB_INT(r->id), DB_TEXT(b->digest.text),
					DB_TEXT(b->media_type), DB_INT(b->size)),
				err) < 0)
			return -1;
	}
	return 0;
}

/* One that was lost with a damaged database is made again, under the id it had. */
static int
write_layer(struct store *s, const struct layer_record *r, struct err *err)
{
	if (db_run(s->db, "INSERT OR IGNORE INTO layers(id) VALUES(?)", DB_ARGS(DB_INT(r->id)),
		    err) < 0)
		return -1;
	if (db_run(s->db,
		    "UPDATE layers SET diff_id = coalesce(?, diff_id),"
		    " diff_size = max(?, coalesce(diff_size, 0)), content = coalesce(?, content),"
		    " tree = coalesce(?, tree) WHERE id = ?",
		    DB_ARGS(DB_TEXT(r->diff_id.text), DB_INT(r->diff_size),
			    DB_TEXT(r->content.text), DB_TEXT(r->tree), DB_INT(r->id)),
		    err) < 0)
		return -1;
	return write_blobs(s, r, err);
}

static int
insert_layer(struct store *s, struct layer_record *r, struct err *err)
{
	if (db_run(s->db,
		    "INSERT INTO layers(diff_id, diff_size, content, tree) VALUES(?, ?, ?, ?)",
		    DB_ARGS(DB_TEXT(r->diff_id.text), DB_INT(r->diff_size),
			    DB_TEXT(r->content.text), DB_TEXT(r->tree)),
		    err) < 0)
		return -1;
	r->id = db_last_id(s->db);
	if (pin_id(s, r->id, err) < 0)
		return -1;
	return write_blobs(s, r, err);
}

static int
complete_layer(
	struct store *s, const struct layer_record *known, struct layer_record *r, struct err *err)
{
	r->id = known->id;
	if (known->tree[0] != '\0')
		memcpy(r->tree, known->tree, sizeof r->tree);
	return write_layer(s, r, err);
}

static int
add(struct store *s, const struct layer_record *wanted, struct layer_record *out, struct err *err)
{
	struct layer_record known = { 0 };
	struct layer_record r = *wanted;
	int result = 0;

	if (store_write_begin(s, false, err) < 0)
		return -1;
	if (!digest_is_empty(&r.diff_id))
		result = get_best(
			s, "SELECT id FROM layers WHERE diff_id = ?", r.diff_id.text, &known, err);
	if (result == 0)
		result = insert_layer(s, &r, err);
	else if (result > 0)
		result = complete_layer(s, &known, &r, err);
	if (result == 0)
		result = read_layer(s, s->db, r.id, &r, err) < 0 ? -1 : 0;
	if (store_write_end(s, result, err) < 0)
		return -1;
	*out = r;
	return 0;
}

/* What the record names must be safe from gc before the record is. */
static int
pin_forms(struct store *s, const struct layer_record *r, struct err *err)
{
	if (r->tree[0] != '\0' && store_pin(s, STORE_PIN_TREE, r->tree, err) < 0)
		return -1;
	for (size_t i = 0; i < r->blob_count; i++)
		if (store_pin(s, STORE_PIN_BLOB, r->blobs[i].digest.text, err) < 0)
			return -1;
	return 0;
}

int
store_layer_add(struct store *s, struct layer_record *r, struct err *err)
{
	int result = pin_forms(s, r, err);

	if (result == 0)
		result = add(s, r, r, err);
	return store_mended(s, result, err) ? add(s, r, r, err) : result;
}

static int
update(struct store *s, const struct layer_record *r, struct err *err)
{
	if (store_write_begin(s, false, err) < 0)
		return -1;
	return store_write_end(s, write_layer(s, r, err), err);
}

int
store_layer_update(struct store *s, const struct layer_record *r, struct err *err)
{
	int result = 0;

	if (pin_forms(s, r, err) < 0 || pin_id(s, r->id, err) < 0)
		return -1;
	result = update(s, r, err);
	return store_mended(s, result, err) ? update(s, r, err) : result;
}

/* Listings: files of random names, so that a rebuilt database cannot meet one that means another
 * layer. */

static int
write_listing(struct store *s, int64_t layer, const char *id, struct err *err)
{
	int result = 0;

	if (store_write_begin(s, false, err) < 0)
		return -1;
	/* nothing happens to a layer that was lost with a damaged database */
	result = db_run(s->db, "UPDATE layers SET listing = ? WHERE id = ?",
		DB_ARGS(DB_TEXT(id), DB_INT(layer)), err);
	return store_write_end(s, result, err);
}

/* What store_listing_put() and store_listing_copy() have. */
struct form {
	const struct listing *listing; /* NULL: in fd */
	int fd;
};

/* By way of ingest/, where gc respects what is being written.  Not synced: one that is lost or torn
 * is made again from the blob or tree. */
static int
write_file(struct store *s, const char *name, const struct form *form, struct err *err)
{
	AUTO(ingest) struct ingest *in = NULL;
	uint64_t copied;

	if (store_ingest_new(s, NULL, INGEST_WAIT, &in, err) < 0)
		return -1;
	if (form->listing != NULL
			? listing_write(form->listing, ingest_fd(in), err) < 0
			: lseek(form->fd, 0, SEEK_SET) < 0 ||
				  fd_copy(form->fd, ingest_fd(in), UINT64_MAX, &copied, err) < 0)
		return -1;
	return ingest_place(&in, name, 0600, err);
}

static int
put_listing(struct store *s, int64_t layer, const struct form *form, struct err *err)
{
	char name[64] = "listings/";
	char *id = name + strlen(name);
	int result = 0;

	store_id_new(id);
	if (pin_id(s, layer, err) < 0 || store_pin(s, STORE_PIN_LISTING, id, err) < 0)
		return -1;
	if (write_file(s, name, form, err) < 0)
		return err_in(err, "write a listing");
	result = write_listing(s, layer, id, err);
	return store_mended(s, result, err) ? 0 : result;
}

int
store_listing_put(struct store *s, int64_t layer, const struct listing *l, struct err *err)
{
	struct form form = { .listing = l, .fd = -1 };

	return put_listing(s, layer, &form, err);
}

int
store_listing_copy(struct store *s, int64_t layer, int fd, struct err *err)
{
	struct form form = { .fd = fd };

	return put_listing(s, layer, &form, err);
}

static int
listing_file(struct store *s, int64_t layer, char name[64], struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct db *db = NULL;
	int found = 0;

	if (store_db(s, &db, err) < 0 || pin_id(s, layer, err) < 0 ||
		db_query(db, "SELECT listing FROM layers WHERE id = ?", DB_ARGS(DB_INT(layer)),
			&rows, err) < 0)
		return -1;
	found = db_next(rows, err);
	if (found == 1 && !store_id_is_valid(db_text(rows, 0)))
		found = 0;
	if (found == 1)
		snprintf(name, 64, "listings/%s", db_text(rows, 0));
	return found;
}

int
store_listing_get(struct store *s, int64_t layer, struct listing *out, struct err *err)
{
	AUTO(fd) int fd = -1;
	char name[64];
	struct err gone = { 0 };
	int found = listing_file(s, layer, name, err);

	if (found <= 0)
		return store_mended(s, found, err) ? 0 : found;
	fd = openat(s->root, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && listing_open(fd, out, &gone) == 0;
}

/* Sources */

static int
add_source(struct store *s, const struct digest *d, const char *ref, struct err *err)
{
	if (store_write_begin(s, false, err) < 0)
		return -1;
	return store_write_end(s,
		db_run(s->db, "INSERT OR REPLACE INTO sources(digest, ref, used) VALUES(?, ?, ?)",
			DB_ARGS(DB_TEXT(d->text), DB_TEXT(ref), DB_INT(store_now())), err),
		err);
}

int
store_source_add(struct store *s, const struct digest *d, const char *ref, struct err *err)
{
	int result = add_source(s, d, ref, err);

	return store_mended(s, result, err) ? add_source(s, d, ref, err) : result;
}

static int
list_sources(struct store *s, const struct digest *d, struct strv *out, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct db *db = NULL;
	int more = 0;

	if (store_db(s, &db, err) < 0 ||
		db_query(db, "SELECT ref FROM sources WHERE digest = ? ORDER BY used DESC",
			DB_ARGS(DB_TEXT(d->text)), &rows, err) < 0)
		return -1;
	while ((more = db_next(rows, err)) == 1)
		strv_add(out, db_text(rows, 0));
	return more;
}

int
store_source_list(struct store *s, const struct digest *d, struct strv *out, struct err *err)
{
	int result = list_sources(s, d, out, err);

	return store_mended(s, result, err) ? 0 : result;
}
