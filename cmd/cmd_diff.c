/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/files.h"
#include "cmd/files_show.h"
#include "cmd/show.h"

struct values {
	bool json, shared;
	const char *platform;
	struct remote_flags remote;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt options[] = { OPT_BOOL(0, "json", struct values, json, "show a JSON list"),
	OPT_BOOL(0, "shared", struct values, shared,
		"read the layers that both have as well: tells what is added from what is changed"),
	OPT_STR(0, "platform", struct values, platform, "os/arch", "the images for this platform"),
	TRUST_OPTION(struct values, remote), REMOTE_OPTIONS(struct values, remote), OPT_END };

/* Like diff(1). */
enum { STATUS_DIFFERENT = 1, STATUS_TROUBLE = 2 };

/* One of the two images. */
struct side {
	struct files_image image;
	struct roll_walk *walk;
	struct roll_item item;
	bool has_item;
	char *hard_link; /* what item was a link to */
	/* What closed its directory to the layers that are not known: nothing else of theirs is in there. */
	char *cover;
};
#define SIDE_INIT                         \
	{                                 \
		.image = FILES_IMAGE_INIT \
	}

static void
auto_side(struct side *s)
{
	roll_walk_free(s->walk);
	roll_item_free(&s->item);
	free(s->hard_link);
	free(s->cover);
	auto_files_image(&s->image);
}

enum change { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED, CHANGE_WRITTEN };
static const struct {
	char letter;
	const char *name;
} changes[] = { [CHANGE_ADDED] = { 'A', "added" },
	[CHANGE_REMOVED] = { 'D', "removed" },
	[CHANGE_CHANGED] = { 'C', "changed" },
	[CHANGE_WRITTEN] = { 'W', "written" } };

struct comparison {
	struct side *from, *to;
	size_t first; /* layers below are the same in both, and not known */
	struct files_answer answer;
	size_t found, unsure;
};

/* What two items differ in. */
struct aspect {
	const char *name;
	bool (*differs)(const struct roll_item *a, const struct roll_item *b);
	void (*show)(const struct roll_item *i, struct buf *out); /* NULL: it says nothing */
};

static bool
type_differs(const struct roll_item *a, const struct roll_item *b)
{
	return a->entry.kind != b->entry.kind;
}

static void
type_show(const struct roll_item *i, struct buf *out)
{
	buf_adds(out, show_kind(i->entry.kind));
}

static bool
mode_differs(const struct roll_item *a, const struct roll_item *b)
{
	return a->entry.mode != b->entry.mode && a->entry.kind != ENTRY_SYMLINK &&
	       b->entry.kind != ENTRY_SYMLINK;
}

static void
mode_show(const struct roll_item *i, struct buf *out)
{
	buf_addf(out, "%04" PRIo32, i->entry.mode);
}

static bool
owner_differs(const struct roll_item *a, const struct roll_item *b)
{
	return a->entry.uid != b->entry.uid || a->entry.gid != b->entry.gid;
}

static void
owner_show(const struct roll_item *i, struct buf *out)
{
	buf_addf(out, "%" PRIu32 ":%" PRIu32, i->entry.uid, i->entry.gid);
}

static bool
size_differs(const struct roll_item *a, const struct roll_item *b)
{
	return a->entry.size != b->entry.size && a->entry.kind == b->entry.kind;
}

static void
size_show(const struct roll_item *i, struct buf *out)
{
	buf_addf(out, "%" PRIu64, i->entry.size);
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

static void
link_show(const struct roll_item *i, struct buf *out)
{
	buf_addc(out, '\'');
	show_line(i->entry.link, out);
	buf_addc(out, '\'');
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

static const struct aspect aspects[] = {
	{ "type", type_differs, type_show },
	{ "mode", mode_differs, mode_show },
	{ "owner", owner_differs, owner_show },
	{ "size", size_differs, size_show },
	{ "digest", digest_differs, NULL },
	{ "link", link_differs, link_show },
	{ "device", device_differs, NULL },
	{ "xattr", xattr_differs, NULL },
};

static bool
items_differ(const struct roll_item *a, const struct roll_item *b)
{
	for (size_t i = 0; i < COUNT_OF(aspects); i++)
		if (aspects[i].differs(a, b))
			return true;
	return false;
}

/* NULL: the file is not on that side. */
static json_t *
side_json(const struct side *s)
{
	const struct files_line line = { &s->image, &s->item, "", s->hard_link, false, false };

	return show_file_json(&line);
}

static int
tell_json(struct comparison *c, enum change change, const struct side *from, const struct side *to,
	struct err *err)
{
	AUTO(buf) struct buf path = BUF_INIT;
	json_t *o = json_object();

	buf_addf(&path, "/%s", (from != NULL ? from : to)->item.entry.path);
	json_object_set_new(o, "change", json_text(changes[change].name));
	json_object_set_new(o, "path", json_text(path.data));
	if (from != NULL && to != NULL) {
		json_t *what = json_array();

		for (size_t i = 0; i < COUNT_OF(aspects); i++)
			if (aspects[i].differs(&from->item, &to->item))
				json_array_append_new(what, json_text(aspects[i].name));
		json_object_set_new(o, "what", what);
	}
	if (from != NULL)
		json_object_set_new(o, "from", side_json(from));
	if (to != NULL)
		json_object_set_new(o, "to", side_json(to));
	return files_answer_json(&c->answer, o, err);
}

static void
add_what(const struct roll_item *a, const struct roll_item *b, struct buf *out)
{
	const char *between = "  ";

	for (size_t i = 0; i < COUNT_OF(aspects); i++) {
		if (!aspects[i].differs(a, b))
			continue;
		buf_addf(out, "%s%s", between, aspects[i].name);
		between = ", ";
		if (aspects[i].show == NULL)
			continue;
		buf_addc(out, ' ');
		aspects[i].show(a, out);
		buf_adds(out, " -> ");
		aspects[i].show(b, out);
	}
}

/* from, to: where it is. */
static int
tell(struct comparison *c, enum change change, const struct side *from, const struct side *to,
	struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;

	c->found++;
	c->unsure += change == CHANGE_WRITTEN;
	if (c->answer.json)
		return tell_json(c, change, from, to, err);
	buf_addf(&text, "%c ", changes[change].letter);
	files_path((from != NULL ? from : to)->item.entry.path, &text);
	if (from != NULL && to != NULL)
		add_what(&from->item, &to->item, &text);
	buf_addc(&text, '\n');
	return files_answer_line(&c->answer, &text, err);
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
has_surely_not(const struct comparison *c, const struct side *other, const char *path)
{
	return c->first == 0 || (other->cover != NULL && is_below(path, other->cover));
}

static int
compare_one(struct comparison *c, struct side *s, struct err *err)
{
	bool is_from = s == c->from, is_gone = s->item.entry.kind == ENTRY_WHITEOUT;
	const struct side *from = is_from ? s : NULL, *to = is_from ? NULL : s;

	if (has_surely_not(c, is_from ? c->to : c->from, s->item.entry.path))
		return is_gone ? 0
			       : tell(c, is_from ? CHANGE_REMOVED : CHANGE_ADDED, from, to, err);
	/* what is in it tells */
	if (s->item.is_implied)
		return 0;
	if (is_gone)
		return tell(c, is_from ? CHANGE_ADDED : CHANGE_REMOVED, from, to, err);
	return tell(c, CHANGE_WRITTEN, from, to, err);
}

static int
compare_both(struct comparison *c, struct err *err)
{
	const struct roll_item *a = &c->from->item, *b = &c->to->item;
	bool a_gone = a->entry.kind == ENTRY_WHITEOUT, b_gone = b->entry.kind == ENTRY_WHITEOUT;

	if (a_gone && b_gone)
		return 0;
	if (a_gone)
		return tell(c, CHANGE_ADDED, NULL, c->to, err);
	if (b_gone)
		return tell(c, CHANGE_REMOVED, c->from, NULL, err);
	if (c->first > 0 && (a->is_implied || b->is_implied)) {
		if (a->is_implied && b->is_implied)
			return 0;
		return a->is_implied ? tell(c, CHANGE_WRITTEN, NULL, c->to, err)
				     : tell(c, CHANGE_WRITTEN, c->from, NULL, err);
	}
	/* one of them hides what the layers below have in it */
	if (c->first > 0 && a->entry.kind == ENTRY_DIR && b->entry.kind == ENTRY_DIR &&
		a->is_opaque != b->is_opaque)
		return tell(c, CHANGE_WRITTEN, NULL, c->to, err);
	return items_differ(a, b) ? tell(c, CHANGE_CHANGED, c->from, c->to, err) : 0;
}

static int
compare(struct comparison *c, struct err *err)
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
	return files_answer_end(&c->answer, err);
}

/* How many of the lowest layers are the same. */
static size_t
count_shared(const struct manifest *a, const struct manifest *b)
{
	size_t i = 0;

	while (i < a->layer_count && i < b->layer_count &&
		digest_same(&a->layers[i].digest, &b->layers[i].digest))
		i++;
	return i;
}

/* Shared layers are read where that costs no transfer, or is asked for. */
static int
choose_first(struct files *f, const struct values *v, const struct comparison *c, size_t *out,
	struct err *err)
{
	const struct files_image *i = &c->from->image;
	size_t shared = count_shared(&i->manifest, &c->to->image.manifest);

	*out = shared;
	for (size_t l = 0; l < shared && !v->shared; l++) {
		int near = files_is_near(f, i, l, err);

		if (near <= 0)
			return near;
	}
	*out = 0;
	return 0;
}

static bool
are_same(const struct comparison *c)
{
	const struct manifest *a = &c->from->image.manifest, *b = &c->to->image.manifest;

	return a->layer_count == b->layer_count && count_shared(a, b) == a->layer_count;
}

static int
begin(struct files *f, struct side *s, size_t first, struct err *err)
{
	struct roll_stack stack;

	if (files_load_to(f, &s->image, first, err) < 0)
		return -1;
	stack = files_stack(&s->image);
	s->walk = roll_walk_new(f->roll, &stack);
	if (first > 0)
		roll_walk_whiteouts(s->walk);
	return 0;
}

static int
diff_images(struct files *f, const struct call *call, struct comparison *c, struct err *err)
{
	const struct values *v = call->values;

	if (files_begin(f, call, &v->remote, true, err) < 0 ||
		files_open(f, call->args.items[0], v->platform, &c->from->image, err) < 0 ||
		files_open(f, call->args.items[1], v->platform, &c->to->image, err) < 0)
		return -1;
	if (are_same(c))
		return files_answer_end(&c->answer, err);
	if (choose_first(f, v, c, &c->first, err) < 0 || begin(f, c->from, c->first, err) < 0 ||
		begin(f, c->to, c->first, err) < 0 || roll_walk_start(c->from->walk, "", err) < 0 ||
		roll_walk_start(c->to->walk, "", err) < 0)
		return -1;
	return compare(c, err);
}

static int
diff(struct call *call, void *arg, struct err *err)
{
	const struct values *v = call->values;
	AUTO(files) struct files files = FILES_INIT;
	AUTO(side) struct side from = SIDE_INIT;
	AUTO(side) struct side to = SIDE_INIT;
	struct comparison c = {
		.from = &from, .to = &to, .answer = { .text = BUF_INIT, .json = v->json }
	};
	int result = diff_images(&files, call, &c, err);

	(void)arg;
	auto_files_answer(&c.answer);
	if (result < 0)
		return -1;
	if (c.unsure > 0)
		event_warn("W: added or changed; which of them, the layers that both have would "
			   "tell (--shared)");
	call->status = c.found > 0 ? STATUS_DIFFERENT : 0;
	return 0;
}

static int
diff_run(struct call *call, struct err *err)
{
	int result = files_run(call, diff, NULL, err);

	if (result < 0 && err->kind == ERR_SYSTEM)
		call->status = STATUS_TROUBLE;
	return result;
}

const struct cmd cmd_diff = {
	.name = "diff",
	.summary = "show which files differ between two images",
	.args = "<image> <image>",
	.about =
		"Prints a line for each file that is only in the second image (A), only in the "
		"first "
		"(D), or in both and not "
		"the same (C, with what of type, mode, owner, size, digest, link, device and xattr "
		"differs; times do not "
		"count). Images are named as for 'cooper ls'. The lowest layers that both have are "
		"not fetched. Of a file "
		"that only one of them writes above those layers it is then not known whether the "
		"other has it: W, for "
		"written.\n\n"
		"The exit status is 0 when the files are the same, 1 when they are not, and 2 or "
		"more when something fails.",
	.example = "  cooper diff app:1 app:2\n"
		   "  cooper diff --shared docker://alpine:3.19 docker://alpine:3.20\n"
		   "  cooper diff --json app:1 oci:out:latest | jq -r '.[].path'\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 2,
	.args_max = 2,
	.run = diff_run,
};
