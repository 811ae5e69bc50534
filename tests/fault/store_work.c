/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/store_work.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

#define STEPS 40
#define BLOBS 30

uint32_t
work_random(struct work *w)
{
	w->random ^= w->random << 13; /* xorshift64 */
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (uint32_t)(w->random >> 16);
}

void
work_need(int result, struct work *w)
{
	if (result >= 0)
		return;
	printf("# pid %d: %s\n", (int)getpid(), w->err.msg);
	fflush(stdout);
	_exit(1);
}

static void
fill(char *bytes, size_t len, uint32_t which)
{
	uint32_t x = which * 2654435761u + 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525u + 1013904223u;
		bytes[i] = (char)(x >> 24);
	}
}

/* As a download does: by the digest that is wanted. */
static void
fetch(struct work *w, uint32_t which, struct descriptor *out)
{
	AUTO(ingest) struct ingest *in = NULL;
	char bytes[3000];
	char got[3000];
	size_t len = 500 + which * 77 % 2500;
	size_t from = 0;

	fill(bytes, len, which);
	*out = (struct descriptor){ .media_type = MEDIA_OCI_LAYER, .size = len };
	digest_of(bytes, len, &out->digest);
	work_need(store_ingest_new(w->store, &out->digest, INGEST_WAIT, &in, &w->err), w);
	if (in == NULL)
		return;
	from = (size_t)ingest_offset(in);
	if (from > len) {
		work_need(ingest_restart(in, &w->err), w);
		from = 0;
	}
	work_need(fd_write(ingest_fd(in), bytes + from, len - from), w);
	/* after a power loss a partial may hold anything */
	if (fd_pread(ingest_fd(in), got, len, 0) != (ssize_t)len || memcmp(got, bytes, len) != 0) {
		work_need(ingest_restart(in, &w->err), w);
		work_need(fd_write(ingest_fd(in), bytes, len), w);
	}
	work_need(ingest_sync(in, &w->err), w);
	work_need(ingest_commit(&in, &out->digest, len, &w->err), w);
}

void
work_image(struct work *w, struct descriptor *out)
{
	AUTO(buf) struct buf config = BUF_INIT;
	AUTO(buf) struct buf layers = BUF_INIT;
	AUTO(buf) struct buf manifest = BUF_INIT;
	unsigned count = 1 + work_random(w) % 3;
	struct digest d;

	for (unsigned i = 0; i < count; i++) {
		struct descriptor layer;

		fetch(w, work_random(w) % BLOBS, &layer);
		buf_addf(&layers, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}",
			i > 0 ? "," : "", layer.media_type, layer.digest.text, (size_t)layer.size);
	}
	buf_addf(&config, "{\"architecture\":\"amd64\",\"os\":\"linux\",\"x\":\"%u\"}",
		work_random(w) % 1000);
	work_need(store_blob_put(w->store, config.data, config.len, &d, &w->err), w);
	buf_addf(&manifest,
		"{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\","
		"\"digest\":\"%s\","
		"\"size\":%zu},\"layers\":[%s]}",
		MEDIA_OCI_MANIFEST, MEDIA_OCI_CONFIG, d.text, config.len, layers.data);
	*out = (struct descriptor){ .media_type = MEDIA_OCI_MANIFEST, .size = manifest.len };
	work_need(store_blob_put(w->store, manifest.data, manifest.len, &out->digest, &w->err), w);
}

static void
step_key(char key[32], uint32_t which)
{
	snprintf(key, 32, "step-%u", which);
}

