/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/instruction_parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "build/dockerfile/exec_form.h"
#include "build/dockerfile/parse.h"
#include "build/dockerfile/utf8.h"

/* The first step: how an instruction's words are found depends on its kind, and on nothing else.
 * `rest` is what follows the flags, without blanks at its ends; `at` its offset in the line. */

#define BLANKS "\t\v\f\r "

struct line {
	const char *rest;
	size_t at;
	char escape;
	size_t *wrong; /* where an error is */
	struct err *err;
};

static int
words_of_text(struct instruction *in, const struct line *l)
{
	if (*l->rest != '\0')
		strv_add(&in->words, l->rest);
	return 0;
}

static int
words_of_blanks(struct instruction *in, const struct line *l)
{
	words_split(l->rest, &in->words);
	return 0;
}

static int
words_of_exec_or(struct instruction *in, const struct line *l,
	int (*other)(struct instruction *in, const struct line *l))
{
	int json = exec_form_parse(l->rest, &in->words, l->err);

	if (json < 0)
		return -1;
	in->is_json = json > 0;
	return json > 0 ? 0 : other(in, l);
}

static int
words_of_command(struct instruction *in, const struct line *l)
{
	return words_of_exec_or(in, l, words_of_text);
}

static int
words_of_list(struct instruction *in, const struct line *l)
{
	return words_of_exec_or(in, l, words_of_blanks);
}

static int
words_of_healthcheck(struct instruction *in, const struct line *l)
{
	size_t len = strlen(l->rest), end = 0, width;
	struct line command = *l;

	while (end < len && !utf8_is_space(utf8_next(l->rest + end, len - end, &width)))
		end += width;
	if (end == 0)
		return 0;
	strv_addn(&in->words, l->rest, end);
	while (end < len && utf8_is_space(utf8_next(l->rest + end, len - end, &width)))
		end += width;
	command.rest += end;
	command.at += end;
	return words_of_command(in, &command);
}

static void
add_pair(struct instruction *in, size_t *room, const char *name, size_t len, const char *value,
	bool legacy)
{
	in->pairs = grow(in->pairs, in->pair_count, room, sizeof *in->pairs);
	in->pairs[in->pair_count++] = (struct pair){
		.name = xstrndup(name, len),
		.value = value != NULL ? xstrdup(value) : NULL,
		.legacy = legacy,
	};
}

static int
blank_name(struct instruction *in, struct err *err)
{
	return err_set(err, ERR_INPUT, "%s names can not be blank", instruction_name(in->kind));
}

/* ENV name the rest of the line */
static int
pair_of_legacy(struct instruction *in, const struct line *l)
{
	size_t len = strcspn(l->rest, BLANKS), room = 0;
	const char *value = l->rest + len + strspn(l->rest + len, BLANKS);

	if (l->rest[len] == '\0')
		return err_set(l->err, ERR_INPUT, "%s must have two arguments",
			instruction_name(in->kind));
	if (len == 0)
		return blank_name(in, l->err);
	add_pair(in, &room, l->rest, len, value, true);
	return 0;
}

/* ARG alone has names without a value. */
static int
pairs_of_words(struct instruction *in, const struct line *l)
{
	AUTO(strv) struct strv words = STRV_INIT;
	AUTO(free) size_t *offsets = NULL;
	bool is_arg = in->kind == INSTRUCTION_ARG;
	size_t room = 0;

	words_split_quoted(l->rest, l->escape, &words, &offsets);
	if (!is_arg && words.count > 0 && strchr(words.items[0], '=') == NULL)
		return pair_of_legacy(in, l);
	for (size_t i = 0; i < words.count; i++) {
		const char *word = words.items[i], *equals = strchr(word, '=');

		*l->wrong = l->at + offsets[i];
		if (!is_arg && equals == NULL)
			return err_set(l->err, ERR_INPUT,
				"Syntax error - can't find = in \"%s\". Must be of the form: "
				"name=value",
				word);
		if (equals == word)
			return blank_name(in, l->err);
		add_pair(in, &room, word, equals != NULL ? (size_t)(equals - word) : strlen(word),
			equals != NULL ? equals + 1 : NULL, false);
	}
	return 0;
}

/* The trigger's text, which instruction_finish() takes away again.  What is wrong with its words is
 * wrong now; whether its name exists is asked when it fires. */
static int
words_of_trigger(struct instruction *in, const struct line *l)
{
	AUTO(instruction) struct instruction *child = NULL;
	size_t len = strcspn(l->rest, BLANKS);

	if (instruction_kind_of(l->rest, len) >= 0 &&
		instruction_kind_of(l->rest, len) != INSTRUCTION_ONBUILD &&
		instruction_begin(l->rest, strlen(l->rest), l->escape, &child, l->wrong, l->err) <
			0) {
		*l->wrong += l->at;
		return -1;
	}
	return words_of_text(in, l);
}

