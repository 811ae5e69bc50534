/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/glob.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "build/dockerfile/match.h"
#include "build/dockerfile/utf8.h"

/* Most patterns are plain text, or plain text with a "**" at one end, and are answered by one
 * memcmp. The others are a row of parts.
 *
 * In a plain row each star ends where the directory ends, so the walk keeps one place to return to
 * for the last "*", which may take more up to the next '/', and one for the last "**", which may
 * take another directory; a star further back need not be asked again, as what follows it was found
 * as early as can be.  That is wrong where a class matches '/' or "**" begins within a name: such
 * rows are tried in every way, with a note of what has failed. */

enum glob_kind { GLOB_EXACT, GLOB_PREFIX, GLOB_SUFFIX, GLOB_PARTS };

enum part_kind {
	PART_TEXT,  /* these bytes */
	PART_ONE,   /* ?: one character but '/' */
	PART_CLASS, /* [...]: the text between the brackets */
	PART_STAR,  /* *: any bytes but '/' */
	PART_DIRS,  /* "**" within: nothing, or anything that ends with '/' */
	PART_ALL,   /* "**" at the end: anything */
	PART_START, /* ^: only at the beginning */
};

struct part {
	enum part_kind kind;
	char *text; /* PART_TEXT, PART_CLASS */
	size_t len;
};

struct glob {
	enum glob_kind kind;
	char *text; /* exact, prefix, suffix: what is compared; parts: the whole pattern */
	size_t len;
	struct part *parts;
	size_t count, room;
	const struct part *tail; /* text at the very end: most paths fail here */
	size_t literal_len;      /* of the pattern before its first special character */
	bool is_plain;
	bool is_deep; /* has "**" */
	size_t slashes;
};

static void
add_part(struct glob *g, enum part_kind kind, const char *text, size_t len)
{
	struct part *last = g->count > 0 ? &g->parts[g->count - 1] : NULL;

	if (kind == PART_TEXT && last != NULL && last->kind == PART_TEXT) {
		last->text = xrealloc(last->text, last->len + len + 1, 1);
		memcpy(last->text + last->len, text, len);
		last->len += len;
		last->text[last->len] = '\0';
		return;
	}
	g->parts = grow(g->parts, g->count, &g->room, sizeof *g->parts);
	g->parts[g->count++] = (struct part){
		.kind = kind,
		.text = text != NULL ? xstrndup(text, len) : NULL,
		.len = len,
	};
}

/* Where the class that begins behind '[' ends: at its ']'. */
static const char *
class_end(const char *p)
{
	if (*p == '^')
		p++;
	for (bool first = true; *p != '\0' && (*p != ']' || first); first = false) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		p++;
	}
	return p;
}

/* "**" at p, whose second star is p[1]; returns what is behind it. */
static const char *
take_double_star(struct glob *g, const char *p, enum glob_kind *kind)
{
	bool first = g->count == 0;

	p += 2;
	if (*p == '/')
		p++;
	if (*p != '\0') {
		add_part(g, PART_DIRS, NULL, 0);
		*kind = GLOB_PARTS;
	} else if (*kind == GLOB_EXACT) {
		add_part(g, PART_ALL, NULL, 0);
		*kind = GLOB_PREFIX;
	} else {
		add_part(g, PART_ALL, NULL, 0);
		*kind = GLOB_PARTS;
	}
	if (first)
		*kind = GLOB_SUFFIX;
	return p;
}

static const char *
take_part(struct glob *g, const char *p, enum glob_kind *kind)
{
	const char *end;

	switch (*p) {
	case '*':
		if (p[1] == '*')
			return take_double_star(g, p, kind);
		add_part(g, PART_STAR, NULL, 0);
		break;
	case '?':
		add_part(g, PART_ONE, NULL, 0);
		break;
	case '[':
		end = class_end(p + 1);
		add_part(g, PART_CLASS, p + 1, (size_t)(end - p - 1));
		*kind = GLOB_PARTS;
		return *end == ']' ? end + 1 : end;
	case '^':
		add_part(g, PART_START, p, 1);
		return p + 1;
	case '\\':
		if (p[1] != '\0') {
			*kind = GLOB_PARTS;
			p++;
		}
		__attribute__((fallthrough));
	default:
		add_part(g, PART_TEXT, p, 1);
		/* a closing bracket alone makes no class, but no plain text either */
		if (*p == ']')
			*kind = GLOB_PARTS;
		return p + 1;
	}
	*kind = GLOB_PARTS;
	return p + 1;
}

static void
drop_parts(struct glob *g)
{
	for (size_t i = 0; i < g->count; i++)
		free(g->parts[i].text);
	free(g->parts);
	g->parts = NULL;
	g->count = g->room = 0;
	g->tail = NULL;
}

static uint32_t
class_char(const char **p, const char *end)
{
	size_t width;
	uint32_t c;

	if (**p == '\\' && *p + 1 < end)
		++*p;
	c = utf8_next(*p, (size_t)(end - *p), &width);
	*p += width;
	return c;
}

