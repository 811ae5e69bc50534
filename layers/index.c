/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/index.h"

#include <string.h>

#include "base/mem.h"
#include "base/strv.h"
#include "layers/manifest.h"

void
index_free(struct index *x)
{
	descriptors_free(x->manifests, x->manifest_count);
	json_decref(x->annotations);
	*x = (struct index){ 0 };
}

void
auto_index(struct index *x)
{
	index_free(x);
}

void
index_manifest_add(struct index *x, const struct descriptor *manifest)
{
	x->manifests = xrealloc(x->manifests, x->manifest_count + 1, sizeof *x->manifests);
	descriptor_copy(manifest, &x->manifests[x->manifest_count++]);
}

const char *
index_media_type(const struct index *x)
{
	return x->is_docker ? MEDIA_DOCKER_LIST : MEDIA_OCI_INDEX;
}

int
index_parse(
	const char *bytes, size_t len, const char *media_type, struct index *out, struct err *err)
{
	static const struct document_kind kind = { "index", MEDIA_OCI_INDEX, MEDIA_DOCKER_LIST };
	AUTO(index) struct index x = { 0 };
	AUTO(json) json_t *doc = NULL;

	if (document_parse(bytes, len, media_type, &kind, &doc, &x.is_docker, err) < 0)
		return -1;
	if (json_object_get(doc, "manifests") == NULL)
		return err_set(err, ERR_INPUT, "index: 'manifests' is missing");
	if (descriptors_parse(doc, "manifests", INDEX_MANIFESTS_MAX, &x.manifests,
		    &x.manifest_count, err) < 0 ||
		annotations_parse(doc, &x.annotations, err) < 0)
		return err_in(err, "index");
	*out = x;
	x = (struct index){ 0 };
	return 0;
}

void
index_format(const struct index *x, struct buf *out)
{
	AUTO(json) json_t *o = json_object();
	json_t *manifests = json_array();

	json_object_set_new(o, "schemaVersion", json_integer(2));
	json_object_set_new(o, "mediaType", json_text(index_media_type(x)));
	for (size_t i = 0; i < x->manifest_count; i++)
		json_array_append_new(manifests, descriptor_format(&x->manifests[i]));
	json_object_set_new(o, "manifests", manifests);
	if (json_object_size(x->annotations) > 0)
		json_object_set_new(o, "annotations", annotations_format(x->annotations));
	json_format(o, JSON_STYLE_INDENT, out);
}

bool
index_is_attestation(const struct descriptor *d)
{
	return annotation_get(d, "vnd.docker.reference.type") != NULL ||
	       (d->has_platform && strcmp(d->platform.os, "unknown") == 0 &&
		       strcmp(d->platform.arch, "unknown") == 0);
}

static bool
can_be_chosen(const struct descriptor *d)
{
	return (media_is_manifest(d->media_type) || media_is_index(d->media_type)) &&
	       !index_is_attestation(d);
}

static int
not_found(const struct index *x, const struct platform *want, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(strv) struct strv have = STRV_INIT;
	AUTO(free) char *list = NULL;

	for (size_t i = 0; i < x->manifest_count; i++) {
		if (!can_be_chosen(&x->manifests[i]) || !x->manifests[i].has_platform)
			continue;
		buf_clear(&text);
		platform_format(&x->manifests[i].platform, &text);
		if (!strv_has(&have, text.data))
			strv_add(&have, text.data);
	}
	buf_clear(&text);
	platform_format(want, &text);
	list = strv_join(&have, ", ");
	if (have.count == 0)
		return err_set(err, ERR_NOTFOUND,
			"there is no image for %s, nor for any other platform", text.data);
	return err_set(err, ERR_NOTFOUND, "there is no image for %s, only for %s", text.data, list);
}

int
index_choose(const struct index *x, const struct platform *want, const struct descriptor **out,
	struct err *err)
{
	const struct descriptor *best = NULL;
	int best_score = 0;

	for (size_t i = 0; i < x->manifest_count; i++) {
		const struct descriptor *d = &x->manifests[i];
		int score;

		if (!can_be_chosen(d))
			continue;
		score = d->has_platform ? platform_match(want, &d->platform) : 1;
		if (score > best_score) {
			best = d;
			best_score = score;
		}
	}
	if (best == NULL)
		return not_found(x, want, err);
	*out = best;
	return 0;
}