static const struct {
	int (*read)(struct instruction *in, const struct line *l);
} readers[INSTRUCTION_COUNT] = {
	[INSTRUCTION_ADD] = { words_of_list },
	[INSTRUCTION_ARG] = { pairs_of_words },
	[INSTRUCTION_CMD] = { words_of_command },
	[INSTRUCTION_COPY] = { words_of_list },
	[INSTRUCTION_ENTRYPOINT] = { words_of_command },
	[INSTRUCTION_ENV] = { pairs_of_words },
	[INSTRUCTION_EXPOSE] = { words_of_blanks },
	[INSTRUCTION_FROM] = { words_of_blanks },
	[INSTRUCTION_HEALTHCHECK] = { words_of_healthcheck },
	[INSTRUCTION_LABEL] = { pairs_of_words },
	[INSTRUCTION_MAINTAINER] = { words_of_text },
	[INSTRUCTION_ONBUILD] = { words_of_trigger },
	[INSTRUCTION_RUN] = { words_of_command },
	[INSTRUCTION_SHELL] = { words_of_command },
	[INSTRUCTION_STOPSIGNAL] = { words_of_text },
	[INSTRUCTION_USER] = { words_of_text },
	[INSTRUCTION_VOLUME] = { words_of_list },
	[INSTRUCTION_WORKDIR] = { words_of_text },
};

static int
unknown(const char *name, struct err *err)
{
	AUTO(free) char *nearest = instruction_suggest(name);

	if (nearest == NULL)
		return err_set(err, ERR_INPUT, "unknown instruction: %s", name);
	return err_set(err, ERR_INPUT, "unknown instruction: %s (did you mean %s?)", name, nearest);
}

static int
check_text(const char *text, size_t len, size_t *at, struct err *err)
{
	const char *zero = memchr(text, '\0', len);

	if (len > DOCKERFILE_LINE_MAX)
		return err_set(err, ERR_INPUT,
			"dockerfile line greater than max allowed size of %d", DOCKERFILE_LINE_MAX);
	if (zero == NULL)
		return 0;
	*at = (size_t)(zero - text);
	return err_set(
		err, ERR_INPUT, "zero byte in an instruction: the file should be UTF-8 text");
}

int
instruction_begin(const char *text, size_t len, char escape, struct instruction **out, size_t *at,
	struct err *err)
{
	AUTO(instruction) struct instruction *in = xzalloc(sizeof *in);
	AUTO(free) char *rest = NULL;
	size_t start, end, name_end, begin;
	int kind;
	struct line l;

	*at = 0;
	if (check_text(text, len, at, err) < 0)
		return -1;
	utf8_trim(text, len, &start, &end);
	in->text = xstrndup(text + start, end - start);
	name_end = strcspn(in->text, BLANKS);
	in->name = xstrndup(in->text, name_end);
	*at = start;
	kind = instruction_kind_of(in->name, name_end);
	if (kind < 0)
		return unknown(in->name, err);
	in->kind = (enum instruction_kind)kind;
	in->copy.unpack = in->copy.keep_git_dir = -1;
	begin = name_end + strspn(in->text + name_end, BLANKS);
	begin += flags_split(in->text + begin, start + begin, escape, in);
	utf8_trim(in->text + begin, strlen(in->text + begin), &start, &end);
	rest = xstrndup(in->text + begin + start, end - start);
	l = (struct line){
		.rest = rest, .at = *at + begin + start, .escape = escape, .wrong = at, .err = err
	};
	*at = l.at;
	if (readers[kind].read(in, &l) < 0)
		return -1;
	if (in->words.count > DOCKERFILE_WORDS_MAX || in->pair_count > DOCKERFILE_WORDS_MAX)
		return err_set(err, ERR_INPUT, "more than %d words", DOCKERFILE_WORDS_MAX);
	*at = 0;
	*out = steal(&in);
	return 0;
}

bool
instruction_may_have_heredocs(const struct instruction *in, char escape)
{
	AUTO(instruction) struct instruction *child = NULL;
	struct err ignored;
	size_t at;

	if (in->kind == INSTRUCTION_ONBUILD && in->words.count > 0 &&
		instruction_begin(in->words.items[0], strlen(in->words.items[0]), escape, &child,
			&at, &ignored) == 0)
		in = child;
	return (in->kind == INSTRUCTION_ADD || in->kind == INSTRUCTION_COPY ||
		       in->kind == INSTRUCTION_RUN) &&
	       !in->is_json;
}
