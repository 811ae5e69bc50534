/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++)
		entry_free(&l->entries[i]);
	free(l->entries);
	*l = (struct listing)LISTING_INIT;
}

void
auto_listing(struct listing *l)
{
	listing_free(l);
}

void
listing_take(struct listing *l, struct entry *e)
{
	l->entries = grow(l->entries, l->count, &l->room, sizeof *l->entries);
	l->entries[l->count++] = *e;
	*e = (struct entry){ .path = NULL };
}

void
listing_add(struct listing *l, const struct entry *e)
{
	struct entry copy;

	entry_copy(e, &copy);
	listing_take(l, &copy);
}

/* Entries are large, so what is sorted is this. */
struct place {
	const struct entry *entry;
	size_t index;
};

static int
by_path_then_time(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = entry_path_compare(x->entry->path, y->entry->path);

	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* And nothing to merge. */
static bool
is_sorted(const struct listing *l)
{
	for (size_t i = 1; i < l->count; i++) {
		const struct entry *before = &l->entries[i - 1], *e = &l->entries[i];
		int order = entry_path_compare(before->path, e->path);

		if (order > 0 ||
			(order == 0 && (before->kind != ENTRY_DIR || e->kind != ENTRY_OPAQUE)))
			return false;
	}
	return true;
}

/* What remains of the entries of one path, moved to out.  A whiteout is about the layers below,
 * whatever its place among the others, so a directory beside it has nothing from below: it is
 * opaque. (image-spec layer.md, Whiteouts) */
static size_t
merge_path(const struct place *places, size_t count, struct entry *entries, struct entry *out)
{
	const struct entry *last = NULL, *opaque = NULL, *whiteout = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const struct entry *e = places[i].entry;

		if (e->kind == ENTRY_OPAQUE)
			opaque = e;
		else if (e->kind == ENTRY_WHITEOUT)
			whiteout = e;
		else
			last = e;
	}
	if (last != NULL && last->kind != ENTRY_DIR)
		opaque = NULL;
	else if (last != NULL && opaque == NULL)
		opaque = whiteout;
	if (last == NULL && opaque == NULL)
		last = whiteout;
	for (size_t i = 0; i < count; i++) {
		struct entry *e = &entries[places[i].index];

		if (e != last && e != opaque)
			entry_free(e);
	}
	if (last != NULL)
		out[kept++] = entries[last - entries];
	if (opaque != NULL) {
		out[kept] = entries[opaque - entries];
		out[kept++].kind = ENTRY_OPAQUE;
	}
	return kept;
}

void
listing_sort(struct listing *l)
{
	AUTO(free) struct place *places = NULL;
	struct entry *sorted;
	size_t count = 0, end;

	if (is_sorted(l))
		return;
	places = xcalloc(l->count, sizeof *places);
	sorted = xcalloc(l->count, sizeof *sorted);
	for (size_t i = 0; i < l->count; i++)
		places[i] = (struct place){ &l->entries[i], i };
	qsort(places, l->count, sizeof *places, by_path_then_time);
	for (size_t i = 0; i < l->count; i = end) {
		for (end = i + 1; end < l->count; end++)
			if (strcmp(places[i].entry->path, places[end].entry->path) != 0)
				break;
		count += merge_path(&places[i], end - i, l->entries, &sorted[count]);
	}
	free(l->entries);
	l->room = l->count;
	l->entries = sorted;
	l->count = count;
}

