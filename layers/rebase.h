/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_REBASE_H
#define LAYERS_REBASE_H

#include "base/err.h"
#include "base/json.h"

/* rebase - an image's own layers on another base: changes to its two documents, from those of the
 * bases.  What is above the base, and all that the config says of running, stays as it is; the history
 * goes along where it tells of all layers in each of them, else it is left out. */

struct rebase_documents {
	json_t *manifest, *config; /* lent */
};

/* ERR_INPUT where the image is not made on old (its diff ids do not begin with old's), or new is of
 * another architecture. */
int rebase(const struct rebase_documents *image, const struct rebase_documents *old,
	const struct rebase_documents *new, struct err *err);

#endif
