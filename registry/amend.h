/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_AMEND_H
#define REGISTRY_AMEND_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "layers/oci.h"
#include "registry/place.h"

/* amend - changes to the images of a place, one or all of an index, on their documents.
 *
 * What is not changed keeps its digest, and so does an index none of whose images changed.  Members that
 * are not known here stay.  Attestations of an image that changed tell of another one now: they are left
 * out of its index, which is warned of.  Other things that an index names stay. */

struct amend_image {
	json_t *manifest; /* owned; changed in place */
	json_t *config;   /* likewise; NULL: an artifact, whose config is anything */
	struct descriptor was;
};
/* Changes one image; new blobs go into the draft. */
typedef int amend_each(struct amend_image *image, void *arg, struct err *err);

struct amend_options {
	const struct platform *platform; /* only the image for this one, which then is the result; NULL: all */
	bool to_oci;                     /* Docker's documents become OCI's */
	bool needs_config;               /* an artifact is ERR_INPUT, and in an index left as it is */
};
/* from has root and what it names; draft (see draft.h) gets the new documents.  *out: what came of root. */
int amend_images(struct place *from, struct place *draft, const struct descriptor *root,
	const struct amend_options *o, amend_each *each, void *arg, struct descriptor *out,
	struct err *err);

void auto_amend_image(struct amend_image *i);
/* The documents of root, or of an index the image for a platform, as they are. */
int amend_image_read(struct place *p, const struct descriptor *root, const struct platform *platform,
	struct amend_image *out, struct err *err);

/* A document of a place, parsed; ERR_INPUT over limit. */
int amend_read(struct place *p, const struct descriptor *d, size_t limit, json_t **out,
	struct err *err);
/* A manifest or index into the draft: fills digest, size, and media type of out, nothing else. */
int amend_put(struct place *draft, const json_t *doc, struct descriptor *out, struct err *err);
/* The platform that a config says, where it says one. */
bool amend_platform(const json_t *config, json_t **out);

#endif
