/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The form: a magic with the version, the count, and for each entry
 *
 *	kind and flags  one byte
 *	path            length shared with the path before; the rest
 *	mode uid gid    and mtime as a difference to the one before, nanoseconds
 *	size, digest    of a FILE; link of a link; major and minor of a device
 *	attributes      count, then name and value
 *
 * Numbers are LEB128, signed ones zigzag; texts have their length before them.  WHITEOUT and OPAQUE
 *have only kind and path. */

static const char magic[8] = { 'c', 'p', 'r', 'l', 'i', 's', 't', '1' };

enum {
	KIND_MASK = 0x0f,
	HAS_SHA256 = 0x10,
	HAS_SHA512 = 0x20,
	HAS_XATTRS = 0x40,
};

static void
put_number(struct buf *out, uint64_t number)
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

static void
put_signed(struct buf *out, int64_t number)
{
	put_number(out, ((uint64_t)number << 1) ^ (uint64_t)(number >> 63));
}

static void
put_bytes(struct buf *out, const void *bytes, size_t len)
{
	put_number(out, len);
	buf_add(out, bytes, len);
}

static void
put_digest(struct buf *out, const struct digest *d)
{
	unsigned char raw[DIGEST_RAW_MAX];

	buf_add(out, raw, digest_raw(d, raw));
}

static unsigned char
flags_of(const struct entry *e)
{
	unsigned flags = (unsigned)e->kind;

	if (e->kind == ENTRY_FILE && !digest_is_empty(&e->digest))
		flags |= digest_algorithm(&e->digest) == DIGEST_SHA512 ? HAS_SHA512 : HAS_SHA256;
	if (e->xattr_count > 0)
		flags |= HAS_XATTRS;
	return (unsigned char)flags;
}

static void
put_attributes(struct buf *out, const struct entry *e)
{
	if (e->xattr_count == 0)
		return;
	put_number(out, e->xattr_count);
	for (size_t i = 0; i < e->xattr_count; i++) {
		put_bytes(out, e->xattrs[i].name, strlen(e->xattrs[i].name));
		put_bytes(out, e->xattrs[i].value, e->xattrs[i].len);
	}
}

/* What the next entry's time is told from. */
static uint64_t
time_base(const struct entry *before)
{
	if (before == NULL || before->kind == ENTRY_WHITEOUT || before->kind == ENTRY_OPAQUE)
		return 0;
	return (uint64_t)before->mtime;
}

static void
put_entry(struct buf *out, const struct entry *e, const struct entry *before)
{
	size_t shared = 0;

	if (before != NULL)
		while (e->path[shared] != '\0' && e->path[shared] == before->path[shared])
			shared++;
	buf_addc(out, (char)flags_of(e));
	put_number(out, shared);
	put_bytes(out, e->path + shared, strlen(e->path + shared));
	if (e->kind == ENTRY_WHITEOUT || e->kind == ENTRY_OPAQUE)
		return;
	put_number(out, e->mode);
	put_number(out, e->uid);
	put_number(out, e->gid);
	put_signed(out, (int64_t)((uint64_t)e->mtime - time_base(before)));
	put_number(out, e->mtime_ns);
	if (e->kind == ENTRY_FILE) {
		put_number(out, e->size);
		if (!digest_is_empty(&e->digest))
			put_digest(out, &e->digest);
	} else if (e->kind == ENTRY_SYMLINK || e->kind == ENTRY_HARDLINK) {
		put_bytes(out, e->link, strlen(e->link));
	} else if (e->kind == ENTRY_CHAR || e->kind == ENTRY_BLOCK) {
		put_number(out, e->major);
		put_number(out, e->minor);
	}
	put_attributes(out, e);
}

void
listing_format(const struct listing *l, struct buf *out)
{
	buf_add(out, magic, sizeof magic);
	put_number(out, l->count);
	for (size_t i = 0; i < l->count; i++)
		put_entry(out, &l->entries[i], i > 0 ? &l->entries[i - 1] : NULL);
}

struct cursor {
	const unsigned char *at, *end;
	bool is_bad; /* stays so; everything read from then on is 0 */
};

static uint64_t
get_number(struct cursor *c)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64 && c->at < c->end; shift += 7) {
		unsigned char byte = *c->at++;

		/* the tenth byte has one bit left */
		if (shift == 63 && byte > 1)
			break;
		number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return number;
	}
	c->is_bad = true;
	return 0;
}

static uint32_t
get_number32(struct cursor *c)
{
	uint64_t number = get_number(c);

	if (number > UINT32_MAX)
		c->is_bad = true;
	return (uint32_t)number;
}

static int64_t
get_signed(struct cursor *c)
{
	uint64_t number = get_number(c);

	return (int64_t)(number >> 1 ^ (0 - (number & 1)));
}

/* NULL when there are not as many. */
static const char *
get_bytes(struct cursor *c, uint64_t len)
{
	const char *bytes = (const char *)c->at;

	if (c->is_bad || len > (uint64_t)(c->end - c->at)) {
		c->is_bad = true;
		return NULL;
	}
	c->at += len;
	return bytes;
}

