/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_IMAGE_H
#define TESTS_UNIT_IMAGE_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "layers/oci.h"
#include "registry/place.h"

/* image - a small image in a place: a config and some layers of made-up bytes. */

static inline struct descriptor __attribute__((unused))
image_blob(struct place *p, const char *media_type, const void *bytes, size_t len)
{
	struct descriptor d = { .size = 0 };
	struct err err;

	snprintf(d.media_type, sizeof d.media_type, "%s", media_type);
	if (place_put_bytes(p, bytes, len, &d, &err) < 0) {
		fprintf(stderr, "# %s\n", err.msg);
		abort();
	}
	return d;
}

static inline void __attribute__((unused))
image_descriptor(struct buf *out, const struct descriptor *d)
{
	buf_addf(out, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%" PRIu64 "}",
		d->media_type, d->digest.text, d->size);
}

/* Layer i has `size` bytes that begin with name and i. */
static inline struct descriptor __attribute__((unused))
image_make(struct place *p, const char *name, size_t layers, size_t size)
{
	AUTO(buf) struct buf config = BUF_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	struct descriptor d;
	size_t i, j;

	buf_addf(&config,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},\"author\":\"%s\"}",
		name);
	d = image_blob(p, MEDIA_OCI_CONFIG, config.data, config.len);
	buf_adds(
		&text, "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"config\":");
	image_descriptor(&text, &d);
	buf_adds(&text, ",\"layers\":[");
	for (i = 0; i < layers; i++) {
		AUTO(buf) struct buf layer = BUF_INIT;

		buf_addf(&layer, "%s %zu ", name, i);
		while (layer.len < size)
			buf_addf(&layer, "%zu,", layer.len * (i + 7));
		for (j = layer.len; j > size; j--)
			buf_truncate(&layer, j - 1);
		d = image_blob(p, MEDIA_OCI_LAYER_GZIP, layer.data, layer.len);
		buf_adds(&text, i > 0 ? "," : "");
		image_descriptor(&text, &d);
	}
	buf_adds(&text, "]}");
	return image_blob(p, MEDIA_OCI_MANIFEST, text.data, text.len);
}

#endif
