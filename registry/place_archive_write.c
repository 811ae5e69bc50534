/* SPDX-License-Identifier: Apache-2.0 */
/* place_archive - writing, in one pass: blobs as they come, then the documents that name them. */
#include "registry/place_archive.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "layers/tar.h"
#include "registry/ref.h"

#define OCI_LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"

struct document {
	struct digest digest;
	struct buf bytes;
};

struct writer {
	struct place place;
	pthread_mutex_t lock;
	enum place_archive_kind kind;
	struct sink *out;
	struct tar_writer *tar;
	struct catalog catalog;
	struct digest *written;
	size_t written_count, written_room;
	struct document *documents; /* manifests and indexes, for manifest.json */
	size_t document_count, document_room;
	bool is_begun;
	bool is_broken; /* half a blob cannot be taken back */
};

/* A member's bytes into the tar, and their digest. */
struct sink_member {
	struct sink sink;
	struct tar_writer *tar;
	struct hasher *hasher;
	struct buf *copy; /* NULL: none is kept */
	uint64_t size, limit;
};

static int
member_write(struct sink *sink, const void *bytes, size_t len, struct err *err)
{
	struct sink_member *s = (struct sink_member *)sink;

	if (len > s->limit - s->size)
		return err_set(err, ERR_CORRUPT,
			"more than the %" PRIu64 " bytes that it should have", s->limit);
	hasher_add(s->hasher, bytes, len);
	if (s->copy != NULL)
		buf_add(s->copy, bytes, len);
	s->size += len;
	return tar_writer_data(s->tar, bytes, len, err);
}

static const struct sink_ops member_ops = { .write = member_write };

static int
write_head(struct writer *w, const char *path, enum entry_kind kind, uint64_t size, struct err *err)
{
	struct entry e = {
		.path = (char *)path,
		.kind = kind,
		.mode = kind == ENTRY_DIR ? 0755 : 0444,
		.size = size,
	};

	return tar_writer_entry(w->tar, &e, err);
}

static int
write_file(struct writer *w, const char *path, const char *bytes, size_t len, struct err *err)
{
	if (write_head(w, path, ENTRY_FILE, len, err) < 0)
		return -1;
	return tar_writer_data(w->tar, bytes, len, err);
}

static int
begin(struct writer *w, struct err *err)
{
	if (w->is_begun)
		return 0;
	w->is_begun = true;
	if (write_file(w, "oci-layout", OCI_LAYOUT, strlen(OCI_LAYOUT), err) < 0 ||
		write_head(w, "blobs", ENTRY_DIR, 0, err) < 0 ||
		write_head(w, "blobs/sha256", ENTRY_DIR, 0, err) < 0)
		return -1;
	return 0;
}

static bool
has(const struct writer *w, const struct digest *d)
{
	for (size_t i = 0; i < w->written_count; i++)
		if (digest_same(&w->written[i], d))
			return true;
	return false;
}

static int
writer_has(struct place *p, const struct descriptor *d, struct err *err)
{
	struct writer *w = (struct writer *)p;
	bool there;

	(void)err;
	pthread_mutex_lock(&w->lock);
	there = has(w, &d->digest);
	pthread_mutex_unlock(&w->lock);
	return there;
}

static struct document *
document_add(struct writer *w, const struct digest *d)
{
	w->documents =
		grow(w->documents, w->document_count, &w->document_room, sizeof *w->documents);
	w->documents[w->document_count] = (struct document){ *d, BUF_INIT };
	return &w->documents[w->document_count++];
}

