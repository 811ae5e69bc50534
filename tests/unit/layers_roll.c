/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "layers/roll.h"
#include "layers/tar.h"
#include "layers/view.h"
#include "tests/unit/layer_text.h"

#define LAYERS_MAX 8

struct stack {
	struct roll *roll;
	size_t slots[LAYERS_MAX];
	struct roll_stack stack;
	struct roll_walk *walk;
};

/* first: of the layers, which are known. */
static struct stack *
stack_of(const char *const *texts, size_t first, size_t run_size)
{
	struct stack *s = xzalloc(sizeof *s);
	struct err err = { 0 };
	size_t count = 0;

	s->roll = roll_new(fd_memory("roll", &err));
	roll_run_size(s->roll, run_size);
	for (; texts[count] != NULL; count++) {
		AUTO(listing) struct listing l = LISTING_INIT;

		layer_entries(texts[count], &l);
		roll_begin(s->roll);
		works(roll_add_listing(s->roll, &l, &err));
		works(roll_end(s->roll, &s->slots[count], &err));
	}
	s->stack = (struct roll_stack){ s->slots, first, count };
	s->walk = roll_walk_new(s->roll, &s->stack);
	return s;
}
#define STACK(...) stack_of((const char *const[]){ __VA_ARGS__, NULL }, 0, 1u << 20)
#define STACK_FROM(first, ...) stack_of((const char *const[]){ __VA_ARGS__, NULL }, first, 1u << 20)

static void
auto_stack(struct stack **s)
{
	roll_walk_free((*s)->walk);
	roll_free((*s)->roll);
	free(*s);
}

static const char letters[] = "FDLHCBPWO";

/* The layer of a directory that none names is not the same in a view. */
static void
add_item(struct buf *b, const char *path, const struct entry *e, size_t layer)
{
	buf_addf(b, " %s:%c", path, letters[e->kind]);
	if (e->kind != ENTRY_DIR || e->mode == 0700)
		buf_addf(b, "%zu", layer);
}

static char *
all(struct roll_walk *w, const char *from)
{
	AUTO(roll_item) struct roll_item item = ROLL_ITEM_INIT;
	struct buf b = BUF_INIT;
	struct err err = { 0 };
	int more;

	works(roll_walk_start(w, from, &err));
	while ((more = roll_walk_next(w, &item, &err)) == 1) {
		if (item.entry.kind == ENTRY_HARDLINK && roll_link(w, &item, NULL, &err) < 0) {
			buf_addf(&b, " %s:broken", item.entry.path);
			continue;
		}
		add_item(&b, item.entry.path, &item.entry, item.layer);
		if (strcmp(item.entry.path, "closed") == 0)
			works(roll_walk_skip(w, &err));
	}
	same_int(more, 0);
	return buf_steal(&b);
}

#define holds(wanted, ...)                                         \
	do {                                                       \
		AUTO(stack) struct stack *s_ = STACK(__VA_ARGS__); \
		AUTO(free) char *got_ = all(s_->walk, "");         \
		same_str(got_, wanted);                            \
	} while (0)

TEST(layers_lie_over_each_other)
{
	holds(" :D", "");
	holds(" :D a:F0 b:F1", "a", "b");
	holds(" :D a:F1", "a", "a");
	holds(" :D d:D1 d/a:F0 d/b:F1", "d/ d/a", "d/ d/b");
	holds(" :D a:D0 a/x:F0 a-b:F0 a.b:F0", "a-b a/ a/x a.b");
}

TEST(whiteouts_remove_what_is_below)
{
	holds(" :D b:F0", "a b", "-a");
	holds(" :D", "d/ d/e/ d/e/f", "-d");
	holds(" :D d:D d/new:F1", "d/ d/old", "-d d/new");
	holds(" :D a:F0", "a", "-missing -a/b -x/y/z");
	holds(" :D a:F2", "a", "-a", "a");
	holds(" :D d:D1 d/x:F1", "d/ d/old", "d/ d/x -d");
}

TEST(an_opaque_directory_has_only_its_own)
{
	holds(" :D d:D1 d/new:F1", "d/ d/old d/e/ d/e/f", "d/ d* d/new");
	holds(" :D d:D0 d/new:F1", "d/ d/old", "d* d/new");
	holds(" :D b:F1", "a", "* b");
}

