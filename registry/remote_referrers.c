/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/remote_referrers.h"

#include <string.h>

#include "base/mem.h"
#include "layers/oci.h"
#include "registry/host.h"
#include "registry/link.h"
#include "registry/remote_repository.h"

#define DEPTH_MAX 4

static bool
is_index(const struct http_response *r)
{
	const char *header = http_header(r, "content-type", 0);
	char type[128];

	if (r->status != 200 || header == NULL)
		return false;
	media_type_clean(header, type);
	return streq(type, MEDIA_OCI_INDEX);
}

/* Adds the rows of an index that are wanted. */
static int
add_rows(const struct http_response *r, const char *artifact_type, json_t *out, struct err *err)
{
	AUTO(json) json_t *document = NULL;
	json_t *rows = NULL, *row;
	size_t i;

	if (json_parse(r->body.data, r->body.len, &document, err) < 0 ||
		json_get_array(document, "manifests", &rows, err) < 0)
		return err_in(err, "the list of referrers");
	json_array_foreach (rows, i, row) {
		const char *type = NULL;

		if (!json_is_object(row) || json_get_string(row, "artifactType", &type, err) < 0)
			continue;
		if (artifact_type != NULL && !streq(type, artifact_type))
			continue;
		if (json_array_size(out) == REFERRERS_MAX)
			return err_set(err, ERR_REMOTE, "more than %d referrers", REFERRERS_MAX);
		json_array_append(out, row);
	}
	return 0;
}

static int
ask(const struct repository *r, const char *path, const struct url *url,
	struct http_response *response, struct url *at, struct err *err)
{
	AUTO(strv) struct strv headers = STRV_INIT;
	struct request q = { .method = "GET",
		.path = path,
		.url = url,
		.reason = POLICY_LINK,
		.repository = r->name,
		.scope = r->scope,
		.headers = &headers,
		.limit = MANIFEST_MAX };

	strv_add(&headers, "Accept: " MEDIA_OCI_INDEX);
	if (request_send(r->session, r->host, &q, response, at, err) < 0)
		return -1;
	/* that a registry does not know the question is said in many ways; that we may not ask, in these */
	if (response->status == 401 || response->status == 429 || response->status >= 500)
		return request_failed(r->session, r->host, &q, response, at, err);
	return 0;
}

/* 1: the registry lists them, 0: it does not know how, -1. */
static int
list_by_question(const struct repository *r, const struct digest *subject,
	const char *artifact_type, json_t *out, struct err *err)
{
	AUTO(buf) struct buf path = BUF_INIT;
	struct url url, at;
	unsigned page;

	buf_addf(&path, "/v2/%s/referrers/%s", r->name, subject->text);
	if (artifact_type != NULL)
		url_add_parameter(&path, "artifactType", artifact_type);
	for (page = 0; page < REFERRERS_PAGES_MAX; page++) {
		AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
		AUTO(buf) struct buf next = BUF_INIT;
		const char *link;

		if (ask(r, page == 0 ? path.data : NULL, page == 0 ? NULL : &url, &response, &at,
			    err) < 0)
			return -1;
		if (!is_index(&response))
			return 0;
		if (add_rows(&response, artifact_type, out, err) < 0)
			return -1;
		link = http_header(&response, "link", 0);
		if (link == NULL || link_next(link, &next) == 0)
			return 1;
		if (url_resolve(&at, next.data, &url, err) < 0)
			return err_in(err, "the next page");
	}
	return err_set(err, ERR_REMOTE, "the list of referrers has no end");
}

void
remote_referrers_tag(const struct digest *subject, const char *ending, struct buf *out)
{
	buf_addf(out, "%s-%.64s%s", digest_algorithm_name(subject), digest_hex(subject), ending);
}

/* What is under the tag; some registries take such a tag for the digest, and answer with the subject. */
static int
list_by_tag(const struct repository *r, const struct digest *subject, const char *artifact_type,
	json_t *out, struct err *err)
{
	AUTO(http_response) struct http_response response = HTTP_RESPONSE_INIT;
	AUTO(buf) struct buf path = BUF_INIT;
	struct digest got;
	struct url at;

	buf_addf(&path, "/v2/%s/manifests/", r->name);
	remote_referrers_tag(subject, "", &path);
	if (ask(r, path.data, NULL, &response, &at, err) < 0)
		return -1;
	if (!is_index(&response))
		return 0;
	digest_of(response.body.data, response.body.len, &got);
	if (digest_same(&got, subject))
		return 0;
	return add_rows(&response, artifact_type, out, err);
}

