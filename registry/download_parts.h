/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_DOWNLOAD_PARTS_H
#define REGISTRY_DOWNLOAD_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "layers/stream.h"
#include "registry/repository.h"
#include "registry/url.h"

/* download_parts - one blob over several connections.  Some storage throttles each of them; so what
 * turns out to be slow is continued in parts, a few of which are fetched ahead into memory and
 * handed on in order. */

#define DOWNLOAD_PART (4u << 20)
#define DOWNLOAD_CONNECTIONS_MIN 2 /* fewer are no gain */
#define DOWNLOAD_CONNECTIONS_MAX 4
#define DOWNLOAD_WINDOW 6               /* parts in memory */
#define DOWNLOAD_PROBE_SIZE (4u << 20)  /* after so much it is known how fast one is */
#define DOWNLOAD_PARTS_SIZE (16u << 20) /* less is not worth it */

struct span {
	const char *path; /* at the registry */
	const struct strv *headers;
	uint64_t size;       /* of the blob */
	uint64_t first, end; /* what of it is wanted */
	struct sink *out;
	uint64_t slow_bytes_s; /* below that it ends with is_slow; 0: never */
	/* Where the registry sent us to, so that it need not be asked for each part; NULL: not
	 * wanted. */
	struct url *direct;
	bool has_direct;
	/* what came of it */
	uint64_t position; /* what out has */
	bool is_slow, ignores_ranges;
	unsigned connections; /* borrowed for download_parts(), which gives them back */
};

/* One connection, with its retries. */
int download_span(const struct repository *r, struct span *span, struct err *err);
/* Several; -1 with ignores_ranges: go on with one from span->position. */
int download_parts(const struct repository *r, struct span *span, struct err *err);

#endif
