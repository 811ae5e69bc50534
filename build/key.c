/* SPDX-License-Identifier: Apache-2.0 */
#include "build/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Changes when a key would mean something else than before. */
#define KEY_VERSION "cooper key 1"

/* Length first, so that no two lists of inputs give the same bytes. */
static void
feed(struct key *k, const char *text)
{
	char len[24];
	int n = snprintf(len, sizeof len, "%zu:", strlen(text));

	hasher_add(k->hasher, len, (size_t)n);
	hasher_add(k->hasher, text, strlen(text));
}

void
key_begin(struct key *k, const char *kind)
{
	key_free(k);
	k->hasher = hasher_new(DIGEST_SHA256);
	k->inputs = json_object();
	feed(k, KEY_VERSION);
	feed(k, kind);
}

void
key_add(struct key *k, const char *name, const char *value)
{
	feed(k, name);
	feed(k, value != NULL ? value : "");
	hasher_add(k->hasher, value != NULL ? "+" : "-", 1);
	if (value != NULL && strlen(value) > KEY_SHOWN_MAX) {
		struct digest d;

		digest_of(value, strlen(value), &d);
		json_object_set_new(k->inputs, name, json_string(d.text));
	} else {
		json_object_set_new(
			k->inputs, name, value != NULL ? json_text(value) : json_null());
	}
}

void
key_add_list(struct key *k, const char *name, const struct strv *values)
{
	key_add_number(k, name, (int64_t)values->count);
	for (size_t i = 0; i < values->count; i++) {
		const char *equals = strchr(values->items[i], '=');
		AUTO(free)
		char *part = equals != NULL
				     ? xasprintf("%s %.*s", name, (int)(equals - values->items[i]),
					       values->items[i])
				     : xasprintf("%s %zu", name, i);

		key_add(k, part, values->items[i]);
	}
}

void
key_add_number(struct key *k, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, value);
	key_add(k, name, text);
}

void
key_end(struct key *k, struct digest *out)
{
	hasher_digest(k->hasher, out);
}

void
key_free(struct key *k)
{
	hasher_free(k->hasher);
	k->hasher = NULL;
	json_decref(k->inputs);
	k->inputs = NULL;
}

void
auto_key(struct key *k)
{
	key_free(k);
}
