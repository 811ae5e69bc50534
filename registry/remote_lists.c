/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/remote.h"

#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/json.h"
#include "base/mem.h"
#include "registry/host.h"
#include "registry/link.h"
#include "registry/route.h"
#include "registry/remote_repository.h"

/* What only a registry can do: lists of names, deletion, logging in. */

#define PAGES_MAX 10000
#define PAGE_MAX (16u << 20) /* bytes of a list of names */
#define NAMES_MAX 1000000

/* A registry by its name alone: it may be blocked or untrusted by configuration, too. */
static int
find_host(struct session *s, const char *name, struct host **out, struct err *err)
{
	AUTO(free) char *text = xasprintf("%s/x", name);
	struct route route;
	struct ref ref;

	if (ref_parse(text, &ref, err) < 0)
		return err_set(err, ERR_INPUT, "'%s' is not a registry", name);
	if (route_find(s, &ref, ROUTE_READ, &route, err) < 0)
		return -1;
	*out = route.stops[route.count - 1].host;
	return 0;
}

struct listing {
	struct repository repository;
	const char *member; /* of the answer: "tags" */
	struct strv *out;
};

/* One page; *next (appended) is empty after the last one. */
static int
list_page(const struct listing *l, const struct url *url, const char *path, struct buf *next,
	struct url *at, struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(json) json_t *doc = NULL;
	AUTO(strv) struct strv headers = STRV_INIT;
	struct request q = { .method = "GET",
		.path = path,
		.url = url,
		.reason = POLICY_LINK,
		.repository = l->repository.name,
		.scope = l->repository.scope,
		.headers = &headers,
		.limit = PAGE_MAX };
	const char *link;

	strv_add(&headers, "Accept: application/json");
	if (request_send(l->repository.session, l->repository.host, &q, &r, at, err) < 0)
		return -1;
	if (r.status != 200)
		return request_failed(l->repository.session, l->repository.host, &q, &r, at, err);
	if (json_parse(r.body.data, r.body.len, &doc, err) < 0 ||
		json_get_strv(doc, l->member, l->out, err) < 0)
		return err_in(err, "the list of %s", l->member);
	link = http_header(&r, "link", 0);
	if (link != NULL)
		link_next(link, next);
	return 0;
}

static int
list(const struct listing *l, const char *path, struct err *err)
{
	AUTO(strv) struct strv seen = STRV_INIT;
	struct url at, url;
	unsigned pages;

	for (pages = 0; pages < PAGES_MAX; pages++) {
		AUTO(buf) struct buf next = BUF_INIT;

		if (list_page(l, path == NULL ? &url : NULL, path, &next, &at, err) < 0)
			return -1;
		if (next.len == 0)
			return 0;
		if (strv_has(&seen, next.data))
			return err_set(
				err, ERR_REMOTE, "the list of %s goes in circles", l->member);
		strv_add(&seen, next.data);
		if (url_resolve(&at, next.data, &url, err) < 0)
			return err_in(err, "the next page");
		path = NULL;
		if (l->out->count > NAMES_MAX)
			break;
	}
	return err_set(err, ERR_REMOTE, "the list of %s has no end", l->member);
}

int
remote_tags(struct place *p, struct strv *out, struct err *err)
{
	const struct repository *m = remote_repository(p);
	AUTO(free) char *path = xasprintf("/v2/%s/tags/list", m->name);
	AUTO(strv) struct strv tags = STRV_INIT;
	struct listing l = { .repository = *m, .member = "tags", .out = &tags };

	if (list(&l, path, err) < 0)
		return -1;
	strv_sort(&tags);
	strv_add_all(out, &tags);
	return 0;
}

int
remote_repositories(struct session *s, const char *host, struct strv *out, struct err *err)
{
	AUTO(strv) struct strv names = STRV_INIT;
	struct listing l = {
		.repository = { .session = s, .name = "", .scope = "registry:catalog:*" },
		.member = "repositories",
		.out = &names
	};

	if (find_host(s, host, &l.repository.host, err) < 0)
		return -1;
	if (list(&l, "/v2/_catalog", err) < 0) {
		if (err->kind != ERR_REMOTE)
			return err_in(err, "most public registries do not list their repositories");
		return -1;
	}
	strv_add_all(out, &names);
	return 0;
}

int
remote_delete(struct place *p, const char *name, struct err *err)
{
	const struct repository *m = remote_repository(p);
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(free) char *path = xasprintf("/v2/%s/manifests/%s", m->name, name);
	struct request q = {
		.method = "DELETE", .path = path, .repository = m->name, .scope = m->scope
	};
	struct url at;

	if (request_send(m->session, m->host, &q, &r, &at, err) < 0)
		return -1;
	if (r.status == 202 || r.status == 200 || r.status == 204)
		return 0;
	request_failed(m->session, m->host, &q, &r, &at, err);
	if (strchr(name, ':') == NULL && (r.status == 400 || r.status == 405))
		return err_in(
			err, "this registry deletes digests only, with every tag that means them");
	return -1;
}

int
remote_login(struct session *s, const char *host, struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	struct request q = { .method = "GET", .path = "/v2/", .repository = "" };
	enum host_auth auth;
	struct host *h;
	struct url at;

	if (find_host(s, host, &h, err) < 0)
		return -1;
	if (request_send(s, h, &q, &r, &at, err) < 0)
		return -1;
	if (r.status != 200)
		return request_failed(s, h, &q, &r, &at, err);
	pthread_mutex_lock(&h->lock);
	auth = h->auth;
	pthread_mutex_unlock(&h->lock);
	if (auth == HOST_AUTH_UNKNOWN)
		event_warn(
			"%s asks nobody who they are, so the credentials were not checked", host);
	return 0;
}
