/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/entry.h"

#include <stdlib.h>
#include <string.h>

void
entry_free(struct entry *e)
{
	size_t i;

	for (i = 0; i < e->xattr_count; i++) {
		free(e->xattrs[i].name);
		free(e->xattrs[i].value);
	}
	free(e->xattrs);
	free(e->path);
	free(e->link);
	*e = (struct entry){ .path = NULL };
}

void
auto_entry(struct entry *e)
{
	entry_free(e);
}

void
entry_copy(const struct entry *e, struct entry *out)
{
	struct entry copy = *e;
	size_t i;

	copy.path = e->path != NULL ? xstrdup(e->path) : NULL;
	copy.link = e->link != NULL ? xstrdup(e->link) : NULL;
	copy.xattrs = NULL;
	if (e->xattr_count > 0)
		copy.xattrs = xcalloc(e->xattr_count, sizeof *copy.xattrs);
	for (i = 0; i < e->xattr_count; i++) {
		copy.xattrs[i].name = xstrdup(e->xattrs[i].name);
		copy.xattrs[i].value = xmemdup(e->xattrs[i].value, e->xattrs[i].len);
		copy.xattrs[i].len = e->xattrs[i].len;
	}
	*out = copy;
}

/* A name that is there already gets the new value, as setxattr(2) does. */
void
entry_xattr_add(struct entry *e, const char *name, const void *value, size_t len)
{
	size_t low = 0, high = e->xattr_count, middle;
	struct xattr *x;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(name, e->xattrs[middle].name);
		if (order == 0) {
			x = &e->xattrs[middle];
			free(x->value);
			x->value = xmemdup(value, len);
			x->len = len;
			return;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	/* few files have more than three, so the array is exact */
	e->xattrs = xrealloc(e->xattrs, e->xattr_count + 1, sizeof *e->xattrs);
	x = &e->xattrs[low];
	memmove(x + 1, x, (e->xattr_count - low) * sizeof *x);
	*x = (struct xattr){ xstrdup(name), xmemdup(value, len), len };
	e->xattr_count++;
}

static int
kind_rank(enum entry_kind kind)
{
	return kind == ENTRY_OPAQUE ? 2 : kind == ENTRY_WHITEOUT ? 0 : 1;
}

int
entry_compare(const struct entry *a, const struct entry *b)
{
	int order = entry_path_compare(a->path, b->path);

	return order != 0 ? order : kind_rank(a->kind) - kind_rank(b->kind);
}

/* The end of a path, then '/', then everything else. */
static int
byte_rank(char c)
{
	return c == '\0' ? 0 : c == '/' ? 1 : 1 + (unsigned char)c;
}

int
entry_path_compare(const char *a, const char *b)
{
	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	return byte_rank(*a) - byte_rank(*b);
}

int
entry_path_clean(const char *name, struct buf *out, struct err *err)
{
	size_t start = out->len, len;
	const char *p = name;

	if (strnlen(name, ENTRY_PATH_MAX + 1) > ENTRY_PATH_MAX)
		return err_set(err, ERR_INPUT, "name '%.60s...' is longer than %d bytes", name,
			ENTRY_PATH_MAX);
	while (*p != '\0') {
		len = strcspn(p, "/");
		if (len == 2 && memcmp(p, "..", 2) == 0) {
			buf_truncate(out, start);
			return err_set(err, ERR_INPUT, "name '%.200s' contains '..'", name);
		}
		if (len > 0 && !(len == 1 && *p == '.')) {
			if (out->len > start)
				buf_addc(out, '/');
			buf_add(out, p, len);
		}
		p += len;
		if (*p == '/')
			p++;
	}
	return 0;
}
