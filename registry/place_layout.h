/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_PLACE_LAYOUT_H
#define REGISTRY_PLACE_LAYOUT_H

#include <stdbool.h>

#include "base/err.h"
#include "registry/catalog.h"
#include "registry/place.h"

/* place_layout - an OCI image layout in a directory: oci-layout, index.json, blobs/<algorithm>/<hex>.
 * (image-spec image-layout.md)
 *
 * Names are those of catalog.h.  Several processes may write at once: a blob appears by rename of a
 * complete, verified file, index.json is changed under a lock.  Everything in the directory is found
 * beneath it; its links never lead out. */

#define LAYOUT_FILE_MAX 4096 /* bytes of the file oci-layout */

enum place_layout_access {
	PLACE_LAYOUT_READ,  /* must be there: ERR_NOTFOUND, ERR_INPUT where it is no layout */
	PLACE_LAYOUT_WRITE, /* made when missing or empty */
};
int place_layout_open(const char *path, enum place_layout_access access, struct place **out,
	struct err *err);

/* What index.json says now; rows are added. */
int place_layout_catalog(struct place *p, struct catalog *out, struct err *err);

#endif
