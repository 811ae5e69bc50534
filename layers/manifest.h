/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_MANIFEST_H
#define LAYERS_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "layers/descriptor.h"

/* manifest - the document of one image: its config and its layers, lowest first.  (image-spec
 * manifest.md; Docker's image manifest version 2, schema 2) */

#define MANIFEST_MAX (4u << 20) /* bytes of a manifest or index */
#define MANIFEST_LAYERS_MAX 1000

struct manifest {
	bool is_docker;          /* Docker types, else OCI */
	struct descriptor config;
	struct descriptor *layers;
	size_t layer_count;
	struct descriptor subject; /* digest empty: none */
	char artifact_type[MEDIA_TYPE_SIZE];
	json_t *annotations;
};
void manifest_free(struct manifest *m);
void auto_manifest(struct manifest *m);
void manifest_layer_add(struct manifest *m, const struct descriptor *layer); /* a copy */
/* media_type: as the descriptor or Content-Type said, "" if unknown.  ERR_INPUT: schema 1 (with what to
 * do), a document with both layers and manifests, mediaType differing from media_type, over limits. */
int manifest_parse(const char *bytes, size_t len, const char *media_type, struct manifest *out,
	struct err *err);
void manifest_format(const struct manifest *m, struct buf *out); /* indented by two, as BuildKit's */
const char *manifest_media_type(const struct manifest *m);

/* What a document of unknown type is by its members: one of the MEDIA_ constants of an index or a
 * manifest.  ERR_INPUT as above, and where it is neither. */
int manifest_sniff(const char *bytes, size_t len, const char **out_media_type, struct err *err);

/* For index.c, which has the same rules: the parsed document, whose type is one of the pair and agrees
 * with media_type. */
struct document_kind {
	const char *noun;                      /* "manifest" */
	const char *oci_type, *docker_type;
};
int document_parse(const char *bytes, size_t len, const char *media_type,
	const struct document_kind *kind, json_t **out, bool *out_is_docker, struct err *err);
/* The members of an array of descriptors, at most max; a missing or null one has none. */
int descriptors_parse(const json_t *doc, const char *name, size_t max, struct descriptor **out,
	size_t *out_count, struct err *err);
void descriptors_free(struct descriptor *list, size_t count);

#endif
