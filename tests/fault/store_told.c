/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/store_told.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

struct told *
told_new(void)
{
	struct told *t =
		mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return t == MAP_FAILED ? NULL : t;
}

unsigned long
told_done(const struct told *t)
{
	unsigned long done = 0;

	for (unsigned c = 0; c < TOLD_CHILDREN; c++)
		done += t->done[c];
	return done;
}

static void
make_name(char name[64], unsigned child, unsigned n)
{
	snprintf(name, 64, "example.org/told/c%u:n%u", child, n);
}

static void
set_name(struct work *w, struct promise *p, unsigned child, unsigned n)
{
	struct descriptor image;
	char name[64];

	make_name(name, child, n);
	work_image(w, &image);
	strcpy(p->pending, image.digest.text);
	p->is_changing = true;
	work_need(store_name_set(w->store, name, &image, &w->err), w);
	strcpy(p->digest, image.digest.text);
	p->is_changing = false;
}

static void
remove_name(struct work *w, struct promise *p, unsigned child, unsigned n)
{
	char name[64];

	make_name(name, child, n);
	p->pending[0] = '\0';
	p->is_changing = true;
	work_need(store_name_remove(w->store, name, &w->err), w);
	p->digest[0] = '\0';
	p->is_changing = false;
}

static void
run_child(const char *root, struct told *told, unsigned child, uint64_t seed)
{
	struct work w = { .random = seed | 1, .is_damaged = told->was_damaged };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	work_need(store_open(root, &w.store, &w.err), &w);
	for (;;) {
		unsigned n = work_random(&w) % TOLD_NAMES;
		struct promise *p = &told->names[child][n];
		unsigned what = work_random(&w) % 100;

		if (what < 35)
			set_name(&w, p, child, n);
		else if (what < 45)
			remove_name(&w, p, child, n);
		else if (what < 60)
			work_step(&w);
		else if (what < 70)
			work_partial(&w);
		else if (what < 80)
			work_gc(&w);
		else if (what < 85)
			work_need(store_sync(w.store, &w.err), &w);
		else
			work_lookup(&w);
		told->done[child]++;
		if (work_random(&w) % 10 == 0) { /* a life of its own ends well, too */
			auto_store(&w.store);
			work_need(store_open(root, &w.store, &w.err), &w);
		}
	}
}

int
told_check(struct told *told, struct work *w)
{
	int bad = 0;

	for (unsigned c = 0; c < TOLD_CHILDREN; c++) {
		for (unsigned n = 0; n < TOLD_NAMES; n++) {
			struct promise *p = &told->names[c][n];
			AUTO(descriptor) struct descriptor got = { 0 };
			char name[64];

			make_name(name, c, n);
			work_need(store_name_get(w->store, name, &got, &w->err), w);
			if (!streq(got.digest.text, p->digest) &&
				!(p->is_changing && streq(got.digest.text, p->pending))) {
				printf("# %s means '%s', but '%s' was promised\n", name,
					got.digest.text, p->digest);
				bad++;
			}
			strcpy(p->digest, got.digest.text);
			p->is_changing = false;
		}
	}
	return bad;
}

void
told_start(struct told *t, const char *root, struct work *w, pid_t pids[TOLD_CHILDREN])
{
	for (unsigned c = 0; c < TOLD_CHILDREN; c++) {
		uint64_t seed = work_random(w) * 2654435761u + c;

		pids[c] = fork();
		if (pids[c] == 0) {
			run_child(root, t, c, seed);
			_exit(9);
		}
	}
}