static int
write_blob(struct writer *w, const struct descriptor *d, struct source *from, struct err *err)
{
	AUTO(hasher) struct hasher *hasher = hasher_new(digest_algorithm(&d->digest));
	AUTO(free)
	char *path =
		xasprintf("blobs/%s/%s", digest_algorithm_name(&d->digest), digest_hex(&d->digest));
	struct sink_member to = { { &member_ops }, w->tar, hasher, NULL, 0, d->size };
	struct digest got;

	if (media_is_index(d->media_type) || media_is_manifest(d->media_type)) {
		if (d->size > MANIFEST_MAX)
			return err_set(
				err, ERR_INPUT, "%s is too large for a manifest", d->digest.text);
		to.copy = &document_add(w, &d->digest)->bytes;
	}
	if (begin(w, err) < 0 || write_head(w, path, ENTRY_FILE, d->size, err) < 0 ||
		source_send(from, 0, &to.sink, err) < 0)
		return -1;
	hasher_digest(hasher, &got);
	if (to.size != d->size || !digest_same(&got, &d->digest))
		return err_set(err, ERR_CORRUPT,
			"expected %s with %" PRIu64 " bytes, got %s with %" PRIu64, d->digest.text,
			d->size, got.text, to.size);
	w->written = grow(w->written, w->written_count, &w->written_room, sizeof *w->written);
	w->written[w->written_count++] = d->digest;
	return 0;
}

static int
writer_put(struct place *p, const struct descriptor *d, struct source *from, struct err *err)
{
	struct writer *w = (struct writer *)p;
	int result = 0;

	pthread_mutex_lock(&w->lock);
	if (w->is_broken)
		result = err_set(err, ERR_INPUT, "the archive could not be written");
	else if (!has(w, &d->digest))
		result = write_blob(w, d, from, err);
	w->is_broken = w->is_broken || result < 0;
	pthread_mutex_unlock(&w->lock);
	return result;
}

static const struct document *
document_find(const struct writer *w, const struct digest *d)
{
	for (size_t i = 0; i < w->document_count; i++)
		if (digest_same(&w->documents[i].digest, d))
			return &w->documents[i];
	return NULL;
}

static int
writer_get(struct place *p, const struct descriptor *d, uint64_t offset, struct sink *out,
	struct err *err)
{
	struct writer *w = (struct writer *)p;
	const struct document *doc;
	const char *bytes = NULL;
	size_t len = 0;

	/* others may move the list, but not what stands in it once its put() is over */
	pthread_mutex_lock(&w->lock);
	doc = document_find(w, &d->digest);
	if (doc != NULL) {
		bytes = doc->bytes.data;
		len = doc->bytes.len;
	}
	pthread_mutex_unlock(&w->lock);
	if (bytes == NULL || offset > len)
		return err_set(err, ERR_USAGE, "an archive that is written cannot be read");
	return sink_write(out, bytes + offset, len - (size_t)offset, err);
}

static int
writer_resolve(struct place *p, const char *name, struct descriptor *out, struct err *err)
{
	struct writer *w = (struct writer *)p;
	const struct descriptor *d = NULL;
	int result;

	pthread_mutex_lock(&w->lock);
	result = catalog_find(&w->catalog, name, &d, err);
	if (result == 0)
		descriptor_copy(d, out);
	pthread_mutex_unlock(&w->lock);
	return result < 0 ? -1 : 0;
}

static int
writer_tag(struct place *p, const char *name, const struct descriptor *d, struct err *err)
{
	struct writer *w = (struct writer *)p;

	(void)err;
	pthread_mutex_lock(&w->lock);
	catalog_set(&w->catalog, name, d);
	pthread_mutex_unlock(&w->lock);
	return 0;
}

/* The manifest of one image: d's own, or that of the host's platform where d is an index. */
static int
choose(const struct writer *w, const struct descriptor *d, struct manifest *out, bool *is_there,
	struct err *err)
{
	const struct document *doc = document_find(w, &d->digest);
	AUTO(index) struct index index = { 0 };
	struct platform host;
	const struct descriptor *chosen = NULL;
	struct err ignored = { 0 };

	*is_there = false;
	if (doc == NULL)
		return 0;
	if (media_is_manifest(d->media_type)) {
		*is_there = true;
		return manifest_parse(doc->bytes.data, doc->bytes.len, d->media_type, out, err);
	}
	platform_host(&host);
	if (index_parse(doc->bytes.data, doc->bytes.len, d->media_type, &index, err) < 0)
		return -1;
	/* an image for other machines only: in index.json it is all the same */
	if (index_choose(&index, &host, &chosen, &ignored) < 0 ||
		!media_is_manifest(chosen->media_type))
		return 0;
	doc = document_find(w, &chosen->digest);
	if (doc == NULL)
		return 0;
	*is_there = true;
	return manifest_parse(doc->bytes.data, doc->bytes.len, chosen->media_type, out, err);
}

