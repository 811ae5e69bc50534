/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/upload_chunks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/mem.h"
#include "registry/reply.h"
#include "registry/retry.h"

struct chunks {
	struct sink sink; /* the source pushes into it */
	const struct repository *r;
	const struct descriptor *d;
	struct url location;
	size_t chunk;   /* bytes that are held at a time */
	size_t piece;   /* bytes of a PATCH; a part of a chunk where the registry takes no more */
	uint64_t start; /* of the chunk that is held, in the blob */
	struct buf held;
	size_t sent; /* of what is held, that the registry has */
	struct memory_upload *kept;
	enum upload_outcome outcome; /* of a failure */
};

uint64_t
upload_parse_range(const char *range)
{
	const char *dash = range != NULL ? strchr(range, '-') : NULL;
	uint64_t last;

	if (dash == NULL || dash[1] < '0' || dash[1] > '9')
		return 0;
	last = strtoull(dash + 1, NULL, 10);
	return last == 0 || last >= INT64_MAX ? 0 : last + 1;
}

static size_t
next_piece(const struct chunks *c)
{
	size_t left = c->held.len - c->sent;

	return left < c->piece ? left : c->piece;
}

static int
send_piece(void *arg, struct sink *out, struct err *err)
{
	const struct chunks *c = arg;

	return sink_write(out, c->held.data + c->sent, next_piece(c), err);
}

static int
lost(struct chunks *c, uint64_t has, enum upload_outcome outcome, struct err *err)
{
	c->outcome = outcome;
	return err_set(err, ERR_REMOTE,
		"the registry has %" PRIu64 " bytes of this upload, not %" PRIu64, has,
		c->start + c->sent + next_piece(c));
}

/* Where the session stands after something broke, which must be a place within the chunk. */
static int
ask_status(struct chunks *c, struct err *err)
{
	uint64_t has;

	if (upload_ask(c->r, &c->location, &has, err) < 0) {
		if (err->kind == ERR_NOTFOUND)
			err->kind = ERR_REMOTE;
		c->outcome = err->kind == ERR_REMOTE ? UPLOAD_AGAIN : UPLOAD_FAILED;
		return err_in(err, "the upload cannot be taken up again");
	}
	if (has < c->start || has > c->start + c->held.len)
		return lost(c, has, UPLOAD_AGAIN, err);
	c->sent = (size_t)(has - c->start);
	return 0;
}

/* 1: it has the piece, 0: a part of it, -1. */
static int
took(struct chunks *c, const struct http_response *response, const struct url *at, struct err *err)
{
	const char *range = http_header(response, "range", 0);
	uint64_t has, end = c->start + c->sent + next_piece(c);

	if (upload_location(response, at, &c->location, err) < 0)
		return -1;
	has = range != NULL && end > 1 ? upload_parse_range(range) : end;
	/* one that lost bytes would otherwise find out only when all is sent; some lose all but the
	 * first chunk each time */
	if (has > end || has <= c->start + c->sent)
		return lost(c, has, UPLOAD_WHOLE, err);
	c->sent = (size_t)(has - c->start);
	memory_upload_write(c->kept, &c->location);
	return has == end;
}

/* Some take small pieces only, and say so when it is too late. */
static bool
may_shrink(struct chunks *c, int status)
{
	if ((status != 413 && status != 416) || next_piece(c) <= UPLOAD_CHUNK_SMALL)
		return false;
	c->piece = UPLOAD_CHUNK_SMALL;
	session_learn(c->r->session, c->r->host, &(struct memory_host){ .small_chunks = true });
	return true;
}

