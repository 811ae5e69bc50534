/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "layers/listing_format.h"
#include "layers/listing_record.h"

/* listing_old - version 1 of the form: a magic, the count, and for each entry
 *
 *	kind and flags  one byte
 *	path            length shared with the path before; the rest
 *	mode uid gid    and mtime as a difference to the one before, nanoseconds
 *	size, digest    of a FILE; link of a link; major and minor of a device
 *	attributes      count, then name and value
 *
 * WHITEOUT and OPAQUE have only kind and path. */

static const char magic[8] = { 'c', 'p', 'r', 'l', 'i', 's', 't', '1' };

static char *
get_text(struct record_reader *r)
{
	uint64_t len = record_number(r);
	const char *text = record_bytes(r, len);

	if (text == NULL || memchr(text, '\0', len) != NULL) {
		r->is_bad = true;
		return NULL;
	}
	return xstrndup(text, len);
}

static void
get_path(struct record_reader *r, const struct entry *before, struct entry *e)
{
	size_t before_len = before != NULL ? strlen(before->path) : 0;
	uint64_t shared = record_number(r), len = record_number(r);
	const char *rest = record_bytes(r, len);

	if (rest == NULL || shared > before_len || shared + len > ENTRY_PATH_MAX) {
		r->is_bad = true;
		return;
	}
	e->path = xmalloc(shared + len + 1);
	if (shared > 0)
		memcpy(e->path, before->path, shared);
	memcpy(e->path + shared, rest, len);
	e->path[shared + len] = '\0';
	if (!listing_path_is_clean(e->path, shared + len))
		r->is_bad = true;
}

static void
get_attributes(struct record_reader *r, struct entry *e)
{
	uint64_t count = record_number(r);

	/* each takes at least two bytes */
	if (count > (uint64_t)(r->end - r->at) / 2)
		r->is_bad = true;
	for (uint64_t i = 0; i < count && !r->is_bad; i++) {
		AUTO(free) char *name = get_text(r);
		uint64_t value_len = record_number(r);
		const char *value = record_bytes(r, value_len);

		/* one that is not behind the last would be searched for its place */
		if (value == NULL || (e->xattr_count > 0 &&
					     strcmp(e->xattrs[e->xattr_count - 1].name, name) >= 0))
			r->is_bad = true;
		else
			entry_xattr_add(e, name, value, value_len);
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
get_entry(struct record_reader *r, const struct entry *before, struct entry *e)
{
	const char *first = record_bytes(r, 1);
	unsigned flags = first != NULL ? (unsigned char)*first : 0;

	if ((flags & RECORD_KIND) > ENTRY_OPAQUE)
		r->is_bad = true;
	e->kind = (enum entry_kind)(flags & RECORD_KIND);
	get_path(r, before, e);
	if (r->is_bad || e->kind == ENTRY_WHITEOUT || e->kind == ENTRY_OPAQUE)
		return;
	e->mode = record_number32(r) & 07777;
	e->uid = record_number32(r);
	e->gid = record_number32(r);
	e->mtime = (int64_t)((uint64_t)record_signed(r) + time_base(before));
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
		get_attributes(r, e);
}

bool
listing_parse_old(const struct buf *bytes, struct listing *out)
{
	struct record_reader r = { (const unsigned char *)bytes->data,
		(const unsigned char *)bytes->data + bytes->len, false };
	const char *first = record_bytes(&r, sizeof magic);
	AUTO(entry) struct entry before = { .path = NULL };
	uint64_t count;

	if (first == NULL || memcmp(first, magic, sizeof magic) != 0)
		return false;
	count = record_number(&r);
	while (!r.is_bad && out->count < count) {
		AUTO(entry) struct entry e = { .path = NULL };

		get_entry(&r, out->count > 0 ? &before : NULL, &e);
		if (r.is_bad || (out->count > 0 && entry_compare(&before, &e) >= 0))
			return false;
		listing_add(out, &e);
		entry_free(&before);
		before = e;
		e = (struct entry){ .path = NULL };
	}
	return !r.is_bad && r.at == r.end;
}
