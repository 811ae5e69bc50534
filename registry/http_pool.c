/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http_pool.h"

#include <stdlib.h>

#include "base/mem.h"

#define CONNECT_MS 30000
#define STALL_MS 60000
#define ANSWER_MS 300000
#define IDLE_MAX 8

static void
slot_free(struct slot *s)
{
	if (s == NULL)
		return;
	if (s->easy != NULL)
		curl_easy_cleanup(s->easy);
	if (s->multi != NULL)
		curl_multi_cleanup(s->multi);
	buf_free(&s->origin);
	free(s);
}

static void
share_lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *arg)
{
	struct http *h = arg;

	(void)easy;
	(void)access;
	pthread_mutex_lock(&h->share_locks[data]);
}

static void
share_unlock(CURL *easy, curl_lock_data data, void *arg)
{
	struct http *h = arg;

	(void)easy;
	pthread_mutex_unlock(&h->share_locks[data]);
}

int
http_new(const struct http_options *options, struct http **out, struct err *err)
{
	AUTO(http) struct http *h = xzalloc(sizeof *h);
	size_t i;

	h->options = *options;
	if (h->options.connect_ms == 0)
		h->options.connect_ms = CONNECT_MS;
	if (h->options.stall_ms == 0)
		h->options.stall_ms = STALL_MS;
	if (h->options.answer_ms == 0)
		h->options.answer_ms = ANSWER_MS;
	pthread_mutex_init(&h->lock, NULL);
	for (i = 0; i < SHARES; i++)
		pthread_mutex_init(&h->share_locks[i], NULL);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, ERR_SYSTEM, "libcurl does not start: %s",
			curl_easy_strerror(CURLE_FAILED_INIT));
	h->share = curl_share_init();
	if (h->share == NULL)
		return err_set(err, ERR_SYSTEM, "libcurl does not start");
	curl_share_setopt(h->share, CURLSHOPT_USERDATA, h);
	curl_share_setopt(h->share, CURLSHOPT_LOCKFUNC, share_lock);
	curl_share_setopt(h->share, CURLSHOPT_UNLOCKFUNC, share_unlock);
	curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	*out = steal(&h);
	return 0;
}

void
http_free(struct http *h)
{
	struct slot *s;
	size_t i;

	if (h == NULL)
		return;
	while (h->idle != NULL) {
		s = h->idle;
		h->idle = s->next;
		slot_free(s);
	}
	if (h->share != NULL)
		curl_share_cleanup(h->share);
	for (i = 0; i < SHARES; i++)
		pthread_mutex_destroy(&h->share_locks[i]);
	pthread_mutex_destroy(&h->lock);
	curl_global_cleanup();
	free(h);
}

void
auto_http(struct http **h)
{
	http_free(*h);
}

struct slot *
slot_take(struct http *h, const struct url *url)
{
	AUTO(buf) struct buf origin = BUF_INIT;
	struct slot **at, *s = NULL;

	url_format_origin(url, &origin);
	pthread_mutex_lock(&h->lock);
	for (at = &h->idle; *at != NULL && !streq((*at)->origin.data, origin.data);
		at = &(*at)->next)
		if ((*at)->next == NULL && h->idle_count >= IDLE_MAX)
			break; /* the one that has rested longest */
	if (*at != NULL) {
		s = *at;
		*at = s->next;
		h->idle_count--;
	}
	pthread_mutex_unlock(&h->lock);
	if (s == NULL) {
		s = xzalloc(sizeof *s);
		s->origin = (struct buf)BUF_INIT;
		s->multi = curl_multi_init();
		s->easy = curl_easy_init();
		if (s->multi == NULL || s->easy == NULL)
			abort(); /* out of memory */
	}
	buf_clear(&s->origin);
	buf_add(&s->origin, origin.data, origin.len);
	return s;
}

void
slot_give(struct http *h, struct slot *s)
{
	pthread_mutex_lock(&h->lock);
	s->next = h->idle;
	h->idle = s;
	h->idle_count++;
	pthread_mutex_unlock(&h->lock);
}
