/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_INDEX_EDIT_H
#define LAYERS_INDEX_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "base/strv.h"

/* index_edit - changes to an index, made in its JSON, so that members which are not known here stay.
 * (image-spec image-index.md; Docker's manifest list; BuildKit's attestations, which name their image
 * in an annotation and stand in its index)
 *
 * which: a platform ("linux/arm/v7"; one without os.version means any), or a digest. */

/* An empty one. */
json_t *index_edit_new(bool is_docker);

enum index_edit_add {
	INDEX_EDIT_REPLACE, /* what is there for this platform goes, with its attestations */
	INDEX_EDIT_BESIDE,  /* it stays */
};
/* Adds a descriptor (lent).  One with the same digest is replaced in any case, and keeps its place.
 * ERR_INPUT where a Docker list would name OCI's documents, or an OCI index Docker's. */
int index_edit_add(json_t *index, json_t *descriptor, enum index_edit_add how, struct err *err);
/* With what is attested of it.  ERR_NOTFOUND says what there is. */
int index_edit_remove(json_t *index, const char *which, struct err *err);

/* Changes to a descriptor of the index.  Texts: NULL leaves it, "" removes it. */
struct index_edit {
	const char *os, *arch, *variant, *os_version;
	struct strv os_features; /* all of them; one that is "": none */
	struct strv annotations; /* edits, as edit.h has them */
};
/* Of the one or more that which means.  ERR_NOTFOUND. */
int index_edit_annotate(
	json_t *index, const char *which, const struct index_edit *e, struct err *err);

/* Whether a descriptor is an attestation of that image, or of any (digest NULL). */
bool index_edit_is_attestation(const json_t *descriptor, const char *digest);

#endif