TEST(what_is_no_directory_takes_the_place_of_one)
{
	holds(" :D d:F1", "d/ d/a d/e/ d/e/f", "d");
	holds(" :D d:L1", "d/ d/a", "d->/tmp");
	holds(" :D d:D d/x:F1", "d->/tmp", "d/x");
	holds(" :D a:D0 a/b:D a/b/c:F1", "a/ a/b", "a/b/c");
}

TEST(what_a_directory_holds_can_be_skipped)
{
	holds(" :D closed:D0 closed-by:F0", "closed/ closed/a closed/b closed-by");
	holds(" :D closed:D z:F0", "closed/a/b z");
}

TEST(a_walk_begins_anywhere)
{
	AUTO(stack) struct stack *s = STACK("a/b/c a/b/d a-b x", "a/b/e -a/b/c", "-x");
	AUTO(free) char *deep = all(s->walk, "a/b");
	AUTO(free) char *none = all(s->walk, "x");
	AUTO(free) char *implied = all(s->walk, "a");

	same_str(deep, " a/b:D a/b/d:F0 a/b/e:F1");
	same_str(none, "");
	same_int(roll_walk_floor(s->walk), 0);
	same_str(implied, " a:D a/b:D a/b/d:F0 a/b/e:F1");
}

TEST(a_hard_link_is_its_file_whatever_comes_later)
{
	holds(" :D a:F0 z:F0", "z a=z");
	holds(" :D a:F0 z:F1", "z a=z", "z");
	holds(" :D a:F0", "z a=z", "-z");
	holds(" :D a:F0 b:F0 z:F0", "z", "a=z", "b=a");
	holds(" :D a:broken", "a=z");
	holds(" :D a:broken b:broken", "a=b b=a");
	holds(" :D a:broken d:D0", "d/ a=d");
}

static void
finds(struct stack *s, const char *path, bool follow, const char *wanted)
{
	AUTO(roll_item) struct roll_item item = ROLL_ITEM_INIT;
	AUTO(free) char *bytes = NULL;
	AUTO(free) char *got = NULL;
	struct err err = { 0 };
	int found = roll_find(s->walk, path, follow, &item, &bytes, &err);

	if (found < 0)
		got = xstrdup(err.msg);
	else if (found == 0)
		got = xstrdup("?");
	else
		got = xasprintf("%s:%c%zu %s", item.entry.path, letters[item.entry.kind],
			item.layer, bytes);
	same_str(got, wanted);
}

TEST(links_are_followed_inside_the_root)
{
	AUTO(stack)
	struct stack *s = STACK("usr/bin/dash bin->usr/bin up->../../../usr loop->loop",
		"usr/bin/sh->dash h=usr/bin/dash abs->/usr/bin/sh");

	finds(s, "bin/sh", true, "usr/bin/dash:F0 usr/bin/dash");
	finds(s, "/bin/../bin//./sh", true, "usr/bin/dash:F0 usr/bin/dash");
	finds(s, "bin/sh", false, "usr/bin/sh:L1 usr/bin/sh");
	finds(s, "abs", true, "usr/bin/dash:F0 usr/bin/dash");
	finds(s, "up/bin/dash", true, "usr/bin/dash:F0 usr/bin/dash");
	finds(s, "../../..", true, ":D0 ");
	finds(s, "h", true, "h:F0 usr/bin/dash");
	finds(s, "usr/bin/..", true, "usr:D0 usr");
	finds(s, "loop", true, "'loop' leads through more than 40 links");
	finds(s, "bin/sh/", true, "'bin/sh/' is not a directory, nor leads through directories");
	finds(s, "h/x", true, "'h/x' is not a directory, nor leads through directories");
	finds(s, "nothing/x", true, "'nothing/x' is not there");
}

TEST(what_only_lower_layers_could_tell_is_said)
{
	AUTO(stack)
	struct stack *s = STACK_FROM(1, "etc/passwd bin/sh f", "etc/group -gone d/ d* l->f h=f x");

	finds(s, "etc/group", true, "etc/group:F1 etc/group");
	finds(s, "etc/passwd", true, "?");
	finds(s, "etc", true, "etc:D1 etc");
	finds(s, "bin", true, "?");
	finds(s, "gone", true, "'gone' is not there");
	finds(s, "gone/x", true, "'gone/x' is not there");
	finds(s, "d/x", true, "'d/x' is not there");
	finds(s, "x/y", true, "'x/y' is not a directory, nor leads through directories");
	finds(s, "l", true, "?");
	finds(s, "h", true, "?");
	finds(s, "h", false, "?");
}

