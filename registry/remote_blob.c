/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/remote_blob.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/strv.h"
#include "registry/download.h"
#include "registry/remote_repository.h"
#include "registry/request.h"

#define ANSWER_MAX (64u << 10) /* of who ignores that one byte was asked for, and of an error */

static int
parse_length(const char *text, uint64_t *out)
{
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return *end != '\0' || errno != 0 ? -1 : 0;
}

static int
size_of(const struct http_response *r, uint64_t *out)
{
	const char *range = http_header(r, "content-range", 0);
	uint64_t first, last;

	if (r->status == 200)
		return parse_length(http_header(r, "content-length", 0), out);
	if (r->status != 206 || range == NULL)
		return -1;
	return download_parse_range(range, &first, &last, out) < 0 || *out == UINT64_MAX ? -1 : 0;
}

/* 1, 0: it does not say, -1 */
static int
ask(const struct repository *r, const char *method, const struct digest *digest,
	const struct strv *headers, uint64_t *out, struct err *err)
{
	AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
	AUTO(free) char *path = xasprintf("/v2/%s/blobs/%s", r->name, digest->text);
	struct request q = { .method = method,
		.path = path,
		.repository = r->name,
		.scope = r->scope,
		.headers = headers,
		.limit = ANSWER_MAX };
	bool is_head = streq(method, "HEAD");
	struct url at;

	if (request_send(r->session, r->host, &q, &response, &at, err) < 0)
		return -1;
	if (size_of(&response, out) == 0)
		return 1;
	if (response.status == 404 || (response.status >= 400 && !is_head) ||
		response.status == 401 || response.status == 429 || response.status >= 500)
		return request_failed(r->session, r->host, &q, &response, &at, err);
	return 0;
}

int
remote_blob(struct place *p, const struct digest *digest, struct descriptor *out, struct err *err)
{
	const struct repository *r = remote_repository(p);
	AUTO(strv) struct strv headers = STRV_INIT;
	struct descriptor d = { .digest = *digest };
	int known = ask(r, "HEAD", digest, &headers, &d.size, err);

	if (known == 0) {
		strv_add(&headers, "Range: bytes=0-0");
		known = ask(r, "GET", digest, &headers, &d.size, err);
	}
	if (known < 0)
		return -1;
	if (known == 0)
		return err_set(
			err, ERR_REMOTE, "the registry does not say how large %s is", digest->text);
	descriptor_copy(&d, out);
	return 0;
}
