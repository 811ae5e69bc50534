/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

/* scratch - a directory that is gone with the test. */

struct scratch {
	char path[40];
	int dir;
};

static inline struct scratch
scratch(void)
{
	struct scratch s = { .path = "/tmp/cooper-tree-XXXXXX" };

	assert_non_null(mkdtemp(s.path));
	s.dir = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(s.dir >= 0);
	return s;
}

static inline void
auto_scratch(struct scratch *s)
{
	struct err err = { 0 };
	AUTO(fd) int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	auto_fd(&s->dir);
	works(path_remove(tmp, s->path + 5, &err));
}

static inline void
make_file(int dir, const char *path, const char *content)
{
	AUTO(fd) int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, 0644), 0);
}

#endif
