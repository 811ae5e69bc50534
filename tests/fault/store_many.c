/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "tests/fault/store_work.h"

/* Eight processes build and tag in one store while others collect garbage without a pause: nothing
 * that a process was told is there may go while it lives, and no name may be lost. Usage:
 * store_many [acts [seed]] */

#define BUILDERS 8 /* unless told otherwise */
#define BUILDERS_MAX 200
#define COLLECTORS 2
#define NAMES 5

static void
make_name(char name[64], unsigned builder, unsigned n)
{
	snprintf(name, 64, "example.org/many/b%u:n%u", builder, n);
}

/* All blobs of the image are there, and readable. */
static void
need_image(struct work *w, const char *name)
{
	AUTO(descriptor) struct descriptor d = { 0 };
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(manifest) struct manifest m = { 0 };
	int found = store_name_get(w->store, name, &d, &w->err);

	work_need(found, w);
	if (found == 0)
		work_need(err_set(&w->err, ERR_NOTFOUND, "name %s is lost", name), w);
	work_need(store_blob_read(w->store, &d.digest, MANIFEST_MAX, &bytes, &w->err), w);
	work_need(manifest_parse(bytes.data, bytes.len, d.media_type, &m, &w->err), w);
	for (size_t i = 0; i < m.layer_count; i++) {
		AUTO(buf) struct buf layer = BUF_INIT;

		work_need(store_blob_read(w->store, &m.layers[i].digest, 1 << 20, &layer, &w->err),
			w);
	}
}

static int
build(const char *root, unsigned builder, unsigned long acts, uint64_t seed)
{
	struct work w = { .random = seed | 1 };
	bool named[NAMES] = { false };

	work_need(store_open(root, &w.store, &w.err), &w);
	for (unsigned long i = 0; i < acts; i++) {
		unsigned n = work_random(&w) % NAMES;
		struct descriptor image;
		char name[64];

		make_name(name, builder, n);
		switch (work_random(&w) % 6) {
		case 0:
		case 1:
			work_image(&w, &image);
			work_need(store_name_set(w.store, name, &image, &w.err), &w);
			named[n] = true;
			break;
		case 2:
			work_step(&w);
			break;
		case 3:
			work_partial(&w);
			break;
		case 4:
			work_lookup(&w);
			break;
		default:
			if (named[n])
				need_image(&w, name);
		}
		if (work_random(&w) % 16 == 0) {
			auto_store(&w.store);
			work_need(store_open(root, &w.store, &w.err), &w);
		}
	}
	for (unsigned n = 0; n < NAMES; n++) {
		char name[64];

		make_name(name, builder, n);
		if (named[n])
			need_image(&w, name);
	}
	auto_store(&w.store);
	return 0;
}

static void
collect(const char *root, uint64_t seed)
{
	struct work w = { .random = seed | 1 };

	work_need(store_open(root, &w.store, &w.err), &w);
	for (;;)
		work_gc(&w);
}

int
main(int argc, char **argv)
{
	unsigned long acts = argc > 1 ? strtoul(argv[1], NULL, 10) : 150;
	uint64_t seed =
		argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL) ^ (uint64_t)getpid();
	unsigned count = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : BUILDERS;
	char dir[] = "/tmp/store-many-XXXXXX";
	char root[64];
	pid_t builders[BUILDERS_MAX];
	pid_t collectors[COLLECTORS];
	struct work w = { .random = seed | 1 };
	int bad = 0;

	printf("# seed %ju, %lu acts\n", (uintmax_t)seed, acts);
	fflush(stdout);
	if (count > BUILDERS_MAX)
		return 2;
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(root, sizeof root, "%s/store", dir);
	for (unsigned i = 0; i < count + COLLECTORS; i++) {
		uint64_t own = work_random(&w) * 2654435761u + i;
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (i < count)
				_exit(build(root, i, acts, own));
			collect(root, own);
		}
		*(i < count ? &builders[i] : &collectors[i - count]) = pid;
	}
	for (unsigned i = 0; i < count; i++) {
		int status = 0;

		waitpid(builders[i], &status, 0);
		bad += status != 0;
	}
	for (unsigned i = 0; i < COLLECTORS; i++) {
		int status = 0;

		kill(collectors[i], SIGKILL);
		waitpid(collectors[i], &status, 0);
		bad += !WIFSIGNALED(status); /* one that failed had ended by itself */
	}
	work_need(store_open(root, &w.store, &w.err), &w);
	bad += work_check(&w);
	auto_store(&w.store);
	printf("1..1\n%sok 1 - %u builders and %d collectors share a store\n",
		bad != 0 ? "not " : "", count, COLLECTORS);
	if (bad == 0 && path_remove(AT_FDCWD, dir, &w.err) < 0)
		printf("# %s\n", w.err.msg);
	return bad != 0;
}
