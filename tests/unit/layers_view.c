/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "layers/view.h"
#include "tests/unit/layer_text.h"

struct stack {
	struct listing layers[8];
	const struct listing *pointers[8];
	struct view *view;
};

static struct stack
stack_of(const char *const *texts)
{
	struct stack s = { .view = NULL };
	size_t count = 0;

	for (; texts[count] != NULL; count++) {
		layer_entries(texts[count], &s.layers[count]);
		listing_sort(&s.layers[count]);
	}
	for (size_t i = 0; i < count; i++)
		s.pointers[i] = xmemdup(&s.layers[i], sizeof s.layers[i]);
	s.view = view_new(s.pointers, count);
	return s;
}
#define STACK(...) stack_of((const char *const[]){ __VA_ARGS__, NULL })

static void
auto_stack(struct stack *s)
{
	view_free(s->view);
	for (size_t i = 0; i < COUNT_OF(s->layers); i++) {
		listing_free(&s->layers[i]);
		free((void *)(uintptr_t)s->pointers[i]);
	}
}

static int
print_hit(const struct view_hit *hit, void *arg, struct err *err)
{
	static const char letters[] = "FDLHCBPWO";

	(void)err;
	buf_addf(arg, " %s:%c%zu", hit->path, letters[hit->file.entry.kind], hit->layer);
	return strcmp(hit->path, "closed") == 0;
}

static char *
all(const struct view *v)
{
	struct buf b = BUF_INIT;
	struct err err = { 0 };

	works(view_walk(v, "", print_hit, &b, &err));
	return buf_steal(&b);
}

#define holds(wanted, ...)                                        \
	do {                                                      \
		AUTO(stack) struct stack s_ = STACK(__VA_ARGS__); \
		AUTO(free) char *got_ = all(s_.view);             \
		same_str(got_, wanted);                           \
	} while (0)

TEST(layers_lie_over_each_other)
{
	holds(" :D0", "");
	holds(" :D0 a:F0 b:F1", "a", "b");
	holds(" :D0 a:F1", "a", "a");
	holds(" :D0 d:D1 d/a:F0 d/b:F1", "d/ d/a", "d/ d/b");
	holds(" :D0 a:D0 a/x:F0 a-b:F0 a.b:F0", "a-b a/ a/x a.b");
}

TEST(whiteouts_remove_what_is_below)
{
	holds(" :D0 b:F0", "a b", "-a");
	holds(" :D0", "d/ d/e/ d/e/f", "-d");
	holds(" :D0 d:D1 d/new:F1", "d/ d/old", "-d d/new");
	holds(" :D0 a:F0", "a", "-missing -a/b -x/y/z");
	holds(" :D0 a:F2", "a", "-a", "a");
}

TEST(an_opaque_directory_has_only_its_own)
{
	holds(" :D0 d:D1 d/new:F1", "d/ d/old d/e/ d/e/f", "d/ d* d/new");
	holds(" :D0 d:D0 d/new:F1", "d/ d/old", "d* d/new");
	holds(" :D0 b:F1", "a", "* b");
}

TEST(what_is_no_directory_takes_the_place_of_one)
{
	holds(" :D0 d:F1", "d/ d/a d/e/ d/e/f", "d");
	holds(" :D0 d:L1", "d/ d/a", "d->/tmp");
	holds(" :D0 d:D1 d/x:F1", "d->/tmp", "d/ d/x");
	holds(" :D0 d:D1 d/x:F1", "d->/tmp", "d/x");
}

TEST(missing_parents_are_there)
{
	holds(" :D0 a:D0 a/b:D0 a/b/c:F0", "a/b/c");
	holds(" :D0 a:D0 a/b:D1 a/b/c:F1", "a/ a/b", "a/b/c");
}

TEST(a_hard_link_is_its_file_whatever_comes_later)
{
	holds(" :D0 a:F0 z:F0", "z a=z");
	holds(" :D0 a:F0 z:F1", "z a=z", "z");
	holds(" :D0 a:F0 b:F0 c:F0 d:F0", "a=b b=c c=d d");
	holds(" :D0 a:F0 b:F0", "a", "b=a");
	holds(" :D0 b:F0", "b a=b", "-a");
}

TEST(a_hard_link_to_nothing_is_an_error)
{
	AUTO(stack) struct stack s = STACK("a=b b=a c=c d/ e=d f=missing");
	AUTO(view_hit) struct view_hit hit = VIEW_HIT_INIT;
	static const char *const names[] = { "a", "b", "c", "e", "f" };
	struct err err = { 0 };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		same_int(view_find(s.view, names[i], true, &hit, &err), -1);
		same_int(err.kind, ERR_CORRUPT);
	}
	same_str(err.msg, "'f' is a hard link to 'missing', which is not there");
}

