/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/listing.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "layers/listing_record.h"

static bool
is_mapped(const struct listing *l)
{
	return l->bytes.room == 0 && l->bytes.len > 0;
}

void
listing_free(struct listing *l)
{
	if (is_mapped(l))
		munmap(l->bytes.data, l->bytes.len);
	else
		buf_free(&l->bytes);
	free(l->places);
	*l = (struct listing)LISTING_INIT;
}

void
auto_listing(struct listing *l)
{
	listing_free(l);
}

/* So that it can be changed. */
static void
own_bytes(struct listing *l)
{
	struct buf own = BUF_INIT;

	if (!is_mapped(l))
		return;
	buf_add(&own, l->bytes.data, l->bytes.len);
	munmap(l->bytes.data, l->bytes.len);
	l->bytes = own;
}

/* --- adding ----------------------------------------------------------------------------------- */

/* How far back from the end of l's bytes the text of path's directory is, once it is there; 0: it has
 * none. */
static size_t
place_dir(struct listing *l, const char *path, const char *name)
{
	size_t len = name > path ? (size_t)(name - path) - 1 : 0;
	struct record_reader r;
	const char *text;

	if (name == path)
		return 0;
	if (l->dir > 0) {
		r = (struct record_reader){ (const unsigned char *)l->bytes.data + l->dir + 1,
			(const unsigned char *)l->bytes.data + l->bytes.len, false };
		if (record_number(&r) == len) {
			text = record_bytes(&r, len);
			if (text != NULL && memcmp(text, path, len) == 0)
				return l->bytes.len - l->dir;
		}
	}
	l->dir = l->bytes.len;
	record_put_dir(&l->bytes, path, len);
	return l->bytes.len - l->dir;
}

/* A new record for e; where it is. */
static uint32_t
put(struct listing *l, const struct entry *e)
{
	const char *slash = strrchr(e->path, '/'), *name = slash != NULL ? slash + 1 : e->path;
	size_t back, at;

	own_bytes(l);
	/* no place is 0, so that 0 can say that there is no directory */
	if (l->bytes.len == 0)
		buf_addc(&l->bytes, RECORD_DIR);
	back = place_dir(l, e->path, name);
	at = l->bytes.len;
	/* LISTING_MAX is far below */
	if (at > UINT32_MAX)
		out_of_memory();
	record_put(&l->bytes, e, name, back);
	return (uint32_t)at;
}

void
listing_add(struct listing *l, const struct entry *e)
{
	uint32_t at = put(l, e);

	l->places = grow(l->places, l->count, &l->room, sizeof *l->places);
	l->places[l->count++] = at;
}

void
listing_take(struct listing *l, struct entry *e)
{
	listing_add(l, e);
	entry_free(e);
}

void
listing_move(struct listing *from, struct listing *out)
{
	AUTO(listed) struct listed e = LISTED_INIT;

	if (out->count == 0) {
		listing_free(out);
		*out = *from;
		*from = (struct listing)LISTING_INIT;
		return;
	}
	for (size_t i = 0; i < from->count; i++)
		listing_add(out, listing_at(from, i, &e));
	listing_free(from);
}

/* --- reading ---------------------------------------------------------------------------------- */

void
auto_listed(struct listed *out)
{
	buf_free(&out->path);
	free(out->xattrs);
	*out = (struct listed)LISTED_INIT;
}

const struct entry *
listing_at(const struct listing *l, size_t i, struct listed *out)
{
	struct record_reader r;
	struct record record;

	record_open(&l->bytes, l->places[i], &r, &record);
	record_read(&r, &record, out);
	return &out->entry;
}

enum entry_kind
listing_kind(const struct listing *l, size_t i)
{
	return (enum entry_kind)(l->bytes.data[l->places[i]] & RECORD_KIND);
}

static void
open_at(const struct listing *l, size_t i, struct record *out)
{
	struct record_reader r;

	record_open(&l->bytes, l->places[i], &r, out);
}

const char *
listing_name(const struct listing *l, size_t i, size_t *len)
{
	struct record_reader r;
	struct record record;

	record_open_name(&l->bytes, l->places[i], &r, &record);
	*len = record.name_len;
	return record.name;
}

