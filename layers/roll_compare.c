/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/roll_compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* One of the two stacks. */
struct side {
	struct roll_walk *walk;
	struct roll_item item;
	bool has_item;
	char *hard_link; /* what item was a link to */
	/* What closed its directory to the layers that are not known: nothing else of theirs is in there. */
	char *cover;
};

static void
auto_side(struct side *s)
{
	roll_walk_free(s->walk);
	roll_item_free(&s->item);
	free(s->hard_link);
	free(s->cover);
}

struct compared {
	struct side *from, *to;
	size_t first; /* layers below are the same in both, and not known */
	roll_teller *tell;
	void *arg;
};

static bool
type_differs(const struct roll_item *a, const struct roll_item *b)
{
	return a->entry.kind != b->entry.kind;
}

static bool
mode_differs(const struct roll_item *a, const struct roll_item *b)
{
	return a->entry.mode != b->entry.mode && a->entry.kind != ENTRY_SYMLINK &&
	       b->entry.kind != ENTRY_SYMLINK;
}

static bool
owner_differs(const struct roll_item *a, const struct roll_item *b)
{
	return a->entry.uid != b->entry.uid || a->entry.gid != b->entry.gid;
}

static bool
size_differs(const struct roll_item *a, const struct roll_item *b)
{
	return a->entry.size != b->entry.size && a->entry.kind == b->entry.kind;
}

static bool
digest_differs(const struct roll_item *a, const struct roll_item *b)
{
	return a->entry.kind == ENTRY_FILE && b->entry.kind == ENTRY_FILE &&
	       !digest_same(&a->entry.digest, &b->entry.digest);
}

static bool
link_differs(const struct roll_item *a, const struct roll_item *b)
{
	return a->entry.kind == b->entry.kind && a->entry.link != NULL && b->entry.link != NULL &&
	       !streq(a->entry.link, b->entry.link);
}

static bool
device_differs(const struct roll_item *a, const struct roll_item *b)
{
	return a->entry.kind == b->entry.kind &&
	       (a->entry.major != b->entry.major || a->entry.minor != b->entry.minor);
}

static bool
xattr_differs(const struct roll_item *a, const struct roll_item *b)
{
	return !digest_same(&a->xattrs, &b->xattrs);
}

static bool (*const aspects[ROLL_ASPECTS])(const struct roll_item *a, const struct roll_item *b) = {
	[ROLL_TYPE] = type_differs,
	[ROLL_MODE] = mode_differs,
	[ROLL_OWNER] = owner_differs,
	[ROLL_SIZE] = size_differs,
	[ROLL_DIGEST] = digest_differs,
	[ROLL_LINK] = link_differs,
	[ROLL_DEVICE] = device_differs,
	[ROLL_XATTR] = xattr_differs,
};

bool
roll_differ_in(enum roll_aspect aspect, const struct roll_item *a, const struct roll_item *b)
{
	return aspects[aspect](a, b);
}

static bool
differ(const struct roll_item *a, const struct roll_item *b)
{
	for (size_t i = 0; i < ROLL_ASPECTS; i++)
		if (aspects[i](a, b))
			return true;
	return false;
}

/* from, to: where it is. */
static int
tell(struct compared *c, enum roll_change change, const struct side *from, const struct side *to,
	struct err *err)
{
	const struct roll_found there[] = {
		{ from != NULL ? &from->item : NULL, from != NULL ? from->hard_link : NULL },
		{ to != NULL ? &to->item : NULL, to != NULL ? to->hard_link : NULL },
	};

	return c->tell(change, from != NULL ? &there[0] : NULL, to != NULL ? &there[1] : NULL,
		c->arg, err);
}

static bool
is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return len == 0 ? path[0] != '\0' : strncmp(path, dir, len) == 0 && path[len] == '/';
}

