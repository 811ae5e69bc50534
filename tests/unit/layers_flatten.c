/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/strv.h"
#include "layers/flatten.h"
#include "layers/tar.h"

/* A layer in one line, words apart by blanks: "d/ f l->target h=file -gone d*": directory, file,
 * symlink, hard link, whiteout, opaque.  A file's bytes are its layer and name. */
static void
write_word(struct tar_writer *w, const char *text, size_t layer)
{
	AUTO(free) char *word = xstrdup(text);
	AUTO(free) char *bytes = xasprintf("%zu%s", layer, word);
	char *arrow = strstr(word, "->"), *equals = strchr(word, '=');
	struct entry e = { .path = word, .kind = ENTRY_FILE, .mode = 0644, .size = strlen(bytes) };
	struct err err = { 0 };

	if (word[0] == '-') {
		e.kind = ENTRY_WHITEOUT;
		e.path++;
	} else if (arrow != NULL) {
		e.kind = ENTRY_SYMLINK;
		*arrow = '\0';
		e.link = arrow + 2;
	} else if (equals != NULL) {
		e.kind = ENTRY_HARDLINK;
		*equals = '\0';
		e.link = equals + 1;
	} else if (ends_with(word, "*") || ends_with(word, "/")) {
		e.kind = ends_with(word, "*") ? ENTRY_OPAQUE : ENTRY_DIR;
		e.mode = 0700 + (uint32_t)layer;
		word[strlen(word) - 1] = '\0';
	}
	if (e.kind != ENTRY_FILE)
		e.size = 0;
	works(tar_writer_entry(w, &e, &err));
	if (e.kind == ENTRY_FILE)
		works(tar_writer_data(w, bytes, strlen(bytes), &err));
}

static void
write_layer(const char *text, size_t layer, struct buf *out)
{
	AUTO(strv) struct strv words = STRV_INIT;
	AUTO(sink) struct sink *sink = sink_buf(out);
	AUTO(tar_writer) struct tar_writer *w = tar_writer_new(sink, TAR_LAYER);
	struct err err = { 0 };

	strv_split(&words, text, " ");
	for (size_t i = 0; i < words.count; i++)
		if (words.items[i][0] != '\0')
			write_word(w, words.items[i], layer);
	works(tar_writer_finish(w, &err));
	works(sink_finish(sink, &err));
}

/* As written, with the bytes of files. */
static void
show(const struct buf *tar, struct buf *out)
{
	AUTO(stream) struct stream *in = stream_bytes(tar->data, tar->len);
	AUTO(tar_reader) struct tar_reader *r = tar_reader_new(in, TAR_LAYER);
	AUTO(entry) struct entry e = { .path = NULL };
	struct err err = { 0 };

	while (tar_reader_next(r, &e, &err) == 1) {
		char bytes[64] = "";

		buf_addf(out, "%s%s", out->len > 0 ? " " : "", e.kind == ENTRY_WHITEOUT ? "-" : "");
		buf_adds(out, e.path);
		if (e.kind == ENTRY_DIR)
			buf_addf(out, "/%o", e.mode & 7);
		else if (e.kind == ENTRY_SYMLINK)
			buf_addf(out, "->%s", e.link);
		else if (e.kind == ENTRY_HARDLINK)
			buf_addf(out, "=%s", e.link);
		else if (e.kind == ENTRY_FILE && tar_reader_data(r, bytes, 63, &err) > 0)
			buf_addf(out, ":%s", bytes);
	}
	same_str(err.msg, "");
}

static int
flatten(const struct buf *tars, size_t count, size_t below, struct buf *out, struct err *err)
{
	AUTO(flatten) struct flatten *f = flatten_new(fd_memory("flatten", err));
	AUTO(sink) struct sink *sink = sink_buf(out);

	for (size_t i = 0; i < count; i++) {
		AUTO(stream) struct stream *in = stream_bytes(tars[i].data, tars[i].len);

		if (flatten_add(f, in, err) < 0)
			return -1;
	}
	return flatten_write(f, below, sink, err) < 0 ? -1 : sink_finish(sink, err);
}

#define STACK_MAX 4

