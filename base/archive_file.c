/* SPDX-License-Identifier: Apache-2.0 */
#include "base/archive_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static int
duplicate(int fd, const char *verb, struct err *err)
{
	int copy;

	if (isatty(fd))
		return err_set(err, ERR_USAGE,
			"an archive is not %s a terminal: name a file, or redirect", verb);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return copy < 0 ? err_sys(err, "dup") : copy;
}

int
archive_file_open(const char *path, struct err *err)
{
	int fd;

	if (path == NULL || streq(path, "-"))
		return duplicate(STDIN_FILENO, "read from", err);
	fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "'%s'", path) : fd;
}

int
archive_file_new(const char *path, struct archive_file *out, struct err *err)
{
	struct archive_file f = ARCHIVE_FILE_INIT;
	struct stat st;

	if (path == NULL || streq(path, "-")) {
		f.fd = duplicate(STDOUT_FILENO, "written to", err);
	} else if (fstatat(AT_FDCWD, path, &st, 0) == 0 && !S_ISREG(st.st_mode)) {
		/* a pipe or device stays what it is */
		f.fd = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
		if (f.fd < 0)
			err_sys(err, "'%s'", path);
	} else {
		f.path = path;
		f.part = xasprintf("%s.part-%ld", path, (long)getpid());
		/* left by a process of this number that was killed: in containers they are few */
		unlinkat(AT_FDCWD, f.part, 0);
		f.fd = openat(AT_FDCWD, f.part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (f.fd < 0) {
			err_sys(err, "'%s'", path);
			free(f.part);
		}
	}
	if (f.fd < 0)
		return -1;
	*out = f;
	return 0;
}

int
archive_file_finish(struct archive_file *f, struct err *err)
{
	if (f->part != NULL &&
		(fsync(f->fd) < 0 || renameat(AT_FDCWD, f->part, AT_FDCWD, f->path) < 0))
		return err_sys(err, "'%s'", f->path);
	free(steal(&f->part));
	if (close(f->fd) < 0) {
		f->fd = -1;
		return err_sys(err, "'%s'", f->path == NULL ? "stdout" : f->path);
	}
	f->fd = -1;
	return 0;
}

void
auto_archive_file(struct archive_file *f)
{
	auto_fd(&f->fd);
	if (f->part != NULL)
		unlinkat(AT_FDCWD, f->part, 0);
	free(steal(&f->part));
}
