/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/event.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/files.h"
#include "cmd/files_show.h"
#include "cmd/show.h"
#include "layers/roll_compare.h"

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

static const struct {
	char letter;
	const char *name;
} changes[] = { [ROLL_ADDED] = { 'A', "added" },
	[ROLL_REMOVED] = { 'D', "removed" },
	[ROLL_CHANGED] = { 'C', "changed" },
	[ROLL_WRITTEN] = { 'W', "written" } };

struct comparison {
	struct files_image from, to;
	struct files_answer answer;
	size_t found, unsure;
};
#define COMPARISON_INIT                                                                       \
	{                                                                                     \
		.from = FILES_IMAGE_INIT, .to = FILES_IMAGE_INIT, .answer = FILES_ANSWER_INIT \
	}

static void
auto_comparison(struct comparison *c)
{
	auto_files_image(&c->from);
	auto_files_image(&c->to);
	auto_files_answer(&c->answer);
}

static void
type_show(const struct roll_item *i, struct buf *out)
{
	buf_adds(out, show_kind(i->entry.kind));
}

static void
mode_show(const struct roll_item *i, struct buf *out)
{
	buf_addf(out, "%04" PRIo32, i->entry.mode);
}

static void
owner_show(const struct roll_item *i, struct buf *out)
{
	buf_addf(out, "%" PRIu32 ":%" PRIu32, i->entry.uid, i->entry.gid);
}

static void
size_show(const struct roll_item *i, struct buf *out)
{
	buf_addf(out, "%" PRIu64, i->entry.size);
}

static void
link_show(const struct roll_item *i, struct buf *out)
{
	buf_addc(out, '\'');
	show_line(i->entry.link, out);
	buf_addc(out, '\'');
}

static const struct {
	const char *name;
	void (*show)(const struct roll_item *i, struct buf *out); /* NULL: it says nothing */
} aspects[ROLL_ASPECTS] = {
	[ROLL_TYPE] = { "type", type_show },
	[ROLL_MODE] = { "mode", mode_show },
	[ROLL_OWNER] = { "owner", owner_show },
	[ROLL_SIZE] = { "size", size_show },
	[ROLL_DIGEST] = { "digest", NULL },
	[ROLL_LINK] = { "link", link_show },
	[ROLL_DEVICE] = { "device", NULL },
	[ROLL_XATTR] = { "xattr", NULL },
};

static json_t *
found_json(const struct files_image *image, const struct roll_found *f)
{
	const struct files_line line = { image, f->item, "", f->hard_link, false, false };

	return show_file_json(&line);
}

static int
tell_json(struct comparison *c, enum roll_change change, const struct roll_found *from,
	const struct roll_found *to, struct err *err)
{
	AUTO(buf) struct buf path = BUF_INIT;
	json_t *o = json_object();

	buf_addf(&path, "/%s", (from != NULL ? from : to)->item->entry.path);
	json_object_set_new(o, "change", json_text(changes[change].name));
	json_object_set_new(o, "path", json_text(path.data));
	if (from != NULL && to != NULL) {
		json_t *what = json_array();

		for (enum roll_aspect i = 0; i < ROLL_ASPECTS; i++)
			if (roll_differ_in(i, from->item, to->item))
				json_array_append_new(what, json_text(aspects[i].name));
		json_object_set_new(o, "what", what);
	}
	if (from != NULL)
		json_object_set_new(o, "from", found_json(&c->from, from));
	if (to != NULL)
		json_object_set_new(o, "to", found_json(&c->to, to));
	return files_answer_json(&c->answer, o, err);
}

static void
add_what(const struct roll_item *a, const struct roll_item *b, struct buf *out)
{
	const char *between = "  ";

	for (enum roll_aspect i = 0; i < ROLL_ASPECTS; i++) {
		if (!roll_differ_in(i, a, b))
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

static int
tell(enum roll_change change, const struct roll_found *from, const struct roll_found *to, void *arg,
	struct err *err)
{
	struct comparison *c = arg;
	AUTO(buf) struct buf text = BUF_INIT;

	c->found++;
	c->unsure += change == ROLL_WRITTEN;
	if (c->answer.json)
		return tell_json(c, change, from, to, err);
	buf_addf(&text, "%c ", changes[change].letter);
	files_path((from != NULL ? from : to)->item->entry.path, &text);
	if (from != NULL && to != NULL)
		add_what(from->item, to->item, &text);
	buf_addc(&text, '\n');
	return files_answer_line(&c->answer, &text, err);
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
	const struct files_image *i = &c->from;
	size_t shared = count_shared(&i->manifest, &c->to.manifest);

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
	const struct manifest *a = &c->from.manifest, *b = &c->to.manifest;

	return a->layer_count == b->layer_count && count_shared(a, b) == a->layer_count;
}

static int
compare(struct files *f, const struct call *call, struct comparison *c, struct err *err)
{
	const struct values *v = call->values;
	struct roll_stack from, to;
	size_t first = 0;

	if (files_begin(f, call, &v->remote, true, err) < 0 ||
		files_open(f, call->args.items[0], v->platform, &c->from, err) < 0 ||
		files_open(f, call->args.items[1], v->platform, &c->to, err) < 0)
		return -1;
	if (are_same(c))
		return files_answer_end(&c->answer, err);
	if (choose_first(f, v, c, &first, err) < 0 || files_load_to(f, &c->from, first, err) < 0 ||
		files_load_to(f, &c->to, first, err) < 0)
		return -1;
	from = files_stack(&c->from);
	to = files_stack(&c->to);
	if (roll_compare(f->roll, &from, &to, tell, c, err) < 0)
		return -1;
	return files_answer_end(&c->answer, err);
}

static int
diff(struct call *call, void *arg, struct err *err)
{
	const struct values *v = call->values;
	AUTO(files) struct files files = FILES_INIT;
	AUTO(comparison) struct comparison c = COMPARISON_INIT;

	(void)arg;
	c.answer.json = v->json;
	if (compare(&files, call, &c, err) < 0)
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