static int
step(struct side *s, struct err *err)
{
	struct roll_item *i = &s->item;
	int more = roll_walk_next(s->walk, i, err);

	auto_free(&s->hard_link);
	s->has_item = more == 1;
	if (more <= 0)
		return more;
	if (i->entry.kind == ENTRY_HARDLINK) {
		s->hard_link = xstrdup(i->entry.link);
		/* a link to what only unknown layers have stays one */
		if (roll_link(s->walk, i, NULL, err) < 0)
			return -1;
	}
	if (s->cover != NULL && is_below(i->entry.path, s->cover))
		return 0;
	auto_free(&s->cover);
	if (i->entry.kind != ENTRY_DIR || i->is_opaque)
		s->cover = xstrdup(i->entry.path);
	return 0;
}

/* Whether it is certain what other, which says nothing about path, has there: nothing. */
static bool
has_surely_not(const struct compared *c, const struct side *other, const char *path)
{
	return c->first == 0 || (other->cover != NULL && is_below(path, other->cover));
}

static int
compare_one(struct compared *c, struct side *s, struct err *err)
{
	bool is_from = s == c->from, is_gone = s->item.entry.kind == ENTRY_WHITEOUT;
	const struct side *from = is_from ? s : NULL, *to = is_from ? NULL : s;

	if (has_surely_not(c, is_from ? c->to : c->from, s->item.entry.path))
		return is_gone ? 0 : tell(c, is_from ? ROLL_REMOVED : ROLL_ADDED, from, to, err);
	/* what is in it tells */
	if (s->item.is_implied)
		return 0;
	if (is_gone)
		return tell(c, is_from ? ROLL_ADDED : ROLL_REMOVED, from, to, err);
	return tell(c, ROLL_WRITTEN, from, to, err);
}

static int
compare_both(struct compared *c, struct err *err)
{
	const struct roll_item *a = &c->from->item, *b = &c->to->item;
	bool a_gone = a->entry.kind == ENTRY_WHITEOUT, b_gone = b->entry.kind == ENTRY_WHITEOUT;

	if (a_gone && b_gone)
		return 0;
	if (a_gone)
		return tell(c, ROLL_ADDED, NULL, c->to, err);
	if (b_gone)
		return tell(c, ROLL_REMOVED, c->from, NULL, err);
	if (c->first > 0 && (a->is_implied || b->is_implied)) {
		if (a->is_implied && b->is_implied)
			return 0;
		return a->is_implied ? tell(c, ROLL_WRITTEN, NULL, c->to, err)
				     : tell(c, ROLL_WRITTEN, c->from, NULL, err);
	}
	/* one of them hides what the layers below have in it */
	if (c->first > 0 && a->entry.kind == ENTRY_DIR && b->entry.kind == ENTRY_DIR &&
		a->is_opaque != b->is_opaque)
		return tell(c, ROLL_WRITTEN, NULL, c->to, err);
	return differ(a, b) ? tell(c, ROLL_CHANGED, c->from, c->to, err) : 0;
}

static int
compare(struct compared *c, struct err *err)
{
	struct side *a = c->from, *b = c->to;

	if (step(a, err) < 0 || step(b, err) < 0)
		return -1;
	while (a->has_item || b->has_item) {
		int order = !a->has_item ? 1
			    : !b->has_item
				    ? -1
				    : entry_path_compare(a->item.entry.path, b->item.entry.path);
		int told =
			order == 0 ? compare_both(c, err) : compare_one(c, order < 0 ? a : b, err);

		if (told < 0 || (order <= 0 && step(a, err) < 0) ||
			(order >= 0 && step(b, err) < 0))
			return -1;
	}
	return 0;
}

static int
begin(const struct roll *r, const struct roll_stack *stack, struct side *s, struct err *err)
{
	s->walk = roll_walk_new(r, stack);
	if (stack->first > 0)
		roll_walk_whiteouts(s->walk);
	return roll_walk_start(s->walk, "", err);
}

int
roll_compare(const struct roll *r, const struct roll_stack *from, const struct roll_stack *to,
	roll_teller *teller, void *arg, struct err *err)
{
	AUTO(side) struct side a = { .item = ROLL_ITEM_INIT };
	AUTO(side) struct side b = { .item = ROLL_ITEM_INIT };
	struct compared c = { &a, &b, from->first, teller, arg };

	if (begin(r, from, &a, err) < 0 || begin(r, to, &b, err) < 0)
		return -1;
	return compare(&c, err);
}
