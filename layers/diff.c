/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "layers/tree.h"

/* Overlay's marks say what the merged directory shows; a layer's say what is to be removed.  Where
 * there is nothing to remove, they would only confuse other tools. */
static bool
is_needless_mark(const struct entry *e, const struct view *lower)
{
	AUTO(listed) struct listed listed = LISTED_INIT;
	const struct entry *below;

	if (e->kind != ENTRY_WHITEOUT && e->kind != ENTRY_OPAQUE)
		return false;
	if (e->path[0] == '\0')
		return true;
	below = lower != NULL ? view_entry(lower, e->path, &listed) : NULL;
	return below == NULL || (e->kind == ENTRY_OPAQUE && below->kind != ENTRY_DIR);
}

static bool
same_attributes(const struct entry *a, const struct entry *b)
{
	if (a->xattr_count != b->xattr_count)
		return false;
	for (size_t i = 0; i < a->xattr_count; i++) {
		const struct xattr *x = &a->xattrs[i], *y = &b->xattrs[i];

		if (strcmp(x->name, y->name) != 0 || x->len != y->len ||
			memcmp(x->value, y->value, x->len) != 0)
			return false;
	}
	return true;
}

/* The same directory but for its time. */
static bool
same_directory(const struct entry *a, const struct entry *b)
{
	return a->kind == ENTRY_DIR && b->kind == ENTRY_DIR && a->mode == b->mode &&
	       a->uid == b->uid && a->gid == b->gid && same_attributes(a, b);
}

/* An upper's top directory is made by us, as 0755 0:0, whatever the layers below have: it is part
 * of the change only when it is neither. */
static bool
is_own_root(const struct entry *e, const struct view *lower)
{
	static const struct entry made = { .kind = ENTRY_DIR, .mode = 0755 };
	AUTO(listed) struct listed below = LISTED_INIT;

	return e->path[0] == '\0' && e->kind == ENTRY_DIR &&
	       (same_directory(e, &made) ||
		       (lower != NULL && same_directory(e, view_entry(lower, "", &below))));
}

static int
by_path(const void *a, const void *b)
{
	return entry_path_compare(*(char *const *)a, *(char *const *)b);
}

struct stubs {
	struct strv paths; /* in the order of layers */
};

static void
auto_stubs(struct stubs *s)
{
	strv_free(&s->paths);
}

enum stub_kind { STUB_NONE, STUB_PARENT, STUB_ITSELF };

/* Whether path is in the list, or something below it is. */
static enum stub_kind
stub_find(const struct stubs *s, const char *path)
{
	size_t low = 0, high = s->paths.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entry_path_compare(s->paths.items[middle], path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == s->paths.count || path[0] == '\0' || !path_is_inside(s->paths.items[low], path))
		return STUB_NONE;
	return strcmp(s->paths.items[low], path) == 0 ? STUB_ITSELF : STUB_PARENT;
}

/* kept: the path of the next entry that stays, or NULL. */
static bool
is_stub(const struct entry *e, const char *kept, const struct stubs *stubs,
	const struct view *lower)
{
	AUTO(listed) struct listed listed = LISTED_INIT;
	enum stub_kind kind = stub_find(stubs, e->path);
	const struct entry *below;

	if (kind == STUB_NONE)
		return false;
	if (e->kind != ENTRY_DIR)
		return kind == STUB_ITSELF && e->kind != ENTRY_OPAQUE;
	if (kept != NULL && path_is_inside(kept, e->path))
		return false;
	below = lower != NULL ? view_entry(lower, e->path, &listed) : NULL;
	return kind == STUB_ITSELF || below == NULL || same_directory(e, below);
}

int
diff_upper(int upper, const struct view *lower, const struct strv *leave_out,
	const struct owners *owners, struct listing *out, struct err *err)
{
	AUTO(listing) struct listing all = LISTING_INIT;
	AUTO(stubs) struct stubs stubs = { STRV_INIT };
	AUTO(free) bool *stays = NULL;
	AUTO(listed) struct listed listed = LISTED_INIT;
	AUTO(buf) struct buf kept = BUF_INIT;
	struct tree_options o = TREE_OPTIONS_INIT;
	bool has_kept = false;

	o.kind = TREE_OVERLAY;
	o.owners = owners;
	if (tree_list(upper, &o, &all, err) < 0)
		return -1;
	if (leave_out != NULL)
		strv_add_all(&stubs.paths, leave_out);
	if (stubs.paths.count > 1)
		qsort(stubs.paths.items, stubs.paths.count, sizeof *stubs.paths.items, by_path);
	stays = xcalloc(all.count + 1, sizeof *stays);
	/* From the end, so that what a directory holds is known before it is judged. */
	for (size_t i = all.count; i > 0; i--) {
		const struct entry *e = listing_at(&all, i - 1, &listed);

		if (is_needless_mark(e, lower) || is_own_root(e, lower) ||
			is_stub(e, has_kept ? kept.data : NULL, &stubs, lower))
			continue;
		stays[i - 1] = true;
		has_kept = true;
		buf_clear(&kept);
		buf_adds(&kept, e->path);
	}
	listing_filter(&all, stays);
	listing_move(&all, out);
	return 0;
}
