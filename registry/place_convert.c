/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/place_convert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/spool.h"
#include "layers/edit.h"
#include "layers/layer.h"
#include "registry/draft.h"

/* What stands for a layer or document of the other place. */
struct made {
	struct digest was;
	struct descriptor now;
};

struct convert {
	struct place *from, *draft;
	const struct place_convert_options *options;
	const struct place_copy_options *copy;
	int spool;
	struct made *made;
	size_t count, room;
};

static const struct descriptor *
find_made(const struct convert *c, const struct digest *was)
{
	for (size_t i = 0; i < c->count; i++)
		if (digest_same(&c->made[i].was, was))
			return &c->made[i].now;
	return NULL;
}

static void
add_made(struct convert *c, const struct digest *was, const struct descriptor *now)
{
	c->made = grow(c->made, c->count, &c->room, sizeof *c->made);
	c->made[c->count].was = *was;
	descriptor_copy(now, &c->made[c->count++].now);
}

static bool
is_wanted(const struct convert *c, const struct descriptor *layer)
{
	const struct place_convert_options *o = c->options;
	enum codec_kind codec = codec_of_media(layer->media_type);

	if (!media_is_layer(layer->media_type) || media_is_foreign(layer->media_type) ||
		codec == o->codec)
		return false;
	if (c->copy->wants_layer != NULL && !c->copy->wants_layer(layer, c->copy->arg))
		return false;
	return o->which == PLACE_CONVERT_ALL || codec == CODEC_NONE;
}

/* Bytes come by push and are decompressed by pull, so they lie in a file between. */
static int
unpack_layer(struct convert *c, const struct descriptor *layer, struct sink *tar, struct err *err)
{
	AUTO(fd) int packed = spool_file(c->spool, err);
	AUTO(sink) struct sink *to = NULL;
	AUTO(stream) struct stream *in = NULL;
	struct digest diff_id;

	if (packed < 0)
		return -1;
	to = sink_fd(packed);
	if (place_get(c->from, layer, to, err) < 0 || sink_finish(to, err) < 0)
		return -1;
	if (lseek(packed, 0, SEEK_SET) < 0)
		return err_sys(err, "read a temporary file");
	if (layer_stream(stream_fd(fd_steal(&packed)), LAYER_SIZE_MAX, &diff_id, &in, err) < 0)
		return -1;
	return stream_copy(in, tar, NULL, err);
}

static int
write_layer(struct convert *c, const struct descriptor *layer, int fd, struct layer_made *out,
	struct err *err)
{
	AUTO(sink) struct sink *tar = NULL;

	if (layer_sink(fd, c->options->codec, c->options->level, 0, out, &tar, err) < 0)
		return -1;
	if (codec_of_media(layer->media_type) == CODEC_NONE) {
		if (place_get(c->from, layer, tar, err) < 0)
			return -1;
	} else if (unpack_layer(c, layer, tar, err) < 0) {
		return -1;
	}
	return sink_finish(tar, err);
}

static int
make_layer(struct convert *c, const struct descriptor *layer, struct err *err)
{
	AUTO(fd) int fd = spool_file(c->spool, err);
	struct layer_made out;
	uint32_t event;

	if (fd < 0)
		return -1;
	event = event_start("compress %.19s", layer->digest.text);
	if (write_layer(c, layer, fd, &out, err) < 0) {
		event_fail(event, err->msg);
		return err_in(err, "%s", layer->digest.text);
	}
	event_done(event);
	add_made(c, &layer->digest, &out.blob);
	draft_file(c->draft, fd_steal(&fd), &out.blob);
	return 0;
}

/* Docker's name for what the codec made, where it has one. */
static const char *
layer_type(enum codec_kind codec, bool is_docker, const char *oci)
{
	if (!is_docker)
		return oci;
	return codec == CODEC_NONE ? MEDIA_DOCKER_LAYER : MEDIA_DOCKER_LAYER_GZIP;
}

