/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

int
file_read(int dir, const char *path, size_t limit, struct buf *out, struct err *err)
{
	/* O_NONBLOCK: a FIFO must not hold us until somebody writes */
	AUTO(fd) int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t start = out->len;
	struct stat st;

	if (fd < 0)
		return err_sys(err, "open '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "'%s' is not a regular file", path);
	if (buf_read(out, fd, limit, err) < 0) {
		buf_truncate(out, start);
		return err_in(err, "'%s'", path);
	}
	return 0;
}

/* A name of its own in path's directory. */
static void
name_beside(const char *path, struct buf *out)
{
	const char *slash = strrchr(path, '/');
	uint64_t salt;

	if (getrandom(&salt, sizeof salt, GRND_NONBLOCK) != sizeof salt)
		salt = (uint64_t)(uintptr_t)out ^ ((uint64_t)getpid() << 32);
	if (slash != NULL)
		buf_add(out, path, (size_t)(slash - path) + 1);
	buf_addf(out, ".new-%d-%016llx", (int)getpid(), (unsigned long long)salt);
}

static int
sync_directory_of(int dir, const char *path)
{
	AUTO(buf) struct buf parent = BUF_INIT;
	const char *slash = strrchr(path, '/');
	AUTO(fd) int fd = -1;

	if (slash == NULL)
		buf_adds(&parent, ".");
	else
		buf_add(&parent, path, (size_t)(slash - path) + 1);
	fd = openat(dir, parent.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -1 : fsync(fd);
}

static int
fill(int fd, const void *bytes, size_t len, mode_t mode, enum file_sync sync)
{
	if (fd_write(fd, bytes, len) < 0 || fchmod(fd, mode) < 0)
		return -1;
	return sync == FILE_SYNC ? fsync(fd) : 0;
}

int
file_write(int dir, const char *path, const void *bytes, size_t len, mode_t mode,
	enum file_sync sync, struct err *err)
{
	AUTO(buf) struct buf beside = BUF_INIT;
	AUTO(fd) int fd = -1;
	int number;

	do { /* a stranger's file of that name is not ours to touch */
		buf_clear(&beside);
		name_beside(path, &beside);
		fd = openat(dir, beside.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	} while (fd < 0 && errno == EEXIST);
	if (fd < 0)
		return err_sys(err, "write '%s'", path);
	if (fill(fd, bytes, len, mode, sync) < 0 || renameat(dir, beside.data, dir, path) < 0) {
		number = errno;
		unlinkat(dir, beside.data, 0);
		errno = number;
		return err_sys(err, "write '%s'", path);
	}
	if (sync == FILE_SYNC && sync_directory_of(dir, path) < 0)
		return err_sys(err, "sync the directory of '%s'", path);
	return 0;
}

int
fd_write(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	ssize_t n;

	while (len > 0) {
		n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t
fd_read(int fd, void *bytes, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read(fd, (char *)bytes + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t
fd_pread(int fd, void *bytes, size_t len, uint64_t offset)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(fd, (char *)bytes + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

#define COPY_STEP_MAX ((size_t)1 << 30)

static ssize_t
copy_by_range(int from, int to, size_t len)
{
	return copy_file_range(from, NULL, to, NULL, len, 0);
}

static ssize_t
copy_by_sendfile(int from, int to, size_t len)
{
	return sendfile(to, from, NULL, len);
}

static ssize_t
copy_by_splice(int from, int to, size_t len)
{
	return splice(from, NULL, to, NULL, len, SPLICE_F_MOVE);
}

static ssize_t
copy_by_hand(int from, int to, size_t len)
{
	char bytes[65536];
	ssize_t n = read(from, bytes, len < sizeof bytes ? len : sizeof bytes);

	if (n > 0 && fd_write(to, bytes, (size_t)n) < 0)
		return -1;
	return n;
}

/* From the cheapest on; each but the last works for some pairs of descriptors only. */
static ssize_t (*const copy_ways[])(int, int, size_t) = {
	copy_by_range,
	copy_by_sendfile,
	copy_by_splice,
	copy_by_hand,
};

/* What a way says when it is not for this pair, or when this kernel or a filter has not got it. */
static bool
is_not_for_this_pair(int number)
{
	switch (number) {
	case EINVAL:
	case EXDEV:
	case ENOSYS:
	case EOPNOTSUPP:
	case EBADF: /* to is O_APPEND */
	case EPERM:
	case ESPIPE:
	case ETXTBSY:
	case EOVERFLOW:
	case EISDIR:
		return true;
	default:
		return false;
	}
}

int
fd_copy(int from, int to, uint64_t len, uint64_t *copied, struct err *err)
{
	uint64_t done = 0;
	size_t way = 0, step;
	ssize_t n;

	while (done < len) {
		step = len - done < COPY_STEP_MAX ? (size_t)(len - done) : COPY_STEP_MAX;
		n = copy_ways[way](from, to, step);
		if (n < 0 && errno == EINTR)
			continue;
		/* nothing at the start may also mean a file of /proc that the call cannot read */
		if (way + 1 < COUNT_OF(copy_ways) &&
			(n == 0 ? done == 0 : n < 0 && is_not_for_this_pair(errno))) {
			way++;
			continue;
		}
		if (n < 0)
			return err_sys(err, "copy");
		if (n == 0)
			break;
		done += (uint64_t)n;
	}
	*copied = done;
	return 0;
}

int
fd_memory(const char *name, struct err *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	return fd < 0 ? err_sys(err, "make a file in memory") : fd;
}
