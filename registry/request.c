/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/event.h"
#include "base/mem.h"
#include "registry/auth.h"
#include "registry/challenge.h"
#include "registry/credentials.h"
#include "registry/realm.h"
#include "registry/reply.h"
#include "registry/retry.h"
#include "registry/scope.h"
#include "registry/token.h"

#define WARNING_MAX 300
#define WARNINGS_MAX 8

struct call {
	struct session *session;
	struct host *host;
	const struct request *q;
	struct http_response *r;
	struct err *err;
	struct url url; /* of the exchange */
	struct policy_verdict verdict;
	const char *method;
	bool has_body;
	bool is_elsewhere; /* redirected to another origin */
	struct strv headers, authorization;
	char *visitor; /* a token for where we were redirected to, as nobody */
};

static void
get_base(struct call *c, struct url *out, enum address_class *at)
{
	pthread_mutex_lock(&c->host->lock);
	*out = c->host->base;
	*at = c->host->address;
	pthread_mutex_unlock(&c->host->lock);
}

/* A mirror may have its API elsewhere, and is told whose content is meant. */
static int
own_url(struct call *c, const struct url *base)
{
	const struct host *h = c->host;
	AUTO(buf) struct buf target = BUF_INIT;

	if (h->root != NULL && starts_with(c->q->path, "/v2/"))
		buf_addf(&target, "%s%s", h->root, c->q->path + strlen("/v2/"));
	else
		buf_adds(&target, c->q->path);
	if (h->ns != NULL)
		url_add_parameter(&target, "ns", h->ns);
	return url_resolve(base, target.data, &c->url, c->err);
}

static int
start_url(struct call *c)
{
	struct url base;
	enum address_class at;

	get_base(c, &base, &at);
	if (c->q->url == NULL)
		return own_url(c, &base) < 0 || policy_decide(POLICY_REQUEST, &base, at, &c->url,
							&c->verdict, c->err) < 0
			       ? -1
			       : 0;
	c->url = *c->q->url;
	c->is_elsewhere = !url_same_origin(&base, &c->url);
	return policy_decide(c->q->reason, &base, at, &c->url, &c->verdict, c->err);
}

/* Plain http is tried after TLS, where that is allowed at all. */
static bool
may_fall_back(struct call *c)
{
	struct host *h = c->host;
	bool fell = false;

	if (c->is_elsewhere || !h->may_be_plain || !c->url.secure ||
		(c->r->failure != HTTP_FAILURE_TLS_MISSING &&
			c->r->failure != HTTP_FAILURE_CONNECT &&
			c->r->failure != HTTP_FAILURE_TLS && c->r->failure != HTTP_FAILURE_CUT))
		return false;
	pthread_mutex_lock(&h->lock);
	if (!h->is_settled && h->base.secure) {
		h->base.secure = false;
		h->base.port = h->base.port == 443 ? 80 : h->base.port;
	}
	fell = !h->base.secure;
	if (fell) {
		c->url.secure = false;
		c->url.port = h->base.port;
	}
	pthread_mutex_unlock(&h->lock);
	return fell;
}

static void
show_warnings(struct call *c)
{
	AUTO(buf) struct buf said = BUF_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	const char *header, *start, *end;
	size_t i;

	for (i = 0; i < WARNINGS_MAX && (header = http_header(c->r, "warning", i)) != NULL; i++) {
		start = strchr(header, '"');
		end = start != NULL ? strrchr(start + 1, '"') : NULL;
		if (!starts_with(header, "299 ") || end == NULL)
			continue;
		buf_clear(&said);
		buf_clear(&text);
		for (start++; start < end && said.len < WARNING_MAX; start++)
			if (*start != '\\')
				buf_addc(&said, *start);
		reply_clean(said.data, WARNING_MAX, &text);
		session_warn(c->session, c->host->name, text.data);
	}
}

static void
settle(struct call *c)
{
	struct host *h = c->host;
	bool said = false;

	pthread_mutex_lock(&h->lock);
	if (!h->is_settled) {
		h->is_settled = true;
		h->address = c->r->address;
		said = !h->base.secure && policy_host(h->base.host) != ADDRESS_LOOPBACK;
	}
	pthread_mutex_unlock(&h->lock);
	if (said)
		event_warn("%s: talking plain http, which anybody on the way can read and change",
			h->name);
	show_warnings(c);
}