const struct entry *
listing_find(const struct listing *l, const char *path)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct entry *e = &l->entries[middle];
		int order = entry_path_compare(path, e->path);

		/* at one path the OPAQUE is behind what is looked for */
		if (order == 0 && e->kind != ENTRY_OPAQUE)
			return e;
		if (order <= 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

enum { LINK_NONE = SIZE_MAX };

/* The entry that has the file which entry i is a name of, or LINK_NONE; files[] remembers, and
 * tells a circle by LINK_NONE. */
static size_t
link_file(const struct listing *l, size_t i, size_t *files)
{
	size_t at = i, end, next;

	while (l->entries[at].kind == ENTRY_HARDLINK && files[at] == at) {
		const struct entry *target = listing_find(l, l->entries[at].link);

		files[at] = LINK_NONE;
		if (target == NULL)
			return LINK_NONE;
		at = (size_t)(target - l->entries);
	}
	end = files[at];
	/* once more along the chain, so that none of it is walked again */
	for (at = i;
		end != LINK_NONE && l->entries[at].kind == ENTRY_HARDLINK && files[at] == LINK_NONE;
		at = next) {
		next = (size_t)(listing_find(l, l->entries[at].link) - l->entries);
		files[at] = end;
	}
	return end;
}

/* Entry first takes over the file of entry file, which becomes a link to it. */
static void
move_file(struct listing *l, size_t first, size_t file)
{
	struct entry *to = &l->entries[first], *from = &l->entries[file], moved = *from;

	from->kind = ENTRY_HARDLINK;
	from->path = to->path;
	from->link = to->link;
	from->size = 0;
	from->major = from->minor = 0;
	from->xattrs = NULL;
	from->xattr_count = 0;
	from->digest = (struct digest){ .text = "" };
	to->path = NULL;
	to->link = NULL;
	entry_free(to);
	*to = moved;
	/* each keeps its own name */
	moved.path = to->path;
	to->path = from->path;
	from->path = moved.path;
}

void
listing_order_links(struct listing *l)
{
	AUTO(free) size_t *files = xcalloc(l->count + 1, sizeof *files);
	AUTO(free) size_t *firsts = xcalloc(l->count + 1, sizeof *firsts);

	for (size_t i = 0; i < l->count; i++) {
		files[i] = i;
		firsts[i] = i;
	}
	for (size_t i = 0; i < l->count; i++) {
		size_t file;

		if (l->entries[i].kind != ENTRY_HARDLINK)
			continue;
		file = link_file(l, i, files);
		if (file != LINK_NONE && l->entries[file].kind != ENTRY_DIR && i < firsts[file])
			firsts[file] = i;
	}
	for (size_t i = 0; i < l->count; i++) {
		struct entry *e = &l->entries[i];
		size_t first = files[i] != LINK_NONE ? firsts[files[i]] : i;

		if (e->kind != ENTRY_HARDLINK || files[i] == LINK_NONE ||
			l->entries[files[i]].kind == ENTRY_DIR || first == i)
			continue;
		free(e->link);
		e->link = xstrdup(l->entries[first].path);
	}
	for (size_t i = 0; i < l->count; i++)
		if (l->entries[i].kind != ENTRY_HARDLINK && firsts[i] != i) {
			move_file(l, firsts[i], i);
			free(l->entries[i].link);
			l->entries[i].link = xstrdup(l->entries[firsts[i]].path);
		}
}

/* Lengths stand before what has none of its own, so that no two entries feed the same bytes. */
static void
hash_number(struct hasher *h, uint64_t number)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(number >> (8 * i));
	hasher_add(h, bytes, sizeof bytes);
}

static void
hash_bytes(struct hasher *h, const void *bytes, size_t len)
{
	hash_number(h, len);
	hasher_add(h, bytes, len);
}

static void
hash_text(struct hasher *h, const char *text)
{
	hash_bytes(h, text, strlen(text));
}

static void
hash_entry(struct hasher *h, const struct entry *e)
{
	hash_text(h, e->path);
	hash_number(h, e->kind);
	if (e->kind == ENTRY_WHITEOUT || e->kind == ENTRY_OPAQUE)
		return;
	if (e->link != NULL)
		hash_text(h, e->link);
	if (e->kind == ENTRY_HARDLINK)
		return; /* the rest is the file's */
	hash_number(h, e->mode);
	hash_number(h, e->uid);
	hash_number(h, e->gid);
	hash_number(h, e->size);
	hash_number(h, e->major);
	hash_number(h, e->minor);
	hash_number(h, e->xattr_count);
	for (size_t i = 0; i < e->xattr_count; i++) {
		hash_text(h, e->xattrs[i].name);
		hash_bytes(h, e->xattrs[i].value, e->xattrs[i].len);
	}
	hash_text(h, e->digest.text);
}

void
listing_content_digest(const struct listing *l, struct digest *out)
{
	AUTO(hasher) struct hasher *h = hasher_new(DIGEST_SHA256);

	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = &l->entries[i];

		if (e->kind == ENTRY_FILE && digest_is_empty(&e->digest)) {
			*out = (struct digest){ .text = "" };
			return;
		}
		hash_entry(h, e);
	}
	hasher_digest(h, out);
}
