/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/instruction_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "build/dockerfile/csv.h"
#include "build/dockerfile/quote.h"
#include "build/dockerfile/suggest.h"
#include "build/dockerfile/utf8.h"

/* --- from text to words ----------------------------------------------------------------------- */

static void
add_flag(struct instruction *in, const struct buf *word, size_t start)
{
	const char *equals = memchr(word->data, '=', word->len);
	in->flags = grow(in->flags, in->flag_count, &in->flag_room, sizeof *in->flags);
	in->flags[in->flag_count++] = (struct flag){
		.name = equals != NULL ? xstrndup(word->data + 2, (size_t)(equals - word->data) - 2)
				       : xstrdup(word->data + 2),
		.value = equals != NULL ? xstrdup(equals + 1) : NULL,
		.start = start,
	};
}

/* One word without its quotes and escapes; *at is then behind it. */
static void
take_flag(const char *text, size_t len, size_t *at, char escape, struct buf *word)
{
	char quote = '\0';
	size_t width;

	while (*at < len) {
		char c = text[*at];

		if (quote == '\0' && utf8_is_space(utf8_next(text + *at, len - *at, &width)))
			return;
		if (quote == '\0' ? c == '\'' || c == '"' : c == quote) {
			quote = quote == '\0' ? c : '\0';
			++*at;
			continue;
		}
		if (c == escape) {
			++*at;
			if (*at == len)
				return;
		}
		width = utf8_width(text + *at, len - *at);
		buf_add(word, text + *at, width);
		*at += width;
	}
}

size_t
flags_split(const char *text, size_t offset, char escape, struct instruction *in)
{
	AUTO(buf) struct buf word = BUF_INIT;
	size_t len = strlen(text), at = 0, width;

	for (;;) {
		size_t start;

		while (at < len && utf8_is_space(utf8_next(text + at, len - at, &width)))
			at += width;
		if (at + 1 >= len || text[at] != '-' || text[at + 1] != '-')
			return at;
		start = at;
		buf_clear(&word);
		take_flag(text, len, &at, escape, &word);
		/* "--" alone ends them */
		if (streq(word.data, "--"))
			return at;
		add_flag(in, &word, offset + start);
	}
}

/* --- from words to fields --------------------------------------------------------------------- */

enum flag_kind { FLAG_TEXT, FLAG_BOOL, FLAG_TRISTATE, FLAG_LIST };

#define FIELD(field) offsetof(struct instruction, field)
#define NO_FIELD SIZE_MAX

/* One row per flag of an instruction; text goes to a char *, a list to a struct strv. */
static const struct row {
	enum instruction_kind of;
	const char *name;
	enum flag_kind kind;
	size_t field;
} rows[] = {
	{ INSTRUCTION_ADD, "chown", FLAG_TEXT, FIELD(copy.chown) },
	{ INSTRUCTION_ADD, "chmod", FLAG_TEXT, FIELD(copy.chmod) },
	{ INSTRUCTION_ADD, "link", FLAG_BOOL, FIELD(copy.link) },
	{ INSTRUCTION_ADD, "keep-git-dir", FLAG_TRISTATE, FIELD(copy.keep_git_dir) },
	{ INSTRUCTION_ADD, "checksum", FLAG_TEXT, FIELD(copy.checksum) },
	{ INSTRUCTION_ADD, "unpack", FLAG_TRISTATE, FIELD(copy.unpack) },
	{ INSTRUCTION_ADD, "exclude", FLAG_LIST, FIELD(copy.exclude) },
	{ INSTRUCTION_COPY, "chown", FLAG_TEXT, FIELD(copy.chown) },
	{ INSTRUCTION_COPY, "from", FLAG_TEXT, FIELD(copy.from) },
	{ INSTRUCTION_COPY, "chmod", FLAG_TEXT, FIELD(copy.chmod) },
	{ INSTRUCTION_COPY, "link", FLAG_BOOL, FIELD(copy.link) },
	{ INSTRUCTION_COPY, "exclude", FLAG_LIST, FIELD(copy.exclude) },
	{ INSTRUCTION_COPY, "parents", FLAG_BOOL, FIELD(copy.parents) },
	{ INSTRUCTION_FROM, "platform", FLAG_TEXT, NO_FIELD },
	{ INSTRUCTION_HEALTHCHECK, "interval", FLAG_TEXT, NO_FIELD },
	{ INSTRUCTION_HEALTHCHECK, "timeout", FLAG_TEXT, NO_FIELD },
	{ INSTRUCTION_HEALTHCHECK, "start-period", FLAG_TEXT, NO_FIELD },
	{ INSTRUCTION_HEALTHCHECK, "start-interval", FLAG_TEXT, NO_FIELD },
	{ INSTRUCTION_HEALTHCHECK, "retries", FLAG_TEXT, NO_FIELD },
	{ INSTRUCTION_RUN, "mount", FLAG_LIST, FIELD(run.mount_texts) },
	{ INSTRUCTION_RUN, "network", FLAG_TEXT, NO_FIELD },
	{ INSTRUCTION_RUN, "security", FLAG_TEXT, NO_FIELD },
	{ INSTRUCTION_RUN, "device", FLAG_LIST, FIELD(run.devices) },
};

