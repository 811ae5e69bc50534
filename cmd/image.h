/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_IMAGE_H
#define CMD_IMAGE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"
#include "layers/config.h"
#include "layers/oci.h"
#include "layers/store.h"
#include "registry/place.h"
#include "registry/ref.h"

/* image - an image of the store as commands show it: what a name means, its documents, and how people call
 * it. */

struct image {
	struct descriptor root;       /* what the name means: a manifest or an index */
	struct descriptor descriptor; /* the manifest for one platform */
	struct buf manifest_bytes, config_bytes;
	struct manifest manifest;
	struct config config;
};
#define IMAGE_INIT { .manifest_bytes = BUF_INIT, .config_bytes = BUF_INIT }
void auto_image(struct image *i);

/* What root is, or has for a platform, if it is an index: its descriptor (filled) and bytes.  platform NULL: the host's,
 * or the first there is. */
int image_manifest(struct place *p, const struct descriptor *root, const struct platform *platform,
	struct descriptor *out, struct buf *bytes, struct err *err);
/* Reads the documents.  platform as above. */
int image_read(struct store *s, const struct descriptor *root, const struct platform *platform,
	struct image *out, struct err *err);

/* What is meant by a name, a digest, or an image ID or its beginning.  *name (added, may be NULL) is the store's
 * name, where it was found by name.  ERR_NOTFOUND; ERR_INPUT where several begin so. */
int image_find(struct store *s, const char *text, struct strv *name, struct descriptor *out,
	struct err *err);

/* The name under which the store keeps what is called so. */
int image_name_parse(const char *text, struct buf *out, struct err *err);

/* An image that was given no name is kept under what its digest spells, so that it is found and not
 * removed: "sha256:<hex>" is Docker Hub's sha256 with a tag, which nobody else can mean. */
int image_keep_nameless(struct store *s, const struct descriptor *d, struct err *err);
bool image_is_nameless(const struct ref *r);

/* Bytes of layers and config, as they are stored. */
uint64_t image_size(const struct image *i);
/* Seconds since 1970 of an RFC 3339 time; 0: unknown. */
long long image_time(const char *text);

#endif
