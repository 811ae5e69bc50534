/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/manifest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
descriptors_free(struct descriptor *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		descriptor_free(&list[i]);
	free(list);
}

void
manifest_free(struct manifest *m)
{
	descriptor_free(&m->config);
	descriptor_free(&m->subject);
	descriptors_free(m->layers, m->layer_count);
	json_decref(m->annotations);
	*m = (struct manifest){ 0 };
}

void
auto_manifest(struct manifest *m)
{
	manifest_free(m);
}

void
manifest_layer_add(struct manifest *m, const struct descriptor *layer)
{
	m->layers = xrealloc(m->layers, m->layer_count + 1, sizeof *m->layers);
	descriptor_copy(layer, &m->layers[m->layer_count++]);
}

const char *
manifest_media_type(const struct manifest *m)
{
	return m->is_docker ? MEDIA_DOCKER_MANIFEST : MEDIA_OCI_MANIFEST;
}

/* A document that can be read as a manifest and as an index means different images to different
 * readers; none of them is right (CVE-2021-41190). */
static int
check_members(const json_t *doc, struct err *err)
{
	bool is_manifest =
		json_object_get(doc, "layers") != NULL || json_object_get(doc, "config") != NULL;

	if (json_object_get(doc, "fsLayers") != NULL)
		return err_set(err, ERR_INPUT,
			"this is a Docker schema 1 manifest, a format given up in 2015: "
			"pull and push the image again with a newer client");
	if (is_manifest && json_object_get(doc, "manifests") != NULL)
		return err_set(err, ERR_INPUT,
			"a document with both 'layers' and 'manifests' "
			"can be read in two ways, so it is refused");
	return 0;
}

static int
check_version(const json_t *doc, struct err *err)
{
	uint64_t version = 0;

	if (json_get_uint(doc, "schemaVersion", &version, err) < 0)
		return -1;
	if (version == 1)
		return err_set(err, ERR_INPUT,
			"this is a Docker schema 1 manifest, a format given up in 2015: "
			"pull and push the image again with a newer client");
	if (version != 2)
		return err_set(err, ERR_INPUT, "'schemaVersion' is not 2");
	return 0;
}

static int
document_read(const char *bytes, size_t len, json_t **out, struct err *err)
{
	AUTO(json) json_t *doc = NULL;

	if (len > MANIFEST_MAX)
		return err_set(err, ERR_INPUT, "larger than %u bytes", MANIFEST_MAX);
	if (json_parse(bytes, len, &doc, err) < 0)
		return -1;
	if (!json_is_object(doc))
		return err_set(err, ERR_INPUT, "not a JSON object");
	if (check_members(doc, err) < 0 || check_version(doc, err) < 0)
		return -1;
	*out = steal(&doc);
	return 0;
}

