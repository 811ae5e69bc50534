/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "layers/layer.h"
#include "registry/place_convert.h"
#include "tests/unit/image.h"
#include "tests/unit/memory_place.h"

#define CONTENT "what the layer's tar has, and has, and has, and has, and has again"

struct scene {
	struct place *from, *to;
	struct place_copy_options copy;
	struct place_convert_options how;
};

static void
scene_open(struct scene *s, enum codec_kind codec, enum place_convert_which which)
{
	*s = (struct scene){ .from = memory_place(), .to = memory_place() };
	s->copy.all_platforms = true;
	s->how = (struct place_convert_options){
		.codec = codec, .level = CODEC_DEFAULT, .which = which
	};
}

static void
scene_close(struct scene *s)
{
	place_free(s->from);
	place_free(s->to);
}

static struct descriptor
plain_layer(struct scene *s, const char *media_type, const char *content)
{
	return image_blob(s->from, media_type, content, strlen(content));
}

static struct descriptor
gzip_layer(struct scene *s, const char *media_type, const char *content)
{
	AUTO(buf) struct buf packed = BUF_INIT;
	AUTO(sink) struct sink *sink = NULL;
	struct err err = { 0 };

	works(codec_encode(CODEC_GZIP, CODEC_DEFAULT, 1, sink_buf(&packed), &sink, &err));
	works(sink_write(sink, content, strlen(content), &err));
	works(sink_finish(sink, &err));
	return image_blob(s->from, media_type, packed.data, packed.len);
}

static struct descriptor
manifest(struct scene *s, bool is_docker, const struct descriptor *layers, size_t count)
{
	AUTO(manifest) struct manifest m = { .is_docker = is_docker };
	AUTO(buf) struct buf text = BUF_INIT;

	m.config = image_blob(s->from, is_docker ? MEDIA_DOCKER_CONFIG : MEDIA_OCI_CONFIG,
		"{\"os\":\"linux\"}", 14);
	for (size_t i = 0; i < count; i++)
		manifest_layer_add(&m, &layers[i]);
	manifest_format(&m, &text);
	return image_blob(s->from, manifest_media_type(&m), text.data, text.len);
}

/* Converts, copies, and reads the manifest that arrived. */
static void
convert(struct scene *s, const struct descriptor *root, struct descriptor *copied,
	struct buf *document)
{
	AUTO(place) struct place *converted = NULL;
	AUTO(descriptor) struct descriptor now = { .size = 0 };
	struct err err = { 0 };

	works(place_convert_open(s->from, root, &s->how, &s->copy, &converted, &now, &err));
	works(place_copy(converted, s->to, &now, &s->copy, copied, &err));
	same_str(copied->digest.text, now.digest.text);
	works(place_read(s->to, copied, MANIFEST_MAX, document, &err));
}

static void
has_content(
	struct place *p, const struct descriptor *layer, const char *wanted, enum codec_kind codec)
{
	AUTO(buf) struct buf packed = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(stream) struct stream *in = NULL;
	enum codec_kind kind;
	struct err err = { 0 };

	works(place_read(p, layer, 1 << 20, &packed, &err));
	works(codec_decode_sniffed(stream_bytes(packed.data, packed.len), &in, &kind, &err));
	works(stream_read_all(in, 1 << 20, &got, &err));
	same_str(codec_name(kind), codec_name(codec));
	same_str(got.data, wanted);
}

static void
is_converted(enum codec_kind codec, bool is_docker, const char *layer_type, const char *type)
{
	struct scene s;
	struct err err = { 0 };
	struct descriptor layers[2], root;
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	AUTO(buf) struct buf text = BUF_INIT;

	scene_open(&s, codec, PLACE_CONVERT_ALL);
	layers[0] = plain_layer(&s, is_docker ? MEDIA_DOCKER_LAYER : MEDIA_OCI_LAYER, CONTENT);
	layers[1] = gzip_layer(
		&s, is_docker ? MEDIA_DOCKER_LAYER_GZIP : MEDIA_OCI_LAYER_GZIP, "another");
	root = manifest(&s, is_docker, layers, 2);
	convert(&s, &root, &copied, &text);
	works(manifest_parse(text.data, text.len, copied.media_type, &m, &err));
	same_str(copied.media_type, type);
	same_int(m.layer_count, 2);
	same_str(m.layers[0].media_type, layer_type);
	same_str(m.layers[1].media_type, layer_type);
	has_content(s.to, &m.layers[0], CONTENT, codec);
	has_content(s.to, &m.layers[1], "another", codec);
	scene_close(&s);
}

TEST(layers_of_any_kind_become_gzip)
{
	is_converted(CODEC_GZIP, false, MEDIA_OCI_LAYER_GZIP, MEDIA_OCI_MANIFEST);
}

TEST(layers_of_any_kind_become_zstd)
{
	is_converted(CODEC_ZSTD, false, MEDIA_OCI_LAYER_ZSTD, MEDIA_OCI_MANIFEST);
}

TEST(layers_of_any_kind_become_plain)
{
	is_converted(CODEC_NONE, false, MEDIA_OCI_LAYER, MEDIA_OCI_MANIFEST);
}

TEST(a_docker_image_stays_one)
{
	is_converted(CODEC_GZIP, true, MEDIA_DOCKER_LAYER_GZIP, MEDIA_DOCKER_MANIFEST);
	is_converted(CODEC_NONE, true, MEDIA_DOCKER_LAYER, MEDIA_DOCKER_MANIFEST);
}

