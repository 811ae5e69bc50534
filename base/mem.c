/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
out_of_memory(void)
{
	static const char text[] = "cooper: out of memory\n";

	/* nothing that allocates can be trusted now, stdio included */
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(1);
}

static void *
need(void *p)
{
	if (p == NULL)
		out_of_memory();
	return p;
}

static size_t
product(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		need(NULL);
	return bytes;
}

void *
xmalloc(size_t size)
{
	return need(malloc(size > 0 ? size : 1));
}

void *
xzalloc(size_t size)
{
	return need(calloc(1, size > 0 ? size : 1));
}

void *
xcalloc(size_t count, size_t size)
{
	return xzalloc(product(count, size));
}

void *
xrealloc(void *p, size_t count, size_t size)
{
	size_t bytes = product(count, size);

	return need(realloc(p, bytes > 0 ? bytes : 1));
}

char *
xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

char *
xstrndup(const char *s, size_t len)
{
	size_t n = strnlen(s, len);
	char *copy = xmalloc(n + 1);

	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

void *
xmemdup(const void *bytes, size_t len)
{
	void *copy = xmalloc(len);

	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

char *
xvasprintf(const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		need(NULL);
	return need(text);
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	return text;
}

void *
grow(void *rows, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return need(rows);
	*room = *room > 0 ? product(*room, 2) : 8;
	return xrealloc(rows, *room, size);
}

void
auto_free(void *pointer_to_pointer)
{
	void **p = pointer_to_pointer;

	free(*p);
	*p = NULL;
}

void
auto_fd(int *fd)
{
	int number = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = number;
}

int
fd_steal(int *fd)
{
	int n = *fd;

	*fd = -1;
	return n;
}

bool
streq(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

bool
starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
ends_with(const char *s, const char *suffix)
{
	size_t a = strlen(s), b = strlen(suffix);

	return a >= b && memcmp(s + a - b, suffix, b) == 0;
}
