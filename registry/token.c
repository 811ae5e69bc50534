/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "registry/url.h"

#define CLIENT_ID "cooper"
#define TOKENS_MAX 256

struct token_entry {
	char *realm, *service, *account;
	struct scopes scopes;
	char *text;
	uint64_t renew_at_s;
};

void
token_clear(struct token *t)
{
	free(t->text);
	free(t->refresh);
	*t = (struct token)TOKEN_INIT;
}

void
auto_token(struct token *t)
{
	token_clear(t);
}

/* It goes into a header. */
static bool
is_header_safe(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 0x7f)
			return false;
	return true;
}

int
token_parse(const char *bytes, size_t len, struct token *out, struct err *err)
{
	AUTO(json) json_t *doc = NULL;
	const char *text = NULL, *access = NULL, *refresh = NULL;
	const json_t *life;
	double seconds;

	if (json_parse(bytes, len, &doc, err) < 0)
		return err_in(err, "the token answer");
	if (!json_is_object(doc))
		return err_set(err, ERR_INPUT, "the token answer is not an object");
	if (json_get_string(doc, "token", &text, err) < 0 ||
		json_get_string(doc, "access_token", &access, err) < 0 ||
		json_get_string(doc, "refresh_token", &refresh, err) < 0)
		return err_in(err, "the token answer");
	if (text == NULL || text[0] == '\0')
		text = access;
	if (text == NULL || text[0] == '\0')
		return err_set(err, ERR_INPUT, "the token answer has no token");
	if (!is_header_safe(text))
		return err_set(err, ERR_INPUT, "the token has characters that no token may have");
	life = json_object_get(doc, "expires_in");
	seconds = json_is_number(life) ? json_number_value(life) : 0;
	if (!(seconds >= 1))
		seconds = TOKEN_LIFE_DEFAULT_S;
	if (seconds > 1e9)
		seconds = 1e9;
	token_clear(out);
	out->text = xstrdup(text);
	out->refresh = refresh != NULL && refresh[0] != '\0' ? xstrdup(refresh) : NULL;
	out->life_s = (uint64_t)seconds;
	return 0;
}

static void
entry_clear(struct token_entry *e)
{
	free(e->realm);
	free(e->service);
	free(e->account);
	free(e->text);
	scopes_free(&e->scopes);
}

void
tokens_free(struct tokens *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		entry_clear(&t->items[i]);
	free(t->items);
	*t = (struct tokens)TOKENS_INIT;
}

static void
remove_at(struct tokens *t, size_t i)
{
	entry_clear(&t->items[i]);
	t->items[i] = t->items[--t->count];
}

const char *
tokens_find(const struct tokens *t, const struct token_key *key, uint64_t margin_s, uint64_t now_s)
{
	const struct token_entry *e;

	for (e = t->items; e < t->items + t->count; e++)
		if (streq(e->realm, key->realm) && streq(e->service, key->service) &&
			streq(e->account, key->account) && now_s + margin_s < e->renew_at_s &&
			scopes_cover(&e->scopes, key->scopes))
			return e->text;
	return NULL;
}

void
tokens_keep(
	struct tokens *t, const struct token_key *key, const struct token *token, uint64_t now_s)
{
	struct token_entry *e;
	size_t i = 0;

	while (i < t->count)
		if (t->items[i].renew_at_s <= now_s || t->count >= TOKENS_MAX)
			remove_at(t, i);
		else
			i++;
	t->items = grow(t->items, t->count, &t->room, sizeof *t->items);
	e = &t->items[t->count++];
	*e = (struct token_entry){ .realm = xstrdup(key->realm),
		.service = xstrdup(key->service),
		.account = xstrdup(key->account),
		.scopes = SCOPES_INIT,
		.text = xstrdup(token->text),
		.renew_at_s = now_s + token->life_s - token->life_s / 4 };
	strv_add_all(&e->scopes.items, &key->scopes->items);
}

void
tokens_drop(struct tokens *t, const char *text)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (streq(t->items[i].text, text)) {
			remove_at(t, i);
			return;
		}
}

void
token_query(const struct token_key *key, struct buf *target)
{
	size_t i;

	if (key->service[0] != '\0')
		url_add_parameter(target, "service", key->service);
	for (i = 0; i < key->scopes->items.count; i++)
		url_add_parameter(target, "scope", key->scopes->items.items[i]);
	if (key->account[0] != '\0')
		url_add_parameter(target, "account", key->account);
	url_add_parameter(target, "client_id", CLIENT_ID);
}

static void
add_field(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "%s%s=", out->len > 0 ? "&" : "", name);
	url_encode(value, out);
}

void
token_form(const struct token_key *key, const char *refresh_token, struct buf *out)
{
	AUTO(buf) struct buf scopes = BUF_INIT;

	scopes_format(key->scopes, &scopes);
	add_field(out, "grant_type", "refresh_token");
	if (key->service[0] != '\0')
		add_field(out, "service", key->service);
	add_field(out, "client_id", CLIENT_ID);
	if (scopes.len > 0)
		add_field(out, "scope", scopes.data);
	add_field(out, "access_type", "offline");
	add_field(out, "refresh_token", refresh_token);
}
