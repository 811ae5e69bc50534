/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_UPLOAD_CHUNKS_H
#define REGISTRY_UPLOAD_CHUNKS_H

#include <stdint.h>

#include "base/err.h"
#include "registry/upload.h"

/* upload_chunks - the long way: one PATCH per chunk, each of which is kept until the registry has
 * it. */

/* chunk_min: what the registry asked for; 0: nothing. */
int upload_chunks(const struct repository *r, const struct descriptor *d, const struct url *session,
	uint64_t chunk_min, struct source *from, struct err *err);

#define UPLOAD_TOKEN_MARGIN_S 30 /* what a token must live for when bytes are sent */

/* What both ways have in common, of upload.c. */
int upload_open(const struct repository *r, const struct digest *digest, struct url *location,
	uint64_t *chunk_min, struct err *err);
int upload_location(const struct http_response *response, const struct url *at,
	struct url *location, struct err *err);
int upload_closing_url(
	const struct url *location, const struct digest *digest, struct url *out, struct err *err);
void upload_cancel(const struct repository *r, const struct url *location);

/* How many bytes the registry has, from a Range header ("0-99", or "bytes=0-99"): 0 for one that is
 * missing, odd, or "0-0", which may mean none as well as one. */
uint64_t upload_parse_range(const char *range);

#endif