static json_t *
blob_path(const struct digest *d)
{
	AUTO(free) char *path = xasprintf("blobs/%s/%s", digest_algorithm_name(d), digest_hex(d));

	return json_text(path);
}

/* All names that stand for d, as docker writes them. */
static json_t *
repo_tags(const struct writer *w, const struct digest *d)
{
	json_t *tags = json_array();

	for (size_t i = 0; i < w->catalog.count; i++) {
		const struct catalog_row *r = &w->catalog.rows[i];
		AUTO(buf) struct buf name = BUF_INIT;
		struct err ignored = { 0 };
		struct ref ref;

		if (r->name == NULL || !digest_same(&r->descriptor.digest, d) ||
			ref_parse(r->name, &ref, &ignored) < 0)
			continue;
		ref_format(&ref, REF_FAMILIAR, &name);
		json_array_append_new(tags, json_text(name.data));
	}
	if (json_array_size(tags) > 0)
		return tags;
	json_decref(tags);
	return json_null();
}

static int
image_row(const struct writer *w, const struct descriptor *d, json_t *rows, struct err *err)
{
	AUTO(manifest) struct manifest manifest = { .is_docker = false };
	bool is_there = false;
	json_t *row, *layers;

	if (choose(w, d, &manifest, &is_there, err) < 0)
		return -1;
	if (!is_there)
		return 0;
	row = json_object();
	layers = json_array();
	json_object_set_new(row, "Config", blob_path(&manifest.config.digest));
	json_object_set_new(row, "RepoTags", repo_tags(w, &d->digest));
	for (size_t i = 0; i < manifest.layer_count; i++)
		json_array_append_new(layers, blob_path(&manifest.layers[i].digest));
	json_object_set_new(row, "Layers", layers);
	json_array_append_new(rows, row);
	return 0;
}

static int
write_manifest_json(struct writer *w, struct err *err)
{
	AUTO(json) json_t *rows = json_array();
	AUTO(buf) struct buf bytes = BUF_INIT;

	for (size_t i = 0; i < w->catalog.count; i++) {
		const struct descriptor *d = &w->catalog.rows[i].descriptor;
		size_t first = 0;

		while (!digest_same(&w->catalog.rows[first].descriptor.digest, &d->digest))
			first++;
		if (first == i && image_row(w, d, rows, err) < 0)
			return -1;
	}
	json_format(rows, JSON_STYLE_COMPACT, &bytes);
	buf_addc(&bytes, '\n');
	return write_file(w, "manifest.json", bytes.data, bytes.len, err);
}

static int
writer_finish(struct place *p, struct err *err)
{
	struct writer *w = (struct writer *)p;
	AUTO(buf) struct buf index = BUF_INIT;

	if (w->is_broken)
		return err_set(err, ERR_INPUT, "the archive could not be written");
	catalog_format(&w->catalog, &index);
	if (begin(w, err) < 0 || write_file(w, "index.json", index.data, index.len, err) < 0)
		return -1;
	if (w->kind == PLACE_ARCHIVE_DOCKER && write_manifest_json(w, err) < 0)
		return -1;
	if (tar_writer_finish(w->tar, err) < 0)
		return -1;
	return sink_finish(w->out, err);
}

static void
writer_free(struct place *p)
{
	struct writer *w = (struct writer *)p;

	for (size_t i = 0; i < w->document_count; i++)
		buf_free(&w->documents[i].bytes);
	free(w->documents);
	free(w->written);
	catalog_free(&w->catalog);
	tar_writer_free(w->tar);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static const struct place_ops ops = {
	.scheme = "archive",
	.resolve = writer_resolve,
	.tag = writer_tag,
	.has = writer_has,
	.get = writer_get,
	.put = writer_put,
	.finish = writer_finish,
	.free = writer_free,
};

struct place *
place_archive_new(struct sink *out, enum place_archive_kind kind)
{
	struct writer *w = xzalloc(sizeof *w);

	w->place.ops = &ops;
	pthread_mutex_init(&w->lock, NULL);
	w->kind = kind;
	w->out = out;
	w->tar = tar_writer_new(out, TAR_PLAIN);
	return &w->place;
}
