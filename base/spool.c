/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

int
spool_dir(struct err *err)
{
	const char *dir = getenv("TMPDIR");
	const char *path = dir != NULL && dir[0] == '/' ? dir : "/tmp";
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(err, "open '%s', where temporary files go", path) : fd;
}

/* For file systems that know no nameless files (NFS, older overlays). */
static int
unlinked(int dir, struct err *err)
{
	unsigned long long random = 0;
	char name[40];
	int fd;

	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return err_sys(err, "getrandom");
	snprintf(name, sizeof name, ".cooper-%016llx", random);
	fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, "make a temporary file");
	unlinkat(dir, name, 0);
	return fd;
}

int
spool_file(int dir, struct err *err)
{
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
		return unlinked(dir, err);
	return err_sys(err, "make a temporary file");
}
