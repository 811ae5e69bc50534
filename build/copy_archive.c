/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/path.h"
#include "build/copy_inside.h"

/* copy_archive - what an archive among the sources of ADD puts where. */

void
copy_candidates_free(struct copy_candidates *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->items[i].path);
	free(c->items);
	*c = (struct copy_candidates){ .items = NULL };
}

void
copy_candidate_add(const struct copy *c, const char *path)
{
	struct copy_candidates *to = c->r->candidates;

	if (to == NULL)
		return;
	to->items = grow(to->items, to->count, &to->room, sizeof *to->items);
	to->items[to->count++] = (struct copy_candidate){ c->place, xstrdup(path) };
}

const struct copy_place *
copy_find_archive(const struct copy *c, const char *path)
{
	for (size_t i = 0; i < c->r->place_count; i++) {
		const struct copy_place *p = &c->r->places[i];

		if (p->archive != NULL && p->parent == c->place && streq(p->path, path))
			return p;
	}
	return NULL;
}

/* Where an archive's entry goes: links are followed on the way, as whoever unpacks there would, unless the
 * archive itself puts a directory in their place. */
static int
unpacked_path(
	const struct copy *c, const char *to, const char *path, struct buf *out, struct err *err)
{
	size_t len = path_dir_len(path);
	AUTO(free) char *dir = xasprintf("/%s/%.*s", to, (int)len, path);

	if (copy_dest_resolve(c, dir, out, err) < 0)
		return -1;
	if (out->len > 0)
		buf_addc(out, '/');
	buf_adds(out, path + len + (len > 0));
	return 0;
}

/* Entry i of the archive. */
static int
put_unpacked(
	struct copy *c, const struct copy_place *archive, const char *to, size_t i, struct err *err)
{
	AUTO(buf) struct buf path = BUF_INIT, link = BUF_INIT;
	AUTO(listed) struct listed listed = LISTED_INIT;
	struct copy_source source = { .number = (uint32_t)i,
		.place = (uint32_t)(archive - c->r->places) & 0x3fffffff,
		.bytes = COPY_FROM_PLACE };
	struct entry e = *listing_at(archive->archive, i, &listed);
	size_t there;

	if (unpacked_path(c, to, e.path, &path, err) < 0 || copy_put_parents(c, path.data, err) < 0)
		return -1;
	there = copy_item_at(c, path.data);
	if (there != COPY_SLOT_NONE && e.kind != ENTRY_DIR) {
		AUTO(copied) struct copied item = COPIED_INIT;

		if (copy_list_at(c->list, there, &item)->kind == ENTRY_DIR)
			return err_set(err, ERR_INPUT, "cannot replace to directory /%s with file",
				path.data);
	}
	e.path = path.data;
	if (e.kind == ENTRY_HARDLINK) {
		if (unpacked_path(c, to, e.link, &link, err) < 0)
			return -1;
		e.link = link.data;
	}
	if (c->r->has_owner) {
		e.uid = c->r->uid;
		e.gid = c->r->gid;
	}
	copy_put(c, &e, e.kind == ENTRY_FILE ? &source : NULL);
	return 0;
}

/* Directories that are there get the archive's modes, owners and times, and keep what they hold; all else
 * is replaced. */
static int
put_all(struct copy *c, const struct copy_place *archive, const char *to, struct err *err)
{
	AUTO(copy_found) struct copy_found found = COPY_FOUND_INIT;
	const struct entry *have = copy_dest_find(c, to, &found);

	if (have != NULL && have->kind != ENTRY_DIR)
		return err_set(err, ERR_INPUT, "cannot copy to non-directory: /%s", to);
	if (*to != '\0' && have == NULL) {
		struct entry e;

		if (copy_put_parents(c, to, err) < 0)
			return -1;
		e = copy_new_dir(c, to);
		copy_put(c, &e, NULL);
	}
	for (size_t i = 0; i < archive->archive->count; i++)
		if (put_unpacked(c, archive, to, i, err) < 0)
			return -1;
	return 0;
}

int
copy_put_archive(struct copy *c, const struct copy_place *archive, const char *to, struct err *err)
{
	int result;

	c->is_unpacking = true;
	result = put_all(c, archive, to, err);
	c->is_unpacking = false;
	return result;
}
