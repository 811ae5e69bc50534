/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_WALK_H
#define LAYERS_WALK_H

#include <stdint.h>

#include "base/err.h"
#include "layers/gc.h"

/* walk - the files of the store's own directories, for gc, usage and check. */

/* Each name but "." and "..", sorted, as they were before the first call, until the callback returns
 * other than 0, which is then returned. */
int walk_names(int root, const char *path,
	int (*each)(int dir, const char *name, void *arg, struct err *err), void *arg,
	struct err *err);
/* Bytes of the regular files below dir/name, as far as they can be read. */
uint64_t walk_size(int dir, const char *name);

/* Writes down the sizes of trees that came without.  One of a full file system may not: that is
 * no failure. */
int gc_measure(struct store *s, struct err *err);
/* How many bytes of blobs, trees and listings may stay under these options; UINT64_MAX: all. */
int gc_budget(struct store *s, const struct gc_options *o, uint64_t *out, struct err *err);

#endif
