/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/index_edit.h"

#include <string.h>

#include "base/mem.h"
#include "layers/edit.h"
#include "layers/index.h"
#include "layers/manifest.h"

#define REFERENCE_TYPE "vnd.docker.reference.type"
#define REFERENCE_DIGEST "vnd.docker.reference.digest"

json_t *
index_edit_new(bool is_docker)
{
	json_t *o = json_object();

	json_object_set_new(o, "schemaVersion", json_integer(2));
	json_object_set_new(
		o, "mediaType", json_text(is_docker ? MEDIA_DOCKER_LIST : MEDIA_OCI_INDEX));
	json_object_set_new(o, "manifests", json_array());
	return o;
}

static const char *
text_of(const json_t *o, const char *member)
{
	const char *text = json_string_value(json_object_get(o, member));

	return text != NULL ? text : "";
}

bool
index_edit_is_attestation(const json_t *descriptor, const char *digest)
{
	const json_t *annotations = json_object_get(descriptor, "annotations");

	if (text_of(annotations, REFERENCE_TYPE)[0] == '\0')
		return false;
	return digest == NULL || streq(text_of(annotations, REFERENCE_DIGEST), digest);
}

/* A platform, as platform.h has it; false where there is none, or one that is not an image's. */
static bool
platform_of(const json_t *descriptor, struct platform *out)
{
	struct err ignored = { 0 };
	const json_t *o = json_object_get(descriptor, "platform");

	if (!json_is_object(o) || platform_parse_json(o, out, &ignored) < 0)
		return false;
	return !streq(out->os, "unknown");
}

static bool
is_meant(const json_t *descriptor, const char *digest, const struct platform *want)
{
	struct platform have;

	if (digest != NULL)
		return streq(text_of(descriptor, "digest"), digest);
	if (index_edit_is_attestation(descriptor, NULL) || !platform_of(descriptor, &have))
		return false;
	if (want->os_version[0] == '\0')
		have.os_version[0] = '\0';
	return platform_same(want, &have);
}

static int
list_of(json_t *index, json_t **out, struct err *err)
{
	json_t *list = NULL;

	if (json_get_array(index, "manifests", &list, err) < 0)
		return -1;
	if (list == NULL)
		return err_set(err, ERR_INPUT, "index: 'manifests' is missing");
	*out = list;
	return 0;
}

static void
remove_attestations(json_t *list, const char *digest)
{
	for (size_t i = json_array_size(list); i-- > 0;)
		if (index_edit_is_attestation(json_array_get(list, i), digest))
			json_array_remove(list, i);
}

static void
remove_platform(json_t *list, const struct platform *p, const char *but)
{
	for (size_t i = json_array_size(list); i-- > 0;) {
		AUTO(json) json_t *row = json_incref(json_array_get(list, i));
		struct platform have;

		if (index_edit_is_attestation(row, NULL) || !platform_of(row, &have) ||
			!platform_same(p, &have) || streq(text_of(row, "digest"), but))
			continue;
		json_array_remove(list, i);
		remove_attestations(list, text_of(row, "digest"));
	}
}

/* Readers of one kind of index need not know the other kind's documents. */
static int
check_kind(const json_t *index, const json_t *descriptor, struct err *err)
{
	const char *type = text_of(descriptor, "mediaType");
	bool is_known = media_is_manifest(type) || media_is_index(type);

	if (is_known && edit_is_docker(index) != edit_is_docker(descriptor))
		return err_set(err, ERR_INPUT,
			"%s is %s, and the index is %s: '--oci' makes all of it OCI's",
			text_of(descriptor, "digest"),
			edit_is_docker(descriptor) ? "Docker's" : "OCI's",
			edit_is_docker(index) ? "Docker's" : "OCI's");
	return 0;
}

