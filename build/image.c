/* SPDX-License-Identifier: Apache-2.0 */
#include "build/image.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "build/material.h"

/* A layer keeps its bytes; only what its type is called follows the manifest's kind. */
static void
layer_type(const char *type, bool docker, char out[128])
{
	static const struct {
		const char *oci, *docker;
	} types[] = {
		{ MEDIA_OCI_LAYER, MEDIA_DOCKER_LAYER },
		{ MEDIA_OCI_LAYER_GZIP, MEDIA_DOCKER_LAYER_GZIP },
	};

	media_type_clean(type, out);
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (streq(type, types[i].oci) || streq(type, types[i].docker))
			media_type_clean(docker ? types[i].docker : types[i].oci, out);
}

static void
add_layer(struct manifest *m, size_t index, const struct material *layer)
{
	const struct layer_blob *blob = material_blob(layer);
	struct descriptor *d = &m->layers[index];

	layer_type(blob->media_type, m->is_docker, d->media_type);
	d->digest = blob->digest;
	d->size = blob->size;
}

/* When each of our layers was made, in order. */
static void
layer_times(struct solve *s, size_t stage, struct strv *out)
{
	struct stage_run *st = &s->stages[stage];

	if (s->plan->stages[stage].base.kind == ORIGIN_STAGE)
		layer_times(s, s->plan->stages[stage].base.index, out);
	for (size_t i = 0; i < st->count; i++)
		strv_add(out, st->nodes[i].created);
}

/* A line without a layer has the time of the layer before it, or of the first one. */
static void
date_history(struct solve *s, struct config *c, size_t base_history)
{
	AUTO(strv) struct strv times = STRV_INIT;
	char now[40];
	const char *last;
	size_t next = 0;

	solve_time(s, now);
	layer_times(s, s->plan->target, &times);
	last = times.count > 0 ? times.items[0] : now;
	for (size_t i = base_history; i < c->history_count; i++) {
		if (!c->history[i].empty_layer && next < times.count)
			last = times.items[next++];
		free(c->history[i].created);
		c->history[i].created = xstrdup(s->epoch[0] != '\0' ? s->epoch : last);
	}
	free(c->created);
	c->created = NULL;
	if (c->history_count > base_history)
		c->created = xstrdup(c->history[c->history_count - 1].created);
	else if (s->epoch[0] != '\0')
		c->created = xstrdup(s->epoch);
	else if (c->history_count > 0 && c->history[c->history_count - 1].created != NULL)
		c->created = xstrdup(c->history[c->history_count - 1].created);
}

static void
add_labels(const struct plan *p, struct config *c)
{
	for (size_t i = 0; p->labels != NULL && i < p->labels->count; i++) {
		const char *row = p->labels->items[i], *equals = strchr(row, '=');
		AUTO(free) char *name = xstrndup(row, strcspn(row, "="));

		strv_env_set(&c->labels, name, equals != NULL ? equals + 1 : "");
	}
}

static int
put_document(struct store *store, const struct buf *bytes, const char *type, struct descriptor *out,
	struct err *err)
{
	media_type_clean(type, out->media_type);
	out->size = bytes->len;
	return store_blob_put(store, bytes->data, bytes->len, &out->digest, err);
}

int
image_make(struct solve *s, bool docker_types, struct image_made *out, struct err *err)
{
	struct plan_stage *st = &s->plan->stages[s->plan->target];
	struct root *r = solve_root(s, &(struct origin){ ORIGIN_STAGE, s->plan->target });
	AUTO(config) struct config config = { .user = NULL };
	AUTO(manifest) struct manifest manifest = { .is_docker = docker_types };
	AUTO(buf) struct buf text = BUF_INIT, body = BUF_INIT;

	config_copy(&st->config, &config);
	free(config.diff_ids);
	config.diff_ids = NULL;
	config.diff_id_count = 0;
	config.platform = st->platform;
	add_labels(s->plan, &config);
	date_history(s, &config, st->base_history);
	manifest.layers = xcalloc(r->count, sizeof *manifest.layers);
	manifest.layer_count = r->count;
	for (size_t i = 0; i < r->count; i++) {
		add_layer(&manifest, i, r->items[i]);
		config_diff_id_add(&config, &r->items[i]->rec.diff_id);
	}
	config_format(&config, &text);
	if (put_document(s->store, &text, docker_types ? MEDIA_DOCKER_CONFIG : MEDIA_OCI_CONFIG,
		    &manifest.config, err) < 0)
		return -1;
	manifest_format(&manifest, &body);
	if (put_document(s->store, &body, manifest_media_type(&manifest), &out->manifest, err) < 0)
		return -1;
	out->config = manifest.config.digest;
	out->manifest.has_platform = true;
	out->manifest.platform = st->platform;
	return 0;
}

int
image_index(struct store *store, const struct image_made *images, size_t count, bool docker_types,
	struct descriptor *out, struct err *err)
{
	AUTO(index) struct index index = { .is_docker = docker_types };
	AUTO(buf) struct buf text = BUF_INIT;

	index.manifests = xcalloc(count, sizeof *index.manifests);
	index.manifest_count = count;
	for (size_t i = 0; i < count; i++)
		descriptor_copy(&images[i].manifest, &index.manifests[i]);
	index_format(&index, &text);
	return put_document(
		store, &text, docker_types ? MEDIA_DOCKER_LIST : MEDIA_OCI_INDEX, out, err);
}