TEST(a_docker_image_with_zstd_becomes_an_oci_image)
{
	is_converted(CODEC_ZSTD, true, MEDIA_OCI_LAYER_ZSTD, MEDIA_OCI_MANIFEST);
}

TEST(what_is_compressed_may_stay_as_it_is)
{
	struct scene s;
	struct err err = { 0 };
	struct descriptor layers[2], root;
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	AUTO(buf) struct buf text = BUF_INIT;

	scene_open(&s, CODEC_ZSTD, PLACE_CONVERT_PLAIN);
	layers[0] = plain_layer(&s, MEDIA_OCI_LAYER, CONTENT);
	layers[1] = gzip_layer(&s, MEDIA_OCI_LAYER_GZIP, "another");
	root = manifest(&s, false, layers, 2);
	convert(&s, &root, &copied, &text);
	works(manifest_parse(text.data, text.len, copied.media_type, &m, &err));
	has_content(s.to, &m.layers[0], CONTENT, CODEC_ZSTD);
	same_str(m.layers[1].digest.text, layers[1].digest.text);
	scene_close(&s);
}

TEST(an_image_with_nothing_to_convert_keeps_its_digest)
{
	struct scene s;
	struct descriptor layers[2], root;
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	AUTO(buf) struct buf text = BUF_INIT;

	scene_open(&s, CODEC_GZIP, PLACE_CONVERT_ALL);
	layers[0] = gzip_layer(&s, MEDIA_OCI_LAYER_GZIP, CONTENT);
	layers[1] = plain_layer(&s, "application/vnd.example.model", "no tar");
	root = manifest(&s, false, layers, 2);
	convert(&s, &root, &copied, &text);
	same_str(copied.digest.text, root.digest.text);
	scene_close(&s);
}

static struct descriptor
with_note(struct descriptor d, const char *key, const char *value)
{
	d.annotations = json_object();
	json_object_set_new(d.annotations, key, json_string(value));
	return d;
}

TEST(an_index_names_what_was_made_and_its_attestations_follow)
{
	struct scene s;
	struct err err = { 0 };
	struct descriptor layer, image, about, root;
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	AUTO(index) struct index x = { .manifest_count = 0 };
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;

	scene_open(&s, CODEC_GZIP, PLACE_CONVERT_ALL);
	layer = plain_layer(&s, MEDIA_OCI_LAYER, CONTENT);
	image = manifest(&s, false, &layer, 1);
	layer = plain_layer(&s, "application/vnd.in-toto+json", "{}");
	about = with_note(
		manifest(&s, false, &layer, 1), "vnd.docker.reference.digest", image.digest.text);
	index_manifest_add(&x, &image);
	index_manifest_add(&x, &about);
	index_format(&x, &text);
	root = image_blob(s.from, MEDIA_OCI_INDEX, text.data, text.len);
	convert(&s, &root, &copied, &got);
	index_free(&x);
	works(index_parse(got.data, got.len, copied.media_type, &x, &err));
	is_true(!digest_same(&x.manifests[0].digest, &image.digest));
	same_str(x.manifests[1].digest.text, about.digest.text);
	same_str(annotation_get(&x.manifests[1], "vnd.docker.reference.digest"),
		x.manifests[0].digest.text);
	descriptor_free(&about);
	scene_close(&s);
}

TEST(notes_about_the_bytes_go_and_others_stay)
{
	struct scene s;
	struct err err = { 0 };
	struct descriptor layer, root;
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	AUTO(buf) struct buf text = BUF_INIT;

	scene_open(&s, CODEC_ZSTD, PLACE_CONVERT_ALL);
	layer = with_note(gzip_layer(&s, MEDIA_OCI_LAYER_GZIP, CONTENT),
		"containerd.io/snapshot/stargz/toc.digest", "sha256:0");
	json_object_set_new(layer.annotations, "org.example.kept", json_string("yes"));
	root = manifest(&s, false, &layer, 1);
	convert(&s, &root, &copied, &text);
	works(manifest_parse(text.data, text.len, copied.media_type, &m, &err));
	is_true(annotation_get(&m.layers[0], "containerd.io/snapshot/stargz/toc.digest") == NULL);
	same_str(annotation_get(&m.layers[0], "org.example.kept"), "yes");
	descriptor_free(&layer);
	scene_close(&s);
}

TEST(a_layer_that_is_not_what_it_says_is_refused)
{
	struct scene s;
	struct err err = { 0 };
	struct descriptor layer, root;
	AUTO(place) struct place *converted = NULL;
	AUTO(descriptor) struct descriptor now = { .size = 0 };

	scene_open(&s, CODEC_ZSTD, PLACE_CONVERT_ALL);
	layer = image_blob(s.from, MEDIA_OCI_LAYER_GZIP, "\x1f\x8b\x08 broken", 10);
	root = manifest(&s, false, &layer, 1);
	same_int(place_convert_open(s.from, &root, &s.how, &s.copy, &converted, &now, &err), -1);
	same_int(err.kind, ERR_CORRUPT);
	scene_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(layers_of_any_kind_become_gzip),
		CASE(layers_of_any_kind_become_zstd),
		CASE(layers_of_any_kind_become_plain),
		CASE(a_docker_image_stays_one),
		CASE(a_docker_image_with_zstd_becomes_an_oci_image),
		CASE(what_is_compressed_may_stay_as_it_is),
		CASE(an_image_with_nothing_to_convert_keeps_its_digest),
		CASE(an_index_names_what_was_made_and_its_attestations_follow),
		CASE(notes_about_the_bytes_go_and_others_stay),
		CASE(a_layer_that_is_not_what_it_says_is_refused),
	};

	return RUN(tests);
}
