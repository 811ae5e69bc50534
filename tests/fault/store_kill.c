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
 * Usage: store_kill [rounds [seed]]; three killings a round */

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
	bool was_damaged;
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
run_child(const char *root, struct told *told, unsigned child, uint64_t seed, bool is_damaged)
{
	struct work w = { .random = seed | 1, .is_damaged = is_damaged };

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

/* Pages of noise in the middle of the database, as after a failing disk; the next round begins with
 * that. */
static void
damage(struct work *w, const char *root)
{
	static const char *const names[] = { "db.sqlite", "db.sqlite-wal" };
	AUTO(fd) int fd = -1;
	struct descriptor image;
	char noise[4096];
	off_t size = 0;

	/* index.json may have a name that its setter died over, and which was then found not to be
	 * set */
	work_need(store_open(root, &w->store, &w->err), w);
	work_image(w, &image);
	work_need(store_name_set(w->store, "example.org/kill/last", &image, &w->err), w);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		fd = openat(store_dir(w->store), names[i], O_WRONLY | O_CLOEXEC);
		size = lseek(fd, 0, SEEK_END);
		for (size_t k = 0; k < sizeof noise; k++)
			noise[k] = (char)work_random(w);
		for (int k = 0; k < 4 && size >= 4096; k++)
			if (pwrite(fd, noise, sizeof noise,
				    (off_t)(work_random(w) % (uint32_t)(size / 4096)) * 4096) < 0)
				work_need(-1, w);
		auto_fd(&fd);
	}
	auto_store(&w->store);
}

/* Only what is told as repaired may have been wrong. */
static void
repair(struct work *w)
{
	struct check_options o = { .repair = true };
	struct check_result r = { 0 };

	work_need(store_check(w->store, &o, NULL, NULL, &r, &w->err), w);
}

static int
one_round(const char *root, struct told *told, struct work *w, bool is_damaged)
{
	pid_t pids[CHILDREN];
	int bad = 0;

	told->was_damaged |= is_damaged;
	for (unsigned c = 0; c < CHILDREN; c++) {
		uint64_t seed = work_random(w) * 2654435761u + c;

		pids[c] = fork();
		if (pids[c] == 0) {
			run_child(root, told, c, seed, told->was_damaged);
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
	if (is_damaged)
		repair(w);
	bad += work_check(w);
	bad += check_promises(w, told);
	auto_store(&w->store);
	return bad;
}

int
main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 67;
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
		bool is_damaged = i % 8 == 7;

		if (is_damaged)
			damage(&w, root);
		bad = one_round(root, told, &w, is_damaged);
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