int
index_edit_add(json_t *index, json_t *descriptor, enum index_edit_add how, struct err *err)
{
	const char *digest = text_of(descriptor, "digest");
	struct platform p;
	json_t *list = NULL;

	if (list_of(index, &list, err) < 0 || check_kind(index, descriptor, err) < 0)
		return -1;
	if (how == INDEX_EDIT_REPLACE && !index_edit_is_attestation(descriptor, NULL) &&
		platform_of(descriptor, &p))
		remove_platform(list, &p, digest);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (streq(text_of(json_array_get(list, i), "digest"), digest)) {
			json_array_set(list, i, descriptor);
			return 0;
		}
	if (json_array_size(list) >= INDEX_MANIFESTS_MAX)
		return err_set(err, ERR_INPUT, "an index names at most %d", INDEX_MANIFESTS_MAX);
	json_array_append(list, descriptor);
	return 0;
}

/* What which says: a digest, or *want. */
static int
parse_which(const char *which, const char **digest, struct platform *want, struct err *err)
{
	struct digest d;

	*digest = NULL;
	if (strchr(which, ':') == NULL)
		return platform_parse(which, want, err);
	if (digest_parse(which, &d, err) < 0)
		return -1;
	*digest = which;
	return 0;
}

static int
not_found(const json_t *list, const char *which, struct err *err)
{
	AUTO(strv) struct strv have = STRV_INIT;
	AUTO(free) char *text = NULL;

	for (size_t i = 0; i < json_array_size(list); i++) {
		AUTO(buf) struct buf name = BUF_INIT;
		struct platform p;

		if (!platform_of(json_array_get(list, i), &p))
			continue;
		platform_format(&p, &name);
		if (!strv_has(&have, name.data))
			strv_add(&have, name.data);
	}
	if (have.count == 0)
		return err_set(err, ERR_NOTFOUND, "the index has no '%s'", which);
	text = strv_join(&have, ", ");
	return err_set(err, ERR_NOTFOUND, "the index has no '%s', only %s", which, text);
}

int
index_edit_remove(json_t *index, const char *which, struct err *err)
{
	json_t *list = NULL;
	struct platform want = { 0 };
	const char *digest = NULL;
	AUTO(strv) struct strv gone = STRV_INIT;

	if (list_of(index, &list, err) < 0 || parse_which(which, &digest, &want, err) < 0)
		return -1;
	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *row = json_array_get(list, i);

		if (!is_meant(row, digest, &want))
			continue;
		strv_add(&gone, text_of(row, "digest"));
		json_array_remove(list, i);
	}
	for (size_t i = 0; i < gone.count; i++)
		remove_attestations(list, gone.items[i]);
	return gone.count > 0 ? 0 : not_found(list, which, err);
}

static void
set_text(json_t *o, const char *member, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_object_set_new(o, member, json_text(text));
	else if (text != NULL)
		json_object_del(o, member);
}

static int
annotate(json_t *descriptor, const struct index_edit *e, struct err *err)
{
	bool is_none = e->os_features.count == 1 && e->os_features.items[0][0] == '\0';
	bool has_platform = e->os || e->arch || e->variant || e->os_version || e->os_features.count;
	json_t *platform = NULL;

	if (edit_annotations(descriptor, &e->annotations, err) < 0 ||
		json_get_object(descriptor, "platform", &platform, err) < 0)
		return -1;
	if (!has_platform)
		return 0;
	if (platform == NULL) {
		platform = json_object();
		json_object_set_new(descriptor, "platform", platform);
	}
	set_text(platform, "architecture", e->arch);
	set_text(platform, "os", e->os);
	set_text(platform, "variant", e->variant);
	set_text(platform, "os.version", e->os_version);
	if (is_none)
		json_object_del(platform, "os.features");
	else if (e->os_features.count > 0)
		json_object_set_new(platform, "os.features", json_strv(&e->os_features));
	if (text_of(platform, "os")[0] == '\0' || text_of(platform, "architecture")[0] == '\0')
		return err_set(err, ERR_USAGE, "a platform has both '--os' and '--arch'");
	return 0;
}

int
index_edit_annotate(json_t *index, const char *which, const struct index_edit *e, struct err *err)
{
	json_t *list = NULL;
	struct platform want = { 0 };
	const char *digest = NULL;
	size_t count = 0;

	if (list_of(index, &list, err) < 0 || parse_which(which, &digest, &want, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *row = json_array_get(list, i);

		if (!is_meant(row, digest, &want))
			continue;
		count++;
		if (annotate(row, e, err) < 0)
			return -1;
	}
	return count > 0 ? 0 : not_found(list, which, err);
}
