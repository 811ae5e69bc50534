/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "layers/descriptor.h"
#include "layers/rebase.h"

/* One digit for each layer, and for each row of the history; '-' is a row without a layer. */
static struct rebase_documents
documents(const char *layers, const char *history, const char *arch, bool docker)
{
	struct rebase_documents d = { json_object(), json_object() };
	json_t *list = json_array(), *ids = json_array(), *rows = json_array();

	for (const char *l = layers; *l != '\0'; l++) {
		struct descriptor layer = { .size = 1 };

		digest_of(l, 1, &layer.digest);
		media_type_clean(
			docker ? MEDIA_DOCKER_LAYER_GZIP : MEDIA_OCI_LAYER_GZIP, layer.media_type);
		json_array_append_new(list, descriptor_format(&layer));
		json_array_append_new(ids, json_pack("s#", l, 1));
	}
	for (const char *h = history; *h != '\0'; h++)
		json_array_append_new(rows, json_pack("{s:s#,s:b}", "created_by", h, 1,
						    "empty_layer", *h >= 'a' && *h <= 'z'));
	json_object_set_new(d.manifest, "mediaType",
		json_string(docker ? MEDIA_DOCKER_MANIFEST : MEDIA_OCI_MANIFEST));
	json_object_set_new(d.manifest, "layers", list);
	json_object_set_new(d.config, "os", json_string("linux"));
	json_object_set_new(d.config, "architecture", json_string(arch));
	json_object_set_new(d.config, "rootfs", json_pack("{s:o}", "diff_ids", ids));
	json_object_set_new(d.config, "history", rows);
	return d;
}

static void
documents_free(struct rebase_documents *d)
{
	json_decref(d->manifest);
	json_decref(d->config);
}

/* The diff ids, and what was made by what. */
static void
summarise(const struct rebase_documents *d, struct buf *out)
{
	const json_t *ids = json_object_get(json_object_get(d->config, "rootfs"), "diff_ids");
	const json_t *rows = json_object_get(d->config, "history");

	for (size_t i = 0; i < json_array_size(ids); i++)
		buf_adds(out, json_string_value(json_array_get(ids, i)));
	buf_addc(out, ' ');
	for (size_t i = 0; i < json_array_size(rows); i++)
		buf_adds(out,
			json_string_value(json_object_get(json_array_get(rows, i), "created_by")));
}

static const struct {
	const char *image, *image_rows, *old, *old_rows, *new, *new_rows, *wanted;
} cases[] = {
	{ "123", "1a2b3c", "12", "1a2b", "45", "4d5", "453 4d53c" },
	{ "12", "12", "1", "1", "1", "1", "12 12" },
	{ "1", "1", "1", "1", "23", "23", "23 23" },
	/* the old base's rows are written differently */
	{ "123", "1x2b3c", "12", "1a2b", "45", "4d5", "453 4d5b3c" },
	/* a history that does not tell of all layers would tell of others */
	{ "123", "1a", "12", "1a2b", "45", "4d5", "453 " },
	{ "123", "123", "12", "12", "45", "", "453 " },
	{ "123", "123", "13", "13", "45", "45",
		"the image is not made on the old base: layer 2 of 2 is another" },
	{ "1", "1", "12", "12", "45", "45",
		"the image is not made on the old base: layer 2 of 2 is another" },
};

TEST(the_base_is_exchanged_and_the_rest_stays)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct rebase_documents image =
			documents(cases[i].image, cases[i].image_rows, "amd64", false);
		struct rebase_documents old =
			documents(cases[i].old, cases[i].old_rows, "amd64", false);
		struct rebase_documents new =
			documents(cases[i].new, cases[i].new_rows, "amd64", true);
		AUTO(buf) struct buf got = BUF_INIT;
		struct err err = { 0 };

		if (rebase(&image, &old, &new, &err) < 0)
			buf_adds(&got, err.msg);
		else
			summarise(&image, &got);
		same_str(got.data, cases[i].wanted);
		/* Docker's layers in an OCI manifest go by OCI's names */
		if (err.kind == ERR_NONE)
			same_str(json_string_value(json_object_get(
					 json_array_get(
						 json_object_get(image.manifest, "layers"), 0),
					 "mediaType")),
				MEDIA_OCI_LAYER_GZIP);
		documents_free(&image);
		documents_free(&old);
		documents_free(&new);
	}
}

TEST(a_base_for_another_machine_is_refused)
{
	struct rebase_documents image = documents("12", "12", "amd64", false);
	struct rebase_documents old = documents("1", "1", "amd64", false);
	struct rebase_documents new = documents("3", "3", "arm64", false);
	struct err err = { 0 };

	fails(rebase(&image, &old, &new, &err), "the image is for amd64, the new base for arm64");
	json_array_clear(json_object_get(old.manifest, "layers"));
	fails(rebase(&image, &old, &new, &err),
		"the old base has 0 layers, and its config tells of 1");
	documents_free(&image);
	documents_free(&old);
	documents_free(&new);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_base_is_exchanged_and_the_rest_stays),
		CASE(a_base_for_another_machine_is_refused),
	};

	return RUN(tests);
}
