/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

/* Replays a fuzzer's corpus where libFuzzer is not there to do more: each file is a test that
 * passes if the process lives.  The corpus is the directory given, or
 * $srcdir/testdata/corpus/<noun> for a program called fuzz_<noun>. */

#define INPUT_MAX (16u << 20)

static int
is_input(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void
replay(const char *dir, const char *name, int number)
{
	AUTO(free) char *path = xasprintf("%s/%s", dir, name);
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(buf) struct buf bytes = BUF_INIT;
	struct err err = { .kind = ERR_NONE };
	void *exact;

	if (fd < 0 || buf_read(&bytes, fd, INPUT_MAX, &err) < 0) {
		printf("not ok %d - %s: %s\n", number, name, fd < 0 ? strerror(errno) : err.msg);
		return;
	}
	/* of its very size, so that a sanitizer sees the first byte too much */
	exact = xmemdup(bytes.data, bytes.len);
	LLVMFuzzerTestOneInput(exact, bytes.len);
	free(exact);
	printf("ok %d - %s\n", number, name);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *base = slash != NULL ? slash + 1 : argv[0];
	const char *source = getenv("srcdir"), *noun = strstr(base, "fuzz_");
	AUTO(free) char *dir = NULL;
	struct dirent **names = NULL;
	int count, i;

	if (argc > 1)
		dir = xstrdup(argv[1]);
	else
		dir = xasprintf("%s/testdata/corpus/%s", source != NULL ? source : ".",
			noun != NULL ? noun + strlen("fuzz_") : base);
	count = scandir(dir, &names, is_input, alphasort);
	if (count < 0) {
		printf("1..1\nnot ok 1 - no corpus in %s: %s\n", dir, strerror(errno));
		return 1;
	}
	printf("1..%d\n", count);
	fflush(stdout);
	for (i = 0; i < count; i++) {
		replay(dir, names[i]->d_name, i + 1);
		free(names[i]);
	}
	free(names);
	return 0;
}
