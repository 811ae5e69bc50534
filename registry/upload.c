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
	struct err *err)
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
	if (least != NULL)
		session_learn(r->session, r->host,
			&(struct memory_host){ .chunk_min = strtoull(least, NULL, 10) });
	return upload_location(&response, &at, location, err);
}

int
upload_ask(const struct repository *r, struct url *location, uint64_t *has, struct err *err)
{
	AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
	struct request q = { .method = "GET",
		.url = location,
		.reason = POLICY_UPLOAD,
		.repository = r->name,
		.scope = r->scope };
	struct url at;

	if (request_send(r->session, r->host, &q, &response, &at, err) < 0)
		return -1;
	if (response.status != 204 && response.status != 202 && response.status != 200) {
		request_failed(r->session, r->host, &q, &response, &at, err);
		if (response.status == 400 || response.status == 410 || response.status == 416)
			err->kind = ERR_NOTFOUND;
		return -1;
	}
	if (http_header(&response, "location", 0) != NULL &&
		upload_location(&response, &at, location, err) < 0)
		return -1;
	*has = upload_parse_range(http_header(&response, "range", 0));
	return 0;
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
	struct memory_host can;
	struct err ignored;
	struct url at;

	*has_location = false;
	host_can(r->host, &can);
	if (can.no_mount)
		return 0;
	if (request_send(r->session, r->host, &q, &response, &at, &ignored) < 0)
		return 0; /* moving the bytes will say what is wrong, if anything is */
	if (response.status == 400 || response.status == 405 || response.status == 501)
		session_learn(r->session, r->host, &(struct memory_host){ .no_mount = true });
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

/* The answer of a closing PUT. */
static enum upload_outcome
judge(const struct repository *r, const struct descriptor *d, const struct request *q,
	const struct http_response *response, const struct url *at, struct err *err)
{
	switch (response->status) {
	case 200:
	case 201:
	case 204:
		return upload_check_digest(response, &d->digest, err) < 0 ? UPLOAD_FAILED
									  : UPLOAD_DONE;
	case 404: /* the session got lost */
	case 416:
		request_failed(r->session, r->host, q, response, at, err);
		err->kind = ERR_REMOTE;
		return UPLOAD_AGAIN;
	case 413:
		request_failed(r->session, r->host, q, response, at, err);
		return UPLOAD_CHUNKS;
	default:
		request_failed(r->session, r->host, q, response, at, err);
		if (response->status == 400 && reply_has_code(response, "DIGEST_INVALID"))
			err->kind = ERR_CORRUPT;
		return err->kind == ERR_REMOTE ? UPLOAD_AGAIN : UPLOAD_FAILED;
	}
}

/* One blob on its way. */
struct upload {
	const struct repository *r;
	const struct descriptor *d;
	struct source *from;
	struct url session;
	struct memory_upload kept;
	struct retry retry;
	unsigned cuts;
	bool whole_refused; /* this one, in one piece */
};

static enum upload_outcome
put_whole(struct upload *u, struct http_response *response, int *result, struct err *err)
{
	AUTO(strv) struct strv headers = STRV_INIT;
	struct url closing, at;
	struct request q = { .method = "PUT",
		.url = &closing,
		.reason = POLICY_UPLOAD,
		.repository = u->r->name,
		.scope = u->r->scope,
		.headers = &headers,
		.margin_s = UPLOAD_TOKEN_MARGIN_S,
		.send = send_all,
		.size = u->d->size,
		.arg = u->from,
		.once = true };

	strv_add(&headers, "Content-Type: application/octet-stream");
	if (upload_closing_url(&u->session, &u->d->digest, &closing, err) < 0)
		return UPLOAD_FAILED;
	*result = request_send(u->r->session, u->r->host, &q, response, &at, err);
	if (*result < 0)
		return response->failure == HTTP_FAILURE_OURS || err->kind == ERR_DENIED
			       ? UPLOAD_FAILED
			       : UPLOAD_AGAIN;
	return judge(u->r, u->d, &q, response, &at, err);
}

/* The answer to a PUT may get lost after the registry took it. */
static bool
arrived(const struct repository *r, const struct descriptor *d)
{
	struct err ignored;

	return upload_has_blob(r, d, &ignored) == 1;
}

/* Goes on where the session stands.  UPLOAD_AGAIN where nothing can be made of it; then err is as
 * it was. */
static enum upload_outcome
take_up(struct upload *u, struct err *err)
{
	enum upload_outcome outcome;
	struct memory_host can;
	struct err why = *err;
	uint64_t has;

	host_can(u->r->host, &can);
	if (can.no_chunks || u->d->size < UPLOAD_RESUMED_MIN ||
		upload_ask(u->r, &u->session, &has, &why) < 0 || has == 0 || has > u->d->size)
		return UPLOAD_AGAIN;
	event_debug("%s: the upload goes on at byte %" PRIu64, u->d->digest.text, has);
	outcome = upload_chunks(u->r, u->d, &u->session, has, u->from, &u->kept, &why);
	/* what was there need not have been the beginning of this blob */
	if (outcome == UPLOAD_FAILED && why.kind == ERR_CORRUPT)
		return UPLOAD_AGAIN;
	if (outcome == UPLOAD_FAILED)
		*err = why;
	return outcome;
}

/* What the registry takes in no way at all ends here. */
static bool
learn(struct upload *u, enum upload_outcome outcome, int status)
{
	struct memory_host lesson = { .no_monolithic = outcome == UPLOAD_CHUNKS,
		.no_chunks = outcome == UPLOAD_WHOLE };
	struct memory_host can;

	host_can(u->r->host, &can);
	u->whole_refused = u->whole_refused || status == 413;
	if (u->whole_refused && (can.no_chunks || lesson.no_chunks))
		return false;
	session_learn(u->r->session, u->r->host, &lesson);
	event_debug("%s: blobs go in %s from now on", u->r->host->name,
		lesson.no_chunks ? "one piece" : "chunks");
	return true;
}

static enum upload_outcome
send_once(struct upload *u, struct http_response *response, int *result, struct err *err)
{
	enum upload_outcome outcome;
	struct memory_host can;

	host_can(u->r->host, &can);
	if (can.no_monolithic && !can.no_chunks) {
		outcome = upload_chunks(u->r, u->d, &u->session, 0, u->from, &u->kept, err);
		response->status = 404; /* it was tried again already, but with this session */
	} else {
		outcome = put_whole(u, response, result, err);
	}
	if (outcome != UPLOAD_AGAIN)
		return outcome;
	if (arrived(u->r, u->d))
		return UPLOAD_DONE;
	if (response->status != 404 && response->status != 416 &&
		response->failure != HTTP_FAILURE_CONNECT &&
		response->failure != HTTP_FAILURE_RESOLVE)
		outcome = take_up(u, err);
	/* something on the way may cut what is long without a word */
	if (outcome == UPLOAD_AGAIN && response->failure == HTTP_FAILURE_CUT &&
		u->d->size > UPLOAD_CHUNK && ++u->cuts == CUTS_MAX)
		outcome = UPLOAD_CHUNKS;
	return outcome;
}

/* location: a session that is open already, or NULL. */
static int
send_until_done(struct upload *u, const struct url *location, struct err *err)
{
	enum upload_outcome outcome;

	for (;;) {
		AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
		int result = 0;

		if (location != NULL)
			u->session = *location;
		else if (upload_open(u->r, &u->d->digest, &u->session, err) < 0)
			return -1;
		location = NULL;
		memory_upload_write(&u->kept, &u->session);
		outcome = send_once(u, &response, &result, err);
		if (outcome == UPLOAD_DONE)
			return 0;
		if (outcome == UPLOAD_FAILED)
			return -1;
		if (outcome != UPLOAD_AGAIN) {
			upload_cancel(u->r, &u->session);
			if (!learn(u, outcome, response.status))
				return -1;
			continue;
		}
		if (response.status == 404 || response.status == 416)
			response.status = 503; /* as good as a failure that passes */
		if (!retry_again(&u->retry, result, &response))
			return -1;
		if (response.status >= 500)
			upload_cancel(u->r, &u->session);
	}
}

int
upload_blob(const struct repository *r, const struct descriptor *d, const struct url *location,
	struct source *from, struct err *err)
{
	struct upload u = { .r = r, .d = d, .from = from, .kept = MEMORY_UPLOAD_INIT };
	enum upload_outcome outcome = UPLOAD_AGAIN;
	bool is_over;
	int result;

	session_retry(r->session, &u.retry);
	if (d->size >= UPLOAD_RESUMED_MIN)
		memory_upload_begin(
			session_store(r->session), r->host->name, r->name, &d->digest, &u.kept);
	if (u.kept.has_location) {
		u.session = u.kept.location;
		err_set(err, ERR_REMOTE, "the upload cannot be taken up again");
		/* asked first also as it tells how the host is reached */
		outcome = arrived(r, d) ? UPLOAD_DONE : take_up(&u, err);
	}
	if (outcome == UPLOAD_DONE && location != NULL)
		upload_cancel(r, location);
	result = outcome == UPLOAD_DONE     ? 0
		 : outcome == UPLOAD_FAILED ? -1
					    : send_until_done(&u, location, err);
	/* what another run may go on with is left to it */
	is_over = result == 0 || (err->kind != ERR_REMOTE && err->kind != ERR_INTERRUPTED);
	if (result < 0 && (is_over || u.kept.fd < 0) && u.session.port != 0)
		upload_cancel(r, &u.session);
	memory_upload_end(&u.kept, is_over);
	return result;
}
