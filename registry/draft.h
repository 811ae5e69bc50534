/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_DRAFT_H
#define REGISTRY_DRAFT_H

#include "base/err.h"
#include "registry/place.h"

/* draft - an image that is being made of others: new documents and layers, which are here, before
 * places that have the rest.  It is what place_copy() copies from, so what the target has already is
 * not moved, and is mounted where that can be.
 *
 * put() keeps a document's bytes in memory (at most CONFIG_MAX of them).  It has no names.  What is
 * added is added before the copy begins. */

/* under (lent; may be NULL) has all that is not said to be elsewhere. */
struct place *draft_new(struct place *under);
/* A new layer: d's bytes are the file's.  Takes fd. */
void draft_file(struct place *p, int fd, const struct descriptor *d);
/* Those bytes are in another place, lent. */
void draft_from(struct place *p, const struct digest *d, struct place *other);

#endif
