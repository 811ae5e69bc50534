/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/instruction_parse.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "build/dockerfile/duration.h"
#include "build/dockerfile/lint.h"
#include "build/dockerfile/quote.h"
#include "build/dockerfile/utf8.h"

/* The second step: the words and flags are there; here is what each kind makes of them. */

struct finish {
	struct instruction *in;
	const char *text; /* the logical line */
	size_t *at;
	struct err *err;
};

static int
at_least_one(struct finish *f)
{
	return err_set(f->err, ERR_INPUT, "%s requires at least one argument",
		instruction_name(f->in->kind));
}

static int
exactly_one(struct finish *f)
{
	if (f->in->words.count == 1)
		return 0;
	return err_set(f->err, ERR_INPUT, "%s requires exactly one argument",
		instruction_name(f->in->kind));
}

static int
flags(struct finish *f)
{
	return flags_apply(f->in, f->at, f->err);
}

static int
finish_one(struct finish *f)
{
	return exactly_one(f) < 0 ? -1 : flags(f);
}

/* BuildKit does not look at the flags of STOPSIGNAL and ARG. */
static int
finish_stop_signal(struct finish *f)
{
	return exactly_one(f);
}

static int
finish_pairs(struct finish *f)
{
	if (flags(f) < 0)
		return -1;
	return f->in->pair_count > 0 ? 0 : at_least_one(f);
}

char *
instruction_comment_on(const struct strv *comments, const char *name)
{
	size_t len = name != NULL ? strlen(name) : 0;

	for (size_t i = 0; i < comments->count && len > 0; i++)
		if (strncmp(comments->items[i], name, len) == 0 && comments->items[i][len] == ' ')
			return xstrdup(comments->items[i] + len + 1);
	return NULL;
}

static int
finish_arg(struct finish *f)
{
	struct instruction *in = f->in;

	if (in->pair_count == 0)
		return at_least_one(f);
	for (size_t i = 0; i < in->pair_count; i++)
		in->pairs[i].comment = instruction_comment_on(&in->comments, in->pairs[i].name);
	return 0;
}

/* --- ADD and COPY ----------------------------------------------------------------------------- */

/* The body of the last heredoc with this name, as BuildKit looks it up. */
static const struct heredoc *
body_of(const struct instruction *in, const char *name)
{
	for (size_t i = in->heredoc_count; i-- > 0;)
		if (streq(in->heredocs[i].name, name))
			return &in->heredocs[i];
	return NULL;
}

static void
add_file(struct instruction *in, const struct heredoc *word, size_t *room)
{
	const struct heredoc *body = body_of(in, word->name);
	AUTO(buf) struct buf content = BUF_INIT;

	if (body != NULL && word->chomp)
		heredoc_chomp(body->content, body->len, &content);
	else if (body != NULL)
		buf_add(&content, body->content, body->len);
	in->copy.files = grow(in->copy.files, in->copy.file_count, room, sizeof *in->copy.files);
	in->copy.files[in->copy.file_count] = *word;
	in->copy.files[in->copy.file_count].len = content.len;
	buf_reserve(&content, 1); /* so that there is something to hand over */
	in->copy.files[in->copy.file_count].content = buf_steal(&content);
	in->copy.file_count++;
}

static int
read_sources(struct finish *f)
{
	struct instruction *in = f->in;
	size_t room = 0;
	struct err ignored;

	for (size_t i = 0; i < in->words.count; i++) {
		struct heredoc h;
		bool last = i + 1 == in->words.count;

		if (!in->is_json && heredoc_parse(in->words.items[i], &h, &ignored) > 0) {
			if (last) {
				heredoc_free(&h);
				return err_set(f->err, ERR_INPUT,
					"%s cannot accept a heredoc as a destination",
					instruction_name(in->kind));
			}
			add_file(in, &h, &room);
		} else if (last) {
			in->copy.dest = xstrdup(in->words.items[i]);
		} else {
			strv_add(&in->copy.sources, in->words.items[i]);
		}
	}
	return 0;
}

static int
finish_copy(struct finish *f)
{
	if (f->in->words.count < 2)
		return err_set(f->err, ERR_INPUT,
			"%s requires at least two arguments, but only one was provided. "
			"Destination could not be determined",
			instruction_name(f->in->kind));
	if (flags(f) < 0)
		return -1;
	*f->at = 0;
	return read_sources(f);
}

