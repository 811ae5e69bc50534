/* SPDX-License-Identifier: Apache-2.0 */
#include "build/source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
source_past_free(struct source_past *p)
{
	auto_json(&p->facts);
	strv_free(&p->trees);
	strv_free(&p->keys);
}

void
auto_source_past(struct source_past *p)
{
	source_past_free(p);
}

static void
name_group(const struct fetch *f, struct buf *out)
{
	struct digest identity;

	fetch_identity(f, &identity);
	buf_addf(out, "source %s", identity.text);
}

/* --- what there was ----------------------------------------------------------------------------- */

struct finding {
	struct source_past *past;
	int64_t *layers;
	size_t count, room;
};

static int
collect(const struct cache_record *r, void *arg, struct err *err)
{
	struct finding *f = arg;

	(void)err;
	if (r->layer_count != 1 || !json_is_object(r->value))
		return 0;
	f->layers = grow(f->layers, f->count, &f->room, sizeof *f->layers);
	f->layers[f->count++] = r->layers[0];
	strv_add(&f->past->keys, r->key);
	json_array_append(f->past->facts, r->value);
	return 0;
}

/* Those whose files have gone are as good as none. */
static int
drop_gone(struct store *s, struct finding *f, struct err *err)
{
	for (size_t i = 0; i < f->count; i++) {
		struct layer_record rec;
		size_t at = f->past->trees.count;
		int found = store_layer_get(s, f->layers[i], &rec, err);

		if (found < 0)
			return -1;
		if (found > 0 && rec.tree[0] != '\0') {
			strv_add(&f->past->trees, rec.tree);
			continue;
		}
		strv_remove(&f->past->keys, at);
		json_array_remove(f->past->facts, at);
	}
	return 0;
}

int
source_find(struct store *s, const struct fetch *f, struct source_past *out, struct err *err)
{
	AUTO(buf) struct buf group = BUF_INIT;
	AUTO(source_past) struct source_past past = SOURCE_PAST_INIT;
	struct finding finding = { .past = &past };
	int result;

	past.facts = json_array();
	name_group(f, &group);
	result = store_cache_each(s, group.data, collect, &finding, err);
	if (result == 0)
		result = drop_gone(s, &finding, err);
	free(finding.layers);
	if (result < 0)
		return -1;
	*out = past;
	past = (struct source_past)SOURCE_PAST_INIT;
	return 0;
}

/* --- what there is now -------------------------------------------------------------------------- */

void
source_use(struct store *s, const struct source_past *past, size_t index)
{
	AUTO(cache_record) struct cache_record r = CACHE_RECORD_INIT;
	struct err ignored;

	store_cache_get(s, past->keys.items[index], &r, &ignored);
}

static int
forget_oldest(struct store *s, const struct source_past *past, const char *kept, struct err *err)
{
	size_t count = 1;

	for (size_t i = 0; i < past->keys.count; i++)
		if (!streq(past->keys.items[i], kept) && ++count > SOURCES_MAX &&
			store_cache_remove(s, past->keys.items[i], err) < 0)
			return -1;
	return 0;
}

static int
keep(struct store *s, const struct fetch *f, const struct source_past *past, const json_t *facts,
	const char *tree, struct err *err)
{
	AUTO(buf) struct buf group = BUF_INIT, text = BUF_INIT, key = BUF_INIT;
	AUTO(json) json_t *value = json_deep_copy(facts);
	struct layer_record layer = { .id = 0 };
	struct cache_record r = { .layers = &layer.id, .layer_count = 1 };
	struct digest digest;

	name_group(f, &group);
	json_format(facts, JSON_STYLE_SORTED, &text);
	digest_of(text.data, text.len, &digest);
	buf_addf(&key, "%s %s", group.data, digest.text);
	memcpy(layer.tree, tree, sizeof layer.tree);
	r.key = key.data;
	r.group = group.data;
	r.value = value;
	if (store_tree_commit(s, tree, 0, err) < 0 || store_layer_add(s, &layer, err) < 0 ||
		store_cache_put(s, &r, err) < 0)
		return -1;
	return forget_oldest(s, past, key.data, err);
}

int
source_settle(struct store *s, const struct fetch *f, const struct source_past *past,
	const json_t *result, char tree[STORE_ID_SIZE], struct err *err)
{
	uint64_t same = 0;
	int is_same = json_get_uint(result, "same", &same, err);

	if (is_same < 0)
		return -1;
	if (is_same == 0)
		return keep(s, f, past, result, tree, err);
	if (same >= past->trees.count)
		return err_set(err, ERR_SYSTEM, "the worker found what nobody asked for");
	if (store_tree_drop(s, tree, err) < 0)
		return -1;
	source_use(s, past, same);
	snprintf(tree, STORE_ID_SIZE, "%s", past->trees.items[same]);
	return 0;
}

int
source_open(struct store *s, const struct fetch *f, const char *tree, struct err *err)
{
	AUTO(fd) int dir = store_tree_open(s, tree, err);

	return dir < 0 ? -1 : fetch_open(f, dir, err);
}
