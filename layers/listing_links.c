/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LINK_NONE UINT32_MAX

/* The entry that has what entry i, a link, names; or LISTING_NONE. */
static size_t
link_target(const struct listing *l, size_t i)
{
	AUTO(listed) struct listed e = LISTED_INIT;

	return listing_find(l, listing_at(l, i, &e)->link);
}

/* The entry that has the file which entry i is a name of, or LINK_NONE; files[] remembers, and
 * tells a circle by LINK_NONE. */
static uint32_t
link_file(const struct listing *l, size_t i, uint32_t *files)
{
	size_t at = i, next;
	uint32_t end;

	while (listing_kind(l, at) == ENTRY_HARDLINK && files[at] == at) {
		next = link_target(l, at);
		files[at] = LINK_NONE;
		if (next == LISTING_NONE)
			return LINK_NONE;
		at = next;
	}
	end = files[at];
	/* once more along the chain, so that none of it is walked again */
	for (at = i;
		end != LINK_NONE && listing_kind(l, at) == ENTRY_HARDLINK && files[at] == LINK_NONE;
		at = next) {
		next = link_target(l, at);
		files[at] = end;
	}
	return end;
}

/* A link to the file that is now at entry first. */
static void
link_to(struct listing *l, size_t i, size_t first)
{
	AUTO(listed) struct listed e = LISTED_INIT, to = LISTED_INIT;
	struct entry link = *listing_at(l, i, &e);

	link.kind = ENTRY_HARDLINK;
	link.size = 0;
	link.major = link.minor = 0;
	link.xattr_count = 0;
	link.digest = (struct digest){ .text = "" };
	link.link = listing_at(l, first, &to)->path;
	listing_set(l, i, &link);
}

/* Entry first takes over the file of entry file, which becomes a link to it. */
static void
move_file(struct listing *l, size_t first, size_t file)
{
	AUTO(entry) struct entry moved = { .path = NULL };
	AUTO(listed) struct listed e = LISTED_INIT;

	/* nothing that the listing lends outlives a change of it */
	entry_copy(listing_at(l, file, &e), &moved);
	free(moved.path);
	moved.path = xstrdup(listing_at(l, first, &e)->path);
	listing_set(l, first, &moved);
	link_to(l, file, first);
}

void
listing_order_links(struct listing *l)
{
	AUTO(free) uint32_t *files = xcalloc(l->count + 1, sizeof *files);
	AUTO(free) uint32_t *firsts = xcalloc(l->count + 1, sizeof *firsts);

	for (size_t i = 0; i < l->count; i++)
		files[i] = firsts[i] = (uint32_t)i;
	for (size_t i = 0; i < l->count; i++) {
		uint32_t file;

		if (listing_kind(l, i) != ENTRY_HARDLINK)
			continue;
		file = link_file(l, i, files);
		if (file != LINK_NONE && listing_kind(l, file) != ENTRY_DIR && i < firsts[file])
			firsts[file] = (uint32_t)i;
	}
	for (size_t i = 0; i < l->count; i++) {
		uint32_t first = files[i] != LINK_NONE ? firsts[files[i]] : (uint32_t)i;

		if (listing_kind(l, i) == ENTRY_HARDLINK && files[i] != LINK_NONE &&
			listing_kind(l, files[i]) != ENTRY_DIR && first != i)
			link_to(l, i, first);
	}
	for (size_t i = 0; i < l->count; i++)
		if (files[i] == i && firsts[i] != i)
			move_file(l, firsts[i], i);
}