static int
perform(struct call *c)
{
	struct http_request q = { .method = c->method,
		.url = &c->url,
		.headers = &c->headers,
		.reach = c->verdict.reach,
		.accept = c->q->accept,
		.arg = c->q->arg,
		.limit = c->q->limit };
	struct retry retry;
	struct url base;
	enum address_class at;
	int result;

	get_base(c, &base, &at);
	q.tls = http_tls_for(&c->host->tls, url_same_host(&base, &c->url));
	q.connect_ms = c->is_elsewhere ? 0 : c->host->connect_ms;
	if (c->has_body) {
		q.send = c->q->send;
		q.size = c->q->size;
	}
	session_retry(c->session, &retry);
	for (;;) {
		q.proxy = session_proxy(c->session, &c->url);
		result = http_perform(session_http(c->session), &q, c->r, c->err);
		if (result == 0 || !may_fall_back(c)) {
			if (c->q->once || !retry_again(&retry, result, c->r))
				break;
		}
	}
	if (result == 0 && !c->is_elsewhere)
		settle(c);
	return result;
}

static int
explain(struct call *c)
{
	AUTO(buf) struct buf shown = BUF_INIT;

	if (c->r->failure == HTTP_FAILURE_OURS && c->err->kind != ERR_DENIED)
		return -1; /* a sink's own words are about something else */
	url_show(&c->url, &shown);
	return err_in(c->err, "%s %s", c->method, shown.data);
}

/* The next exchange after a redirect.  1: go on, 0: this was the answer, -1. */
static int
redirect(struct call *c)
{
	const char *location = http_header(c->r, "location", 0);
	int status = c->r->status;
	enum address_class at;
	struct url base, next;

	if ((status != 301 && status != 302 && status != 303 && status != 307 && status != 308) ||
		location == NULL || c->q->keep_redirect)
		return 0;
	if (c->has_body && status != 307 && status != 308)
		return 0;
	get_base(c, &base, &at);
	if (url_resolve(&c->url, location, &next, c->err) < 0)
		return -1;
	/* once outside of TLS, never: the hop before counts as well as the registry */
	if (policy_decide(POLICY_REDIRECT, c->url.secure ? &c->url : &base, at, &next, &c->verdict,
		    c->err) < 0 ||
		policy_decide(POLICY_REDIRECT, &base, at, &next, &c->verdict, c->err) < 0)
		return -1;
	if (status == 303 && !streq(c->method, "HEAD"))
		c->method = "GET";
	if (!url_same_origin(&c->url, &next)) {
		free(c->visitor); /* it was for there */
		c->visitor = NULL;
	}
	c->url = next;
	c->is_elsewhere = !url_same_origin(&base, &next);
	return 1;
}

/* Configuration may name the very header that credentials go into. */
static bool
host_says_who(const struct host *h)
{
	size_t i;

	for (i = 0; i < h->headers.count; i++)
		if (strncasecmp(h->headers.items[i], "authorization:", 14) == 0)
			return true;
	return false;
}

static void
set_headers(struct call *c)
{
	strv_free(&c->headers);
	if (c->q->headers != NULL)
		strv_add_all(&c->headers, c->q->headers);
	if (!c->is_elsewhere)
		strv_add_all(&c->headers, &c->host->headers);
	if (c->verdict.credential && (c->is_elsewhere || !host_says_who(c->host)))
		strv_add_all(&c->headers, &c->authorization);
	else if (c->visitor != NULL)
		strv_addf(&c->headers, "Authorization: Bearer %s", c->visitor);
}

/* Some registries redirect to others, which want a token of their own; anybody gets one.  1: got
 * it, 0: there is none to get, -1. */
