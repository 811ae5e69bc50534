/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/opt.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "build/dockerfile/suggest.h"

struct parser {
	const struct opt_set *sets;
	size_t set_count;
	const char *const *argv; /* the next word */
	struct strv *args;
};

struct found {
	const struct opt *row;
	char *field;
};

static bool
find_letter(const struct parser *p, char letter, struct found *out)
{
	for (size_t i = 0; i < p->set_count; i++) {
		for (const struct opt *o = p->sets[i].rows; o->kind != OPT_KIND_END; o++) {
			if (o->letter != letter)
				continue;
			*out = (struct found){ o, (char *)p->sets[i].values + o->offset };
			return true;
		}
	}
	return false;
}

static bool
find_name(const struct parser *p, const char *name, size_t len, struct found *out)
{
	for (size_t i = 0; i < p->set_count; i++) {
		for (const struct opt *o = p->sets[i].rows; o->kind != OPT_KIND_END; o++) {
			if (strncmp(o->name, name, len) != 0 || o->name[len] != '\0')
				continue;
			*out = (struct found){ o, (char *)p->sets[i].values + o->offset };
			return true;
		}
	}
	return false;
}

bool
opt_takes_value(const struct opt *row)
{
	return row->kind != OPT_KIND_BOOL && row->kind != OPT_KIND_TRISTATE;
}

static int
set_bool(const struct opt *row, const char *value, bool *out, struct err *err)
{
	static const char *const yes[] = { "true", "1", "t", "yes", "TRUE", "True" };
	static const char *const no[] = { "false", "0", "f", "no", "FALSE", "False" };

	for (size_t i = 0; i < COUNT_OF(yes); i++) {
		if (streq(value, yes[i])) {
			*out = true;
			return 0;
		}
		if (streq(value, no[i])) {
			*out = false;
			return 0;
		}
	}
	return err_set(err, ERR_USAGE, "'--%s=%s': it is true or false", row->name, value);
}

static int
set_uint(const struct opt *row, const char *value, unsigned *out, struct err *err)
{
	char *end = NULL;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || n > UINT_MAX)
		return err_set(err, ERR_USAGE, "'--%s': '%s' is not a number", row->name, value);
	*out = (unsigned)n;
	return 0;
}

static int
parse_size(const char *text, uint64_t *out, struct err *err)
{
	static const char units[] = "kmgtp";
	char *end = NULL;
	const char *unit = NULL;
	unsigned shift = 0;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || errno != 0)
		return err_set(err, ERR_USAGE, "'%s' is not a size like 512m or 10g", text);
	if (*end != '\0')
		unit = strchr(units, *end | 0x20);
	if (unit != NULL) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
		if (*end == 'i')
			end++;
	}
	if (*end == 'b' || *end == 'B')
		end++;
	if (*end != '\0')
		return err_set(err, ERR_USAGE, "'%s' is not a size like 512m or 10g", text);
	if (n > UINT64_MAX >> shift)
		return err_set(err, ERR_USAGE, "'%s' is too large", text);
	*out = (uint64_t)n << shift;
	return 0;
}

static int
set_word(const struct opt *row, const char *value, int *out, struct err *err)
{
	AUTO(buf) struct buf known = BUF_INIT;
	AUTO(strv) struct strv words = STRV_INIT;
	const char *near;

	for (const struct opt_word *w = row->words; w->name != NULL; w++) {
		if (streq(w->name, value)) {
			*out = w->value;
			return 0;
		}
		strv_add(&words, w->name);
		buf_addf(&known, "%s%s", w == row->words ? "" : ", ", w->name);
	}
	if (row->kind == OPT_KIND_TRISTATE) {
		bool on = false;
		struct err ignored = { 0 };

		if (set_bool(row, value, &on, &ignored) == 0) {
			*out = on ? row->bare : 0;
			return 0;
		}
	}
	near = suggest(value, (const char *const *)words.items, words.count, false);
	if (near != NULL)
		return err_set(err, ERR_USAGE, "'--%s': unknown '%s' (did you mean '%s'?)",
			row->name, value, near);
	return err_set(err, ERR_USAGE, "'--%s': '%s' is none of %s", row->name, value, known.data);
}

