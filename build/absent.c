/* SPDX-License-Identifier: Apache-2.0 */
#include "build/absent.h"

#include <stdlib.h>

#include "base/mem.h"
#include "registry/ref.h"
#include "registry/remote.h"

void
auto_absent(struct absent *a)
{
	strv_free(&a->digests);
	strv_free(&a->sources);
	for (size_t i = 0; i < a->count; i++)
		descriptor_free(&a->layers[i]);
	free(a->layers);
}

struct search {
	struct store *store;
	const struct place_copy_options *options;
	struct absent *out;
};

static int
find_layers(struct search *s, const struct buf *bytes, const struct descriptor *d, struct err *err)
{
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	struct absent *a = s->out;

	if (manifest_parse(bytes->data, bytes->len, d->media_type, &m, err) < 0)
		return -1;
	for (size_t i = 0; i < m.layer_count; i++) {
		const struct digest *digest = &m.layers[i].digest;
		AUTO(strv) struct strv sources = STRV_INIT;
		int here = store_blob_has(s->store, digest, NULL, err);

		if (here < 0 || store_source_list(s->store, digest, &sources, err) < 0)
			return -1;
		if (here || sources.count == 0 || absent_has(a, digest))
			continue;
		strv_add(&a->digests, digest->text);
		strv_add(&a->sources, sources.items[0]);
		a->layers = grow(a->layers, a->count, &a->room, sizeof *a->layers);
		descriptor_copy(&m.layers[i], &a->layers[a->count++]);
	}
	return 0;
}

static int find(struct search *s, const struct descriptor *d, unsigned depth, struct err *err);

static int
find_in_index(struct search *s, const struct buf *bytes, const struct descriptor *d, unsigned depth,
	struct err *err)
{
	AUTO(index) struct index x = { .manifest_count = 0 };
	const struct descriptor *chosen = NULL;
	struct platform host;
	struct err ignored;

	if (index_parse(bytes->data, bytes->len, d->media_type, &x, err) < 0)
		return -1;
	platform_host(&host);
	/* none for the platform: the copy says so */
	if (!s->options->all_platforms &&
		index_choose(&x, s->options->platform != NULL ? s->options->platform : &host,
			&chosen, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < x.manifest_count; i++) {
		int here = store_blob_has(s->store, &x.manifests[i].digest, NULL, err);

		if (here < 0)
			return -1;
		if (here > 0 && (chosen == NULL || chosen == &x.manifests[i]) &&
			find(s, &x.manifests[i], depth + 1, err) < 0)
			return -1;
	}
	return 0;
}

static int
find(struct search *s, const struct descriptor *d, unsigned depth, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;

	if (depth > INDEX_DEPTH_MAX)
		return err_set(err, ERR_INPUT, "indexes within indexes");
	if (!media_is_index(d->media_type) && !media_is_manifest(d->media_type))
		return 0;
	if (store_blob_read(s->store, &d->digest, MANIFEST_MAX, &bytes, err) < 0)
		return -1;
	return media_is_index(d->media_type) ? find_in_index(s, &bytes, d, depth, err)
					     : find_layers(s, &bytes, d, err);
}

int
absent_find(struct store *store, const struct descriptor *image,
	const struct place_copy_options *options, struct absent *out, struct err *err)
{
	struct search s = { .store = store, .options = options, .out = out };

	return find(&s, image, 0, err);
}

bool
absent_has(const struct absent *a, const struct digest *layer)
{
	return strv_has(&a->digests, layer->text);
}

static int
move_layer(const struct absent *a, struct session *session, struct place *to, size_t index,
	struct err *err)
{
	const struct descriptor *d = &a->layers[index];
	AUTO(place) struct place *from = NULL;
	struct source_place source;
	struct ref ref;
	int there = to->ops->has(to, d, err);

	if (there != 0)
		return there < 0 ? -1 : 0;
	if (ref_parse(a->sources.items[index], &ref, err) < 0 ||
		remote_open(session, &ref, REMOTE_PULL, &from, err) < 0)
		return -1;
	if (to->ops->mount != NULL && to->ops->mount(to, d, from, err) > 0)
		return 0;
	source_place(&source, from, d);
	return to->ops->put(to, d, &source.source, err);
}

int
absent_move(const struct absent *a, struct session *session, struct place *to, struct err *err)
{
	for (size_t i = 0; i < a->count; i++)
		if (move_layer(a, session, to, i, err) < 0)
			return err_in(err, "layer %s", a->layers[i].digest.text);
	return 0;
}
