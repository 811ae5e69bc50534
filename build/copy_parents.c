/* SPDX-License-Identifier: Apache-2.0 */
#include "build/copy_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "build/dockerfile/match.h"

/* copy_parents - COPY --parents.  A source is a directory, which ends at the first "/./" and else is the root,
 * and a pattern below it with all that those of .dockerignore know; what matches keeps its path.  Links are
 * followed in that directory's own path alone. */

struct keeping {
	struct copy *c;
	const char *pattern;         /* cleaned */
	const struct ignore *wanted; /* the same; NULL: it has no wildcard, and must be there */
	const char *base;            /* of the directory in the origin */
	const char *to;              /* where it goes */
};

static char *
clean(const char *text, size_t len)
{
	AUTO(free) char *rooted = xasprintf("/%.*s", (int)len, text);
	AUTO(buf) struct buf b = BUF_INIT;

	path_clean(rooted, &b);
	return xstrdup(b.data + 1);
}

/* An item with the time of what is made. */
static void
set_time(struct copy *c, const char *path)
{
	AUTO(copied) struct copied item = COPIED_INIT;
	AUTO(entry) struct entry e = { .path = NULL };

	/* a change of the list takes what it lends */
	entry_copy(copy_list_at(c->list, copy_item_at(c, path), &item), &e);
	e.mtime = c->r->mtime;
	copy_put(c, &e, NULL);
}

static int
put_kept_parents(const struct keeping *k, const char *name, struct err *err)
{
	struct copy *c = k->c;

	for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		AUTO(free) char *dir = xstrndup(name, (size_t)(slash - name));
		AUTO(free) char *from = copy_below(k->base, dir), *to = copy_below(k->to, dir);
		AUTO(view_hit) struct view_hit parent = VIEW_HIT_INIT;
		struct err ignored;

		if (copy_item_at(c, to) != COPY_SLOT_NONE ||
			view_find(c->origin, from, true, &parent, &ignored) < 0 ||
			parent.file.entry.kind != ENTRY_DIR)
			continue;
		if (copy_put_one(c, &parent, to, err) < 0)
			return -1;
		set_time(c, to);
	}
	return 0;
}

static int
put_kept(const struct keeping *k, const struct view_hit *hit, const char *name, struct err *err)
{
	struct copy *c = k->c;
	AUTO(free) char *to = copy_below(k->to, name);
	bool dir = hit->file.entry.kind == ENTRY_DIR;

	if (copy_is_excluded(c, hit->path))
		return dir && ignore_has_exceptions(c->r->exclude)
			       ? copy_put_contents(c, hit->path, to, err)
			       : 0;
	if (put_kept_parents(k, name, err) < 0 || copy_put_one(c, hit, to, err) < 0)
		return -1;
	return dir ? copy_put_contents(c, hit->path, to, err) : 0;
}

static int
try_one(const struct view_hit *hit, void *arg, struct err *err)
{
	const struct keeping *k = arg;
	const char *name = hit->path + strlen(k->base);

	name += *name == '/';
	if (*name == '\0' || !ignore_excludes(k->wanted, name, NULL))
		return 0;
	return put_kept(k, hit, name, err) < 0 ? -1 : 1;
}

static int
put_literal(const struct keeping *k, struct err *err)
{
	struct copy *c = k->c;
	AUTO(free) char *from = copy_below(k->base, k->pattern);
	AUTO(view_hit) struct view_hit hit = VIEW_HIT_INIT;

	if (view_find(c->origin, from, false, &hit, err) < 0)
		return err_set(err, err->kind, "'/%s' is not there", from);
	/* a link on the way leads elsewhere: then --exclude counts from where that is */
	if (!streq(hit.path, from))
		c->root_len = path_dir_len(hit.path);
	return put_kept(k, &hit, k->pattern, err);
}

static int
put_dest(struct copy *c, const char *to, struct err *err)
{
	AUTO(copy_found) struct copy_found found = COPY_FOUND_INIT;
	const struct entry *have = copy_dest_find(c, to, &found);

	if (have != NULL && have->kind != ENTRY_DIR)
		return err_set(err, ERR_INPUT, "cannot copy to non-directory: /%s", to);
	if (have != NULL || to[0] == '\0')
		return 0;
	if (copy_put_parents(c, to, err) < 0)
		return -1;
	copy_put_dir(c, to, NULL);
	return 0;
}

/* base: the path of a directory of the origin. */
static int
put_base(struct keeping *k, const char *base, struct err *err)
{
	struct copy *c = k->c;
	AUTO(buf) struct buf to = BUF_INIT;

	copy_slots_clear(&c->seen);
	c->root_len = strlen(base);
	k->base = base;
	if (copy_dest_resolve(c, c->r->dest, &to, err) < 0 || put_dest(c, to.data, err) < 0)
		return -1;
	k->to = to.data;
	return k->wanted == NULL ? put_literal(k, err)
				 : view_walk(c->origin, base, try_one, k, err);
}

struct bases {
	struct keeping *keeping;
	const char *pattern;
};

static int
try_base(const struct view_hit *hit, void *arg, struct err *err)
{
	struct bases *b = arg;
	AUTO(free) char *path = NULL;
	int matches = match_path(b->pattern, hit->path);

	if (matches < 0)
		return err_set(err, ERR_INPUT, "'%s' is not a pattern: syntax error", b->pattern);
	if (matches == 0 || hit->file.entry.kind != ENTRY_DIR)
		return 0;
	path = xstrdup(hit->path);
	return put_base(b->keeping, path, err) < 0 ? -1 : 1;
}

int
copy_put_with_parents(struct copy *c, const char *source, struct err *err)
{
	const char *pivot = strstr(source, "/./");
	bool has_base = pivot != NULL && pivot[3] != '\0';
	AUTO(free) char *base = clean(source, has_base ? (size_t)(pivot - source) : 0);
	const char *rest = has_base ? pivot + 3 : source;
	AUTO(free) char *pattern = clean(rest, strlen(rest));
	AUTO(ignore) struct ignore *wanted = NULL;
	AUTO(strv) struct strv patterns = STRV_INIT;
	AUTO(view_hit) struct view_hit hit = VIEW_HIT_INIT;
	struct keeping k = { .c = c, .pattern = pattern };
	struct bases bases = { &k, base };

	if (c->origin == NULL)
		return err_set(err, ERR_NOTFOUND, "'/%s' is not there", pattern);
	if (pattern[0] == '\0')
		return err_set(err, ERR_NOTFOUND, "\"/\": not found");
	strv_add(&patterns, pattern);
	if (match_is_pattern(base) || match_is_pattern(pattern)) {
		if (ignore_new(&patterns, &wanted, err) < 0)
			return err_in(err, "'%s'", source);
		k.wanted = wanted;
	}
	if (match_is_pattern(base))
		return view_walk(c->origin, "", try_base, &bases, err);
	if (view_find(c->origin, base, true, &hit, err) < 0)
		return err_set(err, err->kind, "'/%s' is not there", base);
	if (hit.file.entry.kind != ENTRY_DIR)
		return err_set(err, ERR_NOTFOUND, "'/%s' is not a directory", base);
	return put_base(&k, hit.path, err);
}
