/* SPDX-License-Identifier: Apache-2.0 */
/* archive_docker - what `docker save` has written since version 1.10, before it became an OCI
 *layout:
 *
 *	manifest.json   [{"Config": "<hex>.json", "RepoTags": ["a:1"], "Layers": ["<id>/layer.tar",
 *...]}]
 *
 * Layers are plain tars, so their digests are the config's diff ids; some writers compress them
 *nevertheless, and then they are hashed here. */
#include "registry/archive_member.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "layers/codec.h"
#include "layers/config.h"
#include "layers/entry.h"
#include "registry/place_archive.h"
#include "registry/ref.h"

void
archive_blobs_free(struct archive_blobs *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->rows[i].bytes);
	free(b->rows);
	*b = (struct archive_blobs){ .rows = NULL };
}

static void
blob_add(struct archive_blobs *b, const struct digest *d, const struct member *member,
	const struct buf *bytes)
{
	b->rows = grow(b->rows, b->count, &b->room, sizeof *b->rows);
	b->rows[b->count++] = (struct archive_blob){
		.digest = *d,
		.member = member,
		.bytes = bytes == NULL ? NULL : xmemdup(bytes->data, bytes->len),
		.len = bytes == NULL ? 0 : bytes->len,
	};
}

static int
find_member(const struct members *m, const char *name, const struct member **out, struct err *err)
{
	AUTO(buf) struct buf path = BUF_INIT;

	if (entry_path_clean(name, &path, err) < 0)
		return err_in(err, "manifest.json");
	*out = members_find(m, path.data);
	if (*out == NULL)
		return err_set(err, ERR_CORRUPT,
			"'%s', which manifest.json names, is not in the "
			"archive",
			name);
	return 0;
}

static int
member_hash(const struct members *m, const struct member *row, struct digest *out, struct err *err)
{
	AUTO(sink) struct sink *to = sink_digest(sink_none(), out, NULL);

	if (member_send(m, row, 0, to, err) < 0)
		return -1;
	return sink_finish(to, err);
}

static int
layer_add(const struct members *m, const char *name, const struct digest *diff_id,
	struct manifest *manifest, struct archive_blobs *blobs, struct err *err)
{
	const struct member *row = NULL;
	AUTO(buf) struct buf start = BUF_INIT;
	struct descriptor d = { .digest = *diff_id };
	struct member head;
	enum codec_kind codec;

	if (find_member(m, name, &row, err) < 0)
		return -1;
	head = *row;
	head.size = row->size < CODEC_SNIFF_SIZE ? row->size : CODEC_SNIFF_SIZE;
	{
		AUTO(sink) struct sink *to = sink_buf(&start);

		if (member_send(m, &head, 0, to, err) < 0 || sink_finish(to, err) < 0)
			return -1;
	}
	codec = codec_sniff(start.data, start.len);
	if (codec != CODEC_NONE && member_hash(m, row, &d.digest, err) < 0)
		return -1;
	d.size = row->size;
	snprintf(d.media_type, sizeof d.media_type, "%s%s", MEDIA_OCI_LAYER,
		codec_media_suffix(codec));
	manifest_layer_add(manifest, &d);
	blob_add(blobs, &d.digest, row, NULL);
	return 0;
}

static int
config_add(const struct members *m, const char *name, struct manifest *manifest,
	struct config *config, struct archive_blobs *blobs, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	const struct member *row = NULL;
	struct descriptor *d = &manifest->config;

	if (find_member(m, name, &row, err) < 0 ||
		member_read(m, row->path, CONFIG_MAX, &bytes, err) < 0)
		return -1;
	if (config_parse(bytes.data, bytes.len, config, err) < 0)
		return err_in(err, "'%s'", name);
	digest_of(bytes.data, bytes.len, &d->digest);
	d->size = bytes.len;
	snprintf(d->media_type, sizeof d->media_type, "%s", MEDIA_OCI_CONFIG);
	blob_add(blobs, &d->digest, row, NULL);
	return 0;
}

static int
image_add(const struct members *m, const json_t *image, struct catalog *catalog,
	struct archive_blobs *blobs, struct err *err)
{
	AUTO(manifest) struct manifest manifest = { .is_docker = false };
	AUTO(config) struct config config = { .author = NULL };
	AUTO(strv) struct strv layers = STRV_INIT;
	AUTO(strv) struct strv tags = STRV_INIT;
	AUTO(buf) struct buf bytes = BUF_INIT;
	struct descriptor d = { .media_type = MEDIA_OCI_MANIFEST };
	const char *config_name = NULL;

	if (json_get_string(image, "Config", &config_name, err) < 0 ||
		json_get_strv(image, "Layers", &layers, err) < 0 ||
		json_get_strv(image, "RepoTags", &tags, err) < 0)
		return err_in(err, "manifest.json");
	if (config_name == NULL)
		return err_set(err, ERR_INPUT, "manifest.json: an image has no 'Config'");
	if (layers.count > MANIFEST_LAYERS_MAX)
		return err_set(err, ERR_INPUT, "more than %d layers", MANIFEST_LAYERS_MAX);
	if (config_add(m, config_name, &manifest, &config, blobs, err) < 0)
		return -1;
	if (config.diff_id_count != layers.count)
		return err_set(err, ERR_CORRUPT, "'%s' has %zu diff ids for %zu layers",
			config_name, config.diff_id_count, layers.count);
	for (size_t i = 0; i < layers.count; i++)
		if (layer_add(m, layers.items[i], &config.diff_ids[i], &manifest, blobs, err) < 0)
			return -1;
	manifest_format(&manifest, &bytes);
	digest_of(bytes.data, bytes.len, &d.digest);
	d.size = bytes.len;
	blob_add(blobs, &d.digest, NULL, &bytes);
	for (size_t i = 0; i < tags.count; i++)
		catalog_set(catalog, tags.items[i], &d);
	if (tags.count == 0)
		catalog_set(catalog, NULL, &d);
	return 0;
}

int
archive_docker_read(const struct members *m, struct catalog *catalog, struct archive_blobs *blobs,
	struct err *err)
{
	static const char bom[] = "\xef\xbb\xbf"; /* of files written by Windows */
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(json) json_t *images = NULL;
	size_t skip;

	if (members_find(m, "manifest.json") == NULL && members_find(m, "repositories") != NULL)
		return err_set(err, ERR_INPUT,
			"an archive of docker before 1.10: load and save it "
			"again with a newer docker");
	if (members_find(m, "manifest.json") == NULL)
		return err_set(err, ERR_INPUT,
			"this is no archive of images: it has neither "
			"index.json nor manifest.json; 'cooper import' takes "
			"root file systems");
	if (member_read(m, "manifest.json", PLACE_ARCHIVE_DOCUMENT_MAX, &bytes, err) < 0)
		return -1;
	skip = starts_with(bytes.data, bom) ? strlen(bom) : 0;
	if (json_parse(bytes.data + skip, bytes.len - skip, &images, err) < 0)
		return err_in(err, "manifest.json");
	if (!json_is_array(images))
		return err_set(err, ERR_INPUT, "manifest.json is not a list of images");
	for (size_t i = 0; i < json_array_size(images); i++)
		if (image_add(m, json_array_get(images, i), catalog, blobs, err) < 0)
			return -1;
	return 0;
}
