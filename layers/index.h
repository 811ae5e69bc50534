/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_INDEX_H
#define LAYERS_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "layers/descriptor.h"

/* index - the document that names one manifest for each platform.  (image-spec image-index.md; Docker's
 * manifest list)  It may name indexes too; whoever descends stops after INDEX_DEPTH_MAX. */

#define INDEX_MANIFESTS_MAX 10000
#define INDEX_DEPTH_MAX 4

struct index {
	bool is_docker;
	struct descriptor *manifests;
	size_t manifest_count;
	json_t *annotations;
};
void index_free(struct index *x);
void auto_index(struct index *x);
void index_manifest_add(struct index *x, const struct descriptor *manifest); /* a copy */
/* media_type and errors as for manifest_parse. */
int index_parse(const char *bytes, size_t len, const char *media_type, struct index *out, struct err *err);
void index_format(const struct index *x, struct buf *out); /* indented by two */
const char *index_media_type(const struct index *x);

/* The manifest for a platform: the best match, the first among equals; one without a platform only when
 * nothing else fits; attestations never.  *out is lent by x.  ERR_NOTFOUND lists the platforms that
 * exist. */
int index_choose(const struct index *x, const struct platform *want, const struct descriptor **out,
	struct err *err);
/* A statement about another manifest of the index, not an image. */
bool index_is_attestation(const struct descriptor *d);

#endif