/* "" for a document that does not say. */
static int
own_media_type(const json_t *doc, char out[MEDIA_TYPE_SIZE], struct err *err)
{
	const char *text = "";

	if (json_get_string(doc, "mediaType", &text, err) < 0)
		return -1;
	if (strlen(text) >= MEDIA_TYPE_SIZE)
		return err_set(err, ERR_INPUT, "'mediaType' is longer than %d characters",
			MEDIA_TYPE_SIZE - 1);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

int
document_parse(const char *bytes, size_t len, const char *media_type,
	const struct document_kind *kind, json_t **out, bool *out_is_docker, struct err *err)
{
	AUTO(json) json_t *doc = NULL;
	char wanted[MEDIA_TYPE_SIZE], own[MEDIA_TYPE_SIZE];
	const char *type;

	if (document_read(bytes, len, &doc, err) < 0)
		return err_in(err, "%s", kind->noun);
	media_type_clean(media_type, wanted);
	if (own_media_type(doc, own, err) < 0)
		return err_in(err, "%s", kind->noun);
	if (wanted[0] != '\0' && own[0] != '\0' && strcmp(wanted, own) != 0)
		return err_set(err, ERR_INPUT, "%s: it was served as '%s' but calls itself '%s'",
			kind->noun, wanted, own);
	type = own[0] != '\0' ? own : wanted;
	if (type[0] == '\0')
		type = kind->oci_type;
	if (strcmp(type, kind->oci_type) != 0 && strcmp(type, kind->docker_type) != 0)
		return err_set(
			err, ERR_INPUT, "%s: '%s' is another kind of document", kind->noun, type);
	*out_is_docker = strcmp(type, kind->docker_type) == 0;
	*out = steal(&doc);
	return 0;
}

int
manifest_sniff(const char *bytes, size_t len, const char **out_media_type, struct err *err)
{
	static const char *const types[] = { MEDIA_OCI_INDEX, MEDIA_DOCKER_LIST, MEDIA_OCI_MANIFEST,
		MEDIA_DOCKER_MANIFEST };
	AUTO(json) json_t *doc = NULL;
	char own[MEDIA_TYPE_SIZE];

	if (document_read(bytes, len, &doc, err) < 0 || own_media_type(doc, own, err) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (strcmp(own, types[i]) == 0) {
			*out_media_type = types[i];
			return 0;
		}
	}
	if (own[0] != '\0')
		return err_set(err, ERR_INPUT, "'%s' is neither a manifest nor an index", own);
	if (json_is_array(json_object_get(doc, "manifests")))
		*out_media_type = MEDIA_OCI_INDEX;
	else if (json_is_object(json_object_get(doc, "config")))
		*out_media_type = MEDIA_OCI_MANIFEST;
	else
		return err_set(err, ERR_INPUT, "the document is neither a manifest nor an index");
	return 0;
}

int
descriptors_parse(const json_t *doc, const char *name, size_t max, struct descriptor **out,
	size_t *out_count, struct err *err)
{
	json_t *array = NULL;
	size_t count;
	struct descriptor *list;

	if (json_get_array(doc, name, &array, err) < 0)
		return -1;
	count = json_array_size(array);
	if (count > max)
		return err_set(err, ERR_INPUT, "'%s' has more than %zu members", name, max);
	list = xcalloc(count + 1, sizeof *list);
	for (size_t i = 0; i < count; i++) {
		if (descriptor_parse(json_array_get(array, i), &list[i], err) < 0) {
			descriptors_free(list, i);
			return err_in(err, "%s[%zu]", name, i);
		}
	}
	*out = list;
	*out_count = count;
	return 0;
}

/* Whoever adds up the sizes of an image's layers need not think of overflow. */
static int
check_total(const struct manifest *m, struct err *err)
{
	uint64_t total = 0;

	for (size_t i = 0; i < m->layer_count; i++)
		if (__builtin_add_overflow(total, m->layers[i].size, &total) || total > INT64_MAX)
			return err_set(err, ERR_INPUT, "the sizes of the layers do not add up");
	return 0;
}

static int
read_members(const json_t *doc, struct manifest *m, struct err *err)
{
	json_t *o = NULL;
	const char *artifact_type = "";
	int had = json_get_object(doc, "config", &o, err);

	if (had == 0)
		return err_set(err, ERR_INPUT, "'config' is missing");
	if (had < 0)
		return -1;
	if (descriptor_parse(o, &m->config, err) < 0)
		return err_in(err, "config");
	if (descriptors_parse(
		    doc, "layers", MANIFEST_LAYERS_MAX, &m->layers, &m->layer_count, err) < 0)
		return -1;
	had = json_get_object(doc, "subject", &o, err);
	if (had < 0)
		return -1;
	if (had > 0 && descriptor_parse(o, &m->subject, err) < 0)
		return err_in(err, "subject");
	if (json_get_string(doc, "artifactType", &artifact_type, err) < 0)
		return -1;
	media_type_clean(artifact_type, m->artifact_type);
	if (annotations_parse(doc, &m->annotations, err) < 0)
		return -1;
	return check_total(m, err);
}

int
manifest_parse(const char *bytes, size_t len, const char *media_type, struct manifest *out,
	struct err *err)
{
	static const struct document_kind kind = { "manifest", MEDIA_OCI_MANIFEST,
		MEDIA_DOCKER_MANIFEST };
	AUTO(manifest) struct manifest m = { 0 };
	AUTO(json) json_t *doc = NULL;

	if (document_parse(bytes, len, media_type, &kind, &doc, &m.is_docker, err) < 0)
		return -1;
	if (read_members(doc, &m, err) < 0)
		return err_in(err, "manifest");
	*out = m;
	m = (struct manifest){ 0 };
	return 0;
}

void
manifest_format(const struct manifest *m, struct buf *out)
{
	AUTO(json) json_t *o = json_object();
	json_t *layers = m->layer_count > 0 ? json_array() : json_null();

	json_object_set_new(o, "schemaVersion", json_integer(2));
	json_object_set_new(o, "mediaType", json_text(manifest_media_type(m)));
	if (m->artifact_type[0] != '\0')
		json_object_set_new(o, "artifactType", json_text(m->artifact_type));
	json_object_set_new(o, "config", descriptor_format(&m->config));
	for (size_t i = 0; i < m->layer_count; i++)
		json_array_append_new(layers, descriptor_format(&m->layers[i]));
	json_object_set_new(o, "layers", layers);
	if (!digest_is_empty(&m->subject.digest))
		json_object_set_new(o, "subject", descriptor_format(&m->subject));
	if (json_object_size(m->annotations) > 0)
		json_object_set_new(o, "annotations", annotations_format(m->annotations));
	json_format(o, JSON_STYLE_INDENT, out);
}