/* --- the others ------------------------------------------------------------------------------- */

static int
finish_shell(struct finish *f)
{
	if (flags(f) < 0)
		return -1;
	if (f->in->words.count == 0)
		return at_least_one(f);
	if (!f->in->is_json)
		return err_set(
			f->err, ERR_INPUT, "SHELL requires the arguments to be in JSON form");
	return 0;
}

static int
finish_expose(struct finish *f)
{
	if (f->in->words.count == 0)
		return at_least_one(f);
	if (flags(f) < 0)
		return -1;
	strv_sort(&f->in->words);
	return 0;
}

static int
finish_volume(struct finish *f)
{
	struct strv *words = &f->in->words;

	if (words->count == 0)
		return at_least_one(f);
	if (flags(f) < 0)
		return -1;
	for (size_t i = 0; i < words->count; i++) {
		size_t start, end;
		char *trimmed;

		utf8_trim(words->items[i], strlen(words->items[i]), &start, &end);
		if (start == end)
			return err_set(
				f->err, ERR_INPUT, "VOLUME specified can not be an empty string");
		trimmed = xstrndup(words->items[i] + start, end - start);
		free(words->items[i]);
		words->items[i] = trimmed;
	}
	return 0;
}

static int
check_stage_name(struct finish *f, const char *name)
{
	AUTO(free) char *quoted = quote(name);
	size_t len = strlen(name), fine = 0;

	while (fine < len && ((name[fine] | 0x20) >= 'a' && (name[fine] | 0x20) <= 'z' &&
				     (name[fine] & 0x40) != 0))
		fine++;
	if (fine > 0)
		fine += strspn(name + fine,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
	if (fine == len && len > 0)
		return 0;
	return err_set(f->err, ERR_INPUT,
		"invalid name for build stage: %s, name can't start with a number or contain "
		"symbols",
		quoted);
}

static int
finish_from(struct finish *f)
{
	const struct strv *words = &f->in->words;

	if (words->count == 3 && strcasecmp(words->items[1], "as") == 0) {
		if (check_stage_name(f, words->items[2]) < 0)
			return -1;
	} else if (words->count != 1) {
		return err_set(f->err, ERR_INPUT, "FROM requires either one or three arguments");
	}
	return flags(f);
}

/* --- HEALTHCHECK ------------------------------------------------------------------------------ */

static int
read_interval(struct finish *f, const char *name, int64_t *out)
{
	const struct flag *flag = instruction_flag(f->in, name);
	int64_t ns = 0;

	if (flag == NULL || *flag->value == '\0')
		return 0;
	*f->at = flag->start;
	if (duration_parse(flag->value, &ns, f->err) < 0)
		return -1;
	if (ns != 0 && ns < 1000000)
		return err_set(f->err, ERR_INPUT, "Interval \"%s\" cannot be less than 1ms", name);
	*out = ns;
	return 0;
}

static int
read_retries(struct finish *f)
{
	const struct flag *flag = instruction_flag(f->in, "retries");
	char *end = NULL;
	long value;

	if (flag == NULL || *flag->value == '\0')
		return 0;
	*f->at = flag->start;
	errno = 0;
	value = strtol(flag->value, &end, 10);
	if (*end != '\0' || end == flag->value || strchr(" \t\n\v\f\r", flag->value[0]) != NULL)
		return err_set(f->err, ERR_INPUT,
			"strconv.ParseInt: parsing \"%s\": invalid syntax", flag->value);
	if (errno == ERANGE || value > INT_MAX || value < INT_MIN)
		return err_set(f->err, ERR_INPUT,
			"strconv.ParseInt: parsing \"%s\": value out of range", flag->value);
	if (value < 0)
		return err_set(f->err, ERR_INPUT, "--retries cannot be negative (%ld)", value);
	f->in->health.retries = (int)value;
	return 0;
}

static int
read_health_command(struct finish *f)
{
	struct instruction *in = f->in;

	if (in->words.count < 2)
		return err_set(f->err, ERR_INPUT, "Missing command after HEALTHCHECK CMD");
	strv_add(&in->health.test, in->is_json ? "CMD" : "CMD-SHELL");
	for (size_t i = 1; i < in->words.count; i++)
		strv_add(&in->health.test, in->words.items[i]);
	return 0;
}

static int
finish_healthcheck(struct finish *f)
{
	struct instruction *in = f->in;
	struct health *h = &in->health;

	if (in->words.count == 0)
		return at_least_one(f);
	if (strcasecmp(in->words.items[0], "NONE") == 0) {
		if (in->words.count > 1)
			return err_set(f->err, ERR_INPUT, "HEALTHCHECK NONE takes no arguments");
		strv_add(&h->test, "NONE");
		return 0;
	}
	if (flags(f) < 0)
		return -1;
	*f->at = 0;
	if (strcasecmp(in->words.items[0], "CMD") != 0) {
		AUTO(free) char *upper = xstrdup(in->words.items[0]);

		for (char *p = upper; *p != '\0'; p++)
			*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
		return err_set(
			f->err, ERR_INPUT, "Unknown type \"%s\" in HEALTHCHECK (try CMD)", upper);
	}
	if (read_health_command(f) < 0 || read_interval(f, "interval", &h->interval) < 0 ||
		read_interval(f, "timeout", &h->timeout) < 0 ||
		read_interval(f, "start-period", &h->start_period) < 0 ||
		read_interval(f, "start-interval", &h->start_interval) < 0)
		return -1;
	return read_retries(f);
}

/* --- ONBUILD ---------------------------------------------------------------------------------- */

/* The line behind ONBUILD as it was written, blanks at its end included, then the heredocs. */
static void
write_trigger(struct finish *f)
{
	AUTO(buf) struct buf out = BUF_INIT;
	size_t len = strlen(f->text), at = 0, width;

	while (at < len && utf8_is_space(utf8_next(f->text + at, len - at, &width)))
		at += width;
	at += strlen("ONBUILD");
	at += strspn(f->text + at, " \t\n\v\f\r");
	buf_adds(&out, f->text + at);
	for (size_t i = 0; i < f->in->heredoc_count; i++) {
		buf_addc(&out, '\n');
		buf_add(&out, f->in->heredocs[i].content, f->in->heredocs[i].len);
		buf_adds(&out, f->in->heredocs[i].name);
	}
	f->in->trigger = buf_steal(&out);
}

static int
finish_onbuild(struct finish *f)
{
	struct instruction *in = f->in;
	size_t len;
	int kind;

	if (in->words.count == 0)
		return at_least_one(f);
	if (flags(f) < 0)
		return -1;
	len = strcspn(in->words.items[0], "\t\v\f\r ");
	kind = instruction_kind_of(in->words.items[0], len);
	if (kind == INSTRUCTION_ONBUILD)
		return err_set(
			f->err, ERR_INPUT, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
	if (kind == INSTRUCTION_MAINTAINER || kind == INSTRUCTION_FROM)
		return err_set(f->err, ERR_INPUT, "%s isn't allowed as an ONBUILD trigger",
			instruction_name((enum instruction_kind)kind));
	strv_free(&in->words);
	write_trigger(f);
	return 0;
}

static int (*const finishers[INSTRUCTION_COUNT])(struct finish *f) = {
	[INSTRUCTION_ADD] = finish_copy,
	[INSTRUCTION_ARG] = finish_arg,
	[INSTRUCTION_CMD] = flags,
	[INSTRUCTION_COPY] = finish_copy,
	[INSTRUCTION_ENTRYPOINT] = flags,
	[INSTRUCTION_ENV] = finish_pairs,
	[INSTRUCTION_EXPOSE] = finish_expose,
	[INSTRUCTION_FROM] = finish_from,
	[INSTRUCTION_HEALTHCHECK] = finish_healthcheck,
	[INSTRUCTION_LABEL] = finish_pairs,
	[INSTRUCTION_MAINTAINER] = finish_one,
	[INSTRUCTION_ONBUILD] = finish_onbuild,
	[INSTRUCTION_RUN] = flags,
	[INSTRUCTION_SHELL] = finish_shell,
	[INSTRUCTION_STOPSIGNAL] = finish_stop_signal,
	[INSTRUCTION_USER] = finish_one,
	[INSTRUCTION_VOLUME] = finish_volume,
	[INSTRUCTION_WORKDIR] = finish_one,
};

int
instruction_finish(struct instruction *in, const char *text, size_t *at, struct err *err)
{
	struct finish f = { .in = in, .text = text, .at = at, .err = err };

	*at = 0;
	lint_config_comments(&in->comments, &in->lint);
	return finishers[in->kind](&f);
}
