/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_DOWNLOAD_H
#define REGISTRY_DOWNLOAD_H

#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "layers/stream.h"
#include "registry/repository.h"

/* download - the bytes of one blob or manifest, from an offset.  A connection that breaks, stalls
 * or ends early is taken up where it broke, from the registry anew (what it redirects to expires);
 * tries that brought bytes do not count.  A server that ignores Range is read from its start and
 * the bytes that are known are dropped. */

/* path: "/v2/NAME/blobs/sha256:..."; size: of the whole.  Exactly size - offset bytes go to out. */
int download(const struct repository *r, const char *path, const struct strv *headers,
	uint64_t size, uint64_t offset, struct sink *out, struct err *err);

/* "bytes 5-9/10": 0 when it is understood; *total is UINT64_MAX for '*'. */
int download_parse_range(
	const char *content_range, uint64_t *first, uint64_t *last, uint64_t *total);

#endif
