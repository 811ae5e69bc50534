/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* file - whole files in, whole files out.  A file that others may read is written under another
 * name, synced if asked, and renamed. */

/* Appends the file's bytes to out.  ERR_NOTFOUND where it is missing; ERR_INPUT where it is not a
 * regular file or larger than limit. */
int file_read(int dir, const char *path, size_t limit, struct buf *out, struct err *err);

enum file_sync { FILE_NO_SYNC, FILE_SYNC /* the file and its directory */ };

/* Creates or replaces dir/path with these bytes and mode. */
int file_write(int dir, const char *path, const void *bytes, size_t len, mode_t mode,
	enum file_sync sync, struct err *err);

/* All of it, across short writes and EINTR.  -1 with errno. */
int fd_write(int fd, const void *bytes, size_t len);
/* Until len bytes or the end: how many, or -1 with errno. */
ssize_t fd_read(int fd, void *bytes, size_t len);
ssize_t fd_pread(int fd, void *bytes, size_t len, uint64_t offset);
/* len bytes (or to the end, for UINT64_MAX) from one descriptor's position to the other's, by the
 * cheapest call that works for the pair; how many in *copied. */
int fd_copy(int from, int to, uint64_t len, uint64_t *copied, struct err *err);
/* A descriptor of nameless memory, for what must not touch the disk. */
int fd_memory(const char *name, struct err *err);

#endif