/* 1: it has the piece, 0: try again, -1. */
static int
patch(struct chunks *c, struct retry *retry, struct err *err)
{
	AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
	AUTO(strv) struct strv headers = STRV_INIT;
	struct request q = { .method = "PATCH",
		.url = &c->location,
		.reason = POLICY_UPLOAD,
		.repository = c->r->name,
		.scope = c->r->scope,
		.headers = &headers,
		.margin_s = UPLOAD_TOKEN_MARGIN_S,
		.send = send_piece,
		.size = next_piece(c),
		.arg = c,
		.once = true };
	struct url at;
	int result;

	strv_add(&headers, "Content-Type: application/octet-stream");
	strv_addf(&headers, "Content-Range: %" PRIu64 "-%" PRIu64, c->start + c->sent,
		c->start + c->sent + next_piece(c) - 1);
	result = request_send(c->r->session, c->r->host, &q, &response, &at, err);
	if (result == 0 &&
		(response.status == 202 || response.status == 204 || response.status == 201))
		return took(c, &response, &at, err);
	if (result < 0 && (response.failure == HTTP_FAILURE_OURS || err->kind == ERR_DENIED))
		return -1;
	if (result == 0) {
		request_failed(c->r->session, c->r->host, &q, &response, &at, err);
		if (may_shrink(c, response.status))
			return ask_status(c, err) < 0 ? -1 : 0;
		if (response.status == 416)
			response.status = 503; /* the status says where to go on */
	}
	if (result == 0 && response.status == 404) {
		c->outcome = UPLOAD_AGAIN;
		err->kind = ERR_REMOTE;
		return -1;
	}
	if (!retry_again(retry, result, &response)) {
		c->outcome = err->kind == ERR_REMOTE ? UPLOAD_AGAIN : UPLOAD_FAILED;
		return -1;
	}
	return ask_status(c, err) < 0 ? -1 : 0;
}

static int
flush(struct chunks *c, struct err *err)
{
	struct retry retry;

	session_retry(c->r->session, &retry);
	c->sent = 0;
	while (c->sent < c->held.len)
		if (patch(c, &retry, err) < 0)
			return -1;
	c->start += c->held.len;
	buf_clear(&c->held);
	c->sent = 0;
	return 0;
}

static int
chunks_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	struct chunks *c = (struct chunks *)(void *)s;
	const char *from = bytes;
	size_t n;

	while (len > 0) {
		n = c->chunk - c->held.len < len ? c->chunk - c->held.len : len;
		buf_add(&c->held, from, n);
		from += n;
		len -= n;
		if (c->held.len == c->chunk && flush(c, err) < 0)
			return -1;
	}
	return 0;
}

static const struct sink_ops chunks_ops = { .write = chunks_write };

static int
close_session(struct chunks *c, struct err *err)
{
	AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
	struct url closing, at;
	struct request q = { .method = "PUT",
		.url = &closing,
		.reason = POLICY_UPLOAD,
		.repository = c->r->name,
		.scope = c->r->scope,
		.margin_s = UPLOAD_TOKEN_MARGIN_S };
	struct err ignored;

	if (upload_closing_url(&c->location, &c->d->digest, &closing, err) < 0)
		return -1;
	if (request_send(c->r->session, c->r->host, &q, &response, &at, err) < 0)
		return upload_has_blob(c->r, c->d, &ignored) == 1 ? 0 : -1;
	if (response.status == 200 || response.status == 201 || response.status == 204)
		return upload_check_digest(&response, &c->d->digest, err);
	if (upload_has_blob(c->r, c->d, &ignored) == 1)
		return 0; /* an earlier try of the same PUT arrived */
	request_failed(c->r->session, c->r->host, &q, &response, &at, err);
	if (response.status == 400 && reply_has_code(&response, "DIGEST_INVALID"))
		err->kind = ERR_CORRUPT;
	else if (response.status == 404 || response.status == 416)
		err->kind = ERR_REMOTE; /* the session is gone */
	if (err->kind == ERR_REMOTE)
		c->outcome = UPLOAD_AGAIN;
	return -1;
}

static size_t
chunk_size(uint64_t least)
{
	if (least <= UPLOAD_CHUNK)
		return UPLOAD_CHUNK;
	return least < UPLOAD_CHUNK_MAX ? (size_t)least : UPLOAD_CHUNK_MAX;
}

enum upload_outcome
upload_chunks(const struct repository *r, const struct descriptor *d, struct url *session,
	uint64_t start, struct source *from, struct memory_upload *kept, struct err *err)
{
	struct chunks c = { .sink = { .ops = &chunks_ops },
		.r = r,
		.d = d,
		.location = *session,
		.start = start,
		.held = BUF_INIT,
		.kept = kept,
		.outcome = UPLOAD_FAILED };
	struct memory_host can;
	int result = 0;

	host_can(r->host, &can);
	c.chunk = chunk_size(can.chunk_min);
	c.piece = can.small_chunks ? UPLOAD_CHUNK_SMALL : UPLOAD_CHUNK_MAX;
	if (start < d->size)
		result = source_send(from, start, &c.sink, err);
	if (result == 0 && c.held.len > 0)
		result = flush(&c, err);
	if (result == 0)
		result = close_session(&c, err);
	buf_free(&c.held);
	*session = c.location;
	return result == 0 ? UPLOAD_DONE : c.outcome;
}
