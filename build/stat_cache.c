/* SPDX-License-Identifier: Apache-2.0 */
#include "build/stat_cache.h"

#include <stdlib.h>
#include <string.h>

/* The last byte is the version; rows are this machine's, as is all of the store. */
static const char magic[8] = "cstat\0\0\1";

void
stat_cache_free(struct stat_cache *c)
{
	free(c->rows);
	*c = (struct stat_cache){ .rows = NULL };
}

static int
compare(const void *a, const void *b)
{
	const struct stat_key *x = &((const struct stat_row *)a)->key;
	const struct stat_key *y = &((const struct stat_row *)b)->key;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return 0;
}

static void
sort(struct stat_cache *c)
{
	if (!c->sorted && c->count > 1)
		qsort(c->rows, c->count, sizeof *c->rows, compare);
	c->sorted = true;
}

void
stat_cache_parse(const char *bytes, size_t len, struct stat_cache *out)
{
	size_t size = sizeof *out->rows;

	if (len < sizeof magic || memcmp(bytes, magic, sizeof magic) != 0 ||
		(len - sizeof magic) % size != 0)
		return;
	out->count = out->room = (len - sizeof magic) / size;
	if (out->count == 0)
		return;
	out->rows = xmemdup(bytes + sizeof magic, out->count * size);
	/* sorted when it was written, but a damaged one must not mislead the search */
	out->sorted = false;
	sort(out);
}

void
stat_cache_format(struct stat_cache *c, struct buf *out)
{
	sort(c);
	buf_add(out, magic, sizeof magic);
	buf_add(out, c->rows, c->count * sizeof *c->rows);
}

void
stat_cache_add(struct stat_cache *c, const struct stat_key *key, const struct digest *d)
{
	struct stat_row *row;

	if (digest_algorithm(d) != DIGEST_SHA256)
		return;
	c->rows = grow(c->rows, c->count, &c->room, sizeof *c->rows);
	row = &c->rows[c->count++];
	row->key = *key;
	digest_raw(d, row->sha256);
	c->sorted = false;
}

bool
stat_cache_get(const struct stat_cache *c, const struct stat_key *key, struct digest *out)
{
	const struct stat_row wanted = { .key = *key }, *row;

	if (c->count == 0)
		return false;
	row = bsearch(&wanted, c->rows, c->count, sizeof *c->rows, compare);
	if (row == NULL || row->key.size != key->size || row->key.mtime_ns != key->mtime_ns ||
		row->key.ctime_ns != key->ctime_ns)
		return false;
	digest_from_raw(DIGEST_SHA256, row->sha256, out);
	return true;
}

bool
stat_cache_same(struct stat_cache *a, struct stat_cache *b)
{
	sort(a);
	sort(b);
	return a->count == b->count &&
	       (a->count == 0 || memcmp(a->rows, b->rows, a->count * sizeof *a->rows) == 0);
}