static bool
class_has(const struct part *part, uint32_t c)
{
	const char *p = part->text, *end = part->text + part->len;
	bool negated = p < end && *p == '^', found = false;

	if (negated)
		p++;
	while (p < end) {
		uint32_t low = class_char(&p, end), high = low;

		if (p < end && *p == '-' && p + 1 < end) {
			p++;
			high = class_char(&p, end);
		}
		if (low <= c && c <= high)
			found = true;
	}
	return found != negated;
}

static void
note_parts(struct glob *g)
{
	const struct part *before = NULL;

	g->is_plain = true;
	for (size_t i = 0; i < g->count; i++) {
		const struct part *part = &g->parts[i];

		for (size_t j = 0; part->kind == PART_TEXT && j < part->len; j++)
			g->slashes += part->text[j] == '/';
		if (part->kind == PART_CLASS && class_has(part, '/'))
			g->is_plain = false;
		if (part->kind == PART_DIRS && before != NULL &&
			(before->kind != PART_TEXT || before->text[before->len - 1] != '/'))
			g->is_plain = false;
		if (part->kind == PART_DIRS || part->kind == PART_ALL)
			g->is_deep = true;
		before = part;
	}
}

struct glob *
glob_new(const char *pattern)
{
	struct glob *g;
	enum glob_kind kind = GLOB_EXACT;

	if (match_path(pattern, ".") < 0)
		return NULL;
	g = xzalloc(sizeof *g);
	for (const char *p = pattern; *p != '\0';)
		p = take_part(g, p, &kind);
	g->kind = kind;
	g->literal_len = strcspn(pattern, "*?[\\^");
	switch (kind) {
	case GLOB_EXACT:
	case GLOB_PARTS:
		g->text = xstrdup(pattern);
		break;
	case GLOB_PREFIX:
		/* "dir/" and the stars: the slash counts */
		g->text = xstrndup(pattern, strlen(pattern) - 2);
		break;
	case GLOB_SUFFIX:
		g->text = xstrdup(pattern + 2);
		break;
	}
	g->len = strlen(g->text);
	note_parts(g);
	if (kind != GLOB_PARTS) {
		drop_parts(g);
		return g;
	}
	if (g->parts[g->count - 1].kind == PART_TEXT)
		g->tail = &g->parts[g->count - 1];
	return g;
}

void
glob_free(struct glob *g)
{
	if (g == NULL)
		return;
	drop_parts(g);
	free(g->text);
	free(g);
}

/* How many bytes the part takes at path[at]; -1: it does not match there. */
static ptrdiff_t
part_takes(const struct part *part, const char *path, size_t at, size_t len)
{
	size_t width;
	uint32_t c;

	switch (part->kind) {
	case PART_TEXT:
		if (len - at < part->len || memcmp(path + at, part->text, part->len) != 0)
			return -1;
		return (ptrdiff_t)part->len;
	case PART_START:
		return at == 0 ? 0 : -1;
	case PART_ONE:
	case PART_CLASS:
		if (at >= len)
			return -1;
		c = utf8_next(path + at, len - at, &width);
		if (part->kind == PART_ONE ? c == '/' : !class_has(part, c))
			return -1;
		return (ptrdiff_t)width;
	default:
		return -1;
	}
}

/* Where a walk may go back to: the part behind a star, and how far the star has come. */
struct turn {
	size_t part; /* 0: there is none, as no star has part 0 behind it */
	size_t at;
};

/* Lets the star take more: until the text behind it may begin, when it is text. */
static bool
stretch(const struct part *next, struct turn *star, const char *path, size_t len)
{
	while (star->at < len && path[star->at] != '/') {
		star->at++;
		if (next == NULL || next->kind != PART_TEXT ||
			(star->at < len && path[star->at] == next->text[0]))
			return true;
	}
	return false;
}

static bool
turn_back(const struct glob *g, struct turn *star, struct turn *dirs, const char *path, size_t len,
	size_t *part, size_t *at)
{
	const struct part *next = star->part < g->count ? &g->parts[star->part] : NULL;

	if (star->part != 0 && stretch(next, star, path, len)) {
		*part = star->part;
		*at = star->at;
		return true;
	}
	if (dirs->part != 0) {
		const char *slash =
			dirs->at < len ? memchr(path + dirs->at, '/', len - dirs->at) : NULL;

		star->part = 0;
		if (slash == NULL) {
			dirs->part = 0;
			return false;
		}
		dirs->at = (size_t)(slash - path) + 1;
		*part = dirs->part;
		*at = dirs->at;
		return true;
	}
	return false;
}

static bool
plain_matches(const struct glob *g, const char *path, size_t len)
{
	struct turn star = { 0, 0 }, dirs = { 0, 0 };
	size_t part = 0, at = 0;

	for (;;) {
		ptrdiff_t taken;

		if (part == g->count) {
			if (at == len)
				return true;
			if (!turn_back(g, &star, &dirs, path, len, &part, &at))
				return false;
			continue;
		}
		switch (g->parts[part].kind) {
		case PART_ALL:
			return true;
		case PART_STAR:
			star = (struct turn){ ++part, at };
			continue;
		case PART_DIRS:
			dirs = (struct turn){ ++part, at };
			star.part = 0;
			continue;
		default:
			taken = part_takes(&g->parts[part], path, at, len);
			if (taken >= 0) {
				at += (size_t)taken;
				part++;
			} else if (!turn_back(g, &star, &dirs, path, len, &part, &at)) {
				return false;
			}
		}
	}
}