const char *
listing_dir(const struct listing *l, size_t i, size_t *len)
{
	struct record record;

	open_at(l, i, &record);
	*len = record.dir_len;
	return record.dir != NULL ? record.dir : "";
}

/* --- changing --------------------------------------------------------------------------------- */

void
listing_set(struct listing *l, size_t i, const struct entry *e)
{
	l->places[i] = put(l, e);
}

/* Where its bytes are; NULL: it has none of this length. */
static unsigned char *
digest_place(const struct listing *l, size_t i, size_t len)
{
	struct record_reader r;
	struct record record;

	record_open(&l->bytes, l->places[i], &r, &record);
	if (l->bytes.room == 0 || (record.flags & (len == 64 ? RECORD_SHA512 : RECORD_SHA256)) == 0)
		return NULL;
	for (int k = 0; k < 6; k++)
		record_number(&r);
	return (unsigned char *)(uintptr_t)r.at;
}

void
listing_set_digest(struct listing *l, size_t i, const struct digest *d)
{
	unsigned char raw[DIGEST_RAW_MAX], *to;
	size_t len = digest_raw(d, raw);

	to = digest_place(l, i, len);
	if (to != NULL) {
		memcpy(to, raw, len);
	} else {
		AUTO(listed) struct listed e = LISTED_INIT;
		AUTO(entry) struct entry own = { .path = NULL };

		/* its own bytes may move when it is added */
		entry_copy(listing_at(l, i, &e), &own);
		own.digest = *d;
		listing_set(l, i, &own);
	}
}

void
listing_filter(struct listing *l, const bool *stays)
{
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++)
		if (stays[i])
			l->places[count++] = l->places[i];
	l->count = count;
}

/* --- order ------------------------------------------------------------------------------------ */

/* Of the record that is at this place. */
static int
compare_places(const struct listing *l, uint32_t a, uint32_t b)
{
	struct record_reader r;
	struct record x, y;

	record_open(&l->bytes, a, &r, &x);
	record_open(&l->bytes, b, &r, &y);
	return record_compare(&x, &y);
}

static int
by_path_then_time(const void *a, const void *b, void *arg)
{
	const uint32_t *x = a, *y = b;
	int order = compare_places(arg, *x, *y);

	/* what was added later lies behind */
	return order != 0 ? order : (*x > *y) - (*x < *y);
}

/* And nothing to merge. */
static bool
is_sorted(const struct listing *l)
{
	for (size_t i = 1; i < l->count; i++) {
		int order = compare_places(l, l->places[i - 1], l->places[i]);

		if (order > 0 || (order == 0 && (listing_kind(l, i - 1) != ENTRY_DIR ||
							listing_kind(l, i) != ENTRY_OPAQUE)))
			return false;
	}
	return true;
}

/* Of the entries i to end, all of one path, what remains; at out on, which is not behind i.  A whiteout is
 * about the layers below, whatever its place among the others, so a directory beside it has nothing from
 * below: it is opaque. (image-spec layer.md, Whiteouts) */
static size_t
merge_path(struct listing *l, size_t i, size_t end, size_t out)
{
	size_t last = LISTING_NONE, opaque = LISTING_NONE, whiteout = LISTING_NONE, kept = 0;
	uint32_t places[2];

	for (; i < end; i++) {
		enum entry_kind kind = listing_kind(l, i);

		if (kind == ENTRY_OPAQUE)
			opaque = i;
		else if (kind == ENTRY_WHITEOUT)
			whiteout = i;
		else
			last = i;
	}
	if (last != LISTING_NONE && listing_kind(l, last) != ENTRY_DIR)
		opaque = LISTING_NONE;
	else if (last != LISTING_NONE && opaque == LISTING_NONE)
		opaque = whiteout;
	if (last == LISTING_NONE && opaque == LISTING_NONE)
		last = whiteout;
	if (last != LISTING_NONE)
		places[kept++] = l->places[last];
	if (opaque != LISTING_NONE) {
		/* both are marks, so nothing else of the record changes */
		l->bytes.data[l->places[opaque]] = ENTRY_OPAQUE;
		places[kept++] = l->places[opaque];
	}
	memcpy(&l->places[out], places, kept * sizeof *places);
	return kept;
}