TEST(whiteouts_over_unknown_layers_are_given_when_asked_for)
{
	AUTO(stack)
	struct stack *s = STACK_FROM(1, "a", "-a -b d/ d* e/x -e -f -f/g h/i", "f/");
	AUTO(free) char *got = NULL;

	roll_walk_whiteouts(s->walk);
	got = all(s->walk, "");
	same_str(got, " :D a:W1 b:W1 d:D1 e:D e/x:F1 f:D2 f/g:W1 h:D h/i:F1");
}

/* Names of few letters, so that they meet. */
static void
random_name(char *out, unsigned *seed)
{
	int depth = 1 + rand_r(seed) % 3;

	for (int i = 0; i < depth; i++) {
		if (i > 0)
			*out++ = '/';
		*out++ = "abc-"[rand_r(seed) % (i == 0 ? 3 : 4)];
	}
	*out = '\0';
}

static char *
random_layer(unsigned *seed)
{
	struct buf b = BUF_INIT;
	int count = rand_r(seed) % 12;

	for (int i = 0; i < count; i++) {
		char name[8], other[8];
		int kind = rand_r(seed) % 12;

		random_name(name, seed);
		random_name(other, seed);
		if (name[0] == '-')
			continue;
		buf_addf(&b, "%s%s%s%s ", kind == 0 ? "-" : "", name,
			kind == 1   ? "*"
			: kind < 5  ? "/"
			: kind == 5 ? "->"
			: kind == 6 ? "="
				    : "",
			kind == 5 || kind == 6 ? other : "");
	}
	return buf_steal(&b);
}

static int
print_hit(const struct view_hit *hit, void *arg, struct err *err)
{
	(void)err;
	add_item(arg, hit->path, &hit->file.entry, hit->layer);
	return 0;
}

struct views {
	struct listing layers[LAYERS_MAX];
	const struct listing *pointers[LAYERS_MAX];
	struct view *view;
};

static void
auto_views(struct views *v)
{
	view_free(v->view);
	for (size_t i = 0; i < LAYERS_MAX; i++)
		listing_free(&v->layers[i]);
}

/* The view stops at a broken link; there is nothing to compare then. */
static void
compare(const char *const *texts, size_t count, size_t run_size)
{
	AUTO(stack) struct stack *s = stack_of(texts, 0, run_size);
	AUTO(views) struct views v = { .view = NULL };
	AUTO(buf) struct buf wanted = BUF_INIT;
	AUTO(free) char *got = NULL;
	struct err err = { 0 };

	for (size_t i = 0; i < count; i++) {
		layer_entries(texts[i], &v.layers[i]);
		listing_sort(&v.layers[i]);
		v.pointers[i] = &v.layers[i];
	}
	v.view = view_new(v.pointers, count);
	if (view_walk(v.view, "", print_hit, &wanted, &err) < 0)
		return;
	got = all(s->walk, "");
	same_str(got, wanted.data);
	for (unsigned i = 0; i < 6; i++) {
		unsigned seed = i + (unsigned)wanted.len;
		AUTO(roll_item) struct roll_item item = ROLL_ITEM_INIT;
		AUTO(view_hit) struct view_hit hit = VIEW_HIT_INIT;
		struct err other = { 0 };
		char path[8];
		int here, there;

		random_name(path, &seed);
		here = roll_find(s->walk, path, true, &item, NULL, &err);
		there = view_find(v.view, path, true, &hit, &other);
		same_int(here, there < 0 ? -1 : 1);
		if (there < 0) {
			same_str(err.msg, other.msg);
			continue;
		}
		same_str(item.entry.path, hit.path);
		if (!item.is_implied)
			same_int(item.layer, hit.layer);
		same_int(item.entry.kind, hit.file.entry.kind);
	}
}

TEST(a_roll_says_what_a_view_says)
{
	const char *text = getenv("COOPER_SEED");
	unsigned seed = text != NULL ? (unsigned)strtoul(text, NULL, 10) : (unsigned)getpid();

	print_message("# COOPER_SEED=%u\n", seed);
	for (int i = 0; i < 1500; i++) {
		char *layers[5] = { NULL };
		size_t count = 1 + (size_t)rand_r(&seed) % 4;

		for (size_t k = 0; k < count; k++)
			layers[k] = random_layer(&seed);
		compare((const char *const *)layers, count, i % 2 == 0 ? 1u << 20 : 400);
		for (size_t k = 0; k < count; k++)
			free(layers[k]);
	}
}