int
remote_referrers(struct place *p, const struct digest *subject, const char *artifact_type,
	json_t **out, struct err *err)
{
	const struct repository *r = remote_repository(p);
	AUTO(json) json_t *rows = json_array();
	int listed = list_by_question(r, subject, artifact_type, rows, err);

	if (listed < 0 || (listed == 0 && list_by_tag(r, subject, artifact_type, rows, err) < 0))
		return err_in(err, "referrers of %s", subject->text);
	*out = steal(&rows);
	return 0;
}

static bool
has_row(const json_t *rows, const char *digest)
{
	const json_t *row;
	size_t i;

	json_array_foreach ((json_t *)rows, i, row) {
		if (streq(json_string_value(json_object_get(row, "digest")), digest))
			return true;
	}
	return false;
}

int
remote_referrers_add(
	struct place *p, const struct digest *subject, json_t *descriptor, struct err *err)
{
	const struct repository *r = remote_repository(p);
	AUTO(json) json_t *rows = json_array();
	AUTO(json) json_t *index = json_object();
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(buf) struct buf tag = BUF_INIT;
	struct descriptor d = { .size = 0 };
	int listed = list_by_question(r, subject, NULL, rows, err);

	if (listed != 0)
		return listed < 0 ? -1 : 0;
	if (list_by_tag(r, subject, NULL, rows, err) < 0)
		return -1;
	if (has_row(rows, json_string_value(json_object_get(descriptor, "digest"))))
		return 0;
	json_array_append(rows, descriptor);
	json_object_set_new(index, "schemaVersion", json_integer(2));
	json_object_set_new(index, "mediaType", json_string(MEDIA_OCI_INDEX));
	json_object_set(index, "manifests", rows);
	json_format(index, JSON_STYLE_COMPACT, &bytes);
	media_type_clean(MEDIA_OCI_INDEX, d.media_type);
	remote_referrers_tag(subject, "", &tag);
	if (place_put_bytes(p, bytes.data, bytes.len, &d, err) < 0)
		return -1;
	return p->ops->tag(p, tag.data, &d, err);
}

static int
copy_one(struct place *from, struct place *to, const struct descriptor *d, struct err *err)
{
	const struct place_copy_options how = { .all_platforms = true };
	AUTO(descriptor) struct descriptor copied = { .size = 0 };

	return place_copy(from, to, d, &how, &copied, err);
}

static int copy_referrers(struct place *from, struct place *to, const struct digest *subject,
	unsigned depth, unsigned *count, struct err *err);

static int
copy_row(struct place *from, struct place *to, const struct digest *subject, json_t *row,
	unsigned depth, unsigned *count, struct err *err)
{
	AUTO(descriptor) struct descriptor d = { .size = 0 };

	if (descriptor_parse(row, &d, err) < 0 || copy_one(from, to, &d, err) < 0 ||
		remote_referrers_add(to, subject, row, err) < 0)
		return -1;
	(*count)++;
	return copy_referrers(from, to, &d.digest, depth + 1, count, err);
}

static int
copy_referrers(struct place *from, struct place *to, const struct digest *subject, unsigned depth,
	unsigned *count, struct err *err)
{
	AUTO(json) json_t *rows = NULL;
	json_t *row;
	size_t i;

	if (depth == DEPTH_MAX)
		return 0;
	if (remote_referrers(from, subject, NULL, &rows, err) < 0)
		return -1;
	json_array_foreach (rows, i, row) {
		if (copy_row(from, to, subject, row, depth, count, err) < 0)
			return -1;
	}
	return 0;
}

int
remote_referrers_copy(struct place *from, struct place *to, const struct digest *subject,
	unsigned *count, struct err *err)
{
	static const char *const endings[] = { ".sig", ".att", ".sbom" };
	unsigned done = 0;
	size_t i;

	if (copy_referrers(from, to, subject, 0, &done, err) < 0)
		return -1;
	for (i = 0; i < COUNT_OF(endings); i++) {
		AUTO(descriptor) struct descriptor d = { .size = 0 };
		AUTO(buf) struct buf tag = BUF_INIT;

		remote_referrers_tag(subject, endings[i], &tag);
		if (from->ops->resolve(from, tag.data, &d, err) < 0) {
			if (err->kind != ERR_NOTFOUND)
				return -1;
			continue;
		}
		if (copy_one(from, to, &d, err) < 0 || to->ops->tag(to, tag.data, &d, err) < 0)
			return err_in(err, "%s", tag.data);
		done++;
	}
	*count = done;
	return 0;
}
