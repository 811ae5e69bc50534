/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/strv.h"
#include "build/copy.h"
#include "build/dockerfile/owner.h"
#include "build/dockerfile/parse.h"

#define succeeds(err, call) works_at(call, (err)->msg, #call, __FILE__, __LINE__)

/* testdata/build/copy.cases says what its lines mean. */

struct spec { /* one word of src, dst or want */
	struct entry entry;
	bool has_mode, has_uid, has_gid, has_mtime;
};

struct copy_case {
	char *title, *src, *dst, *tar, *instruction, *want, *fails;
	bool is_link, is_context;
	int line;
};

static void
spec_parse(const char *word, struct spec *out)
{
	AUTO(free) char *text = xstrdup(word);
	char *mtime = strrchr(text, '@'), *colon = strchr(text, ':'), *arrow, *equals;
	struct entry *e = &out->entry;
	AUTO(strv) struct strv numbers = STRV_INIT;

	*out = (struct spec){ .entry = { .mode = 0644 } };
	if (mtime != NULL) {
		*mtime = '\0';
		e->mtime = strtol(mtime + 1, NULL, 10);
		out->has_mtime = true;
	}
	if (colon != NULL) {
		*colon = '\0';
		strv_split(&numbers, colon + 1, ":");
		e->mode = (uint32_t)strtoul(numbers.items[0], NULL, 8);
		out->has_mode = numbers.items[0][0] != '\0';
		e->uid = numbers.count > 1 ? (uint32_t)strtoul(numbers.items[1], NULL, 10) : 0;
		e->gid = numbers.count > 2 ? (uint32_t)strtoul(numbers.items[2], NULL, 10) : 0;
		out->has_uid = numbers.count > 1;
		out->has_gid = numbers.count > 2;
	}
	arrow = strstr(text, "->");
	equals = strchr(text, '=');
	if (arrow != NULL) {
		*arrow = '\0';
		e->kind = ENTRY_SYMLINK;
		e->link = xstrdup(arrow + 2);
	} else if (equals != NULL) {
		*equals = '\0';
		e->kind = ENTRY_HARDLINK;
		e->link = xstrdup(equals + 1);
	} else if (ends_with(text, "/") || ends_with(text, "|")) {
		e->kind = ends_with(text, "/") ? ENTRY_DIR : ENTRY_FIFO;
		if (!out->has_mode)
			e->mode = 0755;
		text[strlen(text) - 1] = '\0';
	}
	e->path = xstrdup(text);
	if (e->kind == ENTRY_FILE)
		digest_of("same", 4, &e->digest);
}

static void
list(const char *text, struct listing *out)
{
	AUTO(strv) struct strv words = STRV_INIT;

	if (text == NULL)
		return;
	strv_split(&words, text, " ");
	for (size_t i = 0; i < words.count; i++) {
		struct spec s;

		if (words.items[i][0] == '\0')
			continue;
		spec_parse(words.items[i], &s);
		listing_take(out, &s.entry);
	}
	listing_sort(out);
}

static void
show(const struct entry *e, struct buf *out)
{
	buf_adds(out, e->path);
	if (e->kind == ENTRY_DIR)
		buf_addc(out, '/');
	if (e->kind == ENTRY_FIFO)
		buf_addc(out, '|');
	if (e->kind == ENTRY_SYMLINK)
		buf_addf(out, "->%s", e->link);
	if (e->kind == ENTRY_HARDLINK)
		buf_addf(out, "=%s", e->link);
}

/* As the case writes it: only the numbers that it gives. */
static void
show_like(const struct entry *e, const struct spec *like, struct buf *out)
{
	show(e, out);
	if (like->has_mode)
		buf_addf(out, ":%o", e->mode);
	if (like->has_uid)
		buf_addf(out, ":%u", e->uid);
	if (like->has_gid)
		buf_addf(out, ":%u", e->gid);
	if (like->has_mtime)
		buf_addf(out, "@%ld", (long)e->mtime);
}

static void
check_list(const struct copy_case *c, const struct copy_list *got)
{
	AUTO(strv) struct strv words = STRV_INIT;
	AUTO(buf) struct buf text = BUF_INIT, wanted = BUF_INIT;
	AUTO(copied) struct copied item = COPIED_INIT;
	size_t at = 0;

	strv_split(&words, c->want, " ");
	for (size_t i = 0; i < words.count; i++)
		if (words.items[i][0] != '\0')
			buf_addf(&wanted, "%s ", words.items[i]);
	for (size_t i = 0; i < words.count || at < got->count; i++) {
		struct spec s = { .has_mode = true, .has_uid = true, .has_gid = true };

		if (i < words.count && words.items[i][0] == '\0')
			continue;
		if (i < words.count)
			spec_parse(words.items[i], &s);
		if (at < got->count) {
			show_like(copy_list_at(got, at++, &item), &s, &text);
			buf_addc(&text, ' ');
		}
		entry_free(&s.entry);
	}
	if (!streq(text.data, wanted.data))
		print_error("# copy.cases:%d: %s\n", c->line, c->title);
	same_str(text.data, wanted.data);
}

/* A list, and what it lends. */
struct planned {
	struct copy_list list;
	struct listing src, dst, tar;
	struct view *from, *to;
	struct dockerfile *file;
};
#define PLANNED_INIT                                                              \
	{                                                                         \
		.list = COPY_LIST_INIT, .src = LISTING_INIT, .dst = LISTING_INIT, \
		.tar = LISTING_INIT                                               \
	}

static void
auto_planned(struct planned *p)
{
	copy_list_free(&p->list);
	auto_view(&p->from);
	auto_view(&p->to);
	listing_free(&p->src);
	listing_free(&p->dst);
	listing_free(&p->tar);
	auto_dockerfile(&p->file);
}

