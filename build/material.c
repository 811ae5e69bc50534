/* SPDX-License-Identifier: Apache-2.0 */
#include "build/material.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "layers/apply.h"
#include "registry/place_store.h"
#include "registry/remote.h"

struct material *
material_of(struct solve *s, const struct layer_record *rec)
{
	struct material *m;

	for (size_t i = 0; i < s->material_count; i++)
		if (s->materials[i]->rec.id == rec->id)
			return s->materials[i];
	m = xzalloc(sizeof *m);
	m->rec = *rec;
	s->materials =
		grow(s->materials, s->material_count, &s->material_room, sizeof *s->materials);
	s->materials[s->material_count++] = m;
	return m;
}

int
materials_of_image(struct solve *s, struct plan_image *image, struct root *r, struct err *err)
{
	struct digest chain;

	for (size_t i = 0; i < image->manifest.layer_count; i++) {
		struct layer_record rec = {
			.id = 0, .diff_id = image->config.diff_ids[i], .blob_count = 1
		};
		const struct descriptor *d = &image->manifest.layers[i];
		struct material *m;

		media_type_clean(d->media_type, rec.blobs[0].media_type);
		rec.blobs[0].digest = d->digest;
		rec.blobs[0].size = d->size;
		if (store_layer_add(s->store, &rec, err) < 0)
			return -1;
		m = material_of(s, &rec);
		m->image = image;
		root_add(r, m);
	}
	config_chain_id(image->config.diff_ids, image->config.diff_id_count, &chain);
	r->state = chain;
	return 0;
}

void
material_free(struct material *m)
{
	listing_free(&m->listing);
	free(m);
}

bool
material_is_empty(const struct material *m)
{
	return m->has_listing && m->listing.count == 0;
}

const struct layer_blob *
material_blob(const struct material *m)
{
	const struct layer_blob *here = layer_blob_here(&m->rec);

	return here != NULL ? here : m->rec.blob_count > 0 ? &m->rec.blobs[0] : NULL;
}

static int
refresh(struct solve *s, struct material *m, struct err *err)
{
	struct layer_record rec;
	int found = store_layer_get(s->store, m->rec.id, &rec, err);

	if (found > 0)
		m->rec = rec;
	return found < 0 ? -1 : 0;
}

/* --- listings of workers ---------------------------------------------------------------------- */

void
auto_material_writer(struct material_writer *w)
{
	auto_listing_writer(&w->listing);
	hasher_free(w->content);
}

void
material_writer_begin(struct material_writer *w, int memory, uint64_t count)
{
	w->listing.fd = memory;
	w->count = count;
	w->content = hasher_new(DIGEST_SHA256);
	listing_writer_begin(&w->listing, count);
}

int
material_writer_add(struct material_writer *w, const struct entry *e, struct err *err)
{
	if (w->content != NULL && !listing_content_add(w->content, e)) {
		hasher_free(w->content);
		w->content = NULL;
	}
	return listing_writer_add(&w->listing, e, err);
}

int
material_writer_end(struct material_writer *w, json_t *out, struct err *err)
{
	struct digest content = { .text = "" };

	if (w->content != NULL)
		hasher_digest(w->content, &content);
	json_object_set_new(out, "entries", json_integer((json_int_t)w->count));
	json_object_set_new(out, "content", json_string(content.text));
	return listing_writer_end(&w->listing, err);
}

int
material_write_listing(int memory, const struct listing *l, json_t *out, struct err *err)
{
	struct digest content;

	listing_content_digest(l, &content);
	json_object_set_new(out, "entries", json_integer((json_int_t)l->count));
	json_object_set_new(out, "content", json_string(content.text));
	return listing_write(l, memory, err);
}

int
material_take_made(struct job *j, const json_t *result, struct node *n, struct err *err)
{
	const char *content = NULL;

	if (json_get_uint(result, "entries", &n->entries, err) < 0 ||
		json_get_string(result, "content", &content, err) < 0)
		return -1;
	n->content_made = (struct digest){ .text = "" };
	if (content != NULL && *content != '\0' && digest_parse(content, &n->content_made, err) < 0)
		return -1;
	n->listing_fd = fd_steal(&j->memory);
	return 0;
}

int
material_read_listing(struct job *j, struct listing *out, struct err *err)
{
	return listing_open(j->memory, out, err);
}

