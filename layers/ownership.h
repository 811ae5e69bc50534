/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_OWNERSHIP_H
#define LAYERS_OWNERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* ownership - whose a file of a tree is, where the file system cannot say it.
 *
 * Who has one id only owns every file of his trees.  Whose they are meant to be stands beside them:
 *  - of a file or directory in an attribute, which goes where the file goes: through renames, hard links
 *    and overlay's copying up;
 *  - of links, fifos and sockets, which take no attributes, in a table, by inode and time of birth.
 * A device that could not be made is an empty file whose attribute says which one it stands for.
 * No attribute: 0:0, and the file is what it is. */

#define OWNERSHIP_ATTRIBUTE "user.cooper.owner"
#define OWNERSHIP_TEXT_SIZE 64

struct ownership {
	uint32_t uid, gid;
	mode_t device; /* S_IFCHR, S_IFBLK: what it stands for; else 0 */
	uint32_t major, minor;
};

/* The attribute's value, "33:33" or "0:6:b:8:1"; its length. */
size_t ownership_format(const struct ownership *o, char text[OWNERSHIP_TEXT_SIZE]);
/* false: not of that form. */
bool ownership_parse(const char *text, size_t len, struct ownership *out);

/* The attribute of an open file or directory.  -1 with errno. */
int ownership_set(int fd, const struct ownership *o);

struct ownership_row {
	dev_t dev;
	ino_t ino;
	int64_t born; /* the inode's number may be given to another file later, but not this time */
	uint32_t born_ns;
	ino_t upper;  /* its number in the upper directory; 0: it is not in it */
	struct ownership owner;
};

struct owners {
	struct ownership_row *rows; /* open addressing; a row without inode is free */
	size_t count, slots;
};
#define OWNERS_INIT { .rows = NULL }

void auto_owners(struct owners *o);
/* Adds, or replaces that of the same file. */
void owners_put(struct owners *o, const struct ownership_row *row);
/* By dev, ino and birth of *key; NULL if none; lent until the next owners_put(). */
const struct ownership_row *owners_find(const struct owners *o, const struct ownership_row *key);

/* From one process to another by a file: at most so many. */
#define OWNERS_MAX 16777216
int owners_write(const struct owners *o, int fd, struct err *err);
/* From fd's beginning.  Only those that are in the upper directory, under their numbers there, on device dev. */
int owners_read_upper(int fd, dev_t dev, struct owners *out, struct err *err);

#endif
