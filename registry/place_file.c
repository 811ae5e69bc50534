/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/place_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"

int
place_file_has(
	int root, const char *path, const struct descriptor *d, const char *where, struct err *err)
{
	AUTO(fd) int fd = path_open(root, path, O_PATH, 0);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "'%s/%s'", where, path);
	return S_ISREG(st.st_mode) && (uint64_t)st.st_size == d->size;
}

static int
file_open(
	int root, const char *path, const struct descriptor *d, const char *where, struct err *err)
{
	AUTO(fd) int fd = path_open(root, path, O_RDONLY | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "'%s/%s'", where, path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "'%s/%s' is not a file", where, path);
	if ((uint64_t)st.st_size != d->size)
		return err_set(err, ERR_CORRUPT, "'%s/%s' has %jd bytes, and should have %" PRIu64,
			where, path, (intmax_t)st.st_size, d->size);
	return fd_steal(&fd);
}

int
place_file_get(int root, const char *path, const struct descriptor *d, const char *where,
	uint64_t offset, struct sink *out, struct err *err)
{
	AUTO(fd) int fd = file_open(root, path, d, where, err);
	char more;

	if (fd < 0 || sink_send(out, fd, offset, d->size, d->digest.text, err) < 0)
		return -1;
	if (fd_pread(fd, &more, 1, d->size) != 0)
		return err_set(err, ERR_CORRUPT, "%s changed while it was read", d->digest.text);
	return 0;
}

/* Writes and verifies dir/name. */
static int
file_fill(
	int dir, const char *name, const struct descriptor *d, struct source *from, struct err *err)
{
	AUTO(fd) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	struct digest digest = { "" };
	uint64_t size = 0;
	AUTO(sink) struct sink *out = NULL;

	if (fd < 0)
		return err_sys(err, "create a blob");
	out = sink_digest(sink_fd(fd), &digest, &size);
	if (source_send(from, 0, out, err) < 0 || sink_finish(out, err) < 0)
		return -1;
	if (size != d->size || !digest_same(&digest, &d->digest))
		return err_set(err, ERR_CORRUPT,
			"expected %s with %" PRIu64 " bytes, got %s with %" PRIu64, d->digest.text,
			d->size, digest.text, size);
	if (fdatasync(fd) < 0)
		return err_sys(err, "sync a blob");
	return 0;
}

int
place_file_put(int dir, const char *name, const struct descriptor *d, const char *where,
	struct source *from, struct err *err)
{
	unsigned long long random = 0;
	char part[64];

	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return err_sys(err, "getrandom");
	snprintf(part, sizeof part, ".part-%016llx", random);
	if (file_fill(dir, part, d, from, err) < 0) {
		unlinkat(dir, part, 0);
		return err_in(err, "'%s'", where);
	}
	if (renameat(dir, part, dir, name) < 0) {
		unlinkat(dir, part, 0);
		return err_sys(err, "'%s/%s'", where, name);
	}
	return 0;
}