static int
visit(struct call *c)
{
	static const struct credential nobody = CREDENTIAL_INIT;
	AUTO(challenges) struct challenges challenges = CHALLENGES_INIT;
	AUTO(scopes) struct scopes scopes = SCOPES_INIT;
	AUTO(token) struct token token = TOKEN_INIT;
	const struct challenge *bearer;
	struct token_key key = { .account = "", .scopes = &scopes };
	const char *header, *text;
	size_t i;

	if (c->r->status != 401 || !c->is_elsewhere || c->visitor != NULL || c->has_body)
		return 0;
	for (i = 0; (header = http_header(c->r, "www-authenticate", i)) != NULL; i++)
		challenges_add(&challenges, header);
	bearer = challenges_find(&challenges, "bearer");
	if (bearer == NULL || challenge_parameter(bearer, "realm") == NULL)
		return 0;
	key.realm = challenge_parameter(bearer, "realm");
	text = challenge_parameter(bearer, "service");
	key.service = text != NULL ? text : "";
	text = challenge_parameter(bearer, "scope");
	scopes_add(&scopes, text != NULL ? text : "");
	if (realm_fetch(c->session, &c->url, c->r->address, NULL, &key, &nobody, &token, c->err) <
		0)
		return -1;
	c->visitor = steal(&token.text);
	return 1;
}

static int
follow(struct call *c)
{
	unsigned hops = 0;
	int again;

	c->method = c->q->method;
	c->has_body = c->q->send != NULL;
	c->is_elsewhere = false;
	if (start_url(c) < 0)
		return -1;
	do {
		set_headers(c);
		if (perform(c) < 0)
			return explain(c);
		again = redirect(c);
		if (again == 0)
			again = visit(c);
		if (again > 0 && ++hops > REQUEST_REDIRECTS_MAX)
			return err_set(c->err, ERR_REMOTE, "%s: more than %d redirects",
				c->host->name, REQUEST_REDIRECTS_MAX);
	} while (again > 0);
	return again;
}

/* Some registries ask for nothing where it matters, but do when they are only greeted. */
static int
greet(struct call *c, struct auth *auth)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	struct request q = { .method = "GET", .path = "/v2/", .repository = c->q->repository };
	struct call greeting = {
		.session = c->session, .host = c->host, .q = &q, .r = &r, .err = c->err
	};
	int result;

	if (http_header(c->r, "www-authenticate", 0) != NULL || auth->token != NULL ||
		auth->sent_basic)
		return 0;
	result = follow(&greeting);
	strv_free(&greeting.headers);
	free(greeting.visitor);
	if (result < 0 || r.status != 401 || greeting.is_elsewhere)
		return result;
	return auth_learn(auth, &r, c->err);
}

static int
authorise(struct call *c, struct auth *auth)
{
	int again, round;

	for (round = 1;; round++) {
		strv_free(&c->authorization);
		if (auth_add_header(auth, &c->authorization, c->err) < 0 || follow(c) < 0)
			return -1;
		if (c->r->status != 401 || c->is_elsewhere || round == REQUEST_AUTH_ROUNDS_MAX)
			return 0;
		again = auth_learn(auth, c->r, c->err);
		if (again == 0)
			again = greet(c, auth);
		if (again <= 0)
			return again;
	}
}

int
request_send(struct session *s, struct host *h, const struct request *q, struct http_response *r,
	struct url *at, struct err *err)
{
	AUTO(auth)
	struct auth auth = { .session = s,
		.host = h,
		.repository = q->repository,
		.scopes = SCOPES_INIT,
		.margin_s = q->margin_s };
	struct call c = { .session = s, .host = h, .q = q, .r = r, .err = err };
	int result;

	if (q->scope != NULL)
		scopes_add(&auth.scopes, q->scope);
	result = authorise(&c, &auth);
	strv_free(&c.headers);
	strv_free(&c.authorization);
	free(c.visitor);
	if (result == 0 && at != NULL)
		*at = c.url;
	return result;
}

int
request_failed(struct session *s, struct host *h, const struct request *q,
	const struct http_response *r, const struct url *at, struct err *err)
{
	const struct credential *c;
	struct err ignored;

	reply_failed(q->method, at, h->name, r, err);
	if ((r->status == 401 || r->status == 403) &&
		session_credential(s, h, q->repository, &c, &ignored) == 0 && c->source != NULL)
		return err_in(err, "with the credentials from %s", c->source);
	return -1;
}