static int
plan(const struct copy_case *c, struct planned *out, struct err *err)
{
	const char *heredoc = strstr(c->instruction, "<<");
	int name = heredoc != NULL ? (int)strcspn(heredoc + 2, " ") : 0;
	AUTO(free)
	char *text = xasprintf("FROM scratch\n%s\n%s%.*s\n", c->instruction,
		heredoc != NULL ? "hello\n" : "", name, heredoc != NULL ? heredoc + 2 : "");
	AUTO(diagnostics) struct diagnostics notes = DIAGNOSTICS_INIT;
	AUTO(free)
	char *archive = c->tar != NULL ? xstrndup(c->tar, strcspn(c->tar, " ")) : xstrdup("");
	const struct copy_place place = {
		.archive = &out->tar, .parent = COPY_ORIGIN, .path = archive
	};
	AUTO(ignore) struct ignore *exclude = NULL;
	AUTO(owner) struct owner owner = OWNER_INIT;
	struct copy_request r;
	const struct listing *below[] = { &out->src }, *above[] = { &out->dst };
	const struct copy_options *o;
	struct mode mode;

	succeeds(err, dockerfile_parse(text, strlen(text), "Dockerfile", &out->file, &notes, err));
	o = &out->file->stages[0].items[0]->copy;
	list(c->src, &out->src);
	list(c->dst, &out->dst);
	list(c->tar != NULL ? c->tar + strlen(archive) : NULL, &out->tar);
	out->from = view_new(below, 1);
	out->to = view_new(above, 1);
	r = (struct copy_request){ .dest_view = c->is_link ? NULL : out->to,
		.dest = o->dest,
		.origin = out->from,
		.origin_is_context = c->is_context,
		.sources = &o->sources,
		.files = o->files,
		.file_count = o->file_count,
		.places = &place,
		.place_count = c->tar != NULL,
		.parents = o->parents };
	if (o->chown != NULL) {
		succeeds(err, owner_parse(o->chown, &owner, err));
		r.has_owner = true;
		r.uid = owner.user.id;
		r.gid = owner.group.id;
	}
	if (o->chmod != NULL) {
		succeeds(err, mode_parse(o->chmod, &mode, err));
		r.mode = &mode;
	}
	if (o->exclude.count > 0) {
		succeeds(err, ignore_new(&o->exclude, &exclude, err));
		r.exclude = exclude;
	}
	return copy_plan(&r, &out->list, err);
}

static void
check(const struct copy_case *c)
{
	AUTO(planned) struct planned got = PLANNED_INIT;
	struct err err = { .kind = ERR_NONE };

	if (c->fails != NULL) {
		if (plan(c, &got, &err) == 0 || !streq(err.msg, c->fails))
			print_error("# copy.cases:%d: %s\n", c->line, c->title);
		same_str(err.msg, c->fails);
		return;
	}
	if (plan(c, &got, &err) < 0)
		print_error("# copy.cases:%d: %s: %s\n", c->line, c->title, err.msg);
	same_str(err.msg, "");
	check_list(c, &got.list);
}

static void
case_free(struct copy_case *c)
{
	free(c->title);
	free(c->src);
	free(c->dst);
	free(c->tar);
	free(c->instruction);
	free(c->want);
	free(c->fails);
	*c = (struct copy_case){ .line = 0 };
}

static void
take_line(struct copy_case *c, const char *line)
{
	const struct {
		const char *word;
		char **field;
	} fields[] = { { "- ", &c->title }, { "src ", &c->src }, { "dst ", &c->dst },
		{ "tar ", &c->tar }, { "want", &c->want }, { "fails ", &c->fails } };

	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (starts_with(line, fields[i].word)) {
			*fields[i].field = xstrdup(line + strlen(fields[i].word));
			return;
		}
	if (streq(line, "link"))
		c->is_link = true;
	else if (streq(line, "ctx"))
		c->is_context = true;
	else
		c->instruction = xstrdup(line);
}

TEST(every_case_of_the_table_gives_its_layer)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(strv) struct strv lines = STRV_INIT;
	struct copy_case c = { .line = 0 };
	struct err err = { .kind = ERR_NONE };
	int count = 0;

	works(file_read(AT_FDCWD, TESTDATA "/build/copy.cases", 1 << 20, &text, &err));
	strv_split(&lines, text.data, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		if (lines.items[i][0] == '#')
			continue;
		if (lines.items[i][0] != '\0') {
			c.line = c.line > 0 ? c.line : (int)i + 1;
			take_line(&c, lines.items[i]);
			continue;
		}
		if (c.title == NULL)
			continue;
		check(&c);
		case_free(&c);
		count++;
	}
	is_true(count >= 55);
}

TEST(the_content_digest_does_not_depend_on_times_but_on_modes)
{
	struct digest digests[3];
	const char *const sources[] = { "f:644@1", "f:644@2", "f:600@1" };

	for (size_t i = 0; i < 3; i++) {
		struct copy_case c = { .src = (char *)(uintptr_t)sources[i],
			.instruction = (char *)(uintptr_t) "COPY f /x" };
		AUTO(planned) struct planned got = PLANNED_INIT;
		struct err err = { .kind = ERR_NONE };

		works(plan(&c, &got, &err));
		copy_content_digest(&got.list, &digests[i]);
	}
	same_str(digests[0].text, digests[1].text);
	is_true(!digest_same(&digests[0], &digests[2]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_case_of_the_table_gives_its_layer),
		CASE(the_content_digest_does_not_depend_on_times_but_on_modes),
	};

	return RUN(tests);
}
