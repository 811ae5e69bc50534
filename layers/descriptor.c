/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/descriptor.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/strv.h"

enum media_kind {
	MEDIA_INDEX = 1,
	MEDIA_MANIFEST,
	MEDIA_LAYER,
	MEDIA_FOREIGN,
	MEDIA_SCHEMA1,
	MEDIA_VAGUE
};

static const struct {
	const char *type;
	enum media_kind kind;
} media[] = {
	{ MEDIA_OCI_INDEX, MEDIA_INDEX },
	{ MEDIA_DOCKER_LIST, MEDIA_INDEX },
	{ MEDIA_OCI_MANIFEST, MEDIA_MANIFEST },
	{ MEDIA_DOCKER_MANIFEST, MEDIA_MANIFEST },
	{ MEDIA_OCI_LAYER, MEDIA_LAYER },
	{ MEDIA_OCI_LAYER_GZIP, MEDIA_LAYER },
	{ MEDIA_OCI_LAYER_ZSTD, MEDIA_LAYER },
	{ MEDIA_DOCKER_LAYER, MEDIA_LAYER },
	{ MEDIA_DOCKER_LAYER_GZIP, MEDIA_LAYER },
	/* never specified, but found in registries */
	{ MEDIA_DOCKER_LAYER ".zstd", MEDIA_LAYER },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar", MEDIA_FOREIGN },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MEDIA_FOREIGN },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MEDIA_FOREIGN },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar", MEDIA_FOREIGN },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MEDIA_FOREIGN },
	{ "application/vnd.docker.distribution.manifest.v1+json", MEDIA_SCHEMA1 },
	{ "application/vnd.docker.distribution.manifest.v1+prettyjws", MEDIA_SCHEMA1 },
	{ "application/json", MEDIA_VAGUE },
	{ "application/octet-stream", MEDIA_VAGUE },
	{ "text/plain", MEDIA_VAGUE },
};

static enum media_kind
kind_of(const char *media_type)
{
	for (size_t i = 0; i < COUNT_OF(media); i++)
		if (strcmp(media_type, media[i].type) == 0)
			return media[i].kind;
	return 0;
}

bool
media_is_index(const char *media_type)
{
	return kind_of(media_type) == MEDIA_INDEX;
}

bool
media_is_manifest(const char *media_type)
{
	return kind_of(media_type) == MEDIA_MANIFEST;
}

bool
media_is_layer(const char *media_type)
{
	enum media_kind kind = kind_of(media_type);

	return kind == MEDIA_LAYER || kind == MEDIA_FOREIGN;
}

bool
media_is_foreign(const char *media_type)
{
	return kind_of(media_type) == MEDIA_FOREIGN;
}

bool
media_is_schema1(const char *media_type)
{
	return kind_of(media_type) == MEDIA_SCHEMA1;
}

void
media_type_clean(const char *header, char out[MEDIA_TYPE_SIZE])
{
	size_t len, start = strspn(header, " \t");

	len = strcspn(header + start, "; \t\r\n");
	if (len >= MEDIA_TYPE_SIZE)
		len = 0;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)tolower((unsigned char)header[start + i]);
	out[len] = '\0';
	if (kind_of(out) == MEDIA_VAGUE)
		out[0] = '\0';
}

void
descriptor_free(struct descriptor *d)
{
	json_decref(d->annotations);
	*d = (struct descriptor){ 0 };
}

void
auto_descriptor(struct descriptor *d)
{
	descriptor_free(d);
}

void
descriptor_copy(const struct descriptor *d, struct descriptor *out)
{
	*out = *d;
	out->annotations = json_deep_copy(d->annotations);
}

int
annotations_parse(const json_t *object, json_t **out, struct err *err)
{
	AUTO(json) json_t *result = NULL;
	json_t *found = NULL, *value;
	const char *key;
	int had = json_get_object(object, "annotations", &found, err);

	if (had < 0)
		return -1;
	if (had > 0) {
		result = json_object();
		json_object_foreach (found, key, value) {
			/* Go reads null into a map of strings as "" */
			if (!json_is_string(value) && !json_is_null(value))
				return err_set(
					err, ERR_INPUT, "annotation '%s' is not a string", key);
			json_object_set_new(result, key,
				json_is_null(value) ? json_string("") : json_incref(value));
		}
	}
	*out = steal(&result);
	return 0;
}

json_t *
annotations_format(const json_t *annotations)
{
	AUTO(strv) struct strv keys = STRV_INIT;
	json_t *result = json_object(), *value;
	const char *key;

	json_object_foreach ((json_t *)annotations, key, value)
		strv_add(&keys, key);
	strv_sort(&keys);
	for (size_t i = 0; i < keys.count; i++)
		json_object_set(result, keys.items[i], json_object_get(annotations, keys.items[i]));
	return result;
}

const char *
annotation_get(const struct descriptor *d, const char *key)
{
	return json_string_value(json_object_get(d->annotations, key));
}

static int
media_member(const json_t *value, const char *name, char out[MEDIA_TYPE_SIZE], struct err *err)
{
	const char *text = "";

	if (json_get_string(value, name, &text, err) < 0)
		return -1;
	if (strlen(text) >= MEDIA_TYPE_SIZE)
		return err_set(err, ERR_INPUT, "'%s' is longer than %d characters", name,
			MEDIA_TYPE_SIZE - 1);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int
platform_member(const json_t *value, struct descriptor *d, struct err *err)
{
	json_t *platform = NULL;
	struct err ignored;
	int had = json_get_object(value, "platform", &platform, err);

	if (had <= 0)
		return had;
	d->has_platform = true;
	/* One odd child must not make the others of an index unusable. */
	if (platform_parse_json(platform, &d->platform, &ignored) < 0)
		d->platform = (struct platform){ .os = "unknown", .arch = "unknown" };
	return 0;
}

int
descriptor_parse(const json_t *value, struct descriptor *out, struct err *err)
{
	AUTO(descriptor) struct descriptor d = { 0 };
	const char *digest = NULL;
	int had;

	if (!json_is_object(value))
		return err_set(err, ERR_INPUT, "a descriptor is not an object");
	if (media_member(value, "mediaType", d.media_type, err) < 0 ||
		media_member(value, "artifactType", d.artifact_type, err) < 0)
		return -1;
	had = json_get_string(value, "digest", &digest, err);
	if (had == 0)
		return err_set(err, ERR_INPUT, "'digest' is missing");
	if (had < 0 || digest_parse(digest, &d.digest, err) < 0)
		return -1;
	had = json_get_uint(value, "size", &d.size, err);
	if (had == 0)
		return err_set(err, ERR_INPUT, "'size' is missing");
	if (had < 0 || platform_member(value, &d, err) < 0 ||
		annotations_parse(value, &d.annotations, err) < 0)
		return -1;
	*out = d;
	d = (struct descriptor){ 0 };
	return 0;
}

json_t *
descriptor_format(const struct descriptor *d)
{
	json_t *o = json_object();

	json_object_set_new(o, "mediaType", json_text(d->media_type));
	json_object_set_new(o, "digest", json_text(d->digest.text));
	json_object_set_new(o, "size", json_integer((json_int_t)d->size));
	if (json_object_size(d->annotations) > 0)
		json_object_set_new(o, "annotations", annotations_format(d->annotations));
	if (d->has_platform)
		json_object_set_new(o, "platform", platform_format_json(&d->platform));
	if (d->artifact_type[0] != '\0')
		json_object_set_new(o, "artifactType", json_text(d->artifact_type));
	return o;
}
