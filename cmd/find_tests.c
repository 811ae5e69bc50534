/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/find_tests.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/strv.h"

struct find_word {
	const char *name, *arg; /* arg NULL: it has none */
	/* NULL: there is nothing to parse */
	int (*parse)(struct find_tests *all, struct find_test *t, struct err *err);
	/* NULL: no test, but an option that was set when it was parsed */
	bool (*passes)(const struct find_test *t, const struct find_subject *s);
};

static int
malformed(const struct find_test *t, const char *wants, struct err *err)
{
	return err_set(err, ERR_USAGE, "'%s %s': it wants %s", t->word->name, t->text, wants);
}

/* Digits of that base and nothing behind them but `after`. */
static int
parse_number(const char *text, int base, const char **after, uint64_t *out)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	*out = strtoull(text, &end, base);
	*after = end;
	return errno != 0 ? -1 : 0;
}

static const char *
take_sign(struct find_test *t)
{
	t->sign = t->text[0] == '+' || t->text[0] == '-' ? t->text[0] : 0;
	return t->text + (t->sign != 0);
}

static bool
compares(const struct find_test *t, uint64_t number)
{
	if (t->sign == '+')
		return number > t->number;
	return t->sign == '-' ? number < t->number : number == t->number;
}

static int
parse_count(struct find_tests *all, struct find_test *t, struct err *err)
{
	const char *rest;

	(void)all;
	if (parse_number(take_sign(t), 10, &rest, &t->number) < 0 || *rest != '\0')
		return malformed(t, "a number, or +N for more, -N for less", err);
	return 0;
}

static int
parse_depth(struct find_tests *all, struct find_test *t, struct err *err)
{
	const char *rest;

	if (parse_number(t->text, 10, &rest, &t->number) < 0 || *rest != '\0')
		return malformed(t, "a number", err);
	if (streq(t->word->name, "-maxdepth"))
		all->depth_max = (size_t)t->number;
	else
		all->depth_min = (size_t)t->number;
	return 0;
}

static int
parse_size(struct find_tests *all, struct find_test *t, struct err *err)
{
	static const struct {
		char letter;
		uint64_t bytes;
	} units[] = { { 'b', 512 }, { 'c', 1 }, { 'w', 2 }, { 'k', 1u << 10 }, { 'M', 1u << 20 },
		{ 'G', 1u << 30 } };
	const char *rest;

	(void)all;
	if (parse_number(take_sign(t), 10, &rest, &t->number) < 0)
		return malformed(t, "a number with c, w, b, k, M or G behind it", err);
	t->unit = 512;
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (*rest == units[i].letter) {
			t->unit = units[i].bytes;
			rest++;
			break;
		}
	if (*rest != '\0')
		return malformed(t, "a number with c, w, b, k, M or G behind it", err);
	return 0;
}

static int
parse_perm(struct find_tests *all, struct find_test *t, struct err *err)
{
	const char *rest, *digits = t->text + (t->text[0] == '-' || t->text[0] == '/');

	(void)all;
	t->sign = digits != t->text ? t->text[0] : 0;
	if (parse_number(digits, 8, &rest, &t->number) < 0 || *rest != '\0' || t->number > 07777)
		return malformed(
			t, "an octal mode: 644, -022 for all of these bits, /022 for any", err);
	return 0;
}

static const struct {
	char letter;
	enum entry_kind kind;
} letters[] = { { 'f', ENTRY_FILE }, { 'd', ENTRY_DIR }, { 'l', ENTRY_SYMLINK },
	{ 'c', ENTRY_CHAR }, { 'b', ENTRY_BLOCK }, { 'p', ENTRY_FIFO } };

static int
parse_type(struct find_tests *all, struct find_test *t, struct err *err)
{
	AUTO(strv) struct strv words = STRV_INIT;

	(void)all;
	strv_split(&words, t->text, ",");
	for (size_t i = 0; i < words.count; i++) {
		uint32_t before = t->kinds;

		for (size_t k = 0; k < COUNT_OF(letters); k++)
			if (words.items[i][0] == letters[k].letter && words.items[i][1] == '\0')
				t->kinds |= 1u << letters[k].kind;
		if (t->kinds == before)
			return malformed(t, "f, d, l, c, b or p, or some of them with commas", err);
	}
	return 0;
}

static int
parse_date(struct find_tests *all, struct find_test *t, struct err *err)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S",
		"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "@%s" };

	(void)all;
	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		struct tm tm = { 0 };
		const char *rest = t->text;

		if (rest[0] == '@' && formats[i][0] == '@') {
			char *end;

			t->time = strtoll(rest + 1, &end, 10);
			if (end != rest + 1 && *end == '\0')
				return 0;
			continue;
		}
		rest = strptime(t->text, formats[i], &tm);
		if (rest == NULL || *rest != '\0')
			continue;
		t->time = timegm(&tm);
		return 0;
	}
	return malformed(t, "a time in UTC: 2024-05-01, '2024-05-01 12:30:00', @1714564800", err);
}

static int
set_zero(struct find_tests *all, struct find_test *t, struct err *err)
{
	(void)t;
	(void)err;
	all->ends_with_zero = true;
	return 0;
}

static int
set_long(struct find_tests *all, struct find_test *t, struct err *err)
{
	(void)t;
	(void)err;
	all->is_long = true;
	return 0;
}

static int
set_nothing(struct find_tests *all, struct find_test *t, struct err *err)
{
	(void)all;
	(void)t;
	(void)err;
	return 0;
}

static bool
name_passes(const struct find_test *t, const struct find_subject *s)
{
	const char *path = s->entry->path;

	return fnmatch(t->text, path[0] == '\0' ? "/" : path_base(path), 0) == 0;
}

