/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "build/cache.h"
#include "build/material.h"
#include "build/solve.h"

/* node - what becomes of a step: found in the cache, or made and remembered; then its layer joins the root. */

bool
node_may_use_cache(const struct solve *s, const struct node *n)
{
	const struct plan_stage *st = &s->plan->stages[n->step->stage];

	if (s->o->no_cache)
		return false;
	for (size_t i = 0; i < s->o->no_cache_filter.count; i++)
		if (strcasecmp(s->o->no_cache_filter.items[i], st->label) == 0)
			return false;
	return true;
}

/* What an earlier record of the same step is found by, when its key is another. */
void
node_group(const struct solve *s, const struct node *n, struct buf *out)
{
	const struct plan_stage *st = &s->plan->stages[n->step->stage];

	buf_addf(out, "%s %s %zu", s->plan->file_name, st->label, n->step->index);
}

void
node_miss(struct solve *s, struct node *n)
{
	AUTO(buf) struct buf group = BUF_INIT, why = BUF_INIT;
	struct err ignored;

	if (!s->o->explain)
		return;
	node_group(s, n, &group);
	if (!node_may_use_cache(s, n))
		buf_adds(&why, "--no-cache was given");
	else if (cache_explain(s->store, group.data, n->key.inputs, &why, &ignored) <= 0)
		buf_adds(&why, "there is no earlier record of this step");
	event_log(n->event, 2, "not cached: ", 12);
	buf_addc(&why, '\n');
	event_log(n->event, 2, why.data, (uint32_t)why.len);
}

void
node_done(struct solve *s, struct node *n, const struct cache_hit *hit)
{
	struct material *m = material_of(s, &hit->layer);

	root_copy(n->before, &n->after);
	root_add(&n->after, m);
	if (hit->layer.id == s->empty.id)
		m->has_listing = true;
	memcpy(n->created, hit->created, sizeof n->created);
	if (digest_is_empty(&hit->content)) {
		n->after.state = n->definition;
	} else {
		AUTO(key) struct key k = { .hasher = NULL };

		key_begin(&k, "root");
		key_add(&k, "before", n->before->state.text);
		key_add(&k, "content", hit->content.text);
		key_end(&k, &n->after.state);
	}
	n->state = NODE_DONE;
}

void
node_cached(struct solve *s, struct node *n, const struct cache_hit *hit)
{
	event_cached(n->event);
	node_done(s, n, hit);
}

static int
keep(struct solve *s, struct node *n, const struct digest *key, const struct cache_hit *hit,
	struct err *err)
{
	AUTO(buf) struct buf group = BUF_INIT;

	if (digest_is_empty(key))
		return 0;
	node_group(s, n, &group);
	return cache_keep(s->store, key, group.data, n->key.inputs, hit, err);
}

/* A step that ran again and changed the same files in the same way gives the layer it gave before:
 * what follows is then cached, and the image keeps its digest. */
static int
same_as_before(struct solve *s, struct node *n, const struct digest *key, struct cache_hit *hit,
	struct err *err)
{
	struct cache_hit before;
	int found = node_may_use_cache(s, n) ? cache_find(s->store, key, &before, err) : 0;

	if (found <= 0)
		return found;
	if (n->made.tree[0] != '\0' && before.layer.tree[0] == '\0' && n->wants_tree)
		return 0; /* the new one has a form that the old one has not */
	*hit = before;
	return 1;
}

int
solve_drop(struct solve *s, const char *tree, struct err *err)
{
	s->has_trash = true;
	return store_tree_drop(s->store, tree, err);
}

/* A step that changed nothing has a layer all the same, and all such layers are one: it is made
 * once in the life of a store, and nobody stacks it. */