static int
keep_listing(struct solve *s, struct material *m, struct job *j, struct err *err)
{
	listing_free(&m->listing);
	if (listing_open(j->memory, &m->listing, err) < 0)
		return -1;
	m->has_listing = true;
	return store_listing_copy(s->store, m->rec.id, j->memory, err);
}

/* --- blob to tree, blob to listing ------------------------------------------------------------ */

struct unpacking {
	int blob; /* open blob */
	struct layer_blob from;
	struct digest diff_id; /* empty: not known */
	int tree;              /* -1: only list */
	int memory;
	bool is_single;
	const struct view *lower; /* what is below a tree; NULL: nothing, or not known */
};

static int
list_entries(struct stream *tar, struct listing *out, struct err *err)
{
	AUTO(tar_reader) struct tar_reader *r = tar_reader_new(tar, TAR_LAYER);
	AUTO(entry) struct entry e = { .path = NULL };
	int more;

	while ((more = tar_reader_next(r, &e, err)) > 0)
		listing_take(out, &e);
	if (more < 0 || tar_reader_drain(r, err) < 0)
		return -1;
	listing_sort(out);
	return 0;
}

static int
unpack(void *arg, json_t **result, struct err *err)
{
	struct unpacking *u = arg;
	struct apply_options options = APPLY_OPTIONS_INIT;
	struct digest diff_id = { .text = "" };
	AUTO(listing) struct listing listing = LISTING_INIT;
	AUTO(stream) struct stream *tar = NULL;
	int done;

	*result = json_object();
	options.owner = u->is_single ? APPLY_OWNER_TRY : APPLY_OWNER_KEEP;
	options.lower = u->lower;
	if (layer_stream(stream_verify(stream_fd(u->blob), &u->from.digest, u->from.size),
		    LAYER_SIZE_MAX, &diff_id, &tar, err) < 0)
		return -1;
	done = u->tree >= 0 ? apply_layer(tar, u->tree, &options, &listing, err)
			    : list_entries(tar, &listing, err);
	if (done < 0)
		return err_in(err, "unpack layer %s", u->from.digest.text);
	if (!digest_is_empty(&u->diff_id) && !digest_same(&diff_id, &u->diff_id))
		return err_set(err, ERR_CORRUPT,
			"layer %s: its configuration says %s, its bytes say %s",
			u->from.digest.text, u->diff_id.text, diff_id.text);
	return material_write_listing(u->memory, &listing, *result, err);
}

static int
unpacked(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	struct material *m = j->subject;

	(void)result;
	m->is_busy = false;
	if (j->tree.fs_fd >= 0) {
		struct layer_record rec = { .id = m->rec.id };

		memcpy(rec.tree, j->tree.id, sizeof rec.tree);
		if (store_tree_commit(s->store, j->tree.id, 0, err) < 0 ||
			store_layer_update(s->store, &rec, err) < 0)
			return -1;
	}
	if (keep_listing(s, m, j, err) < 0 || refresh(s, m, err) < 0)
		return -1;
	return j->tree.fs_fd >= 0 ? solve_flush(s, err) : 0;
}

static int
start_unpack(struct solve *s, struct material *m, const struct layer_blob *blob, bool to_tree,
	const struct view *lower, struct err *err)
{
	struct job j = { .finish = unpacked, .subject = m, .tree = TREE_NEW_INIT };
	struct unpacking u = {
		.from = *blob, .diff_id = m->rec.diff_id, .tree = -1, .lower = lower
	};
	struct worker_job w = { .name = "unpack", .run = unpack, .arg = &u };
	AUTO(fd) int fd = -1;
	uint64_t size;

	if (to_tree && (solve_inside(s, err) < 0 || store_tree_new(s->store, s->ids.root_uid,
							    s->ids.root_gid, &j.tree, err) < 0))
		return -1;
	fd = store_blob_open(s->store, &blob->digest, &size, err);
	if (fd < 0)
		return -1;
	j.memory = fd_memory("listing", err);
	if (j.memory < 0)
		return -1;
	u.blob = fd;
	u.memory = j.memory;
	u.tree = j.tree.fs_fd;
	u.is_single = s->ids.is_single;
	m->is_busy = true;
	return solve_start(s, &j, &w, to_tree, err);
}

/* --- tree to blob ----------------------------------------------------------------------------- */

struct packing {
	int tree;
	struct listing *listing;
	int blob;
	enum codec_kind codec;
	int level;
	struct ingest *ingest;
};

