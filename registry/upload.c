/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/upload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/mem.h"
#include "registry/reply.h"
#include "registry/retry.h"
#include "registry/upload_chunks.h"

#define CUTS_MAX 2

int
upload_check_digest(const struct http_response *r, const struct digest *wanted, struct err *err)
{
	const char *header = http_header(r, "docker-content-digest", 0);
	struct digest said;
	struct err ignored;

	/* another algorithm says nothing about ours */
	if (header == NULL || digest_parse(header, &said, &ignored) < 0 ||
		digest_algorithm(&said) != digest_algorithm(wanted) || digest_same(&said, wanted))
		return 0;
	return err_set(
		err, ERR_CORRUPT, "the registry stored %s instead of %s", said.text, wanted->text);
}

int
upload_has_blob(const struct repository *r, const struct descriptor *d, struct err *err)
{
	AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
	AUTO(free) char *path = xasprintf("/v2/%s/blobs/%s", r->name, d->digest.text);
	/* storage that is redirected to often knows no HEAD; that the registry sends there says
	 * enough */
	struct request q = { .method = "HEAD",
		.path = path,
		.repository = r->name,
		.scope = r->scope,
		.keep_redirect = true };
	const char *length;
	struct url at;

	if (request_send(r->session, r->host, &q, &response, &at, err) < 0)
		return -1;
	length = http_header(&response, "content-length", 0);
	if (response.status == 200)
		return length == NULL || d->size == 0 || strtoull(length, NULL, 10) == d->size;
	if (response.status >= 300 && response.status < 400)
		return 1;
	/* some refuse HEAD where GET works: then it is simply not known */
	if (response.status == 401 || response.status == 429 || response.status >= 500)
		return request_failed(r->session, r->host, &q, &response, &at, err);
	return 0;
}

int
upload_open(const struct repository *r, const struct digest *digest, struct url *location,
	uint64_t *chunk_min, struct err *err)
{
	AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
	AUTO(free)
	char *path = xasprintf("/v2/%s/blobs/uploads/%s", r->name,
		digest_algorithm(digest) == DIGEST_SHA512 ? "?digest-algorithm=sha512" : "");
	struct request q = {
		.method = "POST", .path = path, .repository = r->name, .scope = r->scope
	};
	const char *least;
	struct url at;

	if (request_send(r->session, r->host, &q, &response, &at, err) < 0)
		return -1;
	if (response.status != 202 && response.status != 201)
		return request_failed(r->session, r->host, &q, &response, &at, err);
	least = http_header(&response, "oci-chunk-min-length", 0);
	*chunk_min = least != NULL ? strtoull(least, NULL, 10) : 0;
	return upload_location(&response, &at, location, err);
}

int
upload_location(const struct http_response *response, const struct url *at, struct url *location,
	struct err *err)
{
	const char *header = http_header(response, "location", 0);

	if (header == NULL)
		return err_set(err, ERR_REMOTE, "the registry opens an upload but says not where");
	if (url_resolve(at, header, location, err) < 0)
		return err_in(err, "the upload location");
	return 0;
}

int
upload_closing_url(
	const struct url *location, const struct digest *digest, struct url *out, struct err *err)
{
	AUTO(buf) struct buf target = BUF_INIT;

	buf_adds(&target, location->target);
	url_add_parameter(&target, "digest", digest->text);
	if (target.len >= sizeof out->target)
		return err_set(err, ERR_INPUT, "the upload location is too long");
	*out = *location;
	memcpy(out->target, target.data, target.len + 1);
	return 0;
}

void
upload_cancel(const struct repository *r, const struct url *location)
{
	AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
	struct request q = { .method = "DELETE",
		.url = location,
		.reason = POLICY_UPLOAD,
		.repository = r->name,
		.scope = r->scope,
		.once = true };
	struct err ignored;

	request_send(r->session, r->host, &q, &response, NULL, &ignored);
}

int
upload_mount(const struct repository *r, const struct descriptor *d, const char *from,
	struct url *location, bool *has_location, struct err *err)
{
	AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
	AUTO(free)
	char *path =
		xasprintf("/v2/%s/blobs/uploads/?mount=%s&from=%s", r->name, d->digest.text, from);
	AUTO(free) char *scope = xasprintf("%s repository:%s:pull", r->scope, from);
	struct request q = {
		.method = "POST", .path = path, .repository = r->name, .scope = scope
	};
	struct err ignored;
	struct url at;

