/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_RETRY_H
#define REGISTRY_RETRY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "registry/http.h"

/* retry - when to ask again.  Waits grow with jitter, so that many clients do not come back at
 * once; a server's Retry-After is obeyed up to a limit, and past it the answer is final. */

struct retry_options {
	unsigned tries;    /* 0: 5 */
	unsigned first_ms; /* the shortest wait; 0: 300 */
};

struct retry {
	struct retry_options options;
	unsigned done; /* tries so far */
	unsigned wait_ms;
	uint64_t random;
};
void retry_start(struct retry *r, const struct retry_options *options);

/* Whether the exchange may be tried again (result: of http_perform).  If so it has waited. */
bool retry_again(struct retry *r, int result, const struct http_response *response);
/* Bytes arrived before it broke: that try does not count. */
void retry_forgive(struct retry *r);

/* What a response asks to wait: from Retry-After (seconds or a date) or, as GHCR does,
 * "retry-after: 985us" in its body; -1: nothing. */
int64_t retry_after_ms(const char *header, const char *body, time_t now);

#endif