static int
empty_layer(struct solve *s, struct layer_record *out, struct err *err)
{
	AUTO(ingest) struct ingest *ingest = NULL;
	AUTO(sink) struct sink *sink = NULL;
	struct layer_record rec = { .id = 0, .blob_count = 1 };
	struct listing nothing = LISTING_INIT;
	struct layer_made made;
	int found;

	if (store_ingest_new(s->store, NULL, INGEST_WAIT, &ingest, err) < 0 ||
		layer_sink(ingest_fd(ingest), s->codec, s->level, 1, &made, &sink, err) < 0 ||
		layer_pack(-1, &nothing, LAYER_DIGESTS_NONE, sink, err) < 0 ||
		sink_finish(sink, err) < 0)
		return -1;
	found = store_layer_by_diff_id(s->store, &made.diff_id, out, err);
	if (found > 0 && layer_blob_here(out) != NULL) {
		ingest_drop(steal(&ingest), INGEST_DISCARD);
		return 0;
	}
	if (found < 0 || ingest_sync(ingest, err) < 0 ||
		ingest_commit(&ingest, &made.blob.digest, made.blob.size, err) < 0)
		return -1;
	rec.diff_id = made.diff_id;
	rec.diff_size = made.diff_size;
	rec.blobs[0].digest = made.blob.digest;
	rec.blobs[0].size = made.blob.size;
	memcpy(rec.blobs[0].media_type, made.blob.media_type, sizeof rec.blobs[0].media_type);
	listing_content_digest(&nothing, &rec.content);
	if (store_layer_add(s->store, &rec, err) < 0 ||
		store_listing_put(s->store, rec.id, &nothing, err) < 0)
		return -1;
	*out = rec;
	return store_layer_get(s->store, rec.id, out, err) < 0 ? -1 : 0;
}

static int
made_nothing(struct solve *s, struct node *n, struct err *err)
{
	struct cache_hit hit = { .created = "" };

	if (s->empty.id == 0 && empty_layer(s, &s->empty, err) < 0)
		return -1;
	hit.layer = s->empty;
	hit.content = s->empty.content;
	solve_time(s, hit.created);
	if ((n->made.tree[0] != '\0' && solve_drop(s, n->made.tree, err) < 0) ||
		keep(s, n, &n->definition, &hit, err) < 0 || keep(s, n, &n->content, &hit, err) < 0)
		return -1;
	node_done(s, n, &hit);
	event_done(n->event);
	return 0;
}

int
node_made(struct solve *s, struct node *n, struct err *err)
{
	struct cache_hit hit = { .layer = n->made };
	struct digest by_content = { .text = "" };
	int same = 0;

	if (n->entries == 0)
		return made_nothing(s, n, err);
	hit.content = n->content_made;
	solve_time(s, hit.created);
	if (!digest_is_empty(&hit.content)) {
		AUTO(key) struct key k = { .hasher = NULL };

		key_begin(&k, "result");
		key_add(&k, "before", n->before->state.text);
		key_add(&k, "content", hit.content.text);
		key_end(&k, &by_content);
		same = same_as_before(s, n, &by_content, &hit, err);
		if (same < 0)
			return -1;
	}
	if (store_batch_begin(s->store, err) < 0)
		return -1;
	hit.layer.content = hit.content;
	if ((!same &&
		    (store_layer_add(s->store, &hit.layer, err) < 0 ||
			    store_listing_copy(s->store, hit.layer.id, n->listing_fd, err) < 0)) ||
		keep(s, n, &n->definition, &hit, err) < 0 ||
		keep(s, n, &n->content, &hit, err) < 0 ||
		(!same && keep(s, n, &by_content, &hit, err) < 0)) {
		store_batch_cancel(s->store);
		return -1;
	}
	if (store_batch_end(s->store, err) < 0)
		return -1;
	if (same && n->made.tree[0] != '\0' && solve_drop(s, n->made.tree, err) < 0)
		return -1;
	auto_fd(&n->listing_fd);
	node_done(s, n, &hit);
	event_done(n->event);
	return 0;
}