	*has_location = false;
	if (request_send(r->session, r->host, &q, &response, &at, &ignored) < 0)
		return 0; /* moving the bytes will say what is wrong, if anything is */
	if (response.status == 201)
		return upload_check_digest(&response, &d->digest, &ignored) == 0 &&
		       upload_has_blob(r, d, &ignored) == 1;
	if (response.status == 202)
		*has_location = upload_location(&response, &at, location, err) == 0;
	return 0;
}

static int
send_all(void *arg, struct sink *out, struct err *err)
{
	return source_send(arg, 0, out, err);
}

enum outcome { DONE, AGAIN, CHUNKS, FAILED };

/* The answer of a closing PUT. */
static enum outcome
judge(const struct repository *r, const struct descriptor *d, const struct request *q,
	const struct http_response *response, const struct url *at, struct err *err)
{
	switch (response->status) {
	case 200:
	case 201:
	case 204:
		return upload_check_digest(response, &d->digest, err) < 0 ? FAILED : DONE;
	case 404: /* the session got lost */
	case 416:
		request_failed(r->session, r->host, q, response, at, err);
		err->kind = ERR_REMOTE;
		return AGAIN;
	case 413:
		request_failed(r->session, r->host, q, response, at, err);
		return CHUNKS;
	default:
		request_failed(r->session, r->host, q, response, at, err);
		if (response->status == 400 && reply_has_code(response, "DIGEST_INVALID"))
			err->kind = ERR_CORRUPT;
		return err->kind == ERR_REMOTE ? AGAIN : FAILED;
	}
}

static enum outcome
put_whole(const struct repository *r, const struct descriptor *d, const struct url *location,
	struct source *from, struct http_response *response, int *result, struct err *err)
{
	AUTO(strv) struct strv headers = STRV_INIT;
	struct url closing, at;
	struct request q = { .method = "PUT",
		.url = &closing,
		.reason = POLICY_UPLOAD,
		.repository = r->name,
		.scope = r->scope,
		.headers = &headers,
		.margin_s = UPLOAD_TOKEN_MARGIN_S,
		.send = send_all,
		.size = d->size,
		.arg = from,
		.once = true };

	strv_add(&headers, "Content-Type: application/octet-stream");
	if (upload_closing_url(location, &d->digest, &closing, err) < 0)
		return FAILED;
	*result = request_send(r->session, r->host, &q, response, &at, err);
	if (*result < 0)
		return response->failure == HTTP_FAILURE_OURS || err->kind == ERR_DENIED ? FAILED
											 : AGAIN;
	return judge(r, d, &q, response, &at, err);
}

/* The answer to a PUT may get lost after the registry took it. */
static bool
arrived(const struct repository *r, const struct descriptor *d)
{
	struct err ignored;

	return upload_has_blob(r, d, &ignored) == 1;
}

static bool
wants_chunks(const struct repository *r)
{
	bool wants;

	pthread_mutex_lock(&r->host->lock);
	wants = r->host->no_monolithic;
	pthread_mutex_unlock(&r->host->lock);
	return wants;
}

static void
learn_chunks(const struct repository *r)
{
	pthread_mutex_lock(&r->host->lock);
	r->host->no_monolithic = true;
	pthread_mutex_unlock(&r->host->lock);
	event_debug("%s: blobs go in chunks from now on", r->host->name);
}

int
upload_blob(const struct repository *r, const struct descriptor *d, const struct url *location,
	struct source *from, struct err *err)
{
	struct retry retry;
	struct url session;
	uint64_t chunk_min = 0;
	unsigned cuts = 0;

	session_retry(r->session, &retry);
	for (;;) {
		AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
		enum outcome outcome;
		int result = 0;

		if (location != NULL)
			session = *location;
		else if (upload_open(r, &d->digest, &session, &chunk_min, err) < 0)
			return -1;
		location = NULL;
		if (wants_chunks(r))
			return upload_chunks(r, d, &session, chunk_min, from, err);
		outcome = put_whole(r, d, &session, from, &response, &result, err);
		if (outcome == DONE)
			return 0;
		if (outcome == AGAIN && arrived(r, d))
			return 0;
		/* something on the way may cut what is long without a word */
		if (outcome == AGAIN && response.failure == HTTP_FAILURE_CUT &&
			d->size > UPLOAD_CHUNK && ++cuts == CUTS_MAX)
			outcome = CHUNKS;
		if (outcome != AGAIN || response.status >= 500)
			upload_cancel(r, &session);
		if (outcome == FAILED)
			return -1;
		if (outcome == CHUNKS)
			learn_chunks(r);
		else if (response.status == 404 || response.status == 416)
			response.status = 503; /* as good as a failure that passes */
		if (outcome == AGAIN && !retry_again(&retry, result, &response))
			return -1;
	}
}
