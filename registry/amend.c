/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/amend.h"

#include <string.h>

#include "base/event.h"
#include "base/mem.h"
#include "layers/config.h"
#include "layers/edit.h"
#include "layers/index_edit.h"

struct amend {
	struct place *from, *draft;
	const struct amend_options *options;
	amend_each *each;
	void *arg;
};

void
auto_amend_image(struct amend_image *i)
{
	json_decref(i->manifest);
	json_decref(i->config);
	descriptor_free(&i->was);
}

int
amend_read(struct place *p, const struct descriptor *d, size_t limit, json_t **out, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;

	if (place_read(p, d, limit, &bytes, err) < 0)
		return -1;
	if (json_parse(bytes.data, bytes.len, out, err) < 0)
		return err_in(err, "%s", d->digest.text);
	return 0;
}

int
amend_put(struct place *draft, const json_t *doc, struct descriptor *out, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	const char *type = NULL;

	json_format(doc, JSON_STYLE_INDENT, &bytes);
	if (manifest_sniff(bytes.data, bytes.len, &type, err) < 0)
		return -1;
	if (bytes.len > MANIFEST_MAX)
		return err_set(
			err, ERR_INPUT, "the document would have more than %u bytes", MANIFEST_MAX);
	media_type_clean(type, out->media_type);
	return place_put_bytes(draft, bytes.data, bytes.len, out, err);
}

bool
amend_platform(const json_t *config, json_t **out)
{
	static const char *const members[] = { "architecture", "os", "os.version", "os.features",
		"variant" };
	json_t *o;

	if (!json_is_string(json_object_get(config, "os")) ||
		!json_is_string(json_object_get(config, "architecture")))
		return false;
	o = json_object();
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		json_t *value = json_object_get(config, members[i]);

		if (json_is_array(value) || json_string_length(value) > 0)
			json_object_set(o, members[i], value);
	}
	*out = o;
	return true;
}

/* Checked as everything else that is parsed: types, sizes, and that it is a manifest. */
static int
read_image(struct place *from, const struct descriptor *d, struct amend_image *out, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(manifest) struct manifest m = { .layer_count = 0 };

	if (place_read(from, d, MANIFEST_MAX, &bytes, err) < 0 ||
		manifest_parse(bytes.data, bytes.len, d->media_type, &m, err) < 0 ||
		json_parse(bytes.data, bytes.len, &out->manifest, err) < 0)
		return -1;
	/* a document that does not say what it is, is what it was served as */
	if (json_object_get(out->manifest, "mediaType") == NULL)
		json_object_set_new(out->manifest, "mediaType", json_text(manifest_media_type(&m)));
	descriptor_copy(d, &out->was);
	if (!streq(m.config.media_type, MEDIA_OCI_CONFIG) &&
		!streq(m.config.media_type, MEDIA_DOCKER_CONFIG))
		return 0;
	return amend_read(from, &m.config, CONFIG_MAX, &out->config, err);
}

int
amend_image_read(struct place *p, const struct descriptor *root, const struct platform *platform,
	struct amend_image *out, struct err *err)
{
	AUTO(amend_image) struct amend_image image = { .manifest = NULL };
	AUTO(descriptor) struct descriptor d = { .size = 0 };

	descriptor_copy(root, &d);
	for (unsigned depth = 0; media_is_index(d.media_type); depth++) {
		AUTO(buf) struct buf bytes = BUF_INIT;
		AUTO(index) struct index index = { .manifest_count = 0 };
		const struct descriptor *chosen = NULL;

		if (depth >= INDEX_DEPTH_MAX)
			return err_set(err, ERR_INPUT, "indexes are nested more than %d deep",
				INDEX_DEPTH_MAX);
		if (place_read(p, &d, MANIFEST_MAX, &bytes, err) < 0 ||
			index_parse(bytes.data, bytes.len, d.media_type, &index, err) < 0 ||
			index_choose(&index, platform, &chosen, err) < 0)
			return -1;
		descriptor_free(&d);
		descriptor_copy(chosen, &d);
	}
	if (read_image(p, &d, &image, err) < 0)
		return -1;
	*out = image;
	image = (struct amend_image){ .manifest = NULL };
	return 0;
}

static int
put_config(struct amend *a, struct amend_image *i, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(config) struct config checked = { 0 };
	struct descriptor d = { .size = 0 };
	json_t *row = NULL;

	json_format(i->config, JSON_STYLE_COMPACT, &bytes);
	if (config_parse(bytes.data, bytes.len, &checked, err) < 0 ||
		place_put_bytes(a->draft, bytes.data, bytes.len, &d, err) < 0 ||
		json_get_object(i->manifest, "config", &row, err) < 0)
		return -1;
	json_object_set_new(row, "digest", json_text(d.digest.text));
	json_object_set_new(row, "size", json_integer((json_int_t)d.size));
	json_object_del(row, "data");
	return 0;
}

/* row: the descriptor in the index, or NULL; what changes is changed in it.  *out as amend_put(). */
static int
amend_one(struct amend *a, const struct descriptor *d, json_t *row, struct descriptor *out,
	struct err *err)
{
	AUTO(amend_image) struct amend_image image = { .manifest = NULL };
	AUTO(json) json_t *manifest = NULL;
	AUTO(json) json_t *config = NULL;
	AUTO(json) json_t *platform_before = NULL;
	AUTO(json) json_t *platform_after = NULL;
	bool had_platform;