void
listing_sort(struct listing *l)
{
	size_t count = 0, end;

	if (is_sorted(l))
		return;
	own_bytes(l);
	qsort_r(l->places, l->count, sizeof *l->places, by_path_then_time, l);
	for (size_t i = 0; i < l->count; i = end) {
		for (end = i + 1; end < l->count; end++)
			if (compare_places(l, l->places[i], l->places[end]) != 0)
				break;
		count += merge_path(l, i, end, count);
	}
	l->count = count;
}

size_t
listing_find(const struct listing *l, const char *path)
{
	size_t low = 0, high = l->count;
	struct record wanted, have;

	record_of_path(path, &wanted);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order;

		open_at(l, middle, &have);
		order = record_compare(&wanted, &have);
		/* at one path the OPAQUE is behind what is looked for */
		if (order == 0 && listing_kind(l, middle) != ENTRY_OPAQUE)
			return middle;
		if (order <= 0)
			high = middle;
		else
			low = middle + 1;
	}
	return LISTING_NONE;
}

/* --- the content ------------------------------------------------------------------------------ */

/* Of one entry, on their way to the hasher: it takes many bytes faster than many pieces. */
struct content {
	struct hasher *hasher;
	size_t len;
	unsigned char bytes[1024];
};

static void
content_flush(struct content *c)
{
	hasher_add(c->hasher, c->bytes, c->len);
	c->len = 0;
}

/* Lengths stand before what has none of its own, so that no two entries feed the same bytes. */
static void
content_number(struct content *c, uint64_t number)
{
	if (c->len + 8 > sizeof c->bytes)
		content_flush(c);
	number = htole64(number);
	memcpy(c->bytes + c->len, &number, 8);
	c->len += 8;
}

static void
content_bytes(struct content *c, const void *bytes, size_t len)
{
	content_number(c, len);
	if (c->len + len > sizeof c->bytes)
		content_flush(c);
	if (len > sizeof c->bytes) {
		hasher_add(c->hasher, bytes, len);
	} else if (len > 0) {
		memcpy(c->bytes + c->len, bytes, len);
		c->len += len;
	}
}

static void
content_text(struct content *c, const char *text)
{
	content_bytes(c, text, strlen(text));
}

static void
content_file(struct content *c, const struct entry *e)
{
	content_number(c, e->mode);
	content_number(c, e->uid);
	content_number(c, e->gid);
	content_number(c, e->size);
	content_number(c, e->major);
	content_number(c, e->minor);
	content_number(c, e->xattr_count);
	for (size_t i = 0; i < e->xattr_count; i++) {
		content_text(c, e->xattrs[i].name);
		content_bytes(c, e->xattrs[i].value, e->xattrs[i].len);
	}
	content_text(c, e->digest.text);
}

bool
listing_content_add(struct hasher *h, const struct entry *e)
{
	struct content c;
	bool is_mark = e->kind == ENTRY_WHITEOUT || e->kind == ENTRY_OPAQUE;

	if (e->kind == ENTRY_FILE && digest_is_empty(&e->digest))
		return false;
	/* its bytes are only ever read where they were written */
	c.hasher = h;
	c.len = 0;
	content_text(&c, e->path);
	content_number(&c, e->kind);
	if (!is_mark && e->link != NULL)
		content_text(&c, e->link);
	/* of a hard link the rest is the file's */
	if (!is_mark && e->kind != ENTRY_HARDLINK)
		content_file(&c, e);
	content_flush(&c);
	return true;
}

void
listing_content_digest(const struct listing *l, struct digest *out)
{
	AUTO(hasher) struct hasher *h = hasher_new(DIGEST_SHA256);
	AUTO(listed) struct listed e = LISTED_INIT;

	for (size_t i = 0; i < l->count; i++)
		if (!listing_content_add(h, listing_at(l, i, &e))) {
			*out = (struct digest){ .text = "" };
			return;
		}
	hasher_digest(h, out);
}
