/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_PLACE_ARCHIVE_H
#define REGISTRY_PLACE_ARCHIVE_H

#include "base/err.h"
#include "layers/stream.h"
#include "registry/catalog.h"
#include "registry/place.h"

/* place_archive - images in one tar file.
 *
 * Read are OCI archives (a tar of an OCI layout), and what `docker save` writes now (the same with a
 * manifest.json) and wrote since version 1.10 (manifest.json, configs, and layers by any name).  Of the latter,
 * which have no manifests, one is made for each image.  Layers may be compressed, whatever their name says.
 *
 * Written is an OCI layout as a tar; a docker archive has a manifest.json as well, so that every
 * `docker load`, and skopeo's docker-archive, read it.  The bytes depend on nothing but the order of the calls. */

#define PLACE_ARCHIVE_MAX (1ull << 40)          /* bytes of a decompressed archive */
#define PLACE_ARCHIVE_MEMBERS_MAX 200000
#define PLACE_ARCHIVE_DOCUMENT_MAX (8u << 20)   /* bytes of manifest.json or index.json */

/* Takes fd.  An archive that is compressed, or cannot be read twice (a pipe), is first copied into a
 * nameless file in directory spool.  ERR_INPUT where it is no archive of images. */
int place_archive_open(int fd, int spool, struct place **out, struct err *err);
/* All names; lent, of an opened archive. */
const struct catalog *place_archive_catalog(const struct place *p);

enum place_archive_kind { PLACE_ARCHIVE_OCI, PLACE_ARCHIVE_DOCKER };
/* The sink is lent; the place's finish() writes the archive's end and finishes the sink.  Copy into it with
 * one blob at a time (parallel 1): it is written front to back, and so that it is the same each time. */
struct place *place_archive_new(struct sink *out, enum place_archive_kind kind);

#endif
