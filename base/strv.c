/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void
strv_free(struct strv *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strv)STRV_INIT;
}

void
auto_strv(struct strv *v)
{
	strv_free(v);
}

void
strv_take(struct strv *v, char *s)
{
	/* one more than count: the NULL at the end */
	v->items = grow(v->items, v->count + 1, &v->room, sizeof *v->items);
	v->items[v->count++] = s;
	v->items[v->count] = NULL;
}

void
strv_add(struct strv *v, const char *s)
{
	strv_take(v, xstrdup(s));
}

void
strv_addn(struct strv *v, const char *s, size_t len)
{
	strv_take(v, xstrndup(s, len));
}

void
strv_addf(struct strv *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strv_take(v, xvasprintf(fmt, ap));
	va_end(ap);
}

void
strv_add_all(struct strv *v, const struct strv *from)
{
	for (size_t i = 0; i < from->count; i++)
		strv_add(v, from->items[i]);
}

void
strv_remove(struct strv *v, size_t index)
{
	free(v->items[index]);
	memmove(v->items + index, v->items + index + 1, (v->count - index) * sizeof *v->items);
	v->count--;
}

bool
strv_has(const struct strv *v, const char *s)
{
	for (size_t i = 0; i < v->count; i++)
		if (streq(v->items[i], s))
			return true;
	return false;
}

bool
strv_same(const struct strv *a, const struct strv *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!streq(a->items[i], b->items[i]))
			return false;
	return true;
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
strv_sort(struct strv *v)
{
	if (v->count > 1)
		qsort(v->items, v->count, sizeof *v->items, by_bytes);
}

char *
strv_join(const struct strv *v, const char *between)
{
	AUTO(buf) struct buf b = BUF_INIT;

	for (size_t i = 0; i < v->count; i++) {
		if (i > 0)
			buf_adds(&b, between);
		buf_adds(&b, v->items[i]);
	}
	return buf_steal(&b);
}

void
strv_split(struct strv *v, const char *s, const char *at)
{
	for (;;) {
		size_t len = strcspn(s, at);

		strv_addn(v, s, len);
		if (s[len] == '\0')
			return;
		s += len + 1;
	}
}

static size_t
env_find(const struct strv *env, const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < env->count; i++)
		if (strncmp(env->items[i], name, len) == 0 && env->items[i][len] == '=')
			break;
	return i;
}

const char *
strv_env_get(const struct strv *env, const char *name)
{
	size_t i = env_find(env, name);

	return i < env->count ? env->items[i] + strlen(name) + 1 : NULL;
}

void
strv_env_set(struct strv *env, const char *name, const char *value)
{
	size_t i = env_find(env, name);
	char *row = xasprintf("%s=%s", name, value);

	if (i == env->count) {
		strv_take(env, row);
		return;
	}
	free(env->items[i]);
	env->items[i] = row;
}
