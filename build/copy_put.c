/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/path.h"
#include "build/copy_inside.h"

/* copy_put - what is in the destination, and what is put there. */

/* As many links as the kernel follows in one path. */
#define LINKS_MAX 40

bool
copy_get(const struct view *view, const char *path, struct view_hit *out)
{
	struct err ignored;

	return view != NULL && view_find(view, path, false, out, &ignored) == 0;
}

static bool
is_dir(const struct entry *e)
{
	return e != NULL && e->kind == ENTRY_DIR;
}

/* The item at path, or COPY_SLOT_NONE. */
size_t
copy_item_at(const struct copy *c, const char *path)
{
	uint32_t hash = copy_slots_hash(path);
	size_t at = 0, item;

	do
		item = copy_slots_next(&c->slots, hash, &at);
	while (item != COPY_SLOT_NONE && !copy_list_is_at(c->list, item, path));
	return item;
}

/* In the destination, what this instruction puts there counts first. */
const struct entry *
copy_dest_find(const struct copy *c, const char *path, struct copy_found *out)
{
	size_t item = copy_item_at(c, path);

	if (item != COPY_SLOT_NONE)
		return copy_list_at(c->list, item, &out->item);
	auto_view_hit(&out->hit);
	return copy_get(c->r->dest_view, path, &out->hit) ? &out->hit.file.entry : NULL;
}

void
auto_copy_found(struct copy_found *found)
{
	auto_copied(&found->item);
	auto_view_hit(&found->hit);
}

bool
copy_dest_is_dir(const struct copy *c, const char *path)
{
	AUTO(copy_found) struct copy_found found = COPY_FOUND_INIT;

	return is_dir(copy_dest_find(c, path, &found));
}

/* The path with every link in it followed, whether or not it leads to something: in the destination
 * a dangling link names what is to be made. */
int
copy_dest_resolve(const struct copy *c, const char *path, struct buf *out, struct err *err)
{
	AUTO(buf) struct buf rest = BUF_INIT;
	AUTO(copy_found) struct copy_found found = COPY_FOUND_INIT;
	unsigned links = 0;
	size_t at = 0;

	path_clean(path, &rest);
	while (rest.data[at] != '\0') {
		size_t before = out->len, len;
		const struct entry *e;

		at += strspn(rest.data + at, "/");
		len = strcspn(rest.data + at, "/");
		if (len == 0)
			break;
		if (out->len > 0)
			buf_addc(out, '/');
		buf_add(out, rest.data + at, len);
		at += len;
		e = copy_dest_find(c, out->data, &found);
		if (e != NULL && e->kind == ENTRY_SYMLINK) {
			AUTO(buf) struct buf next = BUF_INIT;

			if (++links > LINKS_MAX)
				return err_set(
					err, ERR_INPUT, "too many links in destination '%s'", path);
			buf_truncate(out, before);
			if (e->link[0] != '/')
				buf_addf(&next, "/%s", out->data);
			buf_addf(&next, "/%s/%s", e->link, rest.data + at);
			buf_clear(&rest);
			path_clean(next.data, &rest);
			at = 0;
			buf_clear(out);
		}
	}
	return 0;
}

/* Item is what is at path now. */
static size_t
put_item(struct copy *c, const char *path, struct copy_item item)
{
	size_t i = copy_item_at(c, path);
	struct copy_list *l = c->list;

	if (i == COPY_SLOT_NONE) {
		l->items = grow(l->items, l->count, &l->room, sizeof *l->items);
		i = l->count++;
		copy_slots_add(&c->slots, copy_slots_hash(path), i);
	}
	l->items[i] = item;
	return i;
}

size_t
copy_put(struct copy *c, const struct entry *e, const struct copy_source *source)
{
	return put_item(c, e->path, copy_list_own(c->list, e, source));
}

struct entry
copy_new_dir(const struct copy *c, const char *path)
{
	const struct mode *mode = c->is_unpacking ? NULL : c->r->mode;

	return (struct entry){ .path = (char *)(uintptr_t)path,
		.kind = ENTRY_DIR,
		/* an octal mode reaches the parents that had to be made, a symbolic one does not */
		.mode = mode != NULL && mode->is_octal ? mode->octal & 0777 : 0755,
		.uid = c->r->uid,
		.gid = c->r->gid,
		.mtime = c->r->mtime };
}

void
copy_put_dir(struct copy *c, const char *path, const struct entry *have)
{
	struct entry e = have != NULL ? *have : copy_new_dir(c, path);

	e.path = (char *)(uintptr_t)path;
	copy_put(c, &e, NULL);
}

