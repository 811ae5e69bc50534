/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/realm.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/strv.h"
#include "registry/http.h"
#include "registry/reply.h"
#include "registry/retry.h"

struct ask {
	struct session *session;
	struct url realm;
	struct policy_verdict verdict;
	const struct http_tls *tls;
	const struct token_key *key;
	const struct credential *credential;
};

static int
perform(const struct ask *a, struct http_request *q, struct http_response *r, struct err *err)
{
	struct retry retry;
	int result;

	q->tls = a->tls;
	q->proxy = session_proxy(a->session, q->url);
	q->reach = a->verdict.reach;
	q->limit = TOKEN_ANSWER_MAX;
	session_retry(a->session, &retry);
	do
		result = http_perform(session_http(a->session), q, r, err);
	while (retry_again(&retry, result, r));
	if (result < 0) {
		AUTO(buf) struct buf shown = BUF_INIT;

		url_show(q->url, &shown);
		return err_in(err, "%s %s", q->method, shown.data);
	}
	return 0;
}

/* 1: got it, 0: this server wants a GET, -1. */
static int
post(const struct ask *a, struct token *out, struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(strv) struct strv headers = STRV_INIT;
	AUTO(buf) struct buf form = BUF_INIT;
	struct http_request q = {
		.method = "POST", .url = &a->realm, .headers = &headers, .send = http_send_buf
	};
	int result;

	strv_add(&headers, "Content-Type: application/x-www-form-urlencoded");
	token_form(a->key, a->credential->identity_token, &form);
	q.arg = &form;
	q.size = form.len;
	result = perform(a, &q, &r, err);
	explicit_bzero(form.data, form.len);
	if (result < 0)
		return -1;
	/* GCR 404, Artifactory 401, ACR 400, others 405 */
	if (r.status == 404 || r.status == 401 || r.status == 400 || r.status == 405)
		return 0;
	if (r.status != 200)
		return reply_failed("POST", &a->realm, a->key->service, &r, err);
	return token_parse(r.body.data, r.body.len, out, err) < 0 ? -1 : 1;
}

static void
add_basic(const struct credential *c, struct strv *headers)
{
	credential_add_basic(
		c->username != NULL && c->username[0] != '\0' ? c->username : "<token>",
		c->password != NULL ? c->password : c->identity_token, headers);
}

static int
refused(const struct ask *a, const struct http_response *r, bool with_credential, struct err *err)
{
	reply_failed("GET", &a->realm, a->key->service, r, err);
	if (with_credential && a->credential->source != NULL)
		return err_in(err, "the credentials from %s are refused", a->credential->source);
	return -1;
}

static int
get(const struct ask *a, bool with_credential, struct token *out, struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(strv) struct strv headers = STRV_INIT;
	AUTO(buf) struct buf target = BUF_INIT;
	struct url url = a->realm;
	struct http_request q = { .method = "GET", .url = &url, .headers = &headers };

	buf_adds(&target, url.target);
	token_query(a->key, &target);
	if (target.len >= sizeof url.target)
		return err_set(err, ERR_INPUT, "the scopes make a URL that is too long");
	memcpy(url.target, target.data, target.len + 1);
	if (with_credential)
		add_basic(a->credential, &headers);
	strv_add(&headers, "Accept: application/json");
	if (perform(a, &q, &r, err) < 0)
		return -1;
	if (r.status != 200)
		return refused(a, &r, with_credential, err);
	if (token_parse(r.body.data, r.body.len, out, err) < 0)
		return err_in(err, "token server %s", a->realm.host);
	return 0;
}

int
realm_fetch(struct session *s, const struct url *registry, enum address_class at,
	const struct http_tls *tls, const struct token_key *key,
	const struct credential *credential, struct token *out, struct err *err)
{
	struct ask a = { .session = s, .key = key, .credential = credential };
	bool has_secret = credential->username != NULL || credential->identity_token != NULL;
	int done = 0;

	if (url_resolve(registry, key->realm, &a.realm, err) < 0)
		return err_in(err, "the realm");
	if (policy_decide(POLICY_REALM, registry, at, &a.realm, &a.verdict, err) < 0)
		return -1;
	a.tls = http_tls_for(tls, url_same_host(registry, &a.realm));
	if (has_secret && !a.verdict.credential) {
		AUTO(buf) struct buf shown = BUF_INIT;

		url_format_origin(&a.realm, &shown);
		return err_set(err, ERR_DENIED,
			"the realm is %s, where no password may go without TLS", shown.data);
	}
	if (credential->identity_token != NULL)
		done = post(&a, out, err);
	if (done != 0)
		return done < 0 ? -1 : 0;
	return get(&a, has_secret, out, err);
}