TEST(a_walk_may_leave_a_directory_out)
{
	AUTO(stack) struct stack s = STACK("closed/ closed/x open/ open/y");
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };

	works(view_walk(s.view, "", print_hit, &got, &err));
	same_str(got.data, " :D0 closed:D0 open:D0 open/y:F0");
	buf_clear(&got);
	works(view_children(s.view, "", print_hit, &got, &err));
	same_str(got.data, " closed:D0 open:D0");
	buf_clear(&got);
	works(view_walk(s.view, "open", print_hit, &got, &err));
	same_str(got.data, " open:D0 open/y:F0");
	fails(view_children(s.view, "open/y", print_hit, &got, &err),
		"'open/y' is not a directory, nor leads through directories");
	fails(view_walk(s.view, "nowhere", print_hit, &got, &err), "'nowhere' is not there");
}

struct question {
	const char *path;
	int follow;
	const char *answer; /* a path, or a message */
};

#define ROOT_TEXT                                                                              \
	"usr/ usr/bin/ usr/bin/sh bin->usr/bin abs->/usr/bin up->../../../usr/bin loop->loop " \
	"a->b b->a dang->/var/new/x empty-> etc/ etc/passwd self->. in->usr/bin/sh file->in "  \
	"dirlink->usr/ d2->dirlink/bin deep->usr/bin/../../etc"

TEST(links_are_followed_as_in_a_chroot)
{
	static const struct question questions[] = {
		{ "", 1, "" },
		{ "/", 1, "" },
		{ "/../..", 1, "" },
		{ "bin/sh", 1, "usr/bin/sh" },
		{ "/abs/sh", 1, "usr/bin/sh" },
		{ "up/sh", 1, "usr/bin/sh" },
		{ "bin", 0, "bin" },
		{ "bin/", 0, "usr/bin" },
		{ "bin/.", 0, "usr/bin" },
		{ "bin/..", 0, "usr" },
		{ "bin/../../etc/passwd", 1, "etc/passwd" },
		{ "self/self/self/etc", 1, "etc" },
		{ "file", 1, "usr/bin/sh" },
		{ "file", 0, "file" },
		{ "d2/sh", 1, "usr/bin/sh" },
		{ "deep/passwd", 1, "etc/passwd" },
		{ "usr//bin/./sh", 1, "usr/bin/sh" },
		{ "loop", 0, "loop" },
		{ "loop", 1, "'loop' leads through more than 40 links" },
		{ "a/x", 1, "'a/x' leads through more than 40 links" },
		{ "nothing", 1, "'nothing' is not there" },
		{ "nothing/..", 1, "'nothing/..' is not there" },
		{ "dang", 1, "'dang' is not there" },
		{ "empty", 1, "'empty' is not there" },
		{ "etc/passwd/", 1,
			"'etc/passwd/' is not a directory, nor leads through directories" },
		{ "etc/passwd/x", 1,
			"'etc/passwd/x' is not a directory, nor leads through directories" },
		{ "etc/passwd/..", 1,
			"'etc/passwd/..' is not a directory, nor leads through directories" },
		{ "file/.", 1, "'file/.' is not a directory, nor leads through directories" },
	};
	AUTO(stack) struct stack s = STACK(ROOT_TEXT);

	for (size_t i = 0; i < COUNT_OF(questions); i++) {
		AUTO(view_hit) struct view_hit hit = VIEW_HIT_INIT;
		struct err err = { 0 };

		if (view_find(s.view, questions[i].path, questions[i].follow, &hit, &err) < 0)
			same_str(err.msg, questions[i].answer);
		else
			same_str(hit.path, questions[i].answer);
	}
}

TEST(a_path_of_any_depth_is_walked)
{
	AUTO(buf) struct buf path = BUF_INIT;
	AUTO(listing) struct listing l = LISTING_INIT;
	const struct listing *layers[] = { &l };
	AUTO(view) struct view *v = NULL;
	AUTO(view_hit) struct view_hit hit = VIEW_HIT_INIT;
	struct entry e = { .kind = ENTRY_FILE };
	struct err err = { 0 };

	for (int i = 0; i < 20000; i++)
		buf_adds(&path, "a/");
	buf_adds(&path, "f");
	e.path = path.data;
	listing_add(&l, &e);
	v = view_new(layers, 1);
	same_int(view_count(v), 20002);
	works(view_find(v, path.data, true, &hit, &err));
	same_str(hit.path, path.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(layers_lie_over_each_other),
		CASE(whiteouts_remove_what_is_below),
		CASE(an_opaque_directory_has_only_its_own),
		CASE(what_is_no_directory_takes_the_place_of_one),
		CASE(missing_parents_are_there),
		CASE(a_hard_link_is_its_file_whatever_comes_later),
		CASE(a_hard_link_to_nothing_is_an_error),
		CASE(a_walk_may_leave_a_directory_out),
		CASE(links_are_followed_as_in_a_chroot),
		CASE(a_path_of_any_depth_is_walked),
	};

	return RUN(tests);
}
