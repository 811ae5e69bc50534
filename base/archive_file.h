/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARCHIVE_FILE_H
#define BASE_ARCHIVE_FILE_H

#include "base/err.h"

/* archive_file - the files that commands read and write by name. */

/* For reading; "-" and NULL are stdin.  ERR_USAGE for a terminal.  The descriptor, or -1. */
int archive_file_open(const char *path, struct err *err);

/* For writing: a file of another name beside path, which becomes path at the end, when all of it is on the disk; a pipe or
 * device is written to as it is; "-" and NULL are stdout, unless that is a terminal: ERR_USAGE. */
struct archive_file {
	int fd;
	const char *path; /* lent; NULL: stdout, a pipe or a device */
	char *part;       /* what it is called for now */
};
#define ARCHIVE_FILE_INIT { .fd = -1 }
int archive_file_new(const char *path, struct archive_file *out, struct err *err);
int archive_file_finish(struct archive_file *f, struct err *err);
/* Removes what was not finished. */
void auto_archive_file(struct archive_file *f);

#endif
