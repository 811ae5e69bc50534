/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_OCI_H
#define LAYERS_OCI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/strv.h"
#include "layers/digest.h"

/* oci - the documents of an image: descriptor, platform, manifest, index.  (image-spec manifest.md,
 * image-index.md, descriptor.md; Docker's image manifest version 2, schema 2)  The image config is in
 * config.h.  Documents from elsewhere are kept as the bytes that came; these are parsed copies. */

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

#define MANIFEST_MAX (4u << 20)        /* bytes of a manifest or index */
#define CONFIG_MAX (8u << 20)          /* bytes of an image config */
#define MANIFEST_LAYERS_MAX 1000
#define INDEX_MANIFESTS_MAX 10000
#define INDEX_DEPTH_MAX 4

struct platform {
	char os[32];      /* "linux" */
	char arch[32];    /* "amd64" */
	char variant[32]; /* "v8", or "" */
	char os_version[64];
};
/* "linux/arm64/v8", "arm64", "linux", "local"; normalised as containerd does (aarch64 is arm64,
 * x86_64 amd64, arm64/v8 arm64, arm is arm/v7). */
int platform_parse(const char *text, struct platform *out, struct err *err);
void platform_format(const struct platform *p, struct buf *out);
void platform_host(struct platform *out);
bool platform_same(const struct platform *a, const struct platform *b);
/* Whether an image for `have` runs where `want` is asked for, and how well: 0 no, higher is better. */
int platform_match(const struct platform *want, const struct platform *have);

struct descriptor {
	char media_type[128];
	struct digest digest;
	uint64_t size;
	bool has_platform;
	struct platform platform;
	json_t *annotations; /* object or NULL; owned */
};
void descriptor_free(struct descriptor *d);
void auto_descriptor(struct descriptor *d);
void descriptor_copy(const struct descriptor *d, struct descriptor *out);
int descriptor_parse(const json_t *value, struct descriptor *out, struct err *err);
json_t *descriptor_format(const struct descriptor *d); /* members: mediaType, digest, size, annotations, platform */

bool media_is_index(const char *media_type);
bool media_is_manifest(const char *media_type); /* of one image */
bool media_is_layer(const char *media_type);    /* any tar, compressed or not, foreign ones too */
/* Without parameters; as it is kept in struct descriptor. */
void media_type_clean(const char *header, char out[128]);

struct manifest {
	bool is_docker;          /* Docker types, else OCI */
	struct descriptor config;
	struct descriptor *layers;
	size_t layer_count;
	struct descriptor subject; /* digest empty: none */
	char artifact_type[128];
	json_t *annotations;
};
void manifest_free(struct manifest *m);
void auto_manifest(struct manifest *m);
/* media_type: as the descriptor or Content-Type said, "" if unknown.  ERR_INPUT: schema 1 (with what to
 * do), a document with both layers and manifests, mediaType differing from media_type, over limits. */
int manifest_parse(const char *bytes, size_t len, const char *media_type, struct manifest *out,
	struct err *err);
void manifest_format(const struct manifest *m, struct buf *out); /* indented by two, as BuildKit's */
const char *manifest_media_type(const struct manifest *m);

struct index {
	bool is_docker;
	struct descriptor *manifests;
	size_t manifest_count;
	json_t *annotations;
};
void index_free(struct index *x);
void auto_index(struct index *x);
int index_parse(const char *bytes, size_t len, const char *media_type, struct index *out, struct err *err);
void index_format(const struct index *x, struct buf *out);
/* The manifest for a platform: the best match, the first among equals; attestations never.
 * ERR_NOTFOUND lists the platforms that exist. */
int index_choose(const struct index *x, const struct platform *want, const struct descriptor **out,
	struct err *err);

#endif
