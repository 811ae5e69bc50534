/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* mem - who owns what.
 *
 * What owns is declared AUTO on the line that initialises it, so that every early return is right,
 * and is handed on by steal().  AUTO(x) calls auto_x, which each type declares beside its other
 * verbs:
 *
 *	AUTO(free) char *text = NULL;
 *	AUTO(fd) int fd = -1;
 *	AUTO(buf) struct buf b = BUF_INIT;
 *
 * Running out of memory ends the process: every size that comes from outside is bounded first. */

#define AUTO(type) __attribute__((cleanup(auto_##type)))

/* Gives the pointer to the caller and leaves NULL behind. */
#define steal(pointer)                     \
	({                                 \
		__typeof__(pointer) p_ = (pointer); \
		__typeof__(*p_) v_ = *p_;  \
		*p_ = NULL;                \
		v_;                        \
	})

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* These never return NULL.  A product that overflows ends the process as well. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xzalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t count, size_t size) __attribute__((returns_nonnull));
/* For what would need more than an index has bits for: ends it too. */
void out_of_memory(void) __attribute__((noreturn));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *bytes, size_t len) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0), returns_nonnull));

/* Makes room for one more element in a growing array, doubling; for use as
 *	list->rows = grow(list->rows, list->count, &list->room, sizeof *list->rows); */
void *grow(void *rows, size_t count, size_t *room, size_t size) __attribute__((returns_nonnull));

void auto_free(void *pointer_to_pointer);

/* Closes *fd unless negative, keeps errno, and sets it to -1. */
void auto_fd(int *fd);
/* Gives the descriptor to the caller and leaves -1 behind. */
int fd_steal(int *fd);

bool streq(const char *a, const char *b); /* NULL equals only NULL */
bool starts_with(const char *s, const char *prefix);
bool ends_with(const char *s, const char *suffix);

#endif
