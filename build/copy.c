/* SPDX-License-Identifier: Apache-2.0 */
#include "build/copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/path.h"
#include "build/dockerfile/match.h"
#include "build/copy_inside.h"
#include "layers/listing.h"

/* As many links as the kernel follows in one path. */
#define LINKS_MAX 40

void
copy_list_free(struct copy_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		entry_free(&l->items[i].entry);
		free(l->items[i].path);
	}
	free(l->items);
	*l = (struct copy_list)COPY_LIST_INIT;
}

void
auto_copy_list(struct copy_list *l)
{
	copy_list_free(l);
}

/* --- what is where ------------------------------------------------------------------------------
 */

/* No links are followed at the end; what is not there is no error. */
static bool
get(const struct view *view, const char *path, struct view_hit *out)
{
	struct err ignored;

	return view != NULL && view_find(view, path, false, out, &ignored) == 0;
}

static const struct entry *
find(const struct view *view, const char *path)
{
	AUTO(view_hit) struct view_hit hit = VIEW_HIT_INIT;

	return get(view, path, &hit) ? hit.entry : NULL;
}

/* In the destination, what this instruction puts there counts first. */
const struct entry *
copy_dest_find(const struct copy *c, const char *path)
{
	size_t item = copy_slots_get(&c->slots, path);

	if (item != COPY_SLOT_NONE)
		return &c->list->items[item].entry;
	return find(c->r->dest_view, path);
}

static bool
is_dir(const struct entry *e)
{
	return e != NULL && e->kind == ENTRY_DIR;
}

/* The path with every link in it followed, whether or not it leads to something: in the destination
 * a dangling link names what is to be made. */
