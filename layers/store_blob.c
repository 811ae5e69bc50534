/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "layers/store_local.h"

void
store_blob_name(const struct digest *d, struct buf *out)
{
	buf_addf(out, "blobs/%s/%s", digest_algorithm_name(d), digest_hex(d));
}

int
store_blob_stat(struct store *s, const struct digest *d, uint64_t *size, struct err *err)
{
	AUTO(buf) struct buf name = BUF_INIT;
	struct stat st;

	if (digest_is_empty(d))
		return 0;
	store_blob_name(d, &name);
	if (fstatat(s->root, name.data, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_sys(err, "look for %s", d->text);
	}
	if (!S_ISREG(st.st_mode)) /* check says so aloud */
		return 0;
	if (size != NULL)
		*size = (uint64_t)st.st_size;
	return 1;
}

static int
open_blob(struct store *s, const struct digest *d, uint64_t *size, struct err *err)
{
	AUTO(buf) struct buf name = BUF_INIT;
	AUTO(fd) int fd = -1;
	struct stat st;

	if (digest_is_empty(d))
		return err_set(err, ERR_NOTFOUND, "a blob without a digest is not in the store");
	store_blob_name(d, &name);
	fd = openat(s->root, name.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND, "%s is not in the store", d->text);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open %s", d->text);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CORRUPT,
			"%s is not a file in the store: run `cooper check --repair`", d->text);
	if (size != NULL)
		*size = (uint64_t)st.st_size;
	return fd_steal(&fd);
}

int
store_blob_slurp(
	struct store *s, const struct digest *d, size_t limit, struct buf *out, struct err *err)
{
	uint64_t size = 0;
	size_t before = out->len;
	AUTO(fd) int fd = open_blob(s, d, &size, err);

	if (fd < 0)
		return -1;
	if (size > limit)
		return err_set(err, ERR_INPUT, "%s: larger than %zu bytes", d->text, limit);
	if (buf_read(out, fd, limit, err) < 0 ||
		digest_check(d, out->data + before, out->len - before, err) < 0) {
		buf_truncate(out, before);
		return err_in(err, "read %s from the store", d->text);
	}
	return 0;
}

int
store_blob_quarantine(struct store *s, const struct digest *d, struct err *err)
{
	AUTO(buf) struct buf from = BUF_INIT;
	AUTO(buf) struct buf to = BUF_INIT;
	char mark[STORE_ID_SIZE];

	store_blob_name(d, &from);
	store_id_new(mark);
	buf_addf(&to, "quarantine/%s-%s.%.8s", digest_algorithm_name(d), digest_hex(d), mark);
	if (renameat(s->root, from.data, s->root, to.data) < 0 && errno != ENOENT)
		return err_sys(err, "move %s to quarantine", d->text);
	return 0;
}

static int
pin(struct store *s, const struct digest *d, struct err *err)
{
	return digest_is_empty(d) ? 0 : store_pin(s, STORE_PIN_BLOB, d->text, err);
}

int
store_blob_has(struct store *s, const struct digest *d, uint64_t *size, struct err *err)
{
	return pin(s, d, err) < 0 ? -1 : store_blob_stat(s, d, size, err);
}

int
store_blob_open(struct store *s, const struct digest *d, uint64_t *size, struct err *err)
{
	return pin(s, d, err) < 0 ? -1 : open_blob(s, d, size, err);
}

int
store_blob_read(
	struct store *s, const struct digest *d, size_t limit, struct buf *out, struct err *err)
{
	return pin(s, d, err) < 0 ? -1 : store_blob_slurp(s, d, limit, out, err);
}

int
store_blob_put(struct store *s, const void *bytes, size_t len, struct digest *out, struct err *err)
{
	AUTO(ingest) struct ingest *in = NULL;
	struct digest digest;
	uint64_t size = 0;
	int there = 0;

	digest_of(bytes, len, &digest);
	there = store_blob_has(s, &digest, &size, err);
	if (there < 0)
		return -1;
	if (there == 0 || size != len) {
		if (ingest_write(s, bytes, len, &in, err) < 0 || ingest_sync(in, err) < 0 ||
			ingest_commit(&in, &digest, len, err) < 0)
			return -1;
	}
	*out = digest;
	return 0;
}