/* value NULL: none was given, for the kinds that need none. */
static int
set(const struct found *f, const char *value, struct err *err)
{
	void *field = f->field;

	switch (f->row->kind) {
	case OPT_KIND_STR:
		*(const char **)field = value;
		return 0;
	case OPT_KIND_STRV:
		strv_add(field, value);
		return 0;
	case OPT_KIND_BOOL:
		return set_bool(f->row, value == NULL ? "true" : value, field, err);
	case OPT_KIND_UINT:
		return set_uint(f->row, value, field, err);
	case OPT_KIND_SIZE:
		if (parse_size(value, field, err) < 0)
			return err_in(err, "'--%s'", f->row->name);
		return 0;
	case OPT_KIND_TRISTATE:
		if (value == NULL) {
			*(int *)field = f->row->bare;
			return 0;
		}
		return set_word(f->row, value, field, err);
	case OPT_KIND_ENUM:
		return set_word(f->row, value, field, err);
	case OPT_KIND_END:
		break;
	}
	return 0;
}

static int
unknown_long(const struct parser *p, const char *word, struct err *err)
{
	size_t len = strcspn(word, "=");
	AUTO(free) char *name = xstrndup(word, len);
	AUTO(strv) struct strv names = STRV_INIT;
	const char *near;

	for (size_t i = 0; i < p->set_count; i++)
		for (const struct opt *o = p->sets[i].rows; o->kind != OPT_KIND_END; o++)
			strv_add(&names, o->name);
	near = suggest(name, (const char *const *)names.items, names.count, false);
	if (near != NULL)
		return err_set(
			err, ERR_USAGE, "unknown option '--%s' (did you mean '--%s'?)", name, near);
	return err_set(err, ERR_USAGE, "unknown option '--%s'", name);
}

/* word is what follows "--" */
static int
parse_long(struct parser *p, const char *word, struct err *err)
{
	size_t len = strcspn(word, "=");
	const char *value = word[len] == '=' ? word + len + 1 : NULL;
	struct found f;

	if (!find_name(p, word, len, &f)) {
		if (value == NULL && starts_with(word, "no-") &&
			find_name(p, word + 3, len - 3, &f) && f.row->kind == OPT_KIND_BOOL) {
			*(bool *)(void *)f.field = false;
			return 0;
		}
		return unknown_long(p, word, err);
	}
	if (value == NULL && opt_takes_value(f.row)) {
		if (*p->argv == NULL)
			return err_set(
				err, ERR_USAGE, "'--%s' wants a <%s>", f.row->name, f.row->arg);
		value = *p->argv++;
	}
	return set(&f, value, err);
}

/* word is what follows "-": letters, of which the last may take a value */
static int
parse_short(struct parser *p, const char *word, struct err *err)
{
	for (const char *c = word; *c != '\0'; c++) {
		const char *value = NULL;
		struct found f;

		if (!find_letter(p, *c, &f))
			return err_set(err, ERR_USAGE, "unknown option '-%c'", *c);
		if (opt_takes_value(f.row)) {
			value = c[1] == '=' ? c + 2 : c + 1;
			if (c[1] == '\0' && *p->argv == NULL)
				return err_set(
					err, ERR_USAGE, "'-%c' wants a <%s>", *c, f.row->arg);
			if (c[1] == '\0')
				value = *p->argv++;
			return set(&f, value, err);
		}
		if (c[1] == '=')
			return set(&f, c + 2, err);
		if (set(&f, NULL, err) < 0)
			return -1;
	}
	return 0;
}

int
opt_parse(const struct opt_set *sets, size_t set_count, bool first_ends, const char *const *argv,
	struct strv *args, struct err *err)
{
	struct parser p = { sets, set_count, argv, args };
	bool ended = false;

	while (*p.argv != NULL) {
		const char *word = *p.argv++;

		if (ended || word[0] != '-' || word[1] == '\0') {
			strv_add(args, word);
			ended = ended || first_ends;
		} else if (streq(word, "--")) {
			ended = true;
		} else if (word[1] == '-') {
			if (parse_long(&p, word + 2, err) < 0)
				return -1;
		} else if (parse_short(&p, word + 1, err) < 0) {
			return -1;
		}
	}
	return 0;
}

void
opt_free(const struct opt_set *sets, size_t set_count)
{
	for (size_t i = 0; i < set_count; i++)
		for (const struct opt *o = sets[i].rows; o->kind != OPT_KIND_END; o++)
			if (o->kind == OPT_KIND_STRV)
				strv_free((
					struct strv *)(void *)((char *)sets[i].values + o->offset));
}
