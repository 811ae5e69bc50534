/* SPDX-License-Identifier: Apache-2.0 */
#include "build/copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/path.h"
#include "build/dockerfile/match.h"
#include "build/copy_inside.h"
#include "layers/listing.h"

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
	struct buf path = BUF_INIT;

	/* for each file, so without printf */
	buf_adds(&path, dir);
	if (*dir != '\0')
		buf_addc(&path, '/');
	buf_adds(&path, name);
	return buf_steal(&path);
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
	bool dir = hit->file.entry.kind == ENTRY_DIR;

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
	c->root_len = m->hit.file.entry.kind == ENTRY_DIR ? strlen(m->hit.path)
							  : path_dir_len(m->hit.path);
	if (copy_dest_resolve(c, dest, &to, err) < 0)
		return -1;
	if (m->hit.file.entry.kind == ENTRY_DIR) {
		/* nobody knows the time of a root */
		if (copy_put_top(c, to.data,
			    m->hit.path[0] != '\0' ? m->hit.file.entry.mtime : c->r->mtime,
			    err) < 0)
			return -1;
		return copy_put_contents(c, m->hit.path, to.data, err);
	}
	if (copy_is_excluded(c, m->hit.path))
		return 0;
	if (m->hit.file.entry.kind == ENTRY_FILE) {
		const struct copy_place *archive = copy_find_archive(c, m->hit.path);

		copy_candidate_add(c, m->hit.path);
		if (archive != NULL)
			return copy_put_archive(c, archive, to.data, err);
	}
	if (ends_with(dest, "/") || to.len == 0 || copy_dest_is_dir(c, to.data))
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
		return followed.file.entry.kind == ENTRY_DIR ? search(&next, followed.path, err)
							     : 0;
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
put_inline(struct copy *c, size_t index, struct err *err)
{
	const struct heredoc *h = &c->r->files[index];
	struct copy_source source = { .number = (uint32_t)index, .bytes = COPY_INLINE };
	AUTO(buf) struct buf to = BUF_INIT;
	AUTO(free) char *path = NULL;
	struct entry e;

	if (heredoc_check_name(h, err) < 0 || copy_dest_resolve(c, c->r->dest, &to, err) < 0)
		return -1;
	if (ends_with(c->r->dest, "/") || to.len == 0 || copy_dest_is_dir(c, to.data))
		path = copy_below(to.data, h->name);
	else
		path = xstrdup(to.data);
	if (copy_dest_is_dir(c, path))
		return err_set(err, ERR_INPUT, "cannot replace to directory /%s with file", path);
	if (copy_put_parents(c, path, err) < 0)
		return -1;
	e = (struct entry){ .path = path,
		.kind = ENTRY_FILE,
		.mode = 0644,
		.uid = c->r->uid,
		.gid = c->r->gid,
		.mtime = c->r->mtime,
		.size = h->len };
	if (c->r->mode != NULL)
		e.mode = (uint32_t)mode_apply(c->r->mode, e.mode, false);
	digest_of(h->content, h->len, &e.digest);
	copy_put(c, &e, &source);
	return 0;
}

static int
put_working_dir(struct copy *c, struct err *err)
{
	AUTO(buf) struct buf to = BUF_INIT;
	AUTO(copy_found) struct copy_found found = COPY_FOUND_INIT;
	const struct entry *have;

	if (copy_dest_resolve(c, c->r->dest, &to, err) < 0)
		return -1;
	have = copy_dest_find(c, to.data, &found);
	if (have != NULL || to.len == 0)
		return have == NULL || have->kind == ENTRY_DIR
			       ? 0
			       : err_set(err, ERR_INPUT, "/%s is there and is not a directory",
					 to.data);
	if (copy_put_parents(c, to.data, err) < 0)
		return -1;
	copy_put_dir(c, to.data, NULL);
	return 0;
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
		if (put_inline(c, i, err) < 0)
			return -1;
	return 0;
}

/* What the list shares with the request. */
static void
prepare(const struct copy_request *r, struct copy_list *l)
{
	l->origin = r->origin;
	l->files = r->files;
	if (r->place_count > 0) {
		l->places = xcalloc(r->place_count, sizeof *l->places);
		memcpy(l->places, r->places, r->place_count * sizeof *l->places);
	}
	l->dress.has_owner = r->has_owner || r->origin_is_context;
	l->dress.uid = r->uid;
	l->dress.gid = r->gid;
	l->dress.has_mode = r->mode != NULL;
	if (r->mode != NULL)
		l->dress.mode = *r->mode;
}

int
copy_plan(const struct copy_request *r, struct copy_list *out, struct err *err)
{
	AUTO(copy_list) struct copy_list list = COPY_LIST_INIT;
	struct copy c = { .r = r, .list = &list, .parents = BUF_INIT };
	int result;

	prepare(r, &list);
	result = plan(&c, err);
	copy_slots_free(&c.slots);
	copy_slots_free(&c.seen);
	buf_free(&c.parents);
	if (result < 0)
		return -1;
	copy_list_sort(&list);
	copy_list_free(out);
	*out = list;
	list = (struct copy_list)COPY_LIST_INIT;
	return 0;
}
