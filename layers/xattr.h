/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_XATTR_H
#define LAYERS_XATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "layers/entry.h"

/* xattr - extended attributes of a file by directory and name, whatever kind it has, never through a
 * link.  By the system calls of Linux 6.13, else by way of /proc/self/fd. */

#define XATTR_VALUE_SIZE 65536

/* Whether a layer may carry it: user.* and security.capability, but not what overlays and container
 * tools keep in user.* for themselves, which from a stranger would hide or redirect files. */
bool xattr_is_layers(const char *name);

/* What overlay says by its own attributes, user.overlay.* or trusted.overlay.*. */
enum xattr_mark {
	XATTR_OPAQUE = 1,   /* opaque=y */
	XATTR_WHITEOUT = 2, /* whiteout */
	XATTR_REDIRECT = 4, /* redirect, metacopy: the file is not all here */
};

/* Adds those that layers carry to e, sorted.  marks: NULL, or set to the marks that were found.  File
 * systems without attributes have none. */
int xattr_read(int dir, const char *name, struct entry *e, unsigned *marks, struct err *err);

/* Length of the value, or -1 with errno. */
ssize_t xattr_get(int dir, const char *name, const char *attribute, void *value, size_t size);

#endif