int
copy_put_parents(struct copy *c, const char *path, struct err *err)
{
	AUTO(copy_found) struct copy_found found = COPY_FOUND_INIT;
	size_t len = path_dir_len(path);
	AUTO(free) char *dir = NULL;

	/* mostly those of the one before */
	if (c->parents.len == len && memcmp(c->parents.data, path, len) == 0)
		return 0;
	dir = xstrdup(path);
	for (char *slash = strchr(dir, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		const struct entry *have;

		*slash = '\0';
		have = copy_dest_find(c, dir, &found);
		if (have != NULL && have->kind != ENTRY_DIR)
			return err_set(err, ERR_INPUT, "cannot copy to non-directory: /%s", dir);
		if (copy_item_at(c, dir) == COPY_SLOT_NONE)
			copy_put_dir(c, dir, have);
		*slash = '/';
	}
	buf_clear(&c->parents);
	buf_add(&c->parents, path, len);
	return 0;
}

int
copy_put_top(struct copy *c, const char *path, int64_t mtime, struct err *err)
{
	AUTO(copy_found) struct copy_found found = COPY_FOUND_INIT;
	const struct entry *have = copy_dest_find(c, path, &found);
	AUTO(entry) struct entry e = { .path = NULL };

	if (have != NULL && have->kind != ENTRY_DIR)
		return err_set(err, ERR_INPUT, "cannot copy to non-directory: /%s", path);
	if (path[0] == '\0')
		return 0;
	if (copy_put_parents(c, path, err) < 0)
		return -1;
	have = copy_dest_find(c, path, &found); /* again: the list may have moved */
	if (have != NULL) {
		entry_copy(have, &e);
	} else {
		e = copy_new_dir(c, path);
		e.path = xstrdup(path);
	}
	e.mtime = mtime;
	e.mtime_ns = 0;
	copy_put(c, &e, NULL);
	return 0;
}

/* Owner and mode as the instruction says. */
static void
dress(const struct copy *c, struct entry *e)
{
	struct copy_dress d = c->list->dress;

	d.has_owner = d.has_owner || c->place != COPY_ORIGIN;
	copy_dress(&d, e);
}

/* Of which entry of the current origin an item is. */
static bool
is_of(const struct copy_list *l, size_t i, uint32_t number)
{
	uint32_t entry = l->items[i].entry;
	const struct copy_source *s;

	if ((entry & COPY_IS_OWN) == 0)
		return entry == number;
	s = &l->sources[entry & ~COPY_IS_OWN];
	return (s->bytes == COPY_FROM_ORIGIN || s->bytes == COPY_FROM_PLACE) && s->number == number;
}

/* The item that has this file under another name already, or COPY_SLOT_NONE. */
static size_t
seen_file(const struct copy *c, const struct view_hit *hit)
{
	size_t at = 0, item;

	do
		item = copy_slots_next(&c->seen, hit->number, &at);
	while (item != COPY_SLOT_NONE && !is_of(c->list, item, hit->number));
	return item;
}

static void
put_link(struct copy *c, const struct view_hit *hit, const char *path, size_t seen)
{
	AUTO(copied) struct copied first = COPIED_INIT;
	struct entry e = hit->file.entry;

	e.path = (char *)(uintptr_t)path;
	dress(c, &e);
	e.kind = ENTRY_HARDLINK;
	e.size = 0;
	e.link = copy_list_at(c->list, seen, &first)->path;
	e.digest.text[0] = '\0';
	copy_put(c, &e, NULL);
}

/* Most are entries of the origin as they are, but for what all are dressed in. */
static bool
is_as_it_was(const struct copy *c, const struct view_hit *hit, const char *path)
{
	return c->place == COPY_ORIGIN && c->origin == c->list->origin &&
	       streq(path_base(hit->file.entry.path), path_base(path)) &&
	       hit->file.entry.path[0] != '\0';
}

static size_t
put_entry(struct copy *c, const struct view_hit *hit, const char *path)
{
	struct copy_source source = { .number = hit->number, .bytes = COPY_NO_BYTES };
	struct entry e = hit->file.entry;

	if (is_as_it_was(c, hit, path))
		return put_item(
			c, path, copy_list_origin(c->list, hit->number, path, path_dir_len(path)));
	if (e.kind == ENTRY_FILE)
		source.bytes = c->place == COPY_ORIGIN ? COPY_FROM_ORIGIN : COPY_FROM_PLACE;
	if (c->place != COPY_ORIGIN)
		source.place = (uint32_t)c->place & 0x3fffffff;
	e.path = (char *)(uintptr_t)path;
	dress(c, &e);
	return copy_put(c, &e, &source);
}

int
copy_put_one(struct copy *c, const struct view_hit *hit, const char *path, struct err *err)
{
	AUTO(copy_found) struct copy_found found = COPY_FOUND_INIT;
	const struct entry *have = copy_dest_find(c, path, &found);
	enum entry_kind kind = hit->file.entry.kind;
	bool has_names = kind == ENTRY_FILE && hit->is_linked;
	size_t item;

	if (kind == ENTRY_DIR && have != NULL && have->kind != ENTRY_DIR)
		return err_set(err, ERR_INPUT, "cannot copy to non-directory: /%s", path);
	if (kind != ENTRY_DIR && is_dir(have))
		return err_set(err, ERR_INPUT, "cannot replace to directory /%s with file", path);
	if (copy_put_parents(c, path, err) < 0)
		return -1;
	item = has_names ? seen_file(c, hit) : COPY_SLOT_NONE;
	if (item != COPY_SLOT_NONE) {
		put_link(c, hit, path, item);
		return 0;
	}
	item = put_entry(c, hit, path);
	if (has_names)
		copy_slots_add(&c->seen, hit->number, item);
	return 0;
}
