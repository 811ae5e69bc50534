/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/files.h"
#include "cmd/files_show.h"
#include "cmd/find_tests.h"
#include "cmd/show.h"

struct values {
	bool json, layers;
	const char *platform;
	struct remote_flags remote;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt options[] = { OPT_BOOL(0, "layers", struct values, layers,
					      "show the layer that each file comes from: its "
					      "number, 1 is the lowest, and digest"),
	OPT_BOOL(0, "json", struct values, json, "show a JSON list"),
	OPT_STR(0, "platform", struct values, platform, "os/arch", "the image for this platform"),
	TRUST_OPTION(struct values, remote), REMOTE_OPTIONS(struct values, remote), OPT_END };

struct search {
	const struct values *values;
	const struct files_image *image;
	struct roll_walk *walk;
	struct find_tests *tests;
	struct files_answer answer;
	size_t base_depth;
};

static size_t
depth_of(const char *path)
{
	size_t depth = path[0] != '\0';

	for (; *path != '\0'; path++)
		depth += *path == '/';
	return depth;
}

static int
show_found(struct search *s, const struct roll_item *item, const char *hard_link, struct err *err)
{
	AUTO(free) char *path = xasprintf("/%s", item->entry.path);
	AUTO(buf) struct buf text = BUF_INIT;
	const struct files_line line = { s->image, item, path, hard_link, s->tests->is_long,
		s->values->layers };

	if (s->answer.json)
		return files_answer_json(&s->answer, show_file_json(&line), err);
	if (s->tests->ends_with_zero) {
		buf_add(&text, path, strlen(path) + 1);
	} else {
		show_file(&line, &text);
		buf_addc(&text, '\n');
	}
	return files_answer_line(&s->answer, &text, err);
}

static int
visit(struct search *s, struct roll_item *item, struct err *err)
{
	struct find_subject subject = { .entry = &item->entry, .layer = item->layer + 1 };
	bool is_dir = item->entry.kind == ENTRY_DIR;
	AUTO(free) char *hard_link = NULL;

	if (item->entry.kind == ENTRY_HARDLINK) {
		hard_link = xstrdup(item->entry.link);
		if (roll_link(s->walk, item, NULL, err) < 0)
			return -1;
		subject.layer = item->layer + 1;
	}
	subject.depth = depth_of(item->entry.path) - s->base_depth;
	if (find_tests_pass(s->tests, &subject) && show_found(s, item, hard_link, err) < 0)
		return -1;
	if (is_dir && subject.depth >= s->tests->depth_max)
		return roll_walk_skip(s->walk, err);
	return 0;
}

/* The times of -newer's files. */
static int
find_files(struct search *s, struct err *err)
{
	for (size_t i = 0; i < s->tests->count; i++) {
		struct find_test *t = &s->tests->items[i];
		AUTO(roll_item) struct roll_item item = ROLL_ITEM_INIT;

		if (!find_test_wants_file(t))
			continue;
		if (roll_find(s->walk, t->text, true, &item, NULL, err) < 0)
			return -1;
		t->time = item.entry.mtime;
		t->time_ns = item.entry.mtime_ns;
	}
	return 0;
}

static int
search(struct search *s, const char *path, struct err *err)
{
	AUTO(roll_item) struct roll_item item = ROLL_ITEM_INIT;
	AUTO(free) char *base = NULL;
	int more;

	if (find_files(s, err) < 0 || roll_find(s->walk, path, true, &item, NULL, err) < 0)
		return -1;
	base = xstrdup(item.entry.path);
	s->base_depth = depth_of(base);
	if (roll_walk_start(s->walk, base, err) < 0)
		return -1;
	while ((more = roll_walk_next(s->walk, &item, err)) == 1)
		if (visit(s, &item, err) < 0)
			return -1;
	return more < 0 ? -1 : files_answer_end(&s->answer, err);
}

/* What stands before the first test. */
static bool
is_path(const char *word)
{
	return word[0] != '-' && !streq(word, "!");
}

static int
find(struct call *call, void *arg, struct err *err)
{
	const struct values *v = call->values;
	const struct strv *args = &call->args;
	bool has_path = args->count > 1 && is_path(args->items[1]);
	size_t first = has_path ? 2 : 1;
	AUTO(find_tests) struct find_tests tests = FIND_TESTS_INIT;
	AUTO(files) struct files files = FILES_INIT;
	AUTO(files_image) struct files_image image = FILES_IMAGE_INIT;
	AUTO(roll_walk) struct roll_walk *walk = NULL;
	struct search s = { .values = v,
		.image = &image,
		.tests = &tests,
		.answer = { .text = BUF_INIT, .json = v->json } };
	struct roll_stack stack;
	int result;

	(void)arg;
	if (find_tests_parse(
		    (const char *const *)args->items + first, args->count - first, &tests, err) < 0)
		return err_in(err, "find");
	if (files_begin(&files, call, &v->remote, false, err) < 0 ||
		files_open(&files, args->items[0], v->platform, &image, err) < 0 ||
		files_load_to(&files, &image, 0, err) < 0)
		return -1;
	stack = files_stack(&image);
	s.walk = walk = roll_walk_new(files.roll, &stack);
	result = search(&s, has_path ? args->items[1] : "/", err);
	auto_files_answer(&s.answer);
	return result < 0 ? err_in(err, "%s", image.text) : 0;
}

static int
find_run(struct call *call, struct err *err)
{
	return files_run(call, find, NULL, err);
}

const struct cmd cmd_find_command = {
	.name = "find",
	.summary = "find files of an image",
	.args = "<image> [<path>] [<test>...]",
	.about = "Prints the paths of what is at <path> (the root, where none is said) and below, "
		 "if "
		 "it passes all tests. "
		 "The image is named as for 'cooper ls'. Options stand before the image. Tests are "
		 "those of find(1), with '!' before one for its contrary:\n\n"
		 "-name, -iname and -path <glob>; -lname <glob> of a symlink's target; -type f, d, "
		 "l, c, b, p (several with "
		 "commas); -size [+-]n with c, w, b, k, M or G, rounded up; -empty of a file; "
		 "-perm mode, -mode, /mode "
		 "(octal); -uid and -gid [+-]n; -newer <path> of the image; -newermt <time> in "
		 "UTC; -layer [+-]n, where 1 is "
		 "the lowest. -mindepth and -maxdepth n bound how deep it looks; -ls shows long "
		 "lines, -print0 paths as they "
		 "are with a zero byte behind each.",
	.example = "  cooper find alpine:3.20 / -perm /6000 -type f\n"
		   "  cooper find --json oci:out:latest /usr -name '*.so*' -size +1M\n"
		   "  cooper find --layers registry.example.com/app:1 / -layer +3 ! -type d\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = CMD_ARGS_ANY,
	.first_ends = true,
	.run = find_run,
};