struct search {
	const struct glob *g;
	const char *path;
	size_t len;
	unsigned char *failed; /* by part and place */
};

static bool search(struct search *s, size_t part, size_t at);

/* A star that goes on from a place does there what it would do if it began there, so each place that
 * it comes to is noted as failed, and what began earlier and failed need not be gone over again: else
 * a row of stars would take the square of the path's length for each. */
static bool
search_star(struct search *s, size_t part, size_t at)
{
	bool dirs = s->g->parts[part].kind == PART_DIRS;
	unsigned char *failed = &s->failed[part * (s->len + 1)];

	if (search(s, part + 1, at))
		return true;
	for (; at < s->len; at++) {
		if (!dirs && s->path[at] == '/')
			return false;
		if (dirs && s->path[at] != '/')
			continue;
		if (failed[at + 1] != 0)
			return false;
		if (search(s, part + 1, at + 1))
			return true;
		failed[at + 1] = 1;
	}
	return false;
}

static bool
search(struct search *s, size_t part, size_t at)
{
	for (; part < s->g->count; part++) {
		const struct part *p = &s->g->parts[part];
		unsigned char *failed = &s->failed[part * (s->len + 1) + at];
		ptrdiff_t taken;

		if (p->kind == PART_ALL)
			return true;
		if (p->kind == PART_STAR || p->kind == PART_DIRS) {
			if (*failed == 0 && search_star(s, part, at))
				return true;
			*failed = 1;
			return false;
		}
		taken = part_takes(p, s->path, at, s->len);
		if (taken < 0)
			return false;
		at += (size_t)taken;
	}
	return at == s->len;
}

static bool
search_matches(const struct glob *g, const char *path, size_t len)
{
	AUTO(free) unsigned char *failed = xcalloc(g->count, len + 1);
	struct search s = { g, path, len, failed };

	return search(&s, 0, 0);
}

static bool
ends_as(const char *path, size_t len, const char *text, size_t text_len)
{
	return len >= text_len && memcmp(path + len - text_len, text, text_len) == 0;
}

bool
glob_matches(const struct glob *g, const char *path, size_t len)
{
	switch (g->kind) {
	case GLOB_EXACT:
		return len == g->len && memcmp(path, g->text, len) == 0;
	case GLOB_PREFIX:
		return len >= g->len && memcmp(path, g->text, g->len) == 0;
	case GLOB_SUFFIX:
		/* the slash of "**" + "/foo" need not be there */
		return ends_as(path, len, g->text, g->len) ||
		       (g->len == len + 1 && g->text[0] == '/' &&
			       memcmp(path, g->text + 1, len) == 0);
	case GLOB_PARTS:
		if (len < g->literal_len || memcmp(path, g->text, g->literal_len) != 0)
			return false;
		if (g->tail != NULL && !ends_as(path, len, g->tail->text, g->tail->len))
			return false;
		return g->is_plain ? plain_matches(g, path, len) : search_matches(g, path, len);
	}
	return false;
}

struct glob_hint
glob_hint(const struct glob *g)
{
	struct glob_hint hint = { -1, -1, -1, 0 };
	size_t front = g->kind == GLOB_PARTS ? g->literal_len : g->kind == GLOB_SUFFIX ? 0 : g->len;

	if (front > 0)
		hint.first = (unsigned char)g->text[0];
	hint.least = front;
	if (g->kind == GLOB_EXACT || (g->kind == GLOB_PARTS && g->is_plain && !g->is_deep))
		hint.slashes = (int)g->slashes;
	if (g->kind == GLOB_PARTS && g->tail != NULL)
		hint.last = (unsigned char)g->tail->text[g->tail->len - 1];
	else if ((g->kind == GLOB_EXACT || g->kind == GLOB_SUFFIX) && g->len > 0)
		hint.last = (unsigned char)g->text[g->len - 1];
	return hint;
}

bool
glob_may_match_below(const struct glob *g, const char *dir, size_t len)
{
	size_t fixed = g->kind == GLOB_PARTS ? g->literal_len : g->len;
	size_t slashes = 1;

	if (g->kind == GLOB_SUFFIX)
		return true;
	if (g->kind == GLOB_EXACT && fixed <= len)
		return false;
	if (g->kind == GLOB_PARTS && g->is_plain && !g->is_deep) {
		for (size_t i = 0; i < len; i++)
			slashes += dir[i] == '/';
		if (slashes > g->slashes)
			return false;
	}
	/* the pattern's fixed text begins with "dir/", or the other way round */
	if (fixed > len)
		return memcmp(g->text, dir, len) == 0 && g->text[len] == '/';
	return memcmp(g->text, dir, fixed) == 0;
}
