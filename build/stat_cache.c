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

/* Of a digest's digits, which were checked. */
static unsigned
nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

void
stat_cache_add(struct stat_cache *c, const struct stat_key *key, const struct digest *d)
{
	struct stat_row *row;
	const char *hex;

	if (digest_algorithm(d) != DIGEST_SHA256)
		return;
	c->rows = grow(c->rows, c->count, &c->room, sizeof *c->rows);
	row = &c->rows[c->count++];
	row->key = *key;
	hex = digest_hex(d);
	for (size_t i = 0; i < sizeof row->sha256; i++)
		row->sha256[i] = (unsigned char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	c->sorted = false;
}

bool
stat_cache_get(const struct stat_cache *c, const struct stat_key *key, struct digest *out)
{
	static const char digits[] = "0123456789abcdef";
	const struct stat_row wanted = { .key = *key }, *row;
	char text[DIGEST_TEXT_SIZE] = "sha256:";
	size_t at = strlen(text);
	struct err ignored;

	if (c->count == 0)
		return false;
	row = bsearch(&wanted, c->rows, c->count, sizeof *c->rows, compare);
	if (row == NULL || row->key.size != key->size || row->key.mtime_ns != key->mtime_ns ||
		row->key.ctime_ns != key->ctime_ns)
		return false;
	for (size_t i = 0; i < sizeof row->sha256; i++) {
		text[at++] = digits[row->sha256[i] >> 4];
		text[at++] = digits[row->sha256[i] & 15];
	}
	text[at] = '\0';
	return digest_parse(text, out, &ignored) == 0;
}

bool
stat_cache_same(struct stat_cache *a, struct stat_cache *b)
{
	sort(a);
	sort(b);
	return a->count == b->count &&
	       (a->count == 0 || memcmp(a->rows, b->rows, a->count * sizeof *a->rows) == 0);
}
