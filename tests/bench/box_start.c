/* SPDX-License-Identifier: Apache-2.0 */
/* box_start - how long a box takes from its start to the end of /bin/true, beside a plain fork and
 * exec of the same program.
 *
 *	box_start ROOT SCRATCH [RUNS] [none]      ROOT has /bin/true; SCRATCH is an empty directory
*/
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strv.h"
#include "build/sandbox/box.h"
#include "build/sandbox/ids.h"

#define RUNS_MAX 2000

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
print(const char *what, double *times, size_t count)
{
	qsort(times, count, sizeof *times, by_value);
	printf("%-28s median %6.0f us   min %6.0f   p90 %6.0f\n", what, times[count / 2], times[0],
		times[count * 9 / 10]);
}

static int
make_dir(int scratch, const struct ids *ids, unsigned n, const char *name)
{
	AUTO(free) char *outer = xasprintf("%u", n);
	AUTO(free) char *path = xasprintf("%u/%s", n, name);

	(void)mkdirat(scratch, outer, 0755);
	if (mkdirat(scratch, path, 0755) < 0 ||
		fchownat(scratch, path, ids->root_uid, ids->root_gid, 0) < 0)
		exit(1);
	return openat(scratch, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* In a worker; its own time, without the fork, goes to the pipe. */
static void
run_box(struct box *b, int out)
{
	struct box_result result;
	struct err err;
	double start = now(), took;

	if (box_run(b, &result, NULL, &err) < 0 || result.status != 0) {
		fprintf(stderr, "%s\n", err.msg);
		_exit(1);
	}
	took = now() - start;
	_exit(write(out, &took, sizeof took) == sizeof took ? 0 : 1);
}

static void
run_plain(void)
{
	execl("/bin/true", "true", NULL);
	_exit(127);
}

static double
time_of(struct box *b, double *inside)
{
	int pair[2], status;
	double start = now(), took;
	pid_t pid;

	if (pipe(pair) < 0)
		exit(1);
	pid = fork();
	if (pid == 0 && b != NULL)
		run_box(b, pair[1]);
	if (pid == 0)
		run_plain();
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		exit(1);
	took = now() - start;
	if (inside != NULL && read(pair[0], inside, sizeof *inside) != sizeof *inside)
		exit(1);
	close(pair[0]);
	close(pair[1]);
	return took;
}

int
main(int argc, char **argv)
{
	static double plain[RUNS_MAX], whole[RUNS_MAX], inside[RUNS_MAX];
	size_t runs = argc > 3 ? strtoul(argv[3], NULL, 10) : 200;
	AUTO(strv) struct strv args = STRV_INIT;
	AUTO(seccomp) struct seccomp *filter = NULL;
	struct box b = BOX_INIT;
	struct ids ids;
	struct err err;
	int lower, scratch;
	double start;

	if (argc < 3 || runs == 0 || runs > RUNS_MAX)
		return 2;
	lower = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	scratch = open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC);
	start = now();
	if (ids_setup(&ids, &b.userns_fd, &err) < 0)
		return fprintf(stderr, "%s\n", err.msg), 1;
	printf("user namespace, once         %6.0f us\n", now() - start);
	start = now();
	if (seccomp_compile(CAPS_DEFAULT, &filter, &err) < 0)
		return 1;
	printf("filter, once                 %6.0f us, %u instructions\n", now() - start,
		seccomp_size(filter));
	strv_add(&args, "/bin/true");
	b.root.lowers = &lower;
	b.root.lower_count = 1;
	b.argv = &args;
	b.seccomp = filter;
	b.resolv_conf = "nameserver 192.0.2.1\n";
	b.hosts = "127.0.0.1 localhost\n";
	b.network = argc > 4 && streq(argv[4], "none") ? BOX_NETWORK_NONE : BOX_NETWORK_HOST;
	for (size_t i = 0; i < runs; i++) {
		b.root.upper = make_dir(scratch, &ids, (unsigned)i, "upper");
		b.root.work = make_dir(scratch, &ids, (unsigned)i, "work");
		plain[i] = time_of(NULL, NULL);
		whole[i] = time_of(&b, &inside[i]);
		close(b.root.upper);
		close(b.root.work);
	}
	print("fork, exec true, wait", plain, runs);
	print("box_run()", inside, runs);
	print("with its worker's fork", whole, runs);
	return 0;
}
