/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STRV_H
#define BASE_STRV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

/* strv - a list of strings.  items is NULL or NULL-ended (so it is an argv); each item is owned. */
struct strv {
	char **items;
	size_t count;
	size_t room;
};
#define STRV_INIT { .items = NULL }

void strv_free(struct strv *v); /* back to the empty value */
void auto_strv(struct strv *v);

void strv_add(struct strv *v, const char *s);           /* a copy */
void strv_addn(struct strv *v, const char *s, size_t len);
void strv_addf(struct strv *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strv_take(struct strv *v, char *s);                /* s itself: now owned by v */
void strv_add_all(struct strv *v, const struct strv *from);
void strv_remove(struct strv *v, size_t index);
bool strv_has(const struct strv *v, const char *s);
bool strv_same(const struct strv *a, const struct strv *b);
void strv_sort(struct strv *v);                         /* by bytes */
char *strv_join(const struct strv *v, const char *between); /* for free() */
/* Splits at each of the characters in `at`; empty parts are kept. */
void strv_split(struct strv *v, const char *s, const char *at);

/* Environments: a list of NAME=value.  NAMEs are unique; order is that of first setting. */
const char *strv_env_get(const struct strv *env, const char *name); /* value or NULL */
void strv_env_set(struct strv *env, const char *name, const char *value);

#endif
