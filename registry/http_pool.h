/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_HTTP_POOL_H
#define REGISTRY_HTTP_POOL_H

#include <curl/curl.h>
#include <pthread.h>

#include "registry/http.h"

/* http_pool - connections that are kept between requests; only registry/http.c takes from it. */

#define SHARES CURL_LOCK_DATA_LAST

/* A handle with the connections it made.  libcurl must not share live connections between threads,
 * so a thread takes a whole slot, if it can one that talked to the same origin last. */
struct slot {
	struct slot *next;
	CURLM *multi;
	CURL *easy;
	struct buf origin;
};

struct http {
	struct http_options options;
	pthread_mutex_t lock; /* of idle */
	struct slot *idle;
	unsigned idle_count;
	CURLSH *share;
	pthread_mutex_t share_locks[SHARES];
};

/* A slot of this origin, else a new one; until it is given back it is the caller's alone. */
struct slot *slot_take(struct http *h, const struct url *url);
void slot_give(struct http *h, struct slot *s);

#endif
