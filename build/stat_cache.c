/* SPDX-License-Identifier: Apache-2.0 */
#include "build/stat_cache.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "layers/entry.h"
#include "layers/listing_record.h"

/* The last byte is the version; rows are this machine's, as is all of the store.  A row: how much of its path
 * is that of the row before, the rest, the key, the digest. */
static const char magic[8] = "cstat\0\0\2";

#define BLOCK 65536
#define ROW_MAX (ENTRY_PATH_MAX + 256)

/* --- reading ---------------------------------------------------------------------------------- */

void
auto_stat_reader(struct stat_reader *r)
{
	buf_free(&r->block);
	buf_free(&r->path);
}

/* False: there is no more, or it cannot be read. */
static bool
read_block(struct stat_reader *r)
{
	ssize_t n;

	if (r->fd < 0 || r->is_read)
		return false;
	memmove(r->block.data, r->block.data + r->at, r->block.len - r->at);
	buf_truncate(&r->block, r->block.len - r->at);
	r->at = 0;
	n = fd_pread(r->fd, buf_reserve(&r->block, BLOCK), BLOCK, r->offset);
	if (n < BLOCK)
		r->is_read = true;
	if (n <= 0)
		return false;
	r->block.len += (size_t)n;
	r->block.data[r->block.len] = '\0';
	r->offset += (uint64_t)n;
	return true;
}

void
stat_reader_open(struct stat_reader *r, int fd)
{
	buf_clear(&r->block);
	buf_clear(&r->path);
	r->fd = fd;
	r->offset = 0;
	r->at = 0;
	r->is_read = r->has_row = false;
	r->rows = 0;
	if (!read_block(r) || r->block.len < sizeof magic ||
		memcmp(r->block.data, magic, sizeof magic) != 0)
		r->fd = -1;
	r->at = sizeof magic;
}

/* A row of what is in the block; false: it is not all there, or none. */
static bool
parse_row(struct stat_reader *r)
{
	struct record_reader in = { (const unsigned char *)r->block.data + r->at,
		(const unsigned char *)r->block.data + r->block.len, false };
	uint64_t shared = record_number(&in), len = record_number(&in);
	const char *rest = record_bytes(&in, len), *sha256;
	struct stat_key key = {
		.dev = record_number(&in), .ino = record_number(&in), .size = record_number(&in)
	};

	key.mtime_ns = record_signed(&in);
	key.ctime_ns = record_signed(&in);
	sha256 = record_bytes(&in, sizeof r->sha256);
	if (in.is_bad || shared > r->path.len || shared + len > ENTRY_PATH_MAX)
		return false;
	buf_truncate(&r->path, shared);
	buf_add(&r->path, rest, len);
	r->key = key;
	memcpy(r->sha256, sha256, sizeof r->sha256);
	r->at = (size_t)((const char *)in.at - r->block.data);
	return true;
}

static bool
next_row(struct stat_reader *r)
{
	if (r->fd < 0)
		return false;
	while (!parse_row(r))
		if (r->block.len - r->at > ROW_MAX || !read_block(r)) {
			r->fd = -1;
			return false;
		}
	r->rows++;
	return true;
}

bool
stat_reader_find(
	struct stat_reader *r, const char *path, const struct stat_key *key, struct digest *out)
{
	int order = -1;

	while ((r->has_row || (r->has_row = next_row(r))) &&
		(order = entry_path_compare(r->path.data, path)) < 0)
		r->has_row = false;
	if (!r->has_row || order != 0 || memcmp(&r->key, key, sizeof *key) != 0)
		return false;
	digest_from_raw(DIGEST_SHA256, r->sha256, out);
	return true;
}

uint64_t
stat_reader_count(struct stat_reader *r)
{
	while (next_row(r))
		;
	r->has_row = false;
	return r->rows;
}

/* --- writing ---------------------------------------------------------------------------------- */

void
stat_writer_open(struct stat_writer *w, int fd)
{
	w->fd = fd;
	buf_clear(&w->path);
	buf_clear(&w->out);
	buf_add(&w->out, magic, sizeof magic);
}

void
auto_stat_writer(struct stat_writer *w)
{
	buf_free(&w->out);
	buf_free(&w->path);
}

int
stat_writer_end(struct stat_writer *w, struct err *err)
{
	if (fd_write(w->fd, w->out.data, w->out.len) < 0)
		return err_sys(err, "what is known of files");
	buf_clear(&w->out);
	return 0;
}

int
stat_writer_add(struct stat_writer *w, const char *path, const struct stat_key *key,
	const struct digest *d, struct err *err)
{
	unsigned char raw[DIGEST_RAW_MAX];
	size_t shared = 0, rest;

	if (digest_is_empty(d) || digest_algorithm(d) != DIGEST_SHA256)
		return 0;
	while (path[shared] != '\0' && path[shared] == w->path.data[shared])
		shared++;
	rest = strlen(path + shared);
	record_put_number(&w->out, shared);
	record_put_number(&w->out, rest);
	buf_add(&w->out, path + shared, rest);
	record_put_number(&w->out, key->dev);
	record_put_number(&w->out, key->ino);
	record_put_number(&w->out, key->size);
	record_put_signed(&w->out, key->mtime_ns);
	record_put_signed(&w->out, key->ctime_ns);
	buf_add(&w->out, raw, digest_raw(d, raw));
	buf_truncate(&w->path, shared);
	buf_add(&w->path, path + shared, rest);
	return w->out.len < BLOCK ? 0 : stat_writer_end(w, err);
}
