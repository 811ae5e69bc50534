/* SPDX-License-Identifier: Apache-2.0 */
/* measure - what one run of a program costs.
 *
 *	measure FILE PROGRAM [ARGUMENT...]
 *
 * FILE gets one line: wall, user and system time in seconds, and the peak memory of the largest process in KiB.
 * The wall time is from just before the program is started to just after it ended, so that a program of two
 * milliseconds is not charged with what starts it.  Exits as the program did. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int
main(int argc, char **argv)
{
	struct rusage used;
	double start, wall;
	FILE *out;
	pid_t pid;
	int error, status;

	if (argc < 3) {
		fprintf(stderr, "measure FILE PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	start = now();
	error = posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ);
	if (error != 0) {
		fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(error));
		return 127;
	}
	while (wait4(pid, &status, 0, &used) < 0)
		if (errno != EINTR)
			return 2;
	wall = now() - start;
	out = fopen(argv[1], "we");
	if (out == NULL ||
		fprintf(out, "%.6f %.6f %.6f %ld\n", wall, seconds(used.ru_utime),
			seconds(used.ru_stime), used.ru_maxrss) < 0 ||
		fclose(out) != 0) {
		fprintf(stderr, "measure: %s: %s\n", argv[1], strerror(errno));
		return 2;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