static char *
get_text(struct cursor *c, size_t *out_len)
{
	uint64_t len = get_number(c);
	const char *bytes = get_bytes(c, len);

	if (bytes == NULL || memchr(bytes, '\0', len) != NULL) {
		c->is_bad = true;
		return NULL;
	}
	*out_len = len;
	return xstrndup(bytes, len);
}

static void
get_digest(struct cursor *c, unsigned flags, struct digest *out)
{
	bool is_long = (flags & HAS_SHA512) != 0;
	const char *raw = get_bytes(c, is_long ? 64 : 32);

	if (raw != NULL)
		digest_from_raw(is_long ? DIGEST_SHA512 : DIGEST_SHA256, raw, out);
}

/* Components that are "", "." or "..": whoever joins this to a directory relies on their absence.
 */
static bool
is_clean(const char *path)
{
	for (const char *p = path; *p != '\0';) {
		size_t len = (size_t)(strchrnul(p, '/') - p);

		if (len == 0 || (len == 1 && p[0] == '.') ||
			(len == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += len;
		if (*p == '/' && *++p == '\0')
			return false;
	}
	return true;
}

static void
get_path(struct cursor *c, const struct entry *before, struct entry *e)
{
	size_t before_len = before != NULL ? strlen(before->path) : 0;
	uint64_t shared = get_number(c), len = get_number(c);
	const char *rest = get_bytes(c, len);

	if (rest == NULL || shared > before_len || shared + len > ENTRY_PATH_MAX ||
		memchr(rest, '\0', len) != NULL) {
		c->is_bad = true;
		return;
	}
	e->path = xmalloc(shared + len + 1);
	if (shared > 0)
		memcpy(e->path, before->path, shared);
	memcpy(e->path + shared, rest, len);
	e->path[shared + len] = '\0';
	if (!is_clean(e->path))
		c->is_bad = true;
}

static void
get_attributes(struct cursor *c, struct entry *e)
{
	uint64_t count = get_number(c);

	/* each takes at least two bytes */
	if (count > (uint64_t)(c->end - c->at) / 2)
		c->is_bad = true;
	for (uint64_t i = 0; i < count && !c->is_bad; i++) {
		size_t len = 0;
		AUTO(free) char *name = get_text(c, &len);
		uint64_t value_len = get_number(c);
		const char *value = get_bytes(c, value_len);

		/* one that is not behind the last would be searched for its place */
		if (value == NULL || (e->xattr_count > 0 &&
					     strcmp(e->xattrs[e->xattr_count - 1].name, name) >= 0))
			c->is_bad = true;
		else
			entry_xattr_add(e, name, value, value_len);
	}
}

static void
get_entry(struct cursor *c, const struct entry *before, struct entry *e)
{
	const char *first = get_bytes(c, 1);
	unsigned flags = first != NULL ? (unsigned char)*first : 0;
	size_t len = 0;

	if ((flags & KIND_MASK) > ENTRY_OPAQUE)
		c->is_bad = true;
	e->kind = (enum entry_kind)(flags & KIND_MASK);
	get_path(c, before, e);
	if (c->is_bad || e->kind == ENTRY_WHITEOUT || e->kind == ENTRY_OPAQUE)
		return;
	e->mode = get_number32(c) & 07777;
	e->uid = get_number32(c);
	e->gid = get_number32(c);
	e->mtime = (int64_t)((uint64_t)get_signed(c) + time_base(before));
	e->mtime_ns = get_number32(c);
	if (e->kind == ENTRY_FILE) {
		e->size = get_number(c);
		if ((flags & (HAS_SHA256 | HAS_SHA512)) != 0)
			get_digest(c, flags, &e->digest);
	} else if (e->kind == ENTRY_SYMLINK || e->kind == ENTRY_HARDLINK) {
		e->link = get_text(c, &len);
	} else if (e->kind == ENTRY_CHAR || e->kind == ENTRY_BLOCK) {
		e->major = get_number32(c);
		e->minor = get_number32(c);
	}
	if ((flags & HAS_XATTRS) != 0)
		get_attributes(c, e);
}

static int
damaged(struct err *err)
{
	return err_set(err, ERR_CORRUPT, "the listing of a layer is damaged");
}

int
listing_parse(const char *bytes, size_t len, struct listing *out, struct err *err)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	struct cursor c = { (const unsigned char *)bytes, (const unsigned char *)bytes + len,
		false };
	uint64_t count;

	if (len < sizeof magic || len > LISTING_MAX || memcmp(bytes, magic, sizeof magic) != 0)
		return damaged(err);
	c.at += sizeof magic;
	count = get_number(&c);
	/* each takes at least three bytes */
	if (c.is_bad || count > (uint64_t)(c.end - c.at) / 3)
		return damaged(err);
	if (count > 0)
		l.entries = xcalloc(count, sizeof *l.entries);
	l.room = count;
	while (l.count < count) {
		struct entry *e = &l.entries[l.count], *before = l.count > 0 ? e - 1 : NULL;

		l.count++;
		get_entry(&c, before, e);
		if (c.is_bad || (before != NULL && entry_compare(before, e) >= 0))
			return damaged(err);
	}
	if (c.at != c.end)
		return damaged(err);
	*out = l;
	l = (struct listing)LISTING_INIT;
	return 0;
}
