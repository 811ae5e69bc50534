/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REMOTE_REFERRERS_H
#define REGISTRY_REMOTE_REFERRERS_H

#include "base/err.h"
#include "base/json.h"
#include "layers/digest.h"
#include "registry/place.h"

/* remote_referrers - what is attached to an image: manifests that name it as their subject.  Registries list them, or
 * whoever attaches one keeps an index under the tag "sha256-<hex>". (distribution-spec 1.1, "Listing
 * Referrers", "Referrers Tag Schema") */

#define REFERRERS_PAGES_MAX 100
#define REFERRERS_MAX 10000

/* *out: an array of descriptors as the registry has them, perhaps empty; of that artifact type, NULL: all.  p
 * must come from remote_open(). */
int remote_referrers(struct place *p, const struct digest *subject, const char *artifact_type,
	json_t **out, struct err *err);

/* p has the manifest of this descriptor (lent) by now: it is added to the index under the tag, where the
 * registry does not list it by itself. */
int remote_referrers_add(
	struct place *p, const struct digest *subject, json_t *descriptor, struct err *err);

/* The tag of a subject, with an ending (".sig" of cosign, or ""). */
void remote_referrers_tag(const struct digest *subject, const char *ending, struct buf *out);

/* Copies what is attached to subject, and what is attached to that, and cosign's .sig, .att and .sbom tags.
 * *count: how many. */
int remote_referrers_copy(struct place *from, struct place *to, const struct digest *subject,
	unsigned *count, struct err *err);

#endif
