/* SPDX-License-Identifier: Apache-2.0 */
#include "build/cache.h"

#include <stdio.h>
#include <string.h>

int
cache_find(struct store *store, const struct digest *key, struct cache_hit *out, struct err *err)
{
	AUTO(cache_record) struct cache_record r = CACHE_RECORD_INIT;
	struct cache_hit hit = { .created = "" };
	const char *created = "", *content = NULL;
	int found = store_cache_get(store, key->text, &r, err);

	if (found <= 0)
		return found;
	if (r.layer_count != 1 || json_get_string(r.value, "created", &created, err) < 0 ||
		json_get_string(r.value, "content", &content, err) < 0 ||
		(content != NULL && digest_parse(content, &hit.content, err) < 0))
		return 0; /* another version's */
	snprintf(hit.created, sizeof hit.created, "%s", created);
	found = store_layer_get(store, r.layers[0], &hit.layer, err);
	if (found <= 0)
		return found;
	if (hit.layer.tree[0] == '\0' && layer_blob_here(&hit.layer) == NULL)
		return 0;
	*out = hit;
	return 1;
}

int
cache_keep(struct store *store, const struct digest *key, const char *group, json_t *inputs,
	const struct cache_hit *hit, struct err *err)
{
	AUTO(json) json_t *value = json_object();
	int64_t layer = hit->layer.id;
	struct cache_record r = { .key = (char *)(uintptr_t)key->text,
		.group = (char *)(uintptr_t)group,
		.layers = &layer,
		.layer_count = 1 };

	json_object_set_new(value, "created", json_string(hit->created));
	if (!digest_is_empty(&hit->content))
		json_object_set_new(value, "content", json_string(hit->content.text));
	if (inputs != NULL)
		json_object_set(value, "inputs", inputs);
	r.value = value;
	return store_cache_put(store, &r, err);
}

struct explanation {
	const json_t *inputs;
	struct buf *out;
};

static void
show(struct buf *out, const json_t *value)
{
	if (json_is_string(value))
		buf_addf(out, "'%.200s'", json_string_value(value));
	else
		buf_adds(out, "nothing");
}

static int
explain_one(const struct cache_record *r, void *arg, struct err *err)
{
	struct explanation *e = arg;
	json_t *before = NULL, *value;
	const char *name;

	if (json_get_object(r->value, "inputs", &before, err) <= 0)
		return 0;
	json_object_foreach ((json_t *)(uintptr_t)e->inputs, name, value) {
		const json_t *old = json_object_get(before, name);

		if (old != NULL && json_equal(old, value))
			continue;
		buf_addf(e->out, "%s was ", name);
		show(e->out, old);
		buf_adds(e->out, " and is ");
		show(e->out, value);
		return 1;
	}
	json_object_foreach (before, name, value)
		if (json_object_get(e->inputs, name) == NULL) {
			buf_addf(e->out, "%s was ", name);
			show(e->out, value);
			buf_adds(e->out, " and is not given now");
			return 1;
		}
	return 0;
}

int
cache_explain(struct store *store, const char *group, const json_t *inputs, struct buf *out,
	struct err *err)
{
	struct explanation e = { .inputs = inputs, .out = out };

	return store_cache_each(store, group, explain_one, &e, err);
}
