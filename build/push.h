/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_PUSH_H
#define BUILD_PUSH_H

#include "base/err.h"
#include "layers/oci.h"
#include "layers/store.h"
#include "registry/place_convert.h"
#include "registry/ref.h"
#include "registry/session.h"

/* push - an image of the store to a registry, in a worker of its own.  Its layers need not be here when they are known to
 * be at a registry. */

struct push {
	struct store *store;
	const struct session_options *session;
	const struct ref *to;
	const struct platform *platform; /* of an index, this one only; NULL: all of it */
	const struct place_convert_options *convert; /* NULL: layers go as they are */
};
/* *out: what the registry has under the reference afterwards. */
int push_image(const struct push *push, const struct descriptor *image, struct descriptor *out,
	struct err *err);

#endif
