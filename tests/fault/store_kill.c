/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "tests/fault/store_work.h"

/* Children do random things to one store and are killed at random instants.  After each, the store
 * must be clean, and each name must mean what it meant when the last call that changed it returned.
 * Usage: store_kill [rounds [seed]] */

#define CHILDREN 3
#define NAMES 6 /* per child */
#define DELAY_MAX_US 60000

/* What the world was told, in memory that outlives the children. */
struct promise {
	char digest[DIGEST_TEXT_SIZE];  /* "": no such name */
	char pending[DIGEST_TEXT_SIZE]; /* what a call that has not returned would make of it */
	bool is_changing;
};
struct told {
	struct promise names[CHILDREN][NAMES];
	unsigned long done[CHILDREN];
};

static void
make_name(char name[64], unsigned child, unsigned n)
{
	snprintf(name, 64, "example.org/kill/c%u:n%u", child, n);
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
	struct work w = { .random = seed | 1 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	work_need(store_open(root, &w.store, &w.err), &w);
	for (;;) {
		unsigned n = work_random(&w) % NAMES;
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

static int
check_promises(struct work *w, struct told *told)
{
	int bad = 0;

	for (unsigned c = 0; c < CHILDREN; c++) {
		for (unsigned n = 0; n < NAMES; n++) {
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

static int
one_round(const char *root, struct told *told, struct work *w)
{
	pid_t pids[CHILDREN];
	int bad = 0;

	for (unsigned c = 0; c < CHILDREN; c++) {
		uint64_t seed = work_random(w) * 2654435761u + c;

		pids[c] = fork();
		if (pids[c] == 0) {
			run_child(root, told, c, seed);
			_exit(9);
		}
	}
	for (unsigned c = 0; c < CHILDREN; c++) {
		struct timespec delay = { .tv_nsec = (long)(work_random(w) % DELAY_MAX_US) * 1000 };
		int status = 0;

		nanosleep(&delay, NULL);
		kill(pids[c], SIGKILL);
		waitpid(pids[c], &status, 0);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
			printf("# child %u ended by itself: %#x\n", c, (unsigned)status);
			bad++;
		}
	}
	work_need(store_open(root, &w->store, &w->err), w);
	bad += work_check(w);
	bad += check_promises(w, told);
	auto_store(&w->store);
	return bad;
}

int
main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
	uint64_t seed =
		argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL) ^ (uint64_t)getpid();
	struct told *told =
		mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char dir[] = "/tmp/store-kill-XXXXXX";
	char root[64];
	struct work w = { .random = seed | 1 };
	unsigned long done = 0;
	int bad = 0;

	printf("# seed %ju, %lu rounds\n", (uintmax_t)seed, rounds);
	fflush(stdout);
	if (told == MAP_FAILED || mkdtemp(dir) == NULL)
		return 1;
	snprintf(root, sizeof root, "%s/store", dir);
	for (unsigned long i = 0; i < rounds && bad == 0; i++) {
		bad = one_round(root, told, &w);
		if (bad != 0)
			printf("# round %lu of seed %ju\n", i, (uintmax_t)seed);
	}
	for (unsigned c = 0; c < CHILDREN; c++)
		done += told->done[c];
	printf("1..1\n%sok 1 - a store survives %lu killings amid %lu acts\n",
		bad != 0 ? "not " : "", rounds * CHILDREN, done);
	if (bad == 0 && path_remove(AT_FDCWD, dir, &w.err) < 0)
		printf("# %s\n", w.err.msg);
	return bad != 0;
}