static int
unknown_flag(const struct instruction *in, const char *name, struct err *err)
{
	const char *options[COUNT_OF(rows)];
	const char *nearest;
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].of == in->kind)
			options[count++] = rows[i].name;
	nearest = suggest(name, options, count, false);
	if (nearest == NULL)
		return err_set(err, ERR_INPUT, "unknown flag: --%s", name);
	return err_set(err, ERR_INPUT, "unknown flag: --%s (did you mean %s?)", name, nearest);
}

static int
read_bool(const struct flag *flag, bool *out, struct err *err)
{
	if (flag->value != NULL && *flag->value == '\0')
		return err_set(err, ERR_INPUT, "missing a value on flag: --%s", flag->name);
	if (flag->value != NULL && strcasecmp(flag->value, "true") != 0 &&
		strcasecmp(flag->value, "false") != 0)
		return err_set(err, ERR_INPUT, "expecting boolean value for flag --%s, not: %s",
			flag->name, flag->value);
	*out = flag->value == NULL || strcasecmp(flag->value, "true") == 0;
	return 0;
}

static void
set_text(struct instruction *in, const struct row *row, const char *value)
{
	char **field;

	if (row->field == NO_FIELD)
		return;
	field = (char **)(void *)((char *)in + row->field);
	free(*field);
	*field = *value != '\0' ? xstrdup(value) : NULL; /* --from= is as good as none */
}

static int
apply_one(struct instruction *in, const struct row *row, const struct flag *flag, struct err *err)
{
	bool yes = false;

	if (row->kind == FLAG_BOOL || row->kind == FLAG_TRISTATE) {
		if (read_bool(flag, &yes, err) < 0)
			return -1;
		if (row->kind == FLAG_BOOL)
			*(bool *)(void *)((char *)in + row->field) = yes;
		else
			*(int *)(void *)((char *)in + row->field) = yes;
		return 0;
	}
	if (flag->value == NULL)
		return err_set(err, ERR_INPUT, "missing a value on flag: --%s", flag->name);
	if (row->kind == FLAG_LIST)
		strv_add((struct strv *)(void *)((char *)in + row->field), flag->value);
	else
		set_text(in, row, flag->value);
	return 0;
}

static const struct row *
find_row(enum instruction_kind kind, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].of == kind && streq(rows[i].name, name))
			return &rows[i];
	return NULL;
}

/* Those of RUN whose values are words of their own, or lists. */
static int
check_run(struct instruction *in, size_t *at, struct err *err)
{
	static const char *const networks[] = { "default", "none", "host" };
	static const char *const securities[] = { "sandbox", "insecure" };
	AUTO(strv) struct strv ignored = STRV_INIT;

	for (size_t i = 0; i < in->flag_count; i++) {
		const struct flag *f = &in->flags[i];
		AUTO(free) char *quoted = quote(f->value != NULL ? f->value : "");
		size_t which = 0;

		*at = f->start;
		if (streq(f->name, "mount") && mount_check(f->value, err) < 0)
			return -1;
		if (streq(f->name, "device") && csv_parse(f->value, &ignored, err) < 0)
			return err_in(err, "failed to parse csv devices");
		if (streq(f->name, "network")) {
			while (which < COUNT_OF(networks) && !streq(f->value, networks[which]))
				which++;
			if (which == COUNT_OF(networks))
				return err_set(err, ERR_INPUT, "invalid network mode %s", quoted);
			in->run.network_given = true;
			in->run.network = (enum run_network)which;
		}
		if (streq(f->name, "security")) {
			while (which < COUNT_OF(securities) && !streq(f->value, securities[which]))
				which++;
			if (which == COUNT_OF(securities))
				return err_set(err, ERR_INPUT, "security %s is not valid", quoted);
			in->run.security = (enum run_security)which;
		}
	}
	return 0;
}

int
flags_apply(struct instruction *in, size_t *at, struct err *err)
{
	for (size_t i = 0; i < in->flag_count; i++) {
		const struct flag *flag = &in->flags[i];
		const struct row *row = find_row(in->kind, flag->name);

		*at = flag->start;
		if (row == NULL)
			return unknown_flag(in, flag->name, err);
		if (row->kind != FLAG_LIST && instruction_flag(in, flag->name) != flag)
			return err_set(
				err, ERR_INPUT, "duplicate flag specified: --%s", flag->name);
		if (apply_one(in, row, flag, err) < 0)
			return -1;
	}
	return in->kind == INSTRUCTION_RUN ? check_run(in, at, err) : 0;
}
