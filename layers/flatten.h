/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_FLATTEN_H
#define LAYERS_FLATTEN_H

#include <stddef.h>

#include "base/err.h"
#include "layers/stream.h"

/* flatten - several layers as one: what stands at the end in the root that they make, and nothing of what
 * was removed or replaced on the way.  (image-spec layer.md)
 *
 * The bytes of all files go through one nameless file; of names and the like so much is in memory as a
 * view of the layers needs (see view.h).  The tar that is written is sorted, and depends on nothing but
 * the layers' entries. */

struct flatten;
/* Takes spool, a file that can be read and written. */
struct flatten *flatten_new(int spool);
void flatten_free(struct flatten *f);
void auto_flatten(struct flatten **f);
/* The tar of the next layer up (lent), read to its end. */
int flatten_add(struct flatten *f, struct stream *tar, struct err *err);
/* Once.  below: so many layers at the bottom stay what they are, and the tar is what is different
 * above them; what is missing there becomes a whiteout.  The sink is not finished. */
int flatten_write(struct flatten *f, size_t below, struct sink *out, struct err *err);

#endif
