/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/download.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/proc.h"
#include "registry/download_parts.h"
#include "registry/retry.h"

#define EXPIRED_MAX 3 /* redirects that lead to a refusal */
#define FORGIVE_SIZE (64u << 10)

struct download {
	struct sink counter; /* stands before out */
	const struct repository *r;
	struct span *span;
	uint64_t position; /* what out has, from the start of the blob */
	uint64_t skip;     /* bytes that come again */
	unsigned expired;
	bool ignores_ranges, is_slow;
	uint64_t begun_ms; /* of this answer's body */
	uint64_t begun_at;
};

/* One connection may be throttled where several are not.  This one is given up for others only once
 * those are ours. */
static bool
is_slow(struct download *d)
{
	uint64_t got = d->position - d->begun_at;
	bool slow;

	if (d->span->slow_bytes_s == 0 || got < DOWNLOAD_PROBE_SIZE ||
		d->span->end - d->position < DOWNLOAD_PARTS_SIZE)
		return false;
	slow = got / (proc_now_ms() - d->begun_ms + 1) < d->span->slow_bytes_s / 1000;
	if (slow)
		d->span->connections = session_borrow(
			d->r->session, DOWNLOAD_CONNECTIONS_MIN, DOWNLOAD_CONNECTIONS_MAX);
	d->begun_at = d->position;
	d->begun_ms = proc_now_ms();
	return d->span->connections > 0;
}

static int
counter_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	struct download *d = (struct download *)(void *)s;
	size_t again = d->skip < len ? (size_t)d->skip : len;

	d->skip -= again;
	len -= again;
	if (len > d->span->end - d->position)
		return err_set(
			err, ERR_CORRUPT, "more than its %" PRIu64 " bytes arrived", d->span->size);
	if (len == 0)
		return 0;
	if (sink_write(d->span->out, (const char *)bytes + again, len, err) < 0)
		return -1;
	d->position += len;
	d->is_slow = is_slow(d);
	return d->is_slow ? err_set(err, ERR_REMOTE, "it is slow") : 0;
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
	if (total != UINT64_MAX && total != d->span->size)
		return err_set(err, ERR_CORRUPT, "it has %" PRIu64 " bytes instead of %" PRIu64,
			total, d->span->size);
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
	d->begun_at = d->position;
	d->begun_ms = proc_now_ms();
	if (r->status == 206)
		return accept_range(d, r, err);
	if (r->status != 200)
		return err_set(err, ERR_REMOTE, "%d is no answer to a GET", r->status);
	d->skip = d->position;
	if (length != NULL && (encoding == NULL || strcasecmp(encoding, "identity") == 0) &&
		strtoull(length, NULL, 10) != d->span->size)
		return err_set(err, ERR_CORRUPT, "it has %s bytes instead of %" PRIu64, length,
			d->span->size);
	d->ignores_ranges = d->span->end < d->span->size;
	return d->ignores_ranges ? err_set(err, ERR_REMOTE, "it ignores ranges") : 0;
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

static void
learn_direct(const struct repository *r, struct span *span, const struct url *at, bool worked)
{
	if (span->direct == NULL)
		return;
	span->has_direct = worked && is_elsewhere(r, at);
	if (span->has_direct)
		*span->direct = *at;
}

/* 1: complete, 0: try again, -1. */
static int
try_once(const struct repository *r, struct request *q, struct span *span, struct download *d,
	struct retry *retry, struct err *err)
{
	AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
	uint64_t before = d->position;
	bool was_direct = q->url != NULL, is_good;
	struct url at;
	int result = request_send(r->session, r->host, q, &response, &at, err);

	if (response.failure == HTTP_FAILURE_OURS)
		return -1;
	if (d->position - before >= FORGIVE_SIZE)
		retry_forgive(retry);
	is_good = result == 0 && (response.status == 200 || response.status == 206);
	if (result == 0)
		learn_direct(r, span, &at, is_good);
	if (is_good && d->position == span->end)
		return 1;
	if (is_good) {
		result = err_set(err, ERR_REMOTE, "%" PRIu64 " of %" PRIu64 " bytes arrived",
			d->position, span->size);
		response.failure = HTTP_FAILURE_CUT;
	} else if (result == 0) {
		request_failed(r->session, r->host, q, &response, &at, err);
		if (response.status < 500 && (was_direct || is_elsewhere(r, &at)) &&
			++d->expired < EXPIRED_MAX)
			return 0;
	}
	return retry_again(retry, result, &response) ? 0 : -1;
}

static void
add_range(const struct span *span, uint64_t position, struct strv *headers)
{
	if (span->end < span->size)
		strv_addf(headers, "Range: bytes=%" PRIu64 "-%" PRIu64, position, span->end - 1);
	else if (position > 0)
		strv_addf(headers, "Range: bytes=%" PRIu64 "-", position);
}

int
download_span(const struct repository *r, struct span *span, struct err *err)
{
	struct download d = {
		.counter = { .ops = &counter_ops }, .r = r, .span = span, .position = span->first
	};
	struct retry retry;
	int done = 0;

	session_retry(r->session, &retry);
	while (done == 0 && d.position < span->end) {
		AUTO(strv) struct strv all = STRV_INIT;
		struct request q = { .method = "GET",
			.path = span->has_direct ? NULL : span->path,
			.url = span->has_direct ? span->direct : NULL,
			.reason = POLICY_REDIRECT,
			.repository = r->name,
			.scope = r->scope,
			.headers = &all,
			.accept = accept_body,
			.arg = &d,
			.once = true };

		if (span->headers != NULL)
			strv_add_all(&all, span->headers);
		add_range(span, d.position, &all);
		done = try_once(r, &q, span, &d, &retry, err);
	}
	span->position = d.position;
	span->is_slow = d.is_slow;
	span->ignores_ranges = d.ignores_ranges;
	return done < 0 ? -1 : 0;
}

int
download(const struct repository *r, const char *path, const struct strv *headers, uint64_t size,
	uint64_t offset, struct sink *out, struct err *err)
{
	struct url direct;
	struct span span = { .path = path,
		.headers = headers,
		.size = size,
		.first = offset,
		.end = size,
		.out = out,
		.direct = &direct,
		.slow_bytes_s = session_slow_bytes_s(r->session, r->host) };
	int result = download_span(r, &span, err);

	if (result == 0 || !span.is_slow)
		return result;
	span.first = span.position;
	span.slow_bytes_s = 0;
	result = download_parts(r, &span, err);
	if (result == 0 || !span.ignores_ranges)
		return result;
	span.first = span.position;
	return download_span(r, &span, err);
}
