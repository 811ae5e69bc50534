/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "layers/check.h"
#include "layers/gc.h"
#include "layers/store.h"

/* What the store costs the coordinator, in microseconds: median and 99th percentile of each verb.
 * Usage: store [directory [rounds]] */

#define ROUNDS_MAX 20000

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
print_times(const char *what, double *times, size_t count)
{
	qsort(times, count, sizeof *times, compare);
	printf("%-44s %9.1f us  p99 %9.1f us\n", what, times[count / 2], times[count * 99 / 100]);
}

static void
need(int result, const struct err *err)
{
	if (result < 0) {
		fprintf(stderr, "bench: %s\n", err->msg);
		exit(1);
	}
}

/* What one RUN costs: its tree, its layer, its cache record. */
static void
one_run(struct store *s, size_t n, struct err *err)
{
	AUTO(tree_new) struct tree_new tree = TREE_NEW_INIT;
	AUTO(json) json_t *value = json_pack("{s:s, s:i}", "created_by", "RUN make", "n", (int)n);
	struct layer_record layer = { .id = 0 };
	char key[96];
	struct cache_record record = { .key = key, .group = (char *)"RUN", .value = value };

	snprintf(key, sizeof key, "sha256:%064zx", n);
	need(store_tree_new(s, getuid(), getgid(), &tree, err), err);
	need(store_batch_begin(s, err), err);
	need(store_tree_commit(s, tree.id, 1000, err), err);
	memcpy(layer.tree, tree.id, sizeof layer.tree);
	digest_of(key, strlen(key), &layer.content);
	need(store_layer_add(s, &layer, err), err);
	record.layers = &layer.id;
	record.layer_count = 1;
	need(store_cache_put(s, &record, err), err);
	need(store_batch_end(s, err), err);
}

static void
bench_records(struct store *s, double *times, size_t rounds, struct err *err)
{
	for (size_t i = 0; i < rounds; i++) {
		double start = now_us();

		one_run(s, i, err);
		times[i] = now_us() - start;
	}
	print_times("tree + layer + cache record", times, rounds);
	for (size_t i = 0; i < rounds; i++) {
		AUTO(cache_record) struct cache_record got = CACHE_RECORD_INIT;
		char key[96];
		double start = now_us();

		snprintf(key, sizeof key, "sha256:%064zx", i);
		need(store_cache_get(s, key, &got, err), err);
		times[i] = now_us() - start;
	}
	print_times("cache hit", times, rounds);
}

static void
bench_open(const char *root, double *times, size_t rounds, struct err *err)
{
	for (size_t i = 0; i < rounds; i++) {
		AUTO(store) struct store *s = NULL;
		double start = now_us();

		need(store_open(root, &s, err), err);
		times[i] = now_us() - start;
	}
	print_times("open", times, rounds);
	for (size_t i = 0; i < rounds; i++) {
		AUTO(store) struct store *s = NULL;
		double start = now_us();

		need(store_open(root, &s, err), err);
		need(store_name_get(s, "a", NULL, err), err);
		auto_store(&s);
		times[i] = now_us() - start;
	}
	print_times("open, look a name up, close", times, rounds);
}

static void
bench_blobs(struct store *s, double *times, size_t rounds, struct err *err)
{
	struct descriptor d = { .size = 24 };
	char bytes[32];

	for (size_t i = 0; i < rounds; i++) {
		double start = now_us();

		snprintf(bytes, sizeof bytes, "%024zu", i);
		need(store_blob_put(s, bytes, 24, &d.digest, err), err);
		times[i] = now_us() - start;
	}
	print_times("put a document (synced)", times, rounds);
	for (size_t i = 0; i < rounds; i++) {
		double start = now_us();

		need(store_name_set(s, "a", &d, err), err);
		times[i] = now_us() - start;
	}
	print_times("set a name (durable)", times, rounds);
}

int
main(int argc, char **argv)
{
	char root[4096] = "/var/tmp/store-bench-XXXXXX";
	size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	double *times = xcalloc(ROUNDS_MAX, sizeof *times);
	struct gc_options all = { .drop_cache = true };
	struct gc_result freed = { 0 };
	struct store *s = NULL;
	struct err err = { 0 };
	double start = 0;

	if (rounds < 10 || rounds > ROUNDS_MAX)
		return 2;
	if (argc > 1)
		snprintf(root, sizeof root, "%s/store-bench-XXXXXX", argv[1]);
	if (mkdtemp(root) == NULL)
		return 1;
	need(store_open(root, &s, &err), &err);
	bench_blobs(s, times, rounds < 300 ? rounds : 300, &err);
	bench_records(s, times, rounds, &err);
	auto_store(&s);
	bench_open(root, times, 200, &err);
	need(store_open(root, &s, &err), &err);
	start = now_us();
	need(store_gc(s, &all, &freed, &err), &err);
	printf("gc of %ju trees and %ju blobs: %.1f ms\n", (uintmax_t)freed.trees,
		(uintmax_t)freed.blobs, (now_us() - start) / 1e3);
	auto_store(&s);
	need(path_remove(AT_FDCWD, root, &err), &err);
	free(times);
	return 0;
}
