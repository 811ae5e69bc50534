/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/listing_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* --- numbers and texts ------------------------------------------------------------------------ */

void
record_put_number(struct buf *out, uint64_t number)
{
	char bytes[10];
	size_t len = 0;

	while (number >= 0x80) {
		bytes[len++] = (char)(number | 0x80);
		number >>= 7;
	}
	bytes[len++] = (char)number;
	buf_add(out, bytes, len);
}

void
record_put_signed(struct buf *out, int64_t number)
{
	record_put_number(out, ((uint64_t)number << 1) ^ (uint64_t)(number >> 63));
}

static void
put_bytes(struct buf *out, const void *bytes, size_t len)
{
	record_put_number(out, len);
	buf_add(out, bytes, len);
}

/* With its '\0'. */
static void
put_text(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	record_put_number(out, len);
	buf_add(out, text, len + 1);
}

uint64_t
record_number(struct record_reader *r)
{
	uint64_t number = 0;

	/* most are small */
	if (r->at < r->end && *r->at < 0x80)
		return *r->at++;
	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		unsigned char byte = *r->at++;

		/* the tenth byte has one bit left */
		if (shift == 63 && byte > 1)
			break;
		number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return number;
	}
	r->is_bad = true;
	return 0;
}

uint32_t
record_number32(struct record_reader *r)
{
	uint64_t number = record_number(r);

	if (number > UINT32_MAX)
		r->is_bad = true;
	return (uint32_t)number;
}

int64_t
record_signed(struct record_reader *r)
{
	uint64_t number = record_number(r);

	return (int64_t)(number >> 1 ^ (0 - (number & 1)));
}

const char *
record_bytes(struct record_reader *r, uint64_t len)
{
	const char *bytes = (const char *)r->at;

	if (r->is_bad || len > (uint64_t)(r->end - r->at)) {
		r->is_bad = true;
		return NULL;
	}
	r->at += len;
	return bytes;
}

static char *
get_text(struct record_reader *r)
{
	uint64_t len = record_number(r);
	const char *text = len < UINT32_MAX ? record_bytes(r, len + 1) : NULL;

	if (text == NULL || memchr(text, '\0', len + 1) != text + len) {
		r->is_bad = true;
		return NULL;
	}
	return (char *)(uintptr_t)text;
}

