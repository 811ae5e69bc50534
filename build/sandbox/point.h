/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_POINT_H
#define BUILD_SANDBOX_POINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/strv.h"

/* point - places to mount upon in a stranger's root, and leaving no trace of those that had to be made.
 *
 * A missing mount point is made in the merged root, which copies its parents up and changes their
 * times.  What was made or copied is written down, and taken back in the upper directory once the root
 * is unmounted: only the very inode that was made, only if it is still empty, and parents only as far
 * as the program in the box has left them alone. */

enum point_kind {
	POINT_FILE,   /* made */
	POINT_DIR,    /* made, as the mount point or on the way to it */
	POINT_COPIED, /* a parent that was only in lower directories before */
	POINT_PARENT, /* a parent that was in the upper directory before */
};

struct point {
	enum point_kind kind;
	char *path;      /* owned; relative to the upper directory, free of links; "" is itself */
	ino_t ino;       /* FILE, DIR: in the upper */
	struct stat was; /* COPIED, PARENT: mode, owner, times before */
	struct timespec mtime; /* COPIED, PARENT: after */
};

struct points {
	int root;  /* the merged root's top, attached; lent */
	int upper; /* lent; -1: the root is read-only */
	struct point *rows;
	size_t count, room;
};
#define POINTS_INIT { .root = -1, .upper = -1 }
void auto_points(struct points *p);

/* Opens (O_PATH) the directory or file at path beneath the root, through its links but never out,
 * made if missing.  ERR_INPUT when something of another kind is there. */
int point_open(struct points *p, const char *path, bool is_dir, int *out, struct err *err);

/* The real directory of that name at the root's top: a link there is an error.  Made if missing, and
 * left there, as other builders do for /dev, /proc and /sys. */
int point_open_top(struct points *p, const char *name, int *out, struct err *err);

/* After the last one, before anything else can write: notes the parents' times. */
int points_settle(struct points *p, struct err *err);

/* In the upper directory of the unmounted root.  What could not be taken back and is empty goes to left
 * (may be NULL). */
void points_remove(const struct points *p, int upper, struct strv *left);

#endif
