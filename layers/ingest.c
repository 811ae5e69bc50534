/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "layers/store_local.h"

/* A blob on its way in.  The lock is on the partial itself; since a committed or removed partial
 * keeps its lock while its name is gone or another's, whoever gets a lock asks whether the name
 * still means the file it locked, and else starts over. */

struct ingest {
	struct store *store;              /* lent */
	struct digest wanted;             /* may be empty */
	char name[16 + DIGEST_TEXT_SIZE]; /* below the root */
	int fd;
	uint64_t offset;
};

static void
ingest_free(struct ingest *i)
{
	auto_fd(&i->fd);
	free(i);
}

/* 0: locked, 1: somebody else has it, -1. */
static int
lock(int fd, enum ingest_wait wait, const char *name, struct err *err)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return err_sys(err, "lock '%s'", name);
	if (wait == INGEST_TRY)
		return 1;
	event_debug("waiting for another process that writes '%s'", name);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(err, "lock '%s'", name);
	return 0;
}

static bool
still_named(const struct ingest *i)
{
	struct stat by_name;
	struct stat by_fd;

	return fstat(i->fd, &by_fd) == 0 &&
	       fstatat(i->store->root, i->name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
	       by_name.st_dev == by_fd.st_dev && by_name.st_ino == by_fd.st_ino;
}

static bool
is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* What could not be opened for writing is between ingest_place()'s chmod and its rename: somebody
 * else's who will be done soon, or of one who died there.  2: held by somebody else, 3: once more,
 * -1. */
static int
reopen(struct ingest *i, enum ingest_wait wait, struct err *err)
{
	int result;

	i->fd = openat(i->store->root, i->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (i->fd < 0)
		return errno == ENOENT ? 3 : err_sys(err, "open '%s'", i->name);
	result = lock(i->fd, wait, i->name, err);
	if (result == 0 && still_named(i) && fchmod(i->fd, 0600) < 0)
		result = err_sys(err, "chmod '%s'", i->name);
	auto_fd(&i->fd);
	return result == 0 ? 3 : result < 0 ? -1 : 2;
}

/* 0: i is locked and named, 1: the blob is there, 2: held by somebody else, 3: once more, -1. */
static int
claim(struct ingest *i, enum ingest_wait wait, struct err *err)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	struct stat st;
	int result = 0;

	i->fd = openat(i->store->root, i->name, flags, 0600);
	if (i->fd < 0 && errno == EACCES)
		return reopen(i, wait, err);
	if (i->fd < 0 || !is_file(i->fd)) {
		result = errno;
		if (fstatat(i->store->root, i->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			!S_ISREG(st.st_mode)) {
			auto_fd(&i->fd);
			return path_remove(i->store->root, i->name, err) < 0 ? -1 : 3;
		}
		errno = result;
		return err_sys(err, "open '%s'", i->name);
	}
	result = lock(i->fd, wait, i->name, err);
	if (result != 0)
		return result < 0 ? -1 : 2;
	if (!still_named(i)) {
		auto_fd(&i->fd);
		return 3;
	}
	if (digest_is_empty(&i->wanted))
		return 0;
	result = store_blob_has(i->store, &i->wanted, NULL, err);
	if (result > 0)
		unlinkat(i->store->root, i->name, 0);
	return result;
}

static int
keep_prefix(struct ingest *i, struct err *err)
{
	struct stat st;

	if (fstat(i->fd, &st) < 0)
		return err_sys(err, "look at '%s'", i->name);
	i->offset = (uint64_t)st.st_size;
	if (lseek(i->fd, st.st_size, SEEK_SET) < 0)
		return err_sys(err, "seek in '%s'", i->name);
	return 0;
}

int
store_ingest_new(struct store *s, const struct digest *wanted, enum ingest_wait wait,
	struct ingest **out, struct err *err)
{
	AUTO(ingest) struct ingest *i = NULL;
	int result = 3;

	if (wanted != NULL && !digest_is_empty(wanted)) {
		result = store_blob_has(s, wanted, NULL, err);
		if (result != 0)
			return result;
		result = 3;
	}
	i = xzalloc(sizeof *i);
	i->store = s;
	i->fd = -1;
	if (wanted != NULL && !digest_is_empty(wanted)) {
		i->wanted = *wanted;
		snprintf(i->name, sizeof i->name, "ingest/%s-%s", digest_algorithm_name(wanted),
			digest_hex(wanted));
	}
	while (result == 3) {
		if (digest_is_empty(&i->wanted)) {
			wait = INGEST_WAIT; /* only gc may be at a name that nobody knows */
			snprintf(i->name, sizeof i->name, "ingest/new-");
			store_id_new(i->name + strlen(i->name));
		}
		result = claim(i, wait, err);
	}
	if (result != 0)
		return result;
	if (keep_prefix(i, err) < 0)
		return -1;
	*out = steal(&i);
	return 0;
}

int
ingest_write(struct store *s, const void *bytes, size_t len, struct ingest **out, struct err *err)
{
	AUTO(ingest) struct ingest *i = NULL;

	if (store_ingest_new(s, NULL, INGEST_WAIT, &i, err) < 0)
		return -1;
	if (fd_write(i->fd, bytes, len) < 0)
		return err_sys(err, "write to the store");
	*out = steal(&i);
	return 0;
}

int
ingest_fd(const struct ingest *i)
{
	return i->fd;
}

uint64_t
ingest_offset(const struct ingest *i)
{
	return i->offset;
}

int
ingest_restart(struct ingest *i, struct err *err)
{
	if (ftruncate(i->fd, 0) < 0 || lseek(i->fd, 0, SEEK_SET) < 0)
		return err_sys(err, "empty '%s'", i->name);
	i->offset = 0;
	return 0;
}

int
ingest_sync(struct ingest *i, struct err *err)
{
	while (fdatasync(i->fd) < 0)
		if (errno != EINTR)
			return err_sys(err, "sync '%s'", i->name);
	return 0;
}

/* Over what is there, if anything: then that is the same, or was damaged. */
int
ingest_place(struct ingest **i, const char *path, mode_t mode, struct err *err)
{
	struct ingest *in = *i;

	if (fchmod(in->fd, mode) < 0)
		return err_sys(err, "chmod '%s'", in->name);
	if (renameat(in->store->root, in->name, in->store->root, path) < 0)
		return err_sys(err, "rename '%s'", in->name);
	ingest_free(in);
	*i = NULL;
	return 0;
}

int
ingest_commit(struct ingest **i, const struct digest *d, uint64_t size, struct err *err)
{
	AUTO(buf) struct buf to = BUF_INIT;
	struct ingest *in = *i;
	struct stat st;

	if (!digest_is_empty(&in->wanted) && !digest_same(&in->wanted, d))
		return err_set(err, ERR_CORRUPT, "expected %s, got %s", in->wanted.text, d->text);
	if (fstat(in->fd, &st) < 0)
		return err_sys(err, "look at '%s'", in->name);
	if ((uint64_t)st.st_size != size)
		return err_set(err, ERR_CORRUPT, "%s: expected %" PRIu64 " bytes, got %" PRIu64,
			d->text, size, (uint64_t)st.st_size);
	/* pinned before it is there: gc may look between the rename and the first record of it */
	if (store_pin(in->store, STORE_PIN_BLOB, d->text, err) < 0)
		return -1;
	store_blob_name(d, &to);
	return ingest_place(i, to.data, 0444, err);
}

void
ingest_drop(struct ingest *i, enum ingest_fate fate)
{
	if (i == NULL)
		return;
	if (fate == INGEST_DISCARD || digest_is_empty(&i->wanted))
		unlinkat(i->store->root, i->name, 0);
	ingest_free(i);
}

void
auto_ingest(struct ingest **i)
{
	/* one that was never claimed has nothing to remove */
	if (*i != NULL && ((*i)->fd < 0 || !still_named(*i)))
		ingest_free(*i);
	else
		ingest_drop(*i, INGEST_KEEP);
	*i = NULL;
}
