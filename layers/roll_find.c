/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "layers/roll_merge.h"

/* What is exactly there, in layers below top.  1, 0 (*is_known: layers that are not known cannot have it
 * either), -1. */
static int
look_up(struct roll_walk *w, const char *path, size_t top, struct roll_item *out, bool *is_known,
	struct err *err)
{
	AUTO(roll_item) struct roll_item item = ROLL_ITEM_INIT;
	int found;

	if (roll_walk_start_below(w, path, top, err) < 0)
		return -1;
	found = roll_walk_next(w, &item, err);
	if (found < 0)
		return -1;
	*is_known = w->stack.first == 0 || w->base_floor >= w->stack.first;
	if (found == 0)
		return 0;
	roll_item_free(out);
	*out = item;
	item = (struct roll_item)ROLL_ITEM_INIT;
	return 1;
}

static int
broken(const struct roll_item *item, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "'%s' is a hard link to '%s', which is not there",
		item->entry.path, item->entry.link);
}

int
roll_link(struct roll_walk *w, struct roll_item *item, char **bytes_path, struct err *err)
{
	AUTO(roll_item) struct roll_item file = ROLL_ITEM_INIT;
	AUTO(free) char *target = xstrdup(item->entry.link);
	size_t top = item->layer + 1;
	bool is_known = false;

	if (w->links == NULL)
		w->links = roll_walk_new(w->roll, &w->stack);
	for (int i = 0;; i++) {
		int found = look_up(w->links, target, top, &file, &is_known, err);

		if (found < 0)
			return -1;
		if (found == 0 && !is_known)
			return 0;
		if (found == 0 || file.entry.kind == ENTRY_DIR || i == ROLL_CHAIN_MAX)
			return broken(item, err);
		if (file.entry.kind != ENTRY_HARDLINK)
			break;
		top = file.layer + 1;
		free(target);
		target = xstrdup(file.entry.link);
	}
	if (bytes_path != NULL) {
		free(*bytes_path);
		*bytes_path = steal(&target);
	}
	free(file.entry.path);
	file.entry.path = item->entry.path;
	item->entry.path = NULL;
	roll_item_free(item);
	*item = file;
	file = (struct roll_item)ROLL_ITEM_INIT;
	return 1;
}

/* A way along a path. */
struct way {
	struct roll_walk *w;
	const char *path; /* as asked, for messages */
	struct buf here;  /* where it is: a directory */
	struct buf rest;  /* what is still to go */
	size_t at;        /* in rest */
	unsigned links;
	bool follow_last, want_dir;
	struct roll_item item; /* at `here` */
	char *bytes_path;
};

static void
auto_way(struct way *y)
{
	buf_free(&y->here);
	buf_free(&y->rest);
	roll_item_free(&y->item);
	free(y->bytes_path);
}

static int
not_there(const struct way *y, struct err *err)
{
	return err_set(err, ERR_NOTFOUND, "'%s' is not there", y->path);
}

static int
not_a_directory(const struct way *y, struct err *err)
{
	return err_set(err, ERR_NOTFOUND, "'%s' is not a directory, nor leads through directories",
		y->path);
}

/* What is at `here`.  1, 0, -1 as in the header. */
static int
see(struct way *y, struct err *err)
{
	bool is_known = false;
	int found = look_up(y->w, y->here.data, SIZE_MAX, &y->item, &is_known, err);

	if (found == 0)
		return is_known ? not_there(y, err) : 0;
	if (found < 0)
		return -1;
	free(y->bytes_path);
	y->bytes_path = xstrdup(y->here.data);
	if (y->item.entry.kind == ENTRY_HARDLINK)
		return roll_link(y->w, &y->item, &y->bytes_path, err);
	return 1;
}

static size_t
parent_len(const struct buf *path)
{
	const char *slash = strrchr(path->data, '/');

	return slash != NULL ? (size_t)(slash - path->data) : 0;
}

