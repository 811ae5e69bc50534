/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_TOKEN_H
#define REGISTRY_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "registry/scope.h"

/* token - bearer tokens and how long they live.  Ages are measured by the monotonic clock from the
 * moment of the answer, so a wrong wall clock on either side does no harm.  (distribution-spec's
 * "Token Authentication Specification"; OAuth2 for POST) */

#define TOKEN_ANSWER_MAX (64u << 10)
#define TOKEN_LIFE_DEFAULT_S 60 /* where the server does not say, or nonsense */

struct token {
	char *text;
	char *refresh; /* a new refresh token, or NULL */
	uint64_t life_s;
};
#define TOKEN_INIT           \
	{                    \
		.text = NULL \
	}
void token_clear(struct token *t);
void auto_token(struct token *t);

/* An answer of a token server: token or access_token, expires_in, refresh_token.  ERR_INPUT. */
int token_parse(const char *bytes, size_t len, struct token *out, struct err *err);

/* What was got for whom. */
struct token_key {
	const char *realm, *service, *account; /* never NULL */
	const struct scopes *scopes;
};

/* tokens - those of one run.  Not locked: the owner of the cache does that. */
struct token_entry;
struct tokens {
	struct token_entry *items;
	size_t count, room;
};
#define TOKENS_INIT           \
	{                     \
		.items = NULL \
	}
void tokens_free(struct tokens *t);

/* The text (lent until the next change) of one that covers the scopes and lives for at least
 * margin_s more, or NULL.  One that has passed three quarters of its life is as good as dead. */
const char *tokens_find(
	const struct tokens *t, const struct token_key *key, uint64_t margin_s, uint64_t now_s);
void tokens_keep(
	struct tokens *t, const struct token_key *key, const struct token *token, uint64_t now_s);
/* It was refused. */
void tokens_drop(struct tokens *t, const char *text);

/* What a GET adds to the realm's target, and what a POST sends. */
void token_query(const struct token_key *key, struct buf *target);
void token_form(const struct token_key *key, const char *refresh_token, struct buf *out);

#endif