void
material_made_to_json(const struct layer_made *made, json_t *out)
{
	json_object_set_new(out, "diffId", json_string(made->diff_id.text));
	json_object_set_new(out, "diffSize", json_integer((json_int_t)made->diff_size));
	json_object_set_new(out, "mediaType", json_string(made->blob.media_type));
	json_object_set_new(out, "digest", json_string(made->blob.digest.text));
	json_object_set_new(out, "size", json_integer((json_int_t)made->blob.size));
}

int
material_made_from_json(const json_t *o, struct layer_record *rec, struct err *err)
{
	const char *diff_id = NULL, *digest = NULL, *type = NULL;
	struct layer_blob *blob = &rec->blobs[0];

	if (json_get_string(o, "diffId", &diff_id, err) < 0 ||
		json_get_uint(o, "diffSize", &rec->diff_size, err) < 0 ||
		json_get_string(o, "mediaType", &type, err) < 0 ||
		json_get_string(o, "digest", &digest, err) < 0 ||
		json_get_uint(o, "size", &blob->size, err) < 0)
		return -1;
	if (diff_id == NULL || digest == NULL || type == NULL)
		return err_set(err, ERR_SYSTEM, "the worker did not say what it made");
	media_type_clean(type, blob->media_type);
	rec->blob_count = 1;
	if (digest_parse(diff_id, &rec->diff_id, err) < 0)
		return -1;
	return digest_parse(digest, &blob->digest, err);
}

static int
pack(void *arg, json_t **result, struct err *err)
{
	struct packing *p = arg;
	struct layer_made made;
	AUTO(sink) struct sink *out = NULL;

	if (layer_sink(p->blob, p->codec, p->level, 0, &made, &out, err) < 0 ||
		layer_pack(p->tree, p->listing, LAYER_DIGESTS_NONE, out, err) < 0 ||
		sink_finish(out, err) < 0 || ingest_sync(p->ingest, err) < 0)
		return -1;
	*result = json_object();
	material_made_to_json(&made, *result);
	return 0;
}

static int
packed(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	struct material *m = j->subject;
	struct layer_record rec = { .id = m->rec.id };

	m->is_busy = false;
	if (material_made_from_json(result, &rec, err) < 0 ||
		ingest_commit(&j->ingest, &rec.blobs[0].digest, rec.blobs[0].size, err) < 0 ||
		store_layer_update(s->store, &rec, err) < 0)
		return -1;
	if (refresh(s, m, err) < 0)
		return -1;
	event_done(j->event);
	return 0;
}

static int
start_pack(struct solve *s, struct material *m, struct err *err)
{
	struct job j = { .finish = packed, .subject = m, .memory = -1, .tree = TREE_NEW_INIT };
	struct packing p = { .listing = &m->listing, .codec = s->codec, .level = s->level };
	struct worker_job w = { .name = "pack", .run = pack, .arg = &p };
	AUTO(fd) int tree = -1;

	if (solve_inside(s, err) < 0)
		return -1;
	tree = store_tree_open(s->store, m->rec.tree, err);
	if (tree < 0 || store_ingest_new(s->store, NULL, INGEST_WAIT, &j.ingest, err) < 0)
		return -1;
	p.tree = tree;
	p.ingest = j.ingest;
	p.blob = ingest_fd(j.ingest);
	m->is_busy = true;
	j.event = event_start("exporting layer");
	return solve_start(s, &j, &w, true, err);
}

/* --- from the registry ------------------------------------------------------------------------ */

struct fetching {
	struct solve *s;
	struct plan_image *image;
	struct strv wanted; /* digests of layers */
};

static bool
wants_layer(const struct descriptor *layer, void *arg)
{
	return strv_has(&((struct fetching *)arg)->wanted, layer->digest.text);
}

static int
fetch(void *arg, json_t **result, struct err *err)
{
	struct fetching *f = arg;
	struct place_copy_options options = {
		.platform = &f->image->platform, .wants_layer = wants_layer, .arg = f
	};
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	AUTO(session) struct session *session = NULL;
	AUTO(place) struct place *from = NULL, *to = place_store_new(f->s->store);

	(void)result;
	if (session_open(&f->s->o->session, &session, err) < 0 ||
		remote_open(session, &f->image->ref, REMOTE_PULL, &from, err) < 0)
		return -1;
	return place_copy(from, to, &f->image->manifest_at, &options, &copied, err);
}

static int
fetched(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	(void)result;
	for (size_t i = 0; i < s->material_count; i++) {
		struct material *m = s->materials[i];

		if (m->image != j->subject)
			continue;
		m->is_busy = false;
		if (refresh(s, m, err) < 0)
			return -1;
	}
	event_done(j->event);
	return 0;
}