	if (read_image(a->from, d, &image, err) < 0)
		return -1;
	if (image.config == NULL && a->options->needs_config && row == NULL)
		return err_set(err, ERR_INPUT, "%s is an artifact, not an image", d->digest.text);
	manifest = json_deep_copy(image.manifest);
	config = image.config != NULL ? json_deep_copy(image.config) : NULL;
	had_platform = amend_platform(config, &platform_before);
	if (a->options->to_oci && edit_to_oci(image.manifest, err) < 0)
		return -1;
	if ((image.config != NULL || !a->options->needs_config) && a->each(&image, a->arg, err) < 0)
		return -1;
	if (!json_equal(config, image.config) && config != NULL && put_config(a, &image, err) < 0)
		return -1;
	descriptor_copy(d, out);
	if (json_equal(manifest, image.manifest))
		return 0;
	if (amend_put(a->draft, image.manifest, out, err) < 0)
		return -1;
	if (row != NULL && amend_platform(image.config, &platform_after) && had_platform &&
		!json_equal(platform_before, platform_after))
		json_object_set(row, "platform", platform_after);
	return 0;
}

static int amend_any(struct amend *a, const struct descriptor *d, json_t *row, unsigned depth,
	struct descriptor *out, struct err *err);

static void
drop_attestations(json_t *list, const struct strv *gone)
{
	size_t count = 0;

	for (size_t i = json_array_size(list); i-- > 0;)
		for (size_t g = 0; g < gone->count; g++)
			if (index_edit_is_attestation(json_array_get(list, i), gone->items[g])) {
				json_array_remove(list, i);
				count++;
				break;
			}
	if (count > 0)
		event_warn("left out %zu attestation%s of images as they were before", count,
			count == 1 ? "" : "s");
}

/* One that the index names. */
static int
amend_row(struct amend *a, json_t *row, unsigned depth, struct strv *gone, struct err *err)
{
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(descriptor) struct descriptor now = { .size = 0 };

	if (descriptor_parse(row, &d, err) < 0)
		return -1;
	if (index_is_attestation(&d) ||
		(!media_is_manifest(d.media_type) && !media_is_index(d.media_type)))
		return 0;
	if (amend_any(a, &d, row, depth + 1, &now, err) < 0)
		return err_in(err, "%s", d.digest.text);
	if (digest_same(&d.digest, &now.digest))
		return 0;
	strv_add(gone, d.digest.text);
	json_object_set_new(row, "digest", json_text(now.digest.text));
	json_object_set_new(row, "size", json_integer((json_int_t)now.size));
	json_object_set_new(row, "mediaType", json_text(now.media_type));
	json_object_del(row, "data");
	return 0;
}

static int
amend_index(struct amend *a, const struct descriptor *d, unsigned depth, struct descriptor *out,
	struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(index) struct index index = { .manifest_count = 0 };
	AUTO(json) json_t *doc = NULL;
	AUTO(json) json_t *before = NULL;
	AUTO(strv) struct strv gone = STRV_INIT;
	const struct descriptor *chosen = NULL;
	json_t *list;

	if (depth >= INDEX_DEPTH_MAX)
		return err_set(
			err, ERR_INPUT, "indexes are nested more than %d deep", INDEX_DEPTH_MAX);
	if (place_read(a->from, d, MANIFEST_MAX, &bytes, err) < 0 ||
		index_parse(bytes.data, bytes.len, d->media_type, &index, err) < 0)
		return -1;
	if (a->options->platform != NULL) {
		if (index_choose(&index, a->options->platform, &chosen, err) < 0)
			return -1;
		return amend_any(a, chosen, NULL, depth + 1, out, err);
	}
	if (json_parse(bytes.data, bytes.len, &doc, err) < 0)
		return -1;
	if (json_object_get(doc, "mediaType") == NULL)
		json_object_set_new(doc, "mediaType", json_text(index_media_type(&index)));
	before = json_deep_copy(doc);
	list = json_object_get(doc, "manifests");
	if (a->options->to_oci && edit_to_oci(doc, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (amend_row(a, json_array_get(list, i), depth, &gone, err) < 0)
			return -1;
	drop_attestations(list, &gone);
	descriptor_copy(d, out);
	return json_equal(before, doc) ? 0 : amend_put(a->draft, doc, out, err);
}

static int
amend_any(struct amend *a, const struct descriptor *d, json_t *row, unsigned depth,
	struct descriptor *out, struct err *err)
{
	if (media_is_index(d->media_type))
		return amend_index(a, d, depth, out, err);
	return amend_one(a, d, row, out, err);
}

int
amend_images(struct place *from, struct place *draft, const struct descriptor *root,
	const struct amend_options *o, amend_each *each, void *arg, struct descriptor *out,
	struct err *err)
{
	struct amend a = { .from = from, .draft = draft, .options = o, .each = each, .arg = arg };
	AUTO(descriptor) struct descriptor result = { .size = 0 };

	if (amend_any(&a, root, NULL, 0, &result, err) < 0)
		return -1;
	*out = result;
	result = (struct descriptor){ .size = 0 };
	return 0;
}
