/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/download.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/event.h"
#include "base/mem.h"
#include "registry/retry.h"

#define EXPIRED_MAX 3 /* redirects that lead to a refusal */

struct download {
	struct sink counter; /* stands before out */
	struct sink *out;
	uint64_t size;
	uint64_t position; /* what out has, from the start of the blob */
	uint64_t skip;     /* bytes that come again */
};

static int
counter_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	struct download *d = (struct download *)(void *)s;
	size_t again = d->skip < len ? (size_t)d->skip : len;

	d->skip -= again;
	len -= again;
	if (len > d->size - d->position)
		return err_set(
			err, ERR_CORRUPT, "more than its %" PRIu64 " bytes arrived", d->size);
	if (len == 0)
		return 0;
	if (sink_write(d->out, (const char *)bytes + again, len, err) < 0)
		return -1;
	d->position += len;
	return 0;
}

static const struct sink_ops counter_ops = { .write = counter_write };

static int
read_number(const char **s, uint64_t *out)
{
	char *end;

	if (**s < '0' || **s > '9')
		return -1;
	errno = 0;
	*out = strtoull(*s, &end, 10);
	*s = end;
	return errno != 0 ? -1 : 0;
}

int
download_parse_range(const char *content_range, uint64_t *first, uint64_t *last, uint64_t *total)
{
	uint64_t f, l, t = UINT64_MAX;
	const char *s = content_range;

	if (strncasecmp(s, "bytes", 5) != 0)
		return -1;
	s += 5;
	s += strspn(s, " =");
	if (read_number(&s, &f) < 0 || *s++ != '-' || read_number(&s, &l) < 0 || *s++ != '/')
		return -1;
	if (*s == '*')
		s++;
	else if (read_number(&s, &t) < 0)
		return -1;
	if (*s != '\0' || f > l || l >= t)
		return -1;
	*first = f;
	*last = l;
	*total = t;
	return 0;
}

static int
accept_range(struct download *d, const struct http_response *r, struct err *err)
{
	const char *header = http_header(r, "content-range", 0);
	uint64_t first, last, total;

	if (header == NULL || download_parse_range(header, &first, &last, &total) < 0)
		return err_set(err, ERR_CORRUPT, "the answer to Range says not which bytes it has");
	if (first != d->position)
		return err_set(err, ERR_CORRUPT,
			"bytes from %" PRIu64 " came instead of from %" PRIu64, first, d->position);
	if (total != UINT64_MAX && total != d->size)
		return err_set(err, ERR_CORRUPT, "it has %" PRIu64 " bytes instead of %" PRIu64,
			total, d->size);
	return 0;
}

static int
accept_body(void *arg, const struct http_response *r, struct sink **out, struct err *err)
{
	struct download *d = arg;
	const char *length = http_header(r, "content-length", 0);
	const char *encoding = http_header(r, "content-encoding", 0);

	*out = &d->counter;
	d->skip = 0;
	if (r->status == 206)
		return accept_range(d, r, err);
	if (r->status != 200)
		return err_set(err, ERR_REMOTE, "%d is no answer to a GET", r->status);
	d->skip = d->position;
	if (length != NULL && (encoding == NULL || strcasecmp(encoding, "identity") == 0) &&
		strtoull(length, NULL, 10) != d->size)
		return err_set(
			err, ERR_CORRUPT, "it has %s bytes instead of %" PRIu64, length, d->size);
	return 0;
}

static bool
is_elsewhere(const struct repository *r, const struct url *at)
{
	struct url base;

	pthread_mutex_lock(&r->host->lock);
	base = r->host->base;
	pthread_mutex_unlock(&r->host->lock);
	return !url_same_origin(&base, at);
}

/* 1: complete, 0: try again, -1. */
static int
try_once(const struct repository *r, struct request *q, struct download *d, struct retry *retry,
	unsigned *expired, struct err *err)
{
	AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
	uint64_t before = d->position;
	struct url at;
	int result = request_send(r->session, r->host, q, &response, &at, err);

	if (response.failure == HTTP_FAILURE_OURS)
		return -1;
	if (d->position > before)
		retry_forgive(retry);
	if (result == 0 && (response.status == 200 || response.status == 206)) {
		if (d->position == d->size)
			return 1;
		result = err_set(err, ERR_REMOTE, "%" PRIu64 " of %" PRIu64 " bytes arrived",
			d->position, d->size);
		response.failure = HTTP_FAILURE_CUT;
	} else if (result == 0 && response.status == 416 && d->position == d->size) {
		return 1;
	} else if (result == 0) {
		request_failed(r->session, r->host, q, &response, &at, err);
		if (response.status < 500 && is_elsewhere(r, &at) && ++*expired < EXPIRED_MAX)
			return 0;
	}
	return retry_again(retry, result, &response) ? 0 : -1;
}

int
download(const struct repository *r, const char *path, const struct strv *headers, uint64_t size,
	uint64_t offset, struct sink *out, struct err *err)
{
	struct download d = {
		.counter = { .ops = &counter_ops }, .out = out, .size = size, .position = offset
	};
	struct retry retry;
	unsigned expired = 0;
	int done;

	session_retry(r->session, &retry);
	do {
		AUTO(strv) struct strv all = STRV_INIT;
		struct request q = { .method = "GET",
			.path = path,
			.repository = r->name,
			.scope = r->scope,
			.headers = &all,
			.accept = accept_body,
			.arg = &d,
			.once = true };

		if (headers != NULL)
			strv_add_all(&all, headers);
		if (d.position == size)
			return 0;
		if (d.position > 0) {
			strv_addf(&all, "Range: bytes=%" PRIu64 "-", d.position);
			event_debug("%s: going on from byte %" PRIu64, path, d.position);
		}
		done = try_once(r, &q, &d, &retry, &expired, err);
	} while (done == 0);
	return done < 0 ? -1 : 0;
}
