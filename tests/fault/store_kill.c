/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "tests/fault/store_told.h"

/* Children do random things to one store and are killed at random instants.  After each, the store
 * must be clean, and each name must mean what it meant when the last call that changed it returned.
 * Usage: store_kill [rounds [seed]]; three killings a round */

#define DELAY_MAX_US 60000

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
	pid_t pids[TOLD_CHILDREN];
	int bad = 0;

	told->was_damaged |= is_damaged;
	told_start(told, root, w, pids);
	for (unsigned c = 0; c < TOLD_CHILDREN; c++) {
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
	bad += told_check(told, w);
	auto_store(&w->store);
	return bad;
}

int
main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 67;
	uint64_t seed =
		argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL) ^ (uint64_t)getpid();
	struct told *told = told_new();
	char dir[] = "/tmp/store-kill-XXXXXX";
	char root[64];
	struct work w = { .random = seed | 1 };
	int bad = 0;

	printf("# seed %ju, %lu rounds\n", (uintmax_t)seed, rounds);
	fflush(stdout);
	if (told == NULL || mkdtemp(dir) == NULL)
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
	printf("1..1\n%sok 1 - a store survives %lu killings amid %lu acts\n",
		bad != 0 ? "not " : "", rounds * TOLD_CHILDREN, told_done(told));
	if (bad == 0 && path_remove(AT_FDCWD, dir, &w.err) < 0)
		printf("# %s\n", w.err.msg);
	return bad != 0;
}
