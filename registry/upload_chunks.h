/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_UPLOAD_CHUNKS_H
#define REGISTRY_UPLOAD_CHUNKS_H

#include <stdint.h>

#include "base/err.h"
#include "registry/memory.h"
#include "registry/upload.h"

/* upload_chunks - the long way: one PATCH per chunk, each of which is kept until the registry has
 * it. */

enum upload_outcome {
	UPLOAD_DONE,
	UPLOAD_AGAIN,  /* another try may work: the session broke or is gone */
	UPLOAD_CHUNKS, /* not in one piece, in chunks */
	UPLOAD_WHOLE,  /* not in chunks, in one piece */
	UPLOAD_FAILED,
};

/* From byte `start` of the blob, which is where the session stands; *session becomes its latest
 * address, which is kept as well. */
enum upload_outcome upload_chunks(const struct repository *r, const struct descriptor *d,
	struct url *session, uint64_t start, struct source *from, struct memory_upload *kept,
	struct err *err);

#define UPLOAD_TOKEN_MARGIN_S 30 /* what a token must live for when bytes are sent */

/* What both ways have in common, of upload.c. */
int upload_open(const struct repository *r, const struct digest *digest, struct url *location,
	struct err *err);
/* Where a session stands: *has bytes are there; *location may change.  ERR_NOTFOUND: it is gone. */
int upload_ask(
	const struct repository *r, struct url *location, uint64_t *has, struct err *err);
int upload_location(const struct http_response *response, const struct url *at,
	struct url *location, struct err *err);
int upload_closing_url(
	const struct url *location, const struct digest *digest, struct url *out, struct err *err);
void upload_cancel(const struct repository *r, const struct url *location);

/* How many bytes the registry has, from a Range header ("0-99", or "bytes=0-99"): 0 for one that is
 * missing, odd, or "0-0", which may mean none as well as one. */
uint64_t upload_parse_range(const char *range);

#endif
