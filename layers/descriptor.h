/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_DESCRIPTOR_H
#define LAYERS_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "layers/digest.h"
#include "layers/platform.h"

/* descriptor - media type, digest and size: how one document names another.  (image-spec
 * descriptor.md)  Members that are not here (urls, data) are dropped on parse. */

#define MEDIA_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_OCI_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define MEDIA_OCI_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define MEDIA_OCI_EMPTY "application/vnd.oci.empty.v1+json"
#define MEDIA_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MEDIA_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"
#define MEDIA_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"

#define MEDIA_TYPE_SIZE 128 /* with its zero */

bool media_is_index(const char *media_type);
bool media_is_manifest(const char *media_type); /* of one image */
bool media_is_layer(const char *media_type);    /* any tar, compressed or not, foreign ones too */
bool media_is_foreign(const char *media_type);  /* a layer that is fetched from elsewhere, never pushed */
bool media_is_schema1(const char *media_type);
/* In lower case, without parameters and blanks; as it is kept in struct descriptor.  What does not
 * fit, and types that say nothing (application/json, text/plain, application/octet-stream), become "". */
void media_type_clean(const char *header, char out[MEDIA_TYPE_SIZE]);

struct descriptor {
	char media_type[MEDIA_TYPE_SIZE];
	struct digest digest; /* empty: there is none */
	uint64_t size;
	bool has_platform;
	struct platform platform;
	json_t *annotations; /* object of strings or NULL; owned */
	char artifact_type[MEDIA_TYPE_SIZE];
};
void descriptor_free(struct descriptor *d); /* its members; it is empty afterwards */
void auto_descriptor(struct descriptor *d);
void descriptor_copy(const struct descriptor *d, struct descriptor *out);
/* ERR_INPUT without digest or size.  A platform of a shape we do not know is no error: it matches nothing. */
int descriptor_parse(const json_t *value, struct descriptor *out, struct err *err);
/* Members: mediaType, digest, size, annotations, platform, artifactType. */
json_t *descriptor_format(const struct descriptor *d);

/* Member "annotations" of an object: a new object, or NULL where there is none.  ERR_INPUT for values
 * that are not strings. */
int annotations_parse(const json_t *object, json_t **out, struct err *err);
/* As Go writes a map: sorted by key. */
json_t *annotations_format(const json_t *annotations);
const char *annotation_get(const struct descriptor *d, const char *key); /* lent, or NULL */

#endif
