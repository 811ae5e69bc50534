/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_CATALOG_H
#define REGISTRY_CATALOG_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "layers/oci.h"

/* catalog - which names a layout or an archive gives to its images: index.json and its annotations.
 * (image-spec image-layout.md, annotations.md; containerd's io.containerd.image.name)
 *
 * Writers disagree: the annotation "org.opencontainers.image.ref.name" may hold a whole name or only its tag, and
 * "io.containerd.image.name" a whole one.  All are found here, and both are written. */

#define CATALOG_REF_NAME "org.opencontainers.image.ref.name"
#define CATALOG_IMAGE_NAME "io.containerd.image.name"

struct catalog_row {
	char *name; /* as written, a whole name if there is one; NULL: nameless */
	char *tag;  /* what ref.name says; may be NULL, or the same */
	struct descriptor descriptor; /* without those annotations */
};

struct catalog {
	struct catalog_row *rows;
	size_t count;
	size_t room;
};
#define CATALOG_INIT { .rows = NULL }
void catalog_free(struct catalog *c);
void auto_catalog(struct catalog *c);

/* Of an index.json; ERR_INPUT, ERR_CORRUPT. */
int catalog_parse(const char *bytes, size_t len, struct catalog *out, struct err *err);
void catalog_format(const struct catalog *c, struct buf *out);

/* name (NULL: none) stands for d, and for nothing else; a nameless row of the same digest is replaced. */
void catalog_set(struct catalog *c, const char *name, const struct descriptor *d);
/* By name, tag, "algorithm:hex", or NULL for the only image there is; lent.  ERR_NOTFOUND, and ERR_INPUT where
 * several could be meant, name those that there are. */
int catalog_find(const struct catalog *c, const char *name, const struct descriptor **out,
	struct err *err);

#endif