/* A descriptor of a document now names what was made; all its other members stay, but for what was about the bytes. */
static void
rename_descriptor(json_t *o, const char *type, const struct descriptor *now)
{
	static const char *const about_bytes[] = { "containerd.io/snapshot/stargz/toc.digest",
		"io.containers.estargz.uncompressed-size",
		"io.github.containers.zstd-chunked.manifest-checksum",
		"io.github.containers.zstd-chunked.manifest-position",
		"io.github.containers.zstd-chunked.tarsplit-checksum",
		"io.github.containers.zstd-chunked.tarsplit-position" };

	json_object_set_new(o, "mediaType", json_string(type));
	json_object_set_new(o, "digest", json_string(now->digest.text));
	json_object_set_new(o, "size", json_integer((json_int_t)now->size));
	json_object_del(o, "data");
	for (size_t i = 0; i < COUNT_OF(about_bytes); i++)
		json_object_del(json_object_get(o, "annotations"), about_bytes[i]);
}

static int
add_document(struct convert *c, const struct descriptor *d, const char *type, const json_t *doc,
	struct descriptor *converted, struct err *err)
{
	AUTO(descriptor) struct descriptor now = { .size = 0 };
	AUTO(buf) struct buf bytes = BUF_INIT;

	json_format(doc, JSON_STYLE_INDENT, &bytes);
	descriptor_copy(d, &now);
	snprintf(now.media_type, sizeof now.media_type, "%s", type);
	if (place_put_bytes(c->draft, bytes.data, bytes.len, &now, err) < 0)
		return -1;
	add_made(c, &d->digest, &now);
	descriptor_free(converted);
	descriptor_copy(&now, converted);
	return 0;
}

/* In place, layer by layer. */
static int
convert_layers(struct convert *c, const struct manifest *m, bool is_docker, json_t *layers,
	bool *has_changed, struct err *err)
{
	for (size_t i = 0; i < m->layer_count; i++) {
		const struct descriptor *layer = &m->layers[i];
		const struct descriptor *made;

		if (!is_wanted(c, layer))
			continue;
		if (find_made(c, &layer->digest) == NULL && make_layer(c, layer, err) < 0)
			return -1;
		made = find_made(c, &layer->digest);
		rename_descriptor(json_array_get(layers, i),
			layer_type(c->options->codec, is_docker, made->media_type), made);
		*has_changed = true;
	}
	return 0;
}

static int
convert_manifest(struct convert *c, const struct descriptor *d, const struct buf *bytes,
	struct descriptor *converted, struct err *err)
{
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	AUTO(json) json_t *doc = NULL;
	bool stays_docker, has_changed = false;
	const char *type;
	json_t *layers;

	if (manifest_parse(bytes->data, bytes->len, d->media_type, &m, err) < 0 ||
		json_parse(bytes->data, bytes->len, &doc, err) < 0)
		return err_in(err, "manifest %s", d->digest.text);
	stays_docker = m.is_docker && c->options->codec != CODEC_ZSTD;
	layers = json_object_get(doc, "layers");
	if (convert_layers(c, &m, stays_docker, layers, &has_changed, err) < 0)
		return -1;
	if (!has_changed)
		return 0;
	type = manifest_media_type(&m);
	if (m.is_docker && !stays_docker) {
		if (edit_to_oci(doc, err) < 0)
			return err_in(err, "manifest %s", d->digest.text);
		type = MEDIA_OCI_MANIFEST;
	}
	return add_document(c, d, type, doc, converted, err);
}

static int convert_reached(struct convert *c, const struct descriptor *d, unsigned depth,
	struct descriptor *converted, struct err *err);

static void
follow_attestation(const struct convert *c, json_t *o)
{
	static const char key[] = "vnd.docker.reference.digest";
	json_t *annotations = json_object_get(o, "annotations");
	const char *about = json_string_value(json_object_get(annotations, key));
	const struct descriptor *made;
	struct digest was;
	struct err ignored;

	if (about == NULL || digest_parse(about, &was, &ignored) < 0)
		return;
	made = find_made(c, &was);
	if (made != NULL)
		json_object_set_new(annotations, key, json_string(made->digest.text));
}

static int
convert_chosen(struct convert *c, const struct index *x, unsigned depth,
	struct descriptor *converted, struct err *err)
{
	const struct place_copy_options *copy = c->copy;
	const struct descriptor *chosen;
	struct platform host;