static int
go_link(struct way *y, struct err *err)
{
	const char *target = y->item.entry.link;
	struct buf rest = BUF_INIT;

	if (++y->links > ROLL_LINKS_MAX)
		return err_set(err, ERR_INPUT, "'%s' leads through more than %d links", y->path,
			ROLL_LINKS_MAX);
	if (target[0] == '\0')
		return not_there(y, err);
	if (strlen(target) + y->rest.len - y->at > ENTRY_PATH_MAX)
		return err_set(err, ERR_INPUT, "'%s' leads to a path that is too long", y->path);
	buf_truncate(&y->here, target[0] == '/' ? 0 : parent_len(&y->here));
	buf_adds(&rest, target);
	if (y->rest.data[y->at] != '\0') {
		buf_addc(&rest, '/');
		buf_adds(&rest, y->rest.data + y->at);
	}
	buf_free(&y->rest);
	y->rest = rest;
	y->at = 0;
	y->item.entry.kind = ENTRY_DIR; /* where the link stands */
	return 1;
}

static int
go_component(struct way *y, const char *name, size_t len, bool is_last, struct err *err)
{
	int seen;

	if (y->here.len + len + 1 > ROLL_TEXT_MAX)
		return not_there(y, err);
	if (y->here.len > 0)
		buf_addc(&y->here, '/');
	buf_add(&y->here, name, len);
	seen = see(y, err);
	if (seen <= 0)
		return seen;
	if (y->item.entry.kind == ENTRY_SYMLINK && (!is_last || y->follow_last))
		return go_link(y, err);
	return 1;
}

static int
go(struct way *y, struct err *err)
{
	while (y->rest.data[y->at] != '\0') {
		AUTO(free)
		char *name = xstrndup(y->rest.data + y->at, strcspn(y->rest.data + y->at, "/"));
		size_t len = strlen(name), skip = strspn(y->rest.data + y->at + len, "/");
		bool is_last = skip == 0 && y->rest.data[y->at + len] == '\0';
		int went = 1;

		y->at += len + skip;
		if (len == 0 || streq(name, "."))
			continue;
		if (y->item.entry.kind != ENTRY_DIR)
			return not_a_directory(y, err);
		if (streq(name, ".."))
			buf_truncate(&y->here, parent_len(&y->here));
		else
			went = go_component(y, name, len, is_last, err);
		if (went <= 0)
			return went;
	}
	return 1;
}

/* Which path the layers below are to be asked for. */
static void
tell_rest(struct way *y, char **out)
{
	bool is_link =
		y->item.entry.kind == ENTRY_HARDLINK && streq(y->item.entry.path, y->here.data);

	if (is_link) {
		buf_clear(&y->here);
		buf_adds(&y->here, y->item.entry.link);
	}
	if (y->rest.data[y->at] != '\0') {
		buf_addc(&y->here, '/');
		buf_adds(&y->here, y->rest.data + y->at);
	}
	free(*out);
	*out = buf_steal(&y->here);
}

int
roll_find(struct roll_walk *w, const char *path, bool follow_last, struct roll_item *out,
	char **bytes_path, struct err *err)
{
	AUTO(way)
	struct way y = { .w = w,
		.path = path,
		.here = BUF_INIT,
		.rest = BUF_INIT,
		.follow_last = follow_last,
		.want_dir = path_wants_dir(path),
		.item = { .entry = { .kind = ENTRY_DIR } } };
	int went;

	if (strlen(path) > ROLL_TEXT_MAX)
		return err_set(err, ERR_INPUT, "'%.60s...' is too long", path);
	buf_adds(&y.rest, path);
	went = go(&y, err);
	if (went == 0 && bytes_path != NULL)
		tell_rest(&y, bytes_path);
	if (went <= 0)
		return went;
	if (y.want_dir && y.item.entry.kind != ENTRY_DIR)
		return not_a_directory(&y, err);
	/* after "..", or at the root */
	if (y.item.entry.path == NULL || !streq(y.item.entry.path, y.here.data)) {
		went = see(&y, err);
		if (went <= 0)
			return went;
	}
	roll_item_free(out);
	*out = y.item;
	y.item = (struct roll_item)ROLL_ITEM_INIT;
	if (bytes_path != NULL) {
		free(*bytes_path);
		*bytes_path = steal(&y.bytes_path);
	}
	return 1;
}