void
record_digest(struct record_reader *r, unsigned flags, struct digest *out)
{
	bool is_long = (flags & RECORD_SHA512) != 0;
	const char *raw = record_bytes(r, is_long ? 64 : 32);

	if (raw != NULL)
		digest_from_raw(is_long ? DIGEST_SHA512 : DIGEST_SHA256, raw, out);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool
is_mark(unsigned flags)
{
	unsigned kind = flags & RECORD_KIND;

	return kind == ENTRY_WHITEOUT || kind == ENTRY_OPAQUE;
}

static void
open_dir(const struct buf *bytes, size_t at, struct record_reader *r, struct record *out)
{
	struct record_reader dir = { (const unsigned char *)bytes->data + at,
		(const unsigned char *)bytes->data + bytes->len, false };
	const char *mark = record_bytes(&dir, 1);

	out->dir_len = record_number(&dir);
	out->dir = record_bytes(&dir, out->dir_len);
	if (mark == NULL || *mark != RECORD_DIR || out->dir == NULL)
		r->is_bad = true;
}

void
record_open_name(const struct buf *bytes, size_t at, struct record_reader *r, struct record *out)
{
	const char *first;

	*r = (struct record_reader){ (const unsigned char *)bytes->data + at,
		(const unsigned char *)bytes->data + bytes->len, false };
	*out = (struct record){ .dir = NULL };
	first = record_bytes(r, 1);
	out->flags = first != NULL ? (unsigned char)*first : 0;
	out->back = record_number(r);
	out->name_len = record_number(r);
	out->name = record_bytes(r, out->name_len);
	if (out->name == NULL)
		out->name_len = 0;
}

void
record_open(const struct buf *bytes, size_t at, struct record_reader *r, struct record *out)
{
	record_open_name(bytes, at, r, out);
	if (out->back > at)
		r->is_bad = true;
	else if (out->back > 0)
		open_dir(bytes, at - out->back, r, out);
}

static void
get_attributes(struct record_reader *r, struct listed *out)
{
	uint64_t count = record_number(r);
	size_t got = 0;

	/* each takes at least three bytes */
	if (count > (uint64_t)(r->end - r->at) / 3)
		r->is_bad = true;
	for (; got < count && !r->is_bad; got++) {
		char *name = get_text(r);
		uint64_t len = record_number(r);
		const char *value = record_bytes(r, len);

		if (value == NULL || (got > 0 && strcmp(out->xattrs[got - 1].name, name) >= 0)) {
			r->is_bad = true;
			break;
		}
		out->xattrs = grow(out->xattrs, got, &out->xattr_room, sizeof *out->xattrs);
		out->xattrs[got] = (struct xattr){ name, (void *)(uintptr_t)value, len };
	}
	out->entry.xattrs = out->xattrs;
	out->entry.xattr_count = got;
}

static void
get_path(const struct record *record, struct listed *out)
{
	buf_clear(&out->path);
	if (record->dir != NULL) {
		buf_add(&out->path, record->dir, record->dir_len);
		buf_addc(&out->path, '/');
	}
	buf_add(&out->path, record->name, record->name_len);
}

void
record_read(struct record_reader *r, const struct record *record, struct listed *out)
{
	unsigned flags = record->flags;
	struct entry *e = &out->entry;

	get_path(record, out);
	*e = (struct entry){ .path = out->path.data,
		.kind = (enum entry_kind)(flags & RECORD_KIND) };
	if (is_mark(flags))
		return;
	e->mode = record_number32(r) & 07777;
	e->uid = record_number32(r);
	e->gid = record_number32(r);
	e->mtime = record_signed(r);
	e->mtime_ns = record_number32(r);
	if (e->kind == ENTRY_FILE) {
		e->size = record_number(r);
		if ((flags & (RECORD_SHA256 | RECORD_SHA512)) != 0)
			record_digest(r, flags, &e->digest);
	} else if (e->kind == ENTRY_SYMLINK || e->kind == ENTRY_HARDLINK) {
		e->link = get_text(r);
	} else if (e->kind == ENTRY_CHAR || e->kind == ENTRY_BLOCK) {
		e->major = record_number32(r);
		e->minor = record_number32(r);
	}
	if ((flags & RECORD_XATTRS) != 0)
		get_attributes(r, out);
}

/* Over the rest of it, without looking. */
static void
skip(struct record_reader *r, const struct record *record)
{
	unsigned flags = record->flags, kind = flags & RECORD_KIND;

	if (is_mark(flags))
		return;
	for (int i = 0; i < 5; i++)
		record_number(r);
	if (kind == ENTRY_FILE) {
		record_number(r);
		if ((flags & (RECORD_SHA256 | RECORD_SHA512)) != 0)
			record_bytes(r, (flags & RECORD_SHA512) != 0 ? 64 : 32);
	} else if (kind == ENTRY_SYMLINK || kind == ENTRY_HARDLINK) {
		record_bytes(r, record_number(r) + 1);
	} else if (kind == ENTRY_CHAR || kind == ENTRY_BLOCK) {
		record_number(r);
		record_number(r);
	}
	for (uint64_t i = (flags & RECORD_XATTRS) != 0 ? record_number(r) : 0; i > 0; i--) {
		record_bytes(r, record_number(r) + 1);
		record_bytes(r, record_number(r));
	}
}

/* --- order ------------------------------------------------------------------------------------ */

/* Byte i of the whole path, as entry_path_compare ranks it. */
static int
rank_at(const struct record *r, size_t i)
{
	size_t before = r->dir != NULL ? r->dir_len + 1 : 0;
	unsigned char c;

	if (i >= before + r->name_len)
		return 0;
	if (i + 1 == before)
		return 1;
	c = (unsigned char)(i < before ? r->dir[i] : r->name[i - before]);
	return c == '/' ? 1 : 1 + c;
}

static int
compare_names(const struct record *a, const struct record *b)
{
	size_t len = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order = memcmp(a->name, b->name, len);

	return order != 0 ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

int
record_compare(const struct record *a, const struct record *b)
{
	size_t len = a->dir_len < b->dir_len ? a->dir_len : b->dir_len, i = 0;
	int x, y;

	if (a->dir == b->dir || (a->dir != NULL && b->dir != NULL && a->dir_len == b->dir_len &&
					memcmp(a->dir, b->dir, len) == 0))
		return compare_names(a, b);
	while (i < len && a->dir[i] == b->dir[i])
		i++;
	do {
		x = rank_at(a, i);
		y = rank_at(b, i);
		i++;
	} while (x == y && x != 0);
	return x - y;
}

void
record_of_path(const char *path, struct record *out)
{
	const char *slash = strrchr(path, '/');

	*out = (struct record){ .name = slash != NULL ? slash + 1 : path };
	out->name_len = strlen(out->name);
	if (slash != NULL) {
		out->dir = path;
		out->dir_len = (size_t)(slash - path);
	}
}

/* --- writing ---------------------------------------------------------------------------------- */

void
record_put_dir(struct buf *out, const char *text, size_t len)
{
	buf_addc(out, RECORD_DIR);
	put_bytes(out, text, len);
}

static unsigned char
flags_of(const struct entry *e)
{
	unsigned flags = (unsigned)e->kind;

	if (is_mark(flags))
		return (unsigned char)flags;
	if (e->kind == ENTRY_FILE && !digest_is_empty(&e->digest))
		flags |= digest_algorithm(&e->digest) == DIGEST_SHA512 ? RECORD_SHA512
								       : RECORD_SHA256;
	if (e->xattr_count > 0)
		flags |= RECORD_XATTRS;
	return (unsigned char)flags;
}

static void
put_attributes(struct buf *out, const struct entry *e)
{
	if (e->xattr_count == 0)
		return;
	record_put_number(out, e->xattr_count);
	for (size_t i = 0; i < e->xattr_count; i++) {
		put_text(out, e->xattrs[i].name);
		put_bytes(out, e->xattrs[i].value, e->xattrs[i].len);
	}
}

void
record_put(struct buf *out, const struct entry *e, const char *name, uint64_t back)
{
	unsigned char raw[DIGEST_RAW_MAX];

	buf_addc(out, (char)flags_of(e));
	record_put_number(out, back);
	put_bytes(out, name, strlen(name));
	if (is_mark(e->kind))
		return;
	record_put_number(out, e->mode);
	record_put_number(out, e->uid);
	record_put_number(out, e->gid);
	record_put_signed(out, e->mtime);
	record_put_number(out, e->mtime_ns);
	if (e->kind == ENTRY_FILE) {
		record_put_number(out, e->size);
		buf_add(out, raw, digest_raw(&e->digest, raw));
	} else if (e->kind == ENTRY_SYMLINK || e->kind == ENTRY_HARDLINK) {
		put_text(out, e->link != NULL ? e->link : "");
	} else if (e->kind == ENTRY_CHAR || e->kind == ENTRY_BLOCK) {
		record_put_number(out, e->major);
		record_put_number(out, e->minor);
	}
	put_attributes(out, e);
}

void
record_copy(struct buf *out, struct record_reader *r, const struct record *record, uint64_t back)
{
	const unsigned char *rest = r->at;

	skip(r, record);
	buf_addc(out, (char)record->flags);
	record_put_number(out, back);
	put_bytes(out, record->name, record->name_len);
	buf_add(out, rest, (size_t)(r->at - rest));
}
