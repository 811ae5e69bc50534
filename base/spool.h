/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include "base/err.h"

/* spool - nameless files, for bytes that have to lie somewhere in between: they are gone with their descriptor. */

/* Where they go when nothing better is known: TMPDIR, or /tmp.  The descriptor, or -1. */
int spool_dir(struct err *err);
/* A new file in directory dir, for reading and writing.  The descriptor, or -1. */
int spool_file(int dir, struct err *err);

#endif
