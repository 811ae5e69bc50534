/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sync_list.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ATTACHED "sha256-"

static void
row_free(struct sync_row *r)
{
	free(r->source);
	free(r->target);
	strv_free(&r->tags);
	strv_free(&r->not );
	free(r->semver);
	free(r->platform);
}

void
auto_sync_list(struct sync_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		row_free(&l->rows[i]);
	free(l->rows);
	*l = (struct sync_list)SYNC_LIST_INIT;
}

static int
set_word(struct sync_row *r, const char *word, struct err *err)
{
	if (streq(word, "referrers")) {
		r->referrers = true;
	} else if (starts_with(word, "tags=")) {
		strv_split(&r->tags, word + strlen("tags="), ",");
	} else if (starts_with(word, "not=")) {
		strv_split(&r->not, word + strlen("not="), ",");
	} else if (starts_with(word, "platform=") && r->platform == NULL) {
		r->platform = xstrdup(word + strlen("platform="));
	} else if (starts_with(word, "semver=") && r->semver == NULL) {
		r->semver = xzalloc(sizeof *r->semver);
		return semver_range_parse(word + strlen("semver="), r->semver, err);
	} else {
		return err_set(err, ERR_INPUT,
			"'%s' is none of tags=, not=, semver=, platform=, referrers", word);
	}
	return 0;
}

static int
set_row(struct sync_row *r, const struct strv *words, struct err *err)
{
	const char *source = words->items[0];
	size_t len = strlen(source);

	if (words->count < 2)
		return err_set(err, ERR_INPUT, "'%s' has no target", source);
	r->has_all = ends_with(source, "/*") && len > 2;
	r->source = xstrndup(source, r->has_all ? len - 2 : len);
	r->target = xstrdup(words->items[1]);
	for (size_t i = 2; i < words->count; i++)
		if (set_word(r, words->items[i], err) < 0)
			return -1;
	return 0;
}

static void
split_words(const char *line, struct strv *out)
{
	AUTO(strv) struct strv parts = STRV_INIT;

	strv_split(&parts, line, " \t\r");
	for (size_t i = 0; i < parts.count && parts.items[i][0] != '#'; i++)
		if (parts.items[i][0] != '\0')
			strv_add(out, parts.items[i]);
}

int
sync_list_parse(const char *bytes, size_t len, struct sync_list *out, struct err *err)
{
	AUTO(sync_list) struct sync_list l = SYNC_LIST_INIT;
	AUTO(strv) struct strv lines = STRV_INIT;

	if (len > SYNC_LIST_MAX || strlen(bytes) != len)
		return err_set(
			err, ERR_INPUT, "the list is no text of at most %u bytes", SYNC_LIST_MAX);
	strv_split(&lines, bytes, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		AUTO(strv) struct strv words = STRV_INIT;
		struct sync_row row = { .line = (unsigned)i + 1 };

		split_words(lines.items[i], &words);
		if (words.count == 0)
			continue;
		if (l.count == SYNC_LIST_ROWS_MAX)
			return err_set(err, ERR_INPUT, "the list has more than %d lines",
				SYNC_LIST_ROWS_MAX);
		l.rows = grow(l.rows, l.count, &l.room, sizeof *l.rows);
		l.rows[l.count++] = row;
		if (set_row(&l.rows[l.count - 1], &words, err) < 0)
			return err_in(err, "line %zu", i + 1);
	}
	*out = l;
	l = (struct sync_list)SYNC_LIST_INIT;
	return 0;
}

bool
sync_row_is_many(const struct sync_row *r)
{
	return r->has_all || r->tags.count > 0 || r->not .count > 0 || r->semver != NULL;
}

static bool
matches(const struct strv *patterns, const char *tag)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (fnmatch(patterns->items[i], tag, 0) == 0)
			return true;
	return false;
}

static bool
is_attached(const struct sync_row *r, const char *tag)
{
	if (!starts_with(tag, ATTACHED))
		return false;
	for (size_t i = 0; i < r->tags.count; i++)
		if (starts_with(r->tags.items[i], ATTACHED))
			return false;
	return true;
}

bool
sync_row_has(const struct sync_row *r, const char *tag)
{
	return !is_attached(r, tag) && (r->tags.count == 0 || matches(&r->tags, tag)) &&
	       (r->semver == NULL || semver_range_has(r->semver, tag)) && !matches(&r->not, tag);
}