TEST(names_that_are_too_long_are_refused)
{
	AUTO(roll) struct roll *r = NULL;
	AUTO(free) char *name = xmalloc(ROLL_TEXT_MAX + 2);
	struct entry e = { .path = name, .kind = ENTRY_FILE };
	struct err err = { 0 };

	memset(name, 'a', ROLL_TEXT_MAX + 1);
	name[ROLL_TEXT_MAX + 1] = '\0';
	r = roll_new(fd_memory("roll", &err));
	roll_begin(r);
	same_int(roll_add(r, &e, &err), -1);
	same_int(err.kind, ERR_INPUT);
	name[ROLL_TEXT_MAX] = '\0';
	works(roll_add(r, &e, &err));
}

static void
add_file(struct tar_writer *w, const char *path, const char *bytes)
{
	struct entry e = { .path = (char *)(uintptr_t)path, .kind = ENTRY_FILE, .mode = 0644 };
	struct err err = { 0 };

	e.size = strlen(bytes);
	works(tar_writer_entry(w, &e, &err));
	works(tar_writer_data(w, bytes, strlen(bytes), &err));
}

static void
captures(const struct buf *tar, const char *path, bool at_once, enum capture_found found,
	const char *wanted)
{
	AUTO(fd) int fd = -1;
	AUTO(stream) struct stream *in = stream_bytes(tar->data, tar->len);
	AUTO(capture) struct capture c = { .path = path, .at_once = at_once };
	const struct roll_reading o = { .digests = false, .capture = &c };
	char bytes[64] = "";
	struct err err = { 0 };

	fd = fd_memory("test", &err);
	is_true(fd >= 0);
	c.fd = fd;
	works(roll_read(NULL, in, &o, &err));
	same_int(c.found, found);
	if (found == CAPTURE_FILE)
		is_true(fd_pread(fd, bytes, sizeof bytes - 1, 0) >= 0);
	else if (found == CAPTURE_LINK)
		snprintf(bytes, sizeof bytes, "%s", c.link);
	same_str(bytes, wanted);
}

TEST(a_file_is_captured_on_the_way)
{
	AUTO(buf) struct buf tar = BUF_INIT;
	AUTO(sink) struct sink *sink = sink_buf(&tar);
	AUTO(tar_writer) struct tar_writer *w = tar_writer_new(sink, TAR_LAYER);
	struct entry link = { .path = (char *)"h", .kind = ENTRY_HARDLINK, .link = (char *)"a" };
	struct entry dir = { .path = (char *)"d", .kind = ENTRY_DIR, .mode = 0755 };
	struct err err = { 0 };

	add_file(w, "a", "longer than the next");
	works(tar_writer_entry(w, &link, &err));
	works(tar_writer_entry(w, &dir, &err));
	add_file(w, "a", "last");
	works(tar_writer_finish(w, &err));
	works(sink_finish(sink, &err));
	captures(&tar, "a", false, CAPTURE_FILE, "last");
	captures(&tar, "a", true, CAPTURE_FILE, "longer than the next");
	captures(&tar, "h", false, CAPTURE_LINK, "a");
	captures(&tar, "d", false, CAPTURE_OTHER, "");
	captures(&tar, "b", false, CAPTURE_NOTHING, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { CASE(layers_lie_over_each_other),
		CASE(whiteouts_remove_what_is_below), CASE(an_opaque_directory_has_only_its_own),
		CASE(what_is_no_directory_takes_the_place_of_one),
		CASE(what_a_directory_holds_can_be_skipped), CASE(a_walk_begins_anywhere),
		CASE(a_hard_link_is_its_file_whatever_comes_later),
		CASE(links_are_followed_inside_the_root),
		CASE(what_only_lower_layers_could_tell_is_said),
		CASE(whiteouts_over_unknown_layers_are_given_when_asked_for),
		CASE(a_roll_says_what_a_view_says), CASE(names_that_are_too_long_are_refused),
		CASE(a_file_is_captured_on_the_way) };

	return RUN(tests);
}
