/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/auth.h"

#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/mem.h"
#include "base/proc.h"
#include "registry/challenge.h"
#include "registry/credentials.h"
#include "registry/realm.h"
#include "registry/token.h"

void
auth_clear(struct auth *a)
{
	scopes_free(&a->scopes);
	free(a->token);
	a->token = NULL;
}

void
auto_auth(struct auth *a)
{
	auth_clear(a);
}

static uint64_t
now_s(void)
{
	return proc_now_ms() / 1000;
}

/* A stale login must not keep anybody from what is public. */
static bool
is_public_read(const struct scopes *scopes)
{
	size_t i;

	for (i = 0; i < scopes->items.count; i++)
		if (!ends_with(scopes->items.items[i], ":pull"))
			return false;
	return scopes->items.count > 0;
}

static int
fetch(struct auth *a, const struct token_key *key, const struct credential *c, struct token *out,
	struct err *err)
{
	static const struct credential nobody = CREDENTIAL_INIT;
	struct host *h = a->host;
	struct url base;
	enum address_class at;
	struct err again;

	pthread_mutex_lock(&h->lock);
	base = h->base;
	at = h->address;
	pthread_mutex_unlock(&h->lock);
	if (realm_fetch(a->session, &base, at, &h->tls, key, c, out, err) == 0)
		return 0;
	if (err->kind != ERR_DENIED || credential_is_anonymous(c) || !is_public_read(&a->scopes) ||
		realm_fetch(a->session, &base, at, &h->tls, key, &nobody, out, &again) < 0)
		return -1;
	event_warn("%s: going on anonymously", err->msg);
	return 0;
}

/* The cache stays locked while one is fetched, so that many threads ask once. */
static int
get_token(struct auth *a, const struct token_key *key, const struct credential *c, struct err *err)
{
	AUTO(token) struct token token = TOKEN_INIT;
	struct tokens *tokens = session_tokens(a->session);
	const char *text = tokens_find(tokens, key, a->margin_s, now_s());
	int result = 0;

	if (text == NULL) {
		result = fetch(a, key, c, &token, err);
		if (result == 0)
			tokens_keep(tokens, key, &token, now_s());
		text = token.text;
	}
	if (result == 0) {
		free(a->token);
		a->token = xstrdup(text);
	}
	session_tokens_done(a->session);
	return result;
}

static int
add_bearer(struct auth *a, const struct credential *c, struct strv *headers, struct err *err)
{
	AUTO(free) char *realm = NULL;
	AUTO(free) char *service = NULL;
	struct token_key key = { .account = c->username != NULL ? c->username : "",
		.scopes = &a->scopes };

	pthread_mutex_lock(&a->host->lock);
	realm = xstrdup(a->host->realm);
	service = xstrdup(a->host->service);
	pthread_mutex_unlock(&a->host->lock);
	key.realm = realm;
	key.service = service;
	if (get_token(a, &key, c, err) < 0)
		return -1;
	strv_addf(headers, "Authorization: Bearer %s", a->token);
	return 0;
}

int
auth_add_header(struct auth *a, struct strv *headers, struct err *err)
{
	const struct credential *c;
	enum host_auth kind;

	a->sent_basic = false;
	free(a->token);
	a->token = NULL;
	if (session_credential(a->session, a->host, a->repository, &c, err) < 0)
		return -1;
	if (c->registry_token != NULL) {
		strv_addf(headers, "Authorization: Bearer %s", c->registry_token);
		return 0;
	}
	pthread_mutex_lock(&a->host->lock);
	kind = a->host->auth;
	pthread_mutex_unlock(&a->host->lock);
	if (kind == HOST_AUTH_BEARER)
		return add_bearer(a, c, headers, err);
	if (kind == HOST_AUTH_BASIC && c->username != NULL) {
		credential_add_basic(c->username, c->password, headers);
		a->sent_basic = true;
	}
	return 0;
}

static void
set_bearer(struct auth *a, const struct challenge *bearer)
{
	const char *service = challenge_parameter(bearer, "service");
	const char *scope = challenge_parameter(bearer, "scope");
	struct scopes merged = SCOPES_INIT;
	size_t i;

	if (scope != NULL)
		scopes_add(&merged, scope);
	for (i = 0; i < a->scopes.items.count; i++)
		scopes_add(&merged, a->scopes.items.items[i]);
	scopes_free(&a->scopes);
	a->scopes = merged;
	pthread_mutex_lock(&a->host->lock);
	free(a->host->realm);
	free(a->host->service);
	a->host->realm = xstrdup(challenge_parameter(bearer, "realm"));
	a->host->service = xstrdup(service != NULL ? service : "");
	a->host->auth = HOST_AUTH_BEARER;
	pthread_mutex_unlock(&a->host->lock);
}

int
auth_learn(struct auth *a, const struct http_response *r, struct err *err)
{
	AUTO(challenges) struct challenges challenges = CHALLENGES_INIT;
	const struct challenge *bearer;
	const struct credential *c;
	const char *header;
	size_t i;

	if (session_credential(a->session, a->host, a->repository, &c, err) < 0)
		return -1;
	if (c->registry_token != NULL || a->sent_basic)
		return 0;
	for (i = 0; (header = http_header(r, "www-authenticate", i)) != NULL; i++)
		challenges_add(&challenges, header);
	bearer = challenges_find(&challenges, "bearer");
	if (a->token != NULL) {
		tokens_drop(session_tokens(a->session), a->token);
		session_tokens_done(a->session);
	}
	if (bearer != NULL && challenge_parameter(bearer, "realm") != NULL) {
		set_bearer(a, bearer);
		return 1;
	}
	if (challenges_find(&challenges, "basic") == NULL)
		return 0;
	/* Harbor asks for a password when a token lacks a scope: get a better token instead */
	if (a->token != NULL)
		return 1;
	if (c->username == NULL)
		return 0;
	pthread_mutex_lock(&a->host->lock);
	a->host->auth = HOST_AUTH_BASIC;
	pthread_mutex_unlock(&a->host->lock);
	return 1;
}