	platform_host(&host);
	if (index_choose(x, copy->platform != NULL ? copy->platform : &host, &chosen, err) < 0)
		return -1;
	return convert_reached(c, chosen, depth + 1, converted, err);
}

static int
convert_index(struct convert *c, const struct descriptor *d, const struct buf *bytes,
	unsigned depth, struct descriptor *converted, struct err *err)
{
	AUTO(index) struct index x = { .manifest_count = 0 };
	AUTO(json) json_t *doc = NULL;
	const char *type;
	bool has_changed = false;
	json_t *children;

	if (depth >= INDEX_DEPTH_MAX)
		return err_set(
			err, ERR_INPUT, "indexes are nested more than %d deep", INDEX_DEPTH_MAX);
	if (index_parse(bytes->data, bytes->len, d->media_type, &x, err) < 0 ||
		json_parse(bytes->data, bytes->len, &doc, err) < 0)
		return err_in(err, "index %s", d->digest.text);
	if (!c->copy->all_platforms)
		return convert_chosen(c, &x, depth, converted, err);
	children = json_object_get(doc, "manifests");
	for (size_t i = 0; i < x.manifest_count; i++) {
		AUTO(descriptor) struct descriptor now = { .size = 0 };

		if (convert_reached(c, &x.manifests[i], depth + 1, &now, err) < 0)
			return -1;
		if (digest_same(&now.digest, &x.manifests[i].digest))
			continue;
		rename_descriptor(json_array_get(children, i), now.media_type, &now);
		has_changed = true;
	}
	if (!has_changed)
		return 0;
	for (size_t i = 0; i < x.manifest_count; i++)
		follow_attestation(c, json_array_get(children, i));
	type = index_media_type(&x);
	if (x.is_docker && c->options->codec == CODEC_ZSTD) {
		if (edit_to_oci(doc, err) < 0)
			return err_in(err, "index %s", d->digest.text);
		type = MEDIA_OCI_INDEX;
	}
	return add_document(c, d, type, doc, converted, err);
}

/* *converted: what stands for d, or for what was chosen of it. */
static int
convert_reached(struct convert *c, const struct descriptor *d, unsigned depth,
	struct descriptor *converted, struct err *err)
{
	const struct descriptor *made = find_made(c, &d->digest);
	AUTO(buf) struct buf bytes = BUF_INIT;

	descriptor_free(converted);
	descriptor_copy(made != NULL ? made : d, converted);
	if (made != NULL || (!media_is_index(d->media_type) && !media_is_manifest(d->media_type)))
		return 0;
	if (place_read(c->from, d, MANIFEST_MAX, &bytes, err) < 0)
		return -1;
	if (media_is_index(d->media_type))
		return convert_index(c, d, &bytes, depth, converted, err);
	return convert_manifest(c, d, &bytes, converted, err);
}

int
place_convert_open(struct place *from, const struct descriptor *root,
	const struct place_convert_options *options, const struct place_copy_options *copy,
	struct place **out, struct descriptor *converted, struct err *err)
{
	AUTO(place) struct place *draft = draft_new(from);
	AUTO(fd) int spool = spool_dir(err);
	AUTO(descriptor) struct descriptor now = { .size = 0 };
	struct convert c = {
		.from = from, .draft = draft, .options = options, .copy = copy, .spool = spool
	};
	int done = spool < 0 ? -1 : convert_reached(&c, root, 0, &now, err);

	for (size_t i = 0; i < c.count; i++)
		descriptor_free(&c.made[i].now);
	free(c.made);
	if (done < 0)
		return -1;
	*converted = now;
	now = (struct descriptor){ .size = 0 };
	*out = steal(&draft);
	return 0;
}

int
place_convert_copy(struct place *from, struct place *to, const struct descriptor *root,
	const struct place_convert_options *options, const struct place_copy_options *copy,
	struct descriptor *copied, struct err *err)
{
	AUTO(place) struct place *converted = NULL;
	AUTO(descriptor) struct descriptor now = { .size = 0 };

	if (options == NULL)
		return place_copy(from, to, root, copy, copied, err);
	if (place_convert_open(from, root, options, copy, &converted, &now, err) < 0)
		return -1;
	return place_copy(converted, to, &now, copy, copied, err);
}
