/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_STAT_CACHE_H
#define BUILD_STAT_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "layers/digest.h"

/* stat_cache - digests of files, known by their paths and by what stat(2) says of them.  A file of rows in the
 * order of layers, which is read and written from front to back, as a walk goes.  A cache: whatever cannot be
 * read is as good as empty. */

struct stat_key {
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
};

struct stat_reader {
	int fd; /* lent; -1: there is none */
	uint64_t offset;
	struct buf block; /* what was read, and is still to be looked at from at on */
	size_t at;
	bool is_read;    /* fd has no more */
	struct buf path; /* of the row */
	struct stat_key key;
	unsigned char sha256[32];
	bool has_row;
	uint64_t rows; /* so far */
};
#define STAT_READER_INIT                                            \
	{                                                           \
		.fd = -1, .block = BUF_INIT, .path = BUF_INIT       \
	}
void stat_reader_open(struct stat_reader *r, int fd);
void auto_stat_reader(struct stat_reader *r);
/* Whether this file's digest is known.  Asked in the order of layers. */
bool stat_reader_find(
	struct stat_reader *r, const char *path, const struct stat_key *key, struct digest *out);
/* How many rows there are; nothing is found afterwards. */
uint64_t stat_reader_count(struct stat_reader *r);

struct stat_writer {
	int fd; /* lent */
	struct buf out, path;
};
#define STAT_WRITER_INIT                                          \
	{                                                         \
		.fd = -1, .out = BUF_INIT, .path = BUF_INIT       \
	}
void stat_writer_open(struct stat_writer *w, int fd);
void auto_stat_writer(struct stat_writer *w);
/* SHA-256 only, others are left out.  In the order of layers. */
int stat_writer_add(struct stat_writer *w, const char *path, const struct stat_key *key,
	const struct digest *d, struct err *err);
int stat_writer_end(struct stat_writer *w, struct err *err);

#endif