static bool
iname_passes(const struct find_test *t, const struct find_subject *s)
{
	const char *path = s->entry->path;

	return fnmatch(t->text, path[0] == '\0' ? "/" : path_base(path), FNM_CASEFOLD) == 0;
}

static bool
path_passes(const struct find_test *t, const struct find_subject *s)
{
	AUTO(free) char *path = xasprintf("/%s", s->entry->path);

	return fnmatch(t->text, path, 0) == 0;
}

static bool
lname_passes(const struct find_test *t, const struct find_subject *s)
{
	return s->entry->kind == ENTRY_SYMLINK && fnmatch(t->text, s->entry->link, 0) == 0;
}

static bool
type_passes(const struct find_test *t, const struct find_subject *s)
{
	return (t->kinds & (1u << s->entry->kind)) != 0;
}

/* Sizes are rounded up to whole units. */
static bool
size_passes(const struct find_test *t, const struct find_subject *s)
{
	return compares(t, s->entry->size / t->unit + (s->entry->size % t->unit != 0));
}

static bool
empty_passes(const struct find_test *t, const struct find_subject *s)
{
	(void)t;
	return s->entry->kind == ENTRY_FILE && s->entry->size == 0;
}

static bool
perm_passes(const struct find_test *t, const struct find_subject *s)
{
	uint32_t mode = s->entry->kind == ENTRY_SYMLINK ? 0777 : s->entry->mode;

	if (t->sign == '-')
		return (mode & t->number) == t->number;
	if (t->sign == '/')
		return t->number == 0 || (mode & t->number) != 0;
	return mode == t->number;
}

static bool
uid_passes(const struct find_test *t, const struct find_subject *s)
{
	return compares(t, s->entry->uid);
}

static bool
gid_passes(const struct find_test *t, const struct find_subject *s)
{
	return compares(t, s->entry->gid);
}

static bool
layer_passes(const struct find_test *t, const struct find_subject *s)
{
	return compares(t, s->layer);
}

static bool
newer_passes(const struct find_test *t, const struct find_subject *s)
{
	const struct entry *e = s->entry;

	return e->mtime != t->time ? e->mtime > t->time : e->mtime_ns > t->time_ns;
}

static const struct find_word words[] = {
	{ "-name", "glob", NULL, name_passes },
	{ "-iname", "glob", NULL, iname_passes },
	{ "-path", "glob", NULL, path_passes },
	{ "-lname", "glob", NULL, lname_passes },
	{ "-type", "fdlcbp", parse_type, type_passes },
	{ "-size", "[+-]n[cwbkMG]", parse_size, size_passes },
	{ "-empty", NULL, NULL, empty_passes },
	{ "-perm", "[-/]mode", parse_perm, perm_passes },
	{ "-uid", "[+-]n", parse_count, uid_passes },
	{ "-gid", "[+-]n", parse_count, gid_passes },
	{ "-newer", "path", NULL, newer_passes },
	{ "-newermt", "time", parse_date, newer_passes },
	{ "-layer", "[+-]n", parse_count, layer_passes },
	{ "-mindepth", "n", parse_depth, NULL },
	{ "-maxdepth", "n", parse_depth, NULL },
	{ "-ls", NULL, set_long, NULL },
	{ "-print", NULL, set_nothing, NULL },
	{ "-print0", NULL, set_zero, NULL },
};

void
auto_find_tests(struct find_tests *t)
{
	free(t->items);
}

static const struct find_word *
word_find(const char *text)
{
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (streq(words[i].name, text))
			return &words[i];
	return NULL;
}

static int
unknown(const char *text, struct err *err)
{
	AUTO(buf) struct buf known = BUF_INIT;

	for (size_t i = 0; i < COUNT_OF(words); i++)
		buf_addf(&known, "%s%s", i > 0 ? " " : "", words[i].name);
	return err_set(err, ERR_USAGE, "'%s' is no test; there are: ! %s", text, known.data);
}

int
find_tests_parse(const char *const *texts, size_t count, struct find_tests *out, struct err *err)
{
	bool negated = false;

	for (size_t i = 0; i < count; i++) {
		struct find_test t = { .negated = negated };

		if (streq(texts[i], "!") || streq(texts[i], "-not")) {
			negated = !negated;
			continue;
		}
		t.word = word_find(texts[i]);
		if (t.word == NULL)
			return unknown(texts[i], err);
		if (negated && t.word->passes == NULL)
			return err_set(err, ERR_USAGE, "'! %s' means nothing", t.word->name);
		if (t.word->arg != NULL && i + 1 == count)
			return err_set(
				err, ERR_USAGE, "'%s' wants <%s>", t.word->name, t.word->arg);
		if (t.word->arg != NULL)
			t.text = texts[++i];
		if (t.word->parse != NULL && t.word->parse(out, &t, err) < 0)
			return -1;
		negated = false;
		out->items = grow(out->items, out->count, &out->room, sizeof *out->items);
		out->items[out->count++] = t;
	}
	return negated ? err_set(err, ERR_USAGE, "'!' wants a test behind it") : 0;
}

bool
find_test_wants_file(const struct find_test *t)
{
	return streq(t->word->name, "-newer");
}

bool
find_tests_pass(const struct find_tests *t, const struct find_subject *s)
{
	if (s->depth < t->depth_min || s->depth > t->depth_max)
		return false;
	for (size_t i = 0; i < t->count; i++) {
		const struct find_test *test = &t->items[i];

		if (test->word->passes != NULL && test->word->passes(test, s) == test->negated)
			return false;
	}
	return true;
}
