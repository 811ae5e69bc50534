/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "layers/edit.h"
#include "registry/amend.h"
#include "registry/draft.h"
#include "tests/unit/memory_place.h"

#define ATTESTATION                                                                 \
	",\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"," \
	"\"vnd.docker.reference.digest\":\"%s\"}"

static void
put(struct place *p, const char *text, const char *type, struct descriptor *d)
{
	struct err err = { 0 };

	media_type_clean(type, d->media_type);
	works(place_put_bytes(p, text, strlen(text), d, &err));
}

/* An image of one layer; config: what stands there instead of an image's, or NULL. */
static void
put_image(struct place *p, const char *arch, struct descriptor *out)
{
	struct descriptor layer = { .size = 0 }, config = { .size = 0 };
	AUTO(free) char *text = NULL;
	AUTO(free) char *manifest = NULL;

	put(p, "layer", MEDIA_OCI_LAYER, &layer);
	text = xasprintf("{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"type\":"
			 "\"layers\",\"diff_ids\":[\"%s\"]},\"x\":1}",
		arch, layer.digest.text);
	put(p, text, MEDIA_OCI_CONFIG, &config);
	manifest = xasprintf("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"%s\",\"digest\":"
			     "\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\"%s\",\"digest\":"
			     "\"%s\",\"size\":5,\"urls\":[\"x\"]}]}",
		MEDIA_OCI_CONFIG, config.digest.text, strlen(text), MEDIA_OCI_LAYER,
		layer.digest.text);
	put(p, manifest, MEDIA_OCI_MANIFEST, out);
}

static void
put_index(struct place *p, struct descriptor *out)
{
	struct descriptor amd64 = { .size = 0 }, arm64 = { .size = 0 };
	AUTO(free) char *text = NULL;

	put_image(p, "amd64", &amd64);
	put_image(p, "arm64", &arm64);
#define ROW "{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":%d"
	text = xasprintf(
		"{\"schemaVersion\":2,\"manifests\":[" ROW
		",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}," ROW
		",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}}," ROW ATTESTATION
		"}," ROW ATTESTATION "}]}",
		amd64.digest.text, (int)amd64.size, arm64.digest.text, (int)arm64.size,
		arm64.digest.text, (int)arm64.size, amd64.digest.text, amd64.digest.text,
		(int)amd64.size, arm64.digest.text);
	put(p, text, MEDIA_OCI_INDEX, out);
}

/* Labels what is for arm64. */
static int
label(struct amend_image *image, void *arg, struct err *err)
{
	struct edit e = { .user = NULL };
	AUTO(strv) struct strv steps = STRV_INIT;
	size_t *seen = arg;
	int done;

	*seen += 1;
	if (!streq(json_string_value(json_object_get(image->config, "architecture")), "arm64"))
		return 0;
	strv_add(&e.labels, "a=b");
	done = edit_config(image->config, &e, &steps, err);
	strv_free(&e.labels);
	return done;
}

static void
read_index(struct place *p, const struct descriptor *d, struct index *out)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	struct err err = { 0 };

	works(place_read(p, d, MANIFEST_MAX, &bytes, &err));
	works(index_parse(bytes.data, bytes.len, d->media_type, out, &err));
}

TEST(one_image_of_an_index_is_changed_and_loses_what_was_attested_of_it)
{
	AUTO(place) struct place *from = memory_place();
	AUTO(place) struct place *to = memory_place();
	AUTO(place) struct place *draft = draft_new(from);
	AUTO(index) struct index before = { .manifest_count = 0 };
	AUTO(index) struct index after = { .manifest_count = 0 };
	AUTO(descriptor) struct descriptor out = { .size = 0 };
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	const struct amend_options o = { .platform = NULL };
	const struct place_copy_options all = { .all_platforms = true };
	struct descriptor root = { .size = 0 };
	struct err err = { 0 };
	size_t seen = 0;

	put_index(from, &root);
	works(amend_images(from, draft, &root, &o, label, &seen, &out, &err));
	same_int(seen, 2);
	works(place_copy(draft, to, &out, &all, &copied, &err));
	read_index(from, &root, &before);
	read_index(to, &copied, &after);
	same_int(before.manifest_count, 4);
	same_int(after.manifest_count, 3);
	same_str(after.manifests[0].digest.text, before.manifests[0].digest.text);
	is_true(!digest_same(&after.manifests[1].digest, &before.manifests[1].digest));
	same_str(after.manifests[1].platform.arch, "arm64");
	same_str(annotation_get(&after.manifests[2], "vnd.docker.reference.digest"),
		before.manifests[0].digest.text);
}

TEST(what_does_not_change_keeps_its_digest)
{
	AUTO(place) struct place *from = memory_place();
	AUTO(place) struct place *draft = draft_new(from);
	AUTO(descriptor) struct descriptor out = { .size = 0 };
	AUTO(descriptor) struct descriptor one = { .size = 0 };
	struct platform amd64;
	const struct amend_options only = { .platform = &amd64 };
	struct descriptor root = { .size = 0 }, image = { .size = 0 };
	struct err err = { 0 };
	size_t seen = 0;

	works(platform_parse("linux/amd64", &amd64, &err));
	put_image(from, "amd64", &image);
	works(amend_images(from, draft, &image, &(struct amend_options){ .platform = NULL }, label,
		&seen, &out, &err));
	same_str(out.digest.text, image.digest.text);
	put_index(from, &root);
	works(amend_images(from, draft, &root, &only, label, &seen, &one, &err));
	same_str(one.digest.text, image.digest.text);
}

TEST(a_draft_has_what_is_new_and_asks_others_for_the_rest)
{
	AUTO(place) struct place *under = memory_place();
	AUTO(place) struct place *other = memory_place();
	AUTO(place) struct place *draft = draft_new(under);
	AUTO(buf) struct buf got = BUF_INIT;
	struct descriptor a = { .size = 0 }, b = { .size = 0 }, c = { .size = 0 };
	struct descriptor none = { .size = 1 };
	struct err err = { 0 };

	put(under, "under", MEDIA_OCI_LAYER, &a);
	put(other, "other", MEDIA_OCI_LAYER, &b);
	put(draft, "draft", MEDIA_OCI_LAYER, &c);
	draft_from(draft, &b.digest, other);
	works(place_read(draft, &a, 10, &got, &err));
	works(place_read(draft, &b, 10, &got, &err));
	works(place_read(draft, &c, 10, &got, &err));
	same_str(got.data, "underotherdraft");
	is_true(draft->ops->origin(draft, &a) == under);
	is_true(draft->ops->origin(draft, &b) == other);
	is_true(draft->ops->origin(draft, &c) == draft);
	digest_of("none", 4, &none.digest);
	same_int(draft->ops->has(draft, &none, &err), 0);
	same_int(draft->ops->has(draft, &c, &err), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_image_of_an_index_is_changed_and_loses_what_was_attested_of_it),
		CASE(what_does_not_change_keeps_its_digest),
		CASE(a_draft_has_what_is_new_and_asks_others_for_the_rest),
	};

	return RUN(tests);
}
