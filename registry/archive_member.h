/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_ARCHIVE_MEMBER_H
#define REGISTRY_ARCHIVE_MEMBER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "layers/digest.h"
#include "layers/stream.h"
#include "registry/catalog.h"

/* archive_member - for the files of place_archive: what is where in a tar file. */

struct member {
	char *path;
	char *link; /* path that it stands for, or NULL */
	uint64_t offset, size;
};

struct members {
	struct member *rows; /* sorted by path */
	size_t count;
	size_t room;
	int fd; /* of the archive; owned */
};
#define MEMBERS_INIT { .rows = NULL, .fd = -1 }
void members_free(struct members *m);

/* Through links; NULL: not there.  Lent. */
const struct member *members_find(const struct members *m, const char *path);
int member_send(const struct members *m, const struct member *row, uint64_t offset, struct sink *out,
	struct err *err);
/* Appends the whole member; ERR_NOTFOUND, ERR_INPUT past the limit. */
int member_read(const struct members *m, const char *path, size_t limit, struct buf *out,
	struct err *err);

/* What a docker archive calls otherwise than by digest, and documents that were made here. */
struct archive_blob {
	struct digest digest;
	const struct member *member; /* lent; NULL: bytes */
	char *bytes;
	size_t len;
};
struct archive_blobs {
	struct archive_blob *rows;
	size_t count;
	size_t room;
};
void archive_blobs_free(struct archive_blobs *b);

/* manifest.json of `docker save`: an image manifest is made for each of its rows. */
int archive_docker_read(const struct members *m, struct catalog *catalog, struct archive_blobs *blobs,
	struct err *err);

#endif