static const struct {
	const char *layers[STACK_MAX];
	size_t below;
	const char *wanted;
} cases[] = {
	{ { "a b/ b/c" }, 0, "a:0a b/0 b/c:0b/c" },
	{ { "a b", "a -b c" }, 0, "a:1a c:1c" },
	{ { "d/ d/a d/b", "d/ d* d/c" }, 0, "d/1 d/c:1d/c" },
	{ { "d/ d/a", "-d", "d/b" }, 0, "d/5 d/b:2d/b" },
	{ { "a b=a", "-a" }, 0, "b:0a" },
	{ { "b a=b c=b" }, 0, "a:0b b=a c=a" },
	{ { "a", "b=a", "a" }, 0, "a:2a b:0a" },
	{ { "l->x" }, 0, "l->x" },
	/* what is different above the first ones */
	{ { "a b d/ d/x", "c -b", "-d/x a" }, 1, "-b -d/x a:2a c:1c" },
	{ { "a", "b", "-b" }, 1, "" },
	{ { "d/ d/a d/b", "d", "d/ d/a" }, 1, "-d/b d/2 d/a:2d/a" },
	{ { "d/ d/a", "d" }, 1, "d:1d" },
	{ { "a", "b=a" }, 1, "b=a" },
	{ { "a", "b=a", "-a" }, 1, "-a b:0a" },
	{ { "a b", "a" }, 2, "" },
};

TEST(what_stands_at_the_end_is_written)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf tars[STACK_MAX] = { BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT };
		AUTO(buf) struct buf tar = BUF_INIT;
		AUTO(buf) struct buf got = BUF_INIT;
		struct err err = { 0 };
		size_t count = 0;

		for (; count < STACK_MAX && cases[i].layers[count] != NULL; count++)
			write_layer(cases[i].layers[count], count, &tars[count]);
		works(flatten(tars, count, cases[i].below, &tar, &err));
		show(&tar, &got);
		same_str(got.data, cases[i].wanted);
		while (count > 0)
			buf_free(&tars[--count]);
	}
}

static unsigned
below(unsigned *seed, unsigned limit)
{
	return (unsigned)rand_r(seed) % limit;
}

static void
random_layer(unsigned *seed, struct buf *out)
{
	static const char *const names[] = { "a", "b", "c", "a/b", "a/c", "b/a", "b/a/c" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *other = names[below(seed, COUNT_OF(names))];

		switch (below(seed, 12)) {
		case 0:
		case 1:
			buf_addf(out, "%s ", names[i]);
			break;
		case 2:
			buf_addf(out, "%s/ ", names[i]);
			break;
		case 3:
			buf_addf(out, "%s/ %s* ", names[i], names[i]);
			break;
		case 4:
			buf_addf(out, "-%s ", names[i]);
			break;
		case 5:
			if (!streq(other, names[i]))
				buf_addf(out, "%s=%s ", names[i], other);
			break;
		case 6:
			buf_addf(out, "%s->%s ", names[i], other);
			break;
		default:
			break;
		}
	}
}

/* A layer made of the upper ones does above the lower ones what those did. */
static void
try_stack(unsigned *seed)
{
	struct buf tars[STACK_MAX] = { BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT };
	AUTO(buf) struct buf whole = BUF_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	size_t count = 1 + below(seed, STACK_MAX);
	struct err err = { 0 };

	for (size_t i = 0; i < count; i++) {
		AUTO(buf) struct buf words = BUF_INIT;

		random_layer(seed, &words);
		buf_addf(&text, "[%s]", words.data);
		write_layer(words.data, i, &tars[i]);
	}
	/* a hard link may name what is not there */
	if (flatten(tars, count, 0, &whole, &err) < 0)
		same_int(err.kind, ERR_CORRUPT);
	for (size_t b = 1; b < count && err.kind == ERR_NONE; b++) {
		struct buf two[STACK_MAX] = { BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT };
		AUTO(buf) struct buf upper = BUF_INIT;
		AUTO(buf) struct buf again = BUF_INIT;
		AUTO(buf) struct buf wanted = BUF_INIT;
		AUTO(buf) struct buf got = BUF_INIT;

		for (size_t i = 0; i < b; i++)
			two[i] = tars[i];
		if (flatten(tars, count, b, &upper, &err) < 0)
			break; /* a link of the lower ones that is broken there only */
		two[b] = upper;
		works(flatten(two, b + 1, 0, &again, &err));
		buf_addf(&wanted, "%s %zu: ", text.data, b);
		buf_addf(&got, "%s %zu: ", text.data, b);
		show(&whole, &wanted);
		show(&again, &got);
		same_str(got.data, wanted.data);
	}
	for (size_t i = 0; i < count; i++)
		buf_free(&tars[i]);
}

TEST(some_layers_made_one_do_what_they_did)
{
	for (unsigned i = 0; i < 2000; i++) {
		unsigned seed = i;

		try_stack(&seed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_stands_at_the_end_is_written),
		CASE(some_layers_made_one_do_what_they_did),
	};

	return RUN(tests);
}