void
work_step(struct work *w)
{
	AUTO(tree_new) struct tree_new tree = TREE_NEW_INIT;
	AUTO(listing) struct listing listing = LISTING_INIT;
	AUTO(json) json_t *value = json_pack("{s:s}", "did", "RUN");
	struct entry entry = {
		.path = (char *)"file", .kind = ENTRY_FILE, .mode = 0644, .size = 4
	};
	struct layer_record layer = { .id = 0 };
	struct descriptor blob;
	char key[32];
	struct cache_record record = { .key = key, .group = (char *)"RUN", .value = value };
	uint32_t which = work_random(w) % STEPS;

	step_key(key, which);
	work_need(store_tree_new(w->store, getuid(), getgid(), &tree, &w->err), w);
	work_need(file_write(tree.fs_fd, "file", key, 4, 0644, FILE_NO_SYNC, &w->err), w);
	work_need(store_batch_begin(w->store, &w->err), w);
	work_need(store_tree_commit(w->store, tree.id, 4, &w->err), w);
	memcpy(layer.tree, tree.id, sizeof layer.tree);
	if (which % 2 == 0)
		digest_of(key, strlen(key), &layer.diff_id);
	work_need(store_layer_add(w->store, &layer, &w->err), w);
	record.layers = &layer.id;
	record.layer_count = 1;
	work_need(store_cache_put(w->store, &record, &w->err), w);
	work_need(store_batch_end(w->store, &w->err), w);
	listing_add(&listing, &entry);
	work_need(store_listing_put(w->store, layer.id, &listing, &w->err), w);
	if (work_random(w) % 2 == 0)
		return;
	fetch(w, which % BLOBS, &blob);
	layer.blob_count = 1;
	strcpy(layer.blobs[0].media_type, MEDIA_OCI_LAYER);
	layer.blobs[0].digest = blob.digest;
	layer.blobs[0].size = blob.size;
	work_need(store_layer_update(w->store, &layer, &w->err), w);
}

void
work_lookup(struct work *w)
{
	AUTO(cache_record) struct cache_record record = CACHE_RECORD_INIT;
	AUTO(listing) struct listing listing = LISTING_INIT;
	AUTO(fd) int fd = -1;
	AUTO(fd) int file = -1;
	struct layer_record layer = { .id = 0 };
	char key[32];
	int found = 0;

	step_key(key, work_random(w) % STEPS);
	found = store_cache_get(w->store, key, &record, &w->err);
	work_need(found, w);
	if (found == 0)
		return;
	found = store_layer_get(w->store, record.layers[0], &layer, &w->err);
	work_need(found, w);
	if (w->is_damaged && (found == 0 || layer.tree[0] == '\0'))
		return;
	if (found == 0 || layer.tree[0] == '\0') {
		err_set(&w->err, ERR_CORRUPT, "record %s has layer %lld, which is %s", key,
			(long long)record.layers[0], found == 0 ? "not there" : "without its tree");
		work_need(-1, w);
	}
	fd = store_tree_open(w->store, layer.tree, &w->err);
	work_need(fd, w);
	file = openat(fd, "file", O_RDONLY | O_CLOEXEC);
	if (file < 0)
		work_need(err_sys(&w->err, "tree %s: file", layer.tree), w);
	if (layer.has_listing)
		work_need(store_listing_get(w->store, layer.id, &listing, &w->err), w);
}

void
work_partial(struct work *w)
{
	AUTO(ingest) struct ingest *in = NULL;
	char bytes[3000];
	uint32_t which = work_random(w) % BLOBS;
	size_t len = 500 + which * 77 % 2500;
	struct digest d;
	int result = 0;

	fill(bytes, len, which);
	digest_of(bytes, len, &d);
	result = store_ingest_new(w->store, &d, INGEST_TRY, &in, &w->err);
	work_need(result, w);
	if (result != 0)
		return;
	if (ingest_offset(in) == 0)
		work_need(fd_write(ingest_fd(in), bytes, len / 2), w);
	ingest_drop(steal(&in), work_random(w) % 3 == 0 ? INGEST_DISCARD : INGEST_KEEP);
}

void
work_gc(struct work *w)
{
	struct gc_options o = {
		.drop_cache = work_random(w) % 4 == 0,
		.drop_partials = work_random(w) % 4 == 0,
		.max_size = work_random(w) % 3 == 0 ? 20000 : 0,
	};
	struct gc_result r = { 0 };

	work_need(store_gc(w->store, &o, &r, &w->err), w);
}

static void
print_finding(const struct check_finding *f, void *arg)
{
	(void)arg;
	if (f->grade == CHECK_PROBLEM)
		printf("# %s %s: %s\n", f->what, f->which, f->text);
}

int
work_check(struct work *w)
{
	struct check_options o = { 0 };
	struct check_result r = { 0 };

	work_need(store_check(w->store, &o, print_finding, NULL, &r, &w->err), w);
	return (int)r.problems;
}
