/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "tests/fault/store_told.h"

/* The power fails while children work on a store: an ext4 of our own is shut down without writing
 * its journal, as if at once all that was not synced had never been, and mounted again under
 * another boot id. Then the store must be clean, and what was promised must hold.  Needs root and a
 * loop device. Usage: store_power [rounds [seed]] */

#define SKIPPED 77
#define SHUTDOWN _IOR('X', 125, uint32_t) /* FS_IOC_SHUTDOWN, which no header of ours has */
#define SHUTDOWN_NO_FLUSH 2
#define DELAY_MAX_US 400000

struct machine {
	char dir[48];   /* on memory */
	char image[64]; /* the disk */
	char mount[64];
	char boot[64]; /* bound over the kernel's boot id */
	char root[96];
};

static bool
shell(const char *program, const char *a, const char *b)
{
	AUTO(free) char *command = xasprintf("%s '%s' %s >/dev/null 2>&1", program, a, b);

	return system(command) == 0;
}

static bool
boot(const struct machine *m)
{
	AUTO(fd) int fd = open(m->boot, O_WRONLY | O_TRUNC | O_CLOEXEC);
	unsigned char random[16];
	char id[40];

	if (fd < 0 || getrandom(random, sizeof random, 0) != sizeof random)
		return false;
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(id + 2 * i, 3, "%02x", random[i]);
	if (fd_write(fd, id, strlen(id)) < 0)
		return false;
	return shell("mount -o loop", m->image, m->mount);
}

static bool
build_machine(struct machine *m)
{
	struct err err = { 0 };
	int fd = -1;

	strcpy(m->dir, "/dev/shm/store-power-XXXXXX");
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mkdtemp(m->dir) == NULL)
		return false;
	snprintf(m->image, sizeof m->image, "%s/disk", m->dir);
	snprintf(m->mount, sizeof m->mount, "%s/mnt", m->dir);
	snprintf(m->boot, sizeof m->boot, "%s/boot", m->dir);
	snprintf(m->root, sizeof m->root, "%s/store", m->mount);
	fd = open(m->image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 96 << 20) < 0 || mkdir(m->mount, 0700) < 0 ||
		file_write(AT_FDCWD, m->boot, "x", 1, 0644, FILE_NO_SYNC, &err) < 0)
		return false;
	close(fd);
	if (mount(m->boot, "/proc/sys/kernel/random/boot_id", NULL, MS_BIND, NULL) < 0)
		return false;
	return shell("mkfs.ext4 -q -F", m->image, "") && boot(m);
}

/* Everybody stands still, then the disk does, then all are gone. */
static bool
lose_power(const struct machine *m, const pid_t pids[TOLD_CHILDREN])
{
	uint32_t how = SHUTDOWN_NO_FLUSH;
	int fd = -1;
	bool done = false;

	for (unsigned c = 0; c < TOLD_CHILDREN; c++)
		kill(pids[c], SIGSTOP);
	fd = open(m->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	done = fd >= 0 && ioctl(fd, SHUTDOWN, &how) == 0;
	if (fd >= 0)
		close(fd);
	for (unsigned c = 0; c < TOLD_CHILDREN; c++) {
		kill(pids[c], SIGKILL);
		waitpid(pids[c], NULL, 0);
	}
	return done && umount(m->mount) == 0;
}

static int
one_round(const struct machine *m, struct told *told, struct work *w)
{
	struct timespec delay = { .tv_nsec = (long)(work_random(w) % DELAY_MAX_US) * 1000 };
	pid_t pids[TOLD_CHILDREN];
	int bad = 0;

	told_start(told, m->root, w, pids);
	nanosleep(&delay, NULL);
	if (!lose_power(m, pids) || !boot(m)) {
		printf("# the machine does not start again: %s\n", strerror(errno));
		return 1;
	}
	work_need(store_open(m->root, &w->store, &w->err), w);
	bad = work_check(w);
	bad += told_check(told, w);
	auto_store(&w->store);
	return bad;
}

static int
run(unsigned long rounds, uint64_t seed)
{
	struct told *told = told_new();
	struct work w = { .random = seed | 1 };
	struct machine m;
	int bad = 0;

	if (told == NULL)
		return 1;
	if (!build_machine(&m)) {
		printf("1..1\nok 1 # SKIP no ext4 of its own on a loop device: %s\n",
			strerror(errno));
		path_remove(AT_FDCWD, m.dir, &w.err);
		return SKIPPED;
	}
	told->was_damaged =
		true; /* trees that were not synced are gone, records of them may not be */
	printf("# seed %ju, %lu rounds\n", (uintmax_t)seed, rounds);
	fflush(stdout);
	for (unsigned long i = 0; i < rounds && bad == 0; i++) {
		bad = one_round(&m, told, &w);
		if (bad != 0)
			printf("# round %lu of seed %ju\n", i, (uintmax_t)seed);
	}
	printf("1..1\n%sok 1 - a store survives %lu power losses amid %lu acts\n",
		bad != 0 ? "not " : "", rounds, told_done(told));
	umount(m.mount);
	path_remove(AT_FDCWD, m.dir, &w.err);
	return bad != 0;
}

int
main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 20;
	uint64_t seed =
		argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL) ^ (uint64_t)getpid();

	return run(rounds, seed);
}
