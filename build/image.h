/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_IMAGE_H
#define BUILD_IMAGE_H

#include "base/err.h"
#include "build/solve.h"

/* image - the documents of what was built: configuration and manifest, into the store. */

struct image_made {
	struct descriptor manifest; /* with its platform */
	struct digest config;
};

/* docker_types: Docker's media types instead of OCI's. */
int image_make(struct solve *s, bool docker_types, struct image_made *out, struct err *err);
/* Several platforms: an index over their manifests. */
int image_index(struct store *store, const struct image_made *images, size_t count,
	bool docker_types, struct descriptor *out, struct err *err);

#endif
