/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/scope.h"

#include <string.h>

void
scopes_free(struct scopes *s)
{
	strv_free(&s->items);
}

void
auto_scopes(struct scopes *s)
{
	scopes_free(s);
}

/* The ':' before the actions, or NULL.  A name may have a ':' too (of a port). */
static const char *
actions_of(const char *text, size_t len)
{
	const char *first = memchr(text, ':', len), *last = memrchr(text, ':', len);

	if (first == NULL || first == text || last == first || last == text + len - 1 ||
		last == first + 1)
		return NULL;
	return last;
}

static char *
merge(const char *resource, size_t len, const char *actions, const char *more)
{
	AUTO(strv) struct strv all = STRV_INIT;
	AUTO(strv) struct strv unique = STRV_INIT;
	AUTO(free) char *joined = NULL;
	size_t i;

	strv_split(&all, actions, ",");
	strv_split(&all, more, ",");
	strv_sort(&all);
	for (i = 0; i < all.count; i++)
		if (all.items[i][0] != '\0' && !strv_has(&unique, all.items[i]))
			strv_add(&unique, all.items[i]);
	joined = strv_join(&unique, ",");
	return xasprintf("%.*s:%s", (int)len, resource, joined);
}

static void
add_one(struct scopes *s, const char *text, size_t len)
{
	const char *actions = actions_of(text, len);
	AUTO(free) char *more = NULL;
	size_t i, resource;
	char *old;

	if (actions == NULL)
		return;
	resource = (size_t)(actions - text);
	more = xstrndup(actions + 1, len - resource - 1);
	for (i = 0; i < s->items.count; i++) {
		old = s->items.items[i];
		if (strncmp(old, text, resource + 1) == 0 &&
			actions_of(old, strlen(old)) == old + resource) {
			s->items.items[i] = merge(text, resource, old + resource + 1, more);
			auto_free(&old);
			return;
		}
	}
	if (s->items.count < SCOPE_COUNT_MAX)
		strv_take(&s->items, merge(text, resource, "", more));
}

void
scopes_add(struct scopes *s, const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len) {
		text += strspn(text, " \t");
		len = strcspn(text, " \t");
		if (len > 0)
			add_one(s, text, len);
	}
}

bool
scopes_cover(const struct scopes *s, const struct scopes *wanted)
{
	AUTO(scopes) struct scopes both = SCOPES_INIT;
	size_t i;

	strv_add_all(&both.items, &s->items);
	for (i = 0; i < wanted->items.count; i++)
		scopes_add(&both, wanted->items.items[i]);
	return strv_same(&both.items, &s->items);
}

void
scopes_format(const struct scopes *s, struct buf *out)
{
	size_t i;

	for (i = 0; i < s->items.count; i++)
		buf_addf(out, "%s%s", i > 0 ? " " : "", s->items.items[i]);
}
