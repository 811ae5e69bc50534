/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_UPLOAD_H
#define REGISTRY_UPLOAD_H

#include "base/err.h"
#include "layers/oci.h"
#include "registry/place.h"
#include "registry/repository.h"

/* upload - one blob into a repository.  First a session (POST) and the whole blob at once (PUT),
 * which every registry takes; where something on the way refuses that, in chunks (PATCH).  What
 * broke off goes on where the registry stands, if it kept anything: in this run, and in the next
 * one where the session has a store to remember it in.  What a host does not take is remembered as
 * well.  A PUT whose answer got lost is looked for before it is repeated, and a session that is
 * gone begins anew. (distribution-spec, "Pushing a blob")
 */

#define UPLOAD_CHUNK (8u << 20)      /* bytes */
#define UPLOAD_CHUNK_SMALL (4u << 20) /* GHCR takes no larger ones */
#define UPLOAD_CHUNK_MAX (64u << 20)  /* what a registry may ask for at least */
#define UPLOAD_RESUMED_MIN (1u << 20) /* smaller blobs begin anew */

/* location: of a session that is open already, or NULL. */
int upload_blob(const struct repository *r, const struct descriptor *d, const struct url *location,
	struct source *from, struct err *err);

/* 1: mounted, 0: not; then *location is a session for upload_blob when *has_location. -1. */
int upload_mount(const struct repository *r, const struct descriptor *d, const char *from,
	struct url *location, bool *has_location, struct err *err);

/* 1, 0, -1. */
int upload_has_blob(const struct repository *r, const struct descriptor *d, struct err *err);

/* ERR_CORRUPT when a reply names another digest than what was sent. */
int upload_check_digest(
	const struct http_response *r, const struct digest *wanted, struct err *err);

#endif