int
copy_dest_resolve(const struct copy *c, const char *path, struct buf *out, struct err *err)
{
	AUTO(buf) struct buf rest = BUF_INIT;
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
		e = copy_dest_find(c, out->data);
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

/* --- putting ------------------------------------------------------------------------------------
 */

/* *e is taken. */
struct copy_item *
copy_put(struct copy *c, struct entry *e)
{
	size_t item = copy_slots_get(&c->slots, e->path);
	struct copy_list *l = c->list;

	if (item == COPY_SLOT_NONE) {
		l->items = grow(l->items, l->count, &l->room, sizeof *l->items);
		item = l->count++;
		copy_slots_put(&c->slots, e->path, item);
	} else {
		/* the map of paths has the first one */
		free(e->path);
		e->path = steal(&l->items[item].entry.path);
		entry_free(&l->items[item].entry);
		free(l->items[item].path);
	}
	l->items[item] = (struct copy_item){ .entry = *e };
	*e = (struct entry){ .path = NULL };
	return &l->items[item];
}

struct entry
copy_new_dir(const struct copy *c, const char *path)
{
	const struct mode *mode = c->is_unpacking ? NULL : c->r->mode;

	return (struct entry){ .path = xstrdup(path),
		.kind = ENTRY_DIR,
		/* an octal mode reaches the parents that had to be made, a symbolic one does not */
		.mode = mode != NULL && mode->is_octal ? mode->octal & 0777 : 0755,
		.uid = c->r->uid,
		.gid = c->r->gid,
		.mtime = c->r->mtime };
}

int
copy_put_parents(struct copy *c, const char *path, struct err *err)
{
	AUTO(free) char *dir = xstrdup(path);

	for (char *slash = strchr(dir, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		const struct entry *have;
		struct entry e;

		*slash = '\0';
		have = copy_dest_find(c, dir);
		if (have != NULL && have->kind != ENTRY_DIR)
			return err_set(err, ERR_INPUT, "cannot copy to non-directory: /%s", dir);
		if (copy_slots_get(&c->slots, dir) == COPY_SLOT_NONE) {
			if (have != NULL)
				entry_copy(have, &e);
			else
				e = copy_new_dir(c, dir);
			copy_put(c, &e);
		}
		*slash = '/';
	}
	return 0;
}

/* The directory that a source's contents go to: its own mode and owner count when it is there, the
 * source's never. */
static int
put_top(struct copy *c, const char *path, int64_t mtime, struct err *err)
{
	const struct entry *have = copy_dest_find(c, path);
	struct entry e;

	if (have != NULL && have->kind != ENTRY_DIR)
		return err_set(err, ERR_INPUT, "cannot copy to non-directory: /%s", path);
	if (path[0] == '\0')
		return 0;
	if (copy_put_parents(c, path, err) < 0)
		return -1;
	have = copy_dest_find(c, path); /* again: the list may have moved */
	if (have != NULL)
		entry_copy(have, &e);
	else
		e = copy_new_dir(c, path);
	e.mtime = mtime;
	e.mtime_ns = 0;
	copy_put(c, &e);
	return 0;
}

static void
dress(const struct copy *c, struct entry *e)
{
	if (c->r->has_owner || c->r->origin_is_context || c->place != COPY_ORIGIN) {
		e->uid = c->r->uid;
		e->gid = c->r->gid;
	}
	if (c->r->mode != NULL && (e->kind == ENTRY_DIR || e->kind == ENTRY_FILE))
		e->mode = (uint32_t)mode_apply(c->r->mode, e->mode, e->kind == ENTRY_DIR);
}

/* A name of a file that is copied already becomes a hard link; else the file itself, under the
 * first name that is met. */
static void
put_file(struct copy *c, const struct view_hit *hit, struct entry *e)
{
	AUTO(free) char *file = xasprintf("%zu:%s", hit->layer, hit->entry->path);
	size_t seen = copy_slots_get(&c->seen, file);
	struct copy_item *item;

	if (seen != COPY_SLOT_NONE && c->list->items[seen].bytes != COPY_INLINE) {
		e->kind = ENTRY_HARDLINK;
		e->size = 0;
		e->link = xstrdup(c->list->items[seen].entry.path);
		e->digest.text[0] = '\0';
		copy_put(c, e);
		return;
	}
	item = copy_put(c, e);
	item->bytes = c->place == COPY_ORIGIN ? COPY_FROM_ORIGIN : COPY_FROM_PLACE;
	item->layer = c->place == COPY_ORIGIN ? hit->layer : c->place;
	item->path = xstrdup(hit->entry->path);
	copy_slots_put(&c->seen, file, (size_t)(item - c->list->items));
}

/* One file, link, device or directory (without its contents) of the origin to exactly path. */
int
copy_put_one(struct copy *c, const struct view_hit *hit, const char *path, struct err *err)
{
	const struct entry *have = copy_dest_find(c, path);
	struct entry e;

	if (hit->entry->kind == ENTRY_DIR && have != NULL && have->kind != ENTRY_DIR)
		return err_set(err, ERR_INPUT, "cannot copy to non-directory: /%s", path);
	if (hit->entry->kind != ENTRY_DIR && is_dir(have))
		return err_set(err, ERR_INPUT, "cannot replace to directory /%s with file", path);
	if (copy_put_parents(c, path, err) < 0)
		return -1;
	entry_copy(hit->entry, &e);
	free(e.path);
	e.path = xstrdup(path);
	dress(c, &e);
	if (e.kind == ENTRY_FILE)
		put_file(c, hit, &e);
	else
		copy_put(c, &e);
	return 0;
}

bool
copy_is_excluded(const struct copy *c, const char *from)
{
	const char *name = from + c->root_len;

	if (c->r->exclude == NULL)
		return false;
	while (*name == '/')
		name++;
	return *name != '\0' && ignore_excludes(c->r->exclude, name, NULL);
}

char *
copy_below(const char *dir, const char *name)
{
	return *dir != '\0' ? xasprintf("%s/%s", dir, name) : xstrdup(name);
}

struct inside {
	struct copy *c;
	const char *to;
};

static int
put_child(const struct view_hit *hit, void *arg, struct err *err)
{
	struct inside *in = arg;
	struct copy *c = in->c;
	AUTO(free) char *path = copy_below(in->to, path_base(hit->path));
	bool dir = hit->entry->kind == ENTRY_DIR;

	if (copy_is_excluded(c, hit->path)) {
		if (dir && ignore_has_exceptions(c->r->exclude))
			return copy_put_contents(c, hit->path, path, err);
		return 0;
	}
	if (copy_put_one(c, hit, path, err) < 0)
		return -1;
	return dir ? copy_put_contents(c, hit->path, path, err) : 0;
}

int
copy_put_contents(struct copy *c, const char *from, const char *to, struct err *err)
{
	struct inside in = { .c = c, .to = to };

	return view_children(c->origin, from, put_child, &in, err);
}

/* --- sources ------------------------------------------------------------------------------------
 */

struct match {
	const char *name; /* last component as it was asked for */
	struct view_hit hit;
};

static int
put_match(struct copy *c, const struct match *m, struct err *err)
{
	const char *dest = c->r->dest;
	AUTO(buf) struct buf to = BUF_INIT;
	AUTO(free) char *path = NULL;

	copy_slots_clear(&c->seen);
	c->root_len =
		m->hit.entry->kind == ENTRY_DIR ? strlen(m->hit.path) : path_dir_len(m->hit.path);
	if (copy_dest_resolve(c, dest, &to, err) < 0)
		return -1;
	if (m->hit.entry->kind == ENTRY_DIR) {
		/* nobody knows the time of a root */
		if (put_top(c, to.data, m->hit.path[0] != '\0' ? m->hit.entry->mtime : c->r->mtime,
			    err) < 0)
			return -1;
		return copy_put_contents(c, m->hit.path, to.data, err);
	}
	if (copy_is_excluded(c, m->hit.path))
		return 0;
	if (m->hit.entry->kind == ENTRY_FILE) {
		const struct copy_place *archive = copy_find_archive(c, m->hit.path);

		copy_candidate_add(c, m->hit.path);
		if (archive != NULL)
			return copy_put_archive(c, archive, to.data, err);
	}
	if (ends_with(dest, "/") || to.len == 0 || is_dir(copy_dest_find(c, to.data)))
		path = copy_below(to.data, m->name);
	else
		path = xstrdup(to.data);
	return copy_put_one(c, &m->hit, path, err);
}

struct search {
	struct copy *c;
	const char *pattern; /* as given, for messages */
	const char *rest;    /* of it, from this directory on */
};

static int search(struct search *s, const char *dir, struct err *err);

static int
try_child(const struct view_hit *hit, void *arg, struct err *err)
{
	struct search *s = arg;
	size_t len = strcspn(s->rest, "/");
	AUTO(free) char *part = xstrndup(s->rest, len);
	struct match m = { .name = path_base(hit->path) };
	AUTO(view_hit) struct view_hit followed = VIEW_HIT_INIT;
	int matches = match_path(part, m.name);

	if (matches < 0)
		return err_set(err, ERR_INPUT, "'%s' is not a pattern: syntax error", s->pattern);
	if (matches == 0)
		return 0;
	if (view_find(s->c->origin, hit->path, true, &followed, err) < 0)
		return -1;
	if (s->rest[len] == '/') {
		struct search next = *s;

		next.rest += len + 1;
		return followed.entry->kind == ENTRY_DIR ? search(&next, followed.path, err) : 0;
	}
	m.hit = followed;
	return put_match(s->c, &m, err);
}

/* Patterns are matched component by component, in the order of the names; a directory that matches
 * is not searched for more. */
static int
search(struct search *s, const char *dir, struct err *err)
{
	return view_children(s->c->origin, dir, try_child, s, err);
}

static int
put_source(struct copy *c, const char *source, struct err *err)
{
	AUTO(buf) struct buf clean = BUF_INIT;
	AUTO(free) char *rooted = xasprintf("/%s", source);
	AUTO(view_hit) struct view_hit hit = VIEW_HIT_INIT;
	struct match m;

	if (c->r->parents)
		return copy_put_with_parents(c, source, err);
	path_clean(rooted, &clean);
	m = (struct match){ .name = c->place == COPY_ORIGIN ? path_base(clean.data)
							    : path_base(source) };
	if (c->origin == NULL)
		return err_set(err, ERR_NOTFOUND, "'%s' is not there", clean.data);
	if (c->place == COPY_ORIGIN && match_is_pattern(source)) {
		struct search s = { .c = c, .pattern = source, .rest = clean.data + 1 };

		return search(&s, "", err);
	}
	/* a link named as a source gives what it leads to, under its own name */
	if (view_find(c->origin, clean.data + 1, true, &hit, err) < 0)
		return err_set(err, err->kind, "'%s' is not there", clean.data);
	m.hit = hit;
	return put_match(c, &m, err);
}

static int
put_inline(struct copy *c, const struct heredoc *h, struct err *err)
{
	AUTO(buf) struct buf to = BUF_INIT;
	AUTO(free) char *path = NULL;
	struct copy_item *item;
	struct entry e;

	if (heredoc_check_name(h, err) < 0 || copy_dest_resolve(c, c->r->dest, &to, err) < 0)
		return -1;
	if (ends_with(c->r->dest, "/") || to.len == 0 || is_dir(copy_dest_find(c, to.data)))
		path = copy_below(to.data, h->name);
	else
		path = xstrdup(to.data);
	if (is_dir(copy_dest_find(c, path)))
		return err_set(err, ERR_INPUT, "cannot replace to directory /%s with file", path);
	if (copy_put_parents(c, path, err) < 0)
		return -1;
	e = (struct entry){ .path = steal(&path),
		.kind = ENTRY_FILE,
		.mode = 0644,
		.uid = c->r->uid,
		.gid = c->r->gid,
		.mtime = c->r->mtime,
		.size = h->len };
	if (c->r->mode != NULL)
		e.mode = (uint32_t)mode_apply(c->r->mode, e.mode, false);
	digest_of(h->content, h->len, &e.digest);
	item = copy_put(c, &e);
	item->bytes = COPY_INLINE;
	item->text = h->content;
	return 0;
}

static int
put_working_dir(struct copy *c, struct err *err)
{
	AUTO(buf) struct buf to = BUF_INIT;
	const struct entry *have;
	struct entry e;

	if (copy_dest_resolve(c, c->r->dest, &to, err) < 0)
		return -1;
	have = copy_dest_find(c, to.data);
	if (have != NULL || to.len == 0)
		return have == NULL || is_dir(have)
			       ? 0
			       : err_set(err, ERR_INPUT, "/%s is there and is not a directory",
					 to.data);
	if (copy_put_parents(c, to.data, err) < 0)
		return -1;
	e = copy_new_dir(c, to.data);
	copy_put(c, &e);
	return 0;
}

static int
by_entry(const void *a, const void *b)
{
	return entry_compare(
		&((const struct copy_item *)a)->entry, &((const struct copy_item *)b)->entry);
}

static int
plan(struct copy *c, struct err *err)
{
	const struct copy_request *r = c->r;

	if (r->make_dir && put_working_dir(c, err) < 0)
		return -1;
	for (size_t i = 0; r->sources != NULL && i < r->sources->count; i++) {
		const char *source = r->sources->items[i];

		c->origin = r->origin;
		c->place = COPY_ORIGIN;
		for (size_t k = 0; k < r->place_count; k++)
			if (r->places[k].view != NULL && r->places[k].source == i) {
				c->origin = r->places[k].view;
				c->place = k;
				source = r->places[k].name;
			}
		if (put_source(c, source, err) < 0)
			return -1;
	}
	c->place = COPY_ORIGIN;
	for (size_t i = 0; i < r->file_count; i++)
		if (put_inline(c, &r->files[i], err) < 0)
			return -1;
	return 0;
}

int
copy_plan(const struct copy_request *r, struct copy_list *out, struct err *err)
{
	AUTO(copy_list) struct copy_list list = COPY_LIST_INIT;
	struct copy c = { .r = r, .list = &list, .slots = { .lends = true } };
	int result = plan(&c, err);

	copy_slots_free(&c.slots);
	copy_slots_free(&c.seen);
	if (result < 0)
		return -1;
	if (list.count > 1)
		qsort(list.items, list.count, sizeof *list.items, by_entry);
	copy_list_free(out);
	*out = list;
	list = (struct copy_list)COPY_LIST_INIT;
	return 0;
}

void
copy_content_digest(const struct copy_list *l, struct digest *out)
{
	struct listing listing = LISTING_INIT;

	listing.entries = xcalloc(l->count, sizeof *listing.entries);
	listing.count = l->count;
	for (size_t i = 0; i < l->count; i++)
		listing.entries[i] = l->items[i].entry; /* lent: only the array is ours */
	listing_content_digest(&listing, out);
	free(listing.entries);
}