/* One worker for all layers of the base: they share connections and tokens. */
static int
start_fetch(struct solve *s, struct plan_image *image, struct err *err)
{
	struct job j = { .finish = fetched, .subject = image, .memory = -1, .tree = TREE_NEW_INIT };
	struct fetching f = { .s = s, .image = image };
	struct worker_job w = { .name = "pull", .run = fetch, .arg = &f };
	int result;

	for (size_t i = 0; i < s->material_count; i++) {
		struct material *m = s->materials[i];

		if (m->image != image || layer_blob_here(&m->rec) != NULL || m->rec.tree[0] != '\0')
			continue;
		m->is_busy = true;
		strv_add(&f.wanted, m->rec.blobs[0].digest.text);
	}
	j.event = event_start("pull %s", image->pinned);
	result = solve_start(s, &j, &w, false, err);
	strv_free(&f.wanted);
	return result;
}

/* --- asking ----------------------------------------------------------------------------------- */

static int
want_blob(struct solve *s, struct material *m, struct err *err)
{
	if (layer_blob_here(&m->rec) != NULL)
		return 1;
	if (m->rec.tree[0] != '\0' && m->image == NULL) {
		int found = m->has_listing
				    ? 1
				    : store_listing_get(s->store, m->rec.id, &m->listing, err);

		if (found < 0)
			return -1;
		m->has_listing = found > 0;
		if (found > 0)
			return start_pack(s, m, err);
	}
	if (m->image == NULL)
		return err_set(err, ERR_CORRUPT,
			"layer %s is in no form that could be read (try 'cooper check --repair')",
			m->rec.diff_id.text);
	return start_fetch(s, m->image, err);
}

static int want_in(
	struct solve *s, struct root *r, size_t index, enum material_form form, struct err *err);

/* A layer that does not name a directory it puts something in leaves that directory as it is below: so
 * what is below must be known, and layers are unpacked from the lowest up. */
static int
unpack_over(struct solve *s, struct root *r, size_t index, const struct layer_blob *blob,
	struct err *err)
{
	AUTO(free) const struct listing **layers = xcalloc(index + 1, sizeof *layers);
	AUTO(view) struct view *lower = NULL;

	for (size_t i = 0; i < index; i++) {
		int listed = want_in(s, r, i, MATERIAL_LISTING, err);

		if (listed <= 0)
			return listed;
		layers[i] = &r->items[i]->listing;
	}
	if (index > 0)
		lower = view_new(layers, index);
	return start_unpack(s, r->items[index], blob, true, lower, err);
}

static int
want_listing(struct solve *s, struct root *r, size_t index, struct err *err)
{
	struct material *m = r->items[index];
	const struct layer_blob *blob;
	int found;

	if (m->has_listing)
		return 1;
	listing_free(&m->listing);
	found = store_listing_get(s->store, m->rec.id, &m->listing, err);
	if (found != 0) {
		m->has_listing = found > 0;
		return found;
	}
	found = want_blob(s, m, err);
	blob = layer_blob_here(&m->rec);
	if (found <= 0 || blob == NULL)
		return found;
	if (m->tree_likely && m->rec.tree[0] == '\0')
		return unpack_over(s, r, index, blob, err);
	return start_unpack(s, m, blob, false, NULL, err);
}

static int
want_in(struct solve *s, struct root *r, size_t index, enum material_form form, struct err *err)
{
	struct material *m = r->items[index];
	const struct layer_blob *blob;
	int found;

	if (m->is_busy)
		return 0;
	if (form == MATERIAL_LISTING)
		return want_listing(s, r, index, err);
	if (m->rec.tree[0] != '\0' || material_is_empty(m))
		return 1;
	found = want_blob(s, m, err);
	blob = layer_blob_here(&m->rec);
	if (found <= 0 || blob == NULL)
		return found;
	return unpack_over(s, r, index, blob, err);
}

int
material_want_blob(struct solve *s, struct material *m, struct err *err)
{
	return m->is_busy ? 0 : want_blob(s, m, err);
}

int
materials_want(struct solve *s, struct root *r, enum material_form form, struct err *err)
{
	int all = 1;

	for (size_t i = 0; i < r->count; i++) {
		int one = want_in(s, r, i, form, err);

		if (one < 0)
			return -1;
		if (one == 0)
			all = 0;
	}
	return all;
}
