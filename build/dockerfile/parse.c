/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "build/dockerfile/instruction_parse.h"
#include "build/dockerfile/lex.h"
#include "build/dockerfile/lint.h"

/* The file is walked once.  An instruction that is wrong is told of and left out, and the walk goes
 * on; only a heredoc that does not end takes everything below with it. */

struct parser {
	struct lexer lexer;
	struct logical line;
	struct dockerfile *file;
	struct diagnostics *diagnostics;
	size_t instructions;
	bool saw_from;
	bool told_of_stage; /* one word about instructions before FROM is enough */
};

static void
stage_clear(struct stage *s)
{
	free(s->name);
	free(s->base);
	free(s->platform);
	free(s->comment);
	instruction_free(s->from);
	for (size_t i = 0; i < s->count; i++)
		instruction_free(s->items[i]);
	free(s->items);
}

void
dockerfile_free(struct dockerfile *d)
{
	if (d == NULL)
		return;
	free(d->directives.syntax);
	free(d->directives.check);
	lint_config_free(&d->directives.lint);
	for (size_t i = 0; i < d->meta_arg_count; i++)
		instruction_free(d->meta_args[i]);
	free(d->meta_args);
	for (size_t i = 0; i < d->stage_count; i++)
		stage_clear(&d->stages[i]);
	free(d->stages);
	free(d->empty_continuations);
	free(d);
}

void
auto_dockerfile(struct dockerfile **d)
{
	dockerfile_free(*d);
	*d = NULL;
}

/* --- errors ----------------------------------------------------------------------------------- */

static void
tell_lines(struct parser *p, int first, int last, const char *message)
{
	diagnostics_add(p->diagnostics,
		&(struct diagnostic){
			.severity = SEVERITY_ERROR, .line_start = first, .line_end = last },
		"%s", message);
}

/* About the line at hand, with a caret at an offset of it. */
static void
tell(struct parser *p, size_t offset, const char *message)
{
	struct diagnostic one = { .severity = SEVERITY_ERROR,
		.line_start = p->line.line_start,
		.line_end = p->line.line_end };

	logical_place(&p->line, offset, &one.column_line, &one.column);
	diagnostics_add(p->diagnostics, &one, "%s", message);
}

/* --- heredocs --------------------------------------------------------------------------------- */

/* Reads the body up to its delimiter; false: there was none. */
static bool
read_body(struct parser *p, struct heredoc *h)
{
	AUTO(buf) struct buf content = BUF_INIT;
	const char *line;
	size_t len, name_len = strlen(h->name);

	while (lexer_line(&p->lexer, &line, &len)) {
		const char *text = line;
		size_t text_len = len;

		while (text_len > 0 && (text[text_len - 1] == '\n' || text[text_len - 1] == '\r'))
			text_len--;
		while (h->chomp && text_len > 0 && *text == '\t') {
			text++;
			text_len--;
		}
		if (text_len == name_len && memcmp(text, h->name, name_len) == 0) {
			h->len = content.len;
			buf_reserve(&content, 1); /* so that there is something to hand over */
			h->content = buf_steal(&content);
			return true;
		}
		buf_add(&content, line, len);
	}
	return false;
}

static int
read_heredocs(struct parser *p, struct instruction *in, struct err *err)
{
	if (heredoc_find(p->line.text.data, &in->heredocs, &in->heredoc_count, err) < 0)
		return -1;
	for (size_t i = 0; i < in->heredoc_count; i++)
		if (!read_body(p, &in->heredocs[i]))
			return err_set(err, ERR_INPUT, "unterminated heredoc");
	return 0;
}

/* What an instruction that cannot be would have taken along, lest its body is read as instructions.
 * Only where the name, or what was meant by it, is one that takes heredocs. */
static void
skip_heredocs(struct parser *p)
{
	AUTO(free)
	char *name = xstrndup(p->line.text.data, strcspn(p->line.text.data, "\t\v\f\r "));
	AUTO(free) char *meant = instruction_suggest(name);
	const char *likely = meant != NULL ? meant : name;
	int kind = instruction_kind_of(likely, strlen(likely));
	struct heredoc *list = NULL;
	size_t count = 0;
	struct err ignored;

	if (kind != INSTRUCTION_RUN && kind != INSTRUCTION_COPY && kind != INSTRUCTION_ADD)
		return;
	if (heredoc_find(p->line.text.data, &list, &count, &ignored) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (!read_body(p, &list[i]))
			break;
	heredoc_list_free(list, count);
}

/* --- instructions ----------------------------------------------------------------------------- */

static char *
lower(const char *text)
{
	char *out = xstrdup(text);

	for (char *c = out; *c != '\0'; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
	return out;
}

static int
add_stage(struct parser *p, struct instruction *from, struct err *err)
{
	struct dockerfile *d = p->file;
	const struct flag *platform = instruction_flag(from, "platform");
	struct stage *stage;

	if (d->stage_count >= DOCKERFILE_STAGES_MAX)
		return err_set(err, ERR_INPUT, "more than %d stages", DOCKERFILE_STAGES_MAX);
	d->stages = grow(d->stages, d->stage_count, &d->stage_room, sizeof *d->stages);
	stage = &d->stages[d->stage_count++];
	*stage = (struct stage){
		.name = from->words.count == 3 ? lower(from->words.items[2]) : NULL,
		.base = xstrdup(from->words.items[0]),
		.platform = platform != NULL && *platform->value != '\0' ? xstrdup(platform->value)
									 : NULL,
		.from = from,
	};
	stage->comment = instruction_comment_on(&from->comments, stage->name);
	return 0;
}

/* Takes the instruction over, unless it fails. */
static int
add_instruction(struct parser *p, struct instruction *in, struct err *err)
{
	struct dockerfile *d = p->file;
	struct stage *stage;

	if (in->kind == INSTRUCTION_FROM)
		return add_stage(p, in, err);
	if (d->stage_count == 0 && in->kind == INSTRUCTION_ARG) {
		d->meta_args = grow(
			d->meta_args, d->meta_arg_count, &d->meta_arg_room, sizeof *d->meta_args);
		d->meta_args[d->meta_arg_count++] = in;
		return 0;
	}
	if (d->stage_count == 0) {
		bool said = p->saw_from || p->told_of_stage;

		p->told_of_stage = true;
		if (!said)
			return err_set(err, ERR_INPUT, "no build stage in current context");
		instruction_free(in);
		return 0;
	}
	stage = &d->stages[d->stage_count - 1];
	stage->items = grow(stage->items, stage->count, &stage->room, sizeof *stage->items);
	stage->items[stage->count++] = in;
	return 0;
}

static void
note_empty_lines(struct parser *p)
{
	struct dockerfile *d = p->file;

	if (!p->line.empty_lines)
		return;
	d->empty_continuations = grow(d->empty_continuations, d->empty_continuation_count,
		&d->empty_continuation_room, sizeof *d->empty_continuations);
	d->empty_continuations[d->empty_continuation_count++] = p->line.line_end;
}

static int
parse_line(struct parser *p, struct instruction **out, size_t *at, struct err *err)
{
	AUTO(instruction) struct instruction *in = NULL;

	if (instruction_begin(p->line.text.data, p->line.text.len, p->lexer.escape, &in, at, err) <
		0) {
		skip_heredocs(p);
		return -1;
	}
	p->saw_from |= in->kind == INSTRUCTION_FROM;
	if (instruction_may_have_heredocs(in, p->lexer.escape) && read_heredocs(p, in, err) < 0)
		return -1;
	in->line_start = p->line.line_start;
	in->line_end = p->lexer.line;
	in->comments = p->line.comments;
	p->line.comments = (struct strv)STRV_INIT;
	if (instruction_finish(in, p->line.text.data, at, err) < 0)
		return -1;
	*out = steal(&in);
	return 0;
}

static void
take_line(struct parser *p)
{
	AUTO(instruction) struct instruction *in = NULL;
	struct err err;
	size_t at = 0;

	p->instructions++;
	note_empty_lines(p);
	if (parse_line(p, &in, &at, &err) < 0) {
		tell(p, at, err.msg);
		return;
	}
	if (add_instruction(p, in, &err) < 0)
		tell(p, 0, err.msg);
	else
		in = NULL;
}

/* --- directives ------------------------------------------------------------------------------- */

/* syntax and check are looked for on their own, as BuildKit does: behind a line that begins with
 * "#!", and only without blanks in front. */
static void
read_directives(const char *bytes, size_t len, struct directives *out)
{
	struct lexer l;
	const char *line;
	size_t line_len;

	lexer_start(&l, bytes, len);
	while (lexer_line(&l, &line, &line_len)) {
		struct directive d;

		if (l.line == 1 && line_len >= 2 && memcmp(line, "#!", 2) == 0)
			continue;
		if (!directive_parse(line, line_len, "#", &d))
			return;
		if (directive_is(&d, "syntax") && out->syntax == NULL) {
			out->syntax = xstrndup(d.value, d.value_len);
			out->syntax_line = l.line;
		} else if (directive_is(&d, "check") && out->check == NULL) {
			out->check = xstrndup(d.value, d.value_len);
			out->check_line = l.line;
		} else if (!directive_is(&d, "escape")) {
			return;
		}
	}
}

static void
read_check(struct parser *p)
{
	struct directives *d = &p->file->directives;
	AUTO(free) char *value = d->check != NULL ? xstrdup(d->check) : NULL;
	struct err err;

	if (value == NULL)
		return;
	value[strcspn(value, " ")] = '\0';
	if (lint_config_parse(value, &d->lint, &err) == 0)
		return;
	err_in(&err, "failed to parse check options");
	tell_lines(p, d->check_line, d->check_line, err.msg);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void
auto_parser(struct parser *p)
{
	auto_lexer(&p->lexer);
	auto_logical(&p->line);
}

static void
walk(struct parser *p)
{
	struct err err;
	int more;

	while (p->diagnostics->count < DIAGNOSTICS_MAX &&
		(more = lexer_next(&p->lexer, &p->line, &err)) != 0) {
		if (more < 0) {
			tell_lines(p, p->lexer.line, p->lexer.line, err.msg);
		} else if (p->instructions == DOCKERFILE_INSTRUCTIONS_MAX) {
			tell(p, 0, "more instructions than a file may have");
			break;
		} else {
			take_line(p);
		}
	}
	p->file->directives.escape = p->lexer.escape;
	if (diagnostics_errors(p->diagnostics) > 0)
		return;
	if (p->instructions == 0)
		tell_lines(p, 0, 0, "file with no instructions");
	else if (p->file->stage_count == 0)
		tell_lines(p, 0, 0, "dockerfile contains no stages to build");
}

int
dockerfile_parse(const char *bytes, size_t len, const char *file, struct dockerfile **out,
	struct diagnostics *diagnostics, struct err *err)
{
	AUTO(dockerfile) struct dockerfile *d = xzalloc(sizeof *d);
	AUTO(parser)
	struct parser p = { .line = LOGICAL_INIT, .file = d, .diagnostics = diagnostics };

	if (len > DOCKERFILE_SIZE_MAX) {
		diagnostics_source(diagnostics, file, "", 0);
		return err_set(
			err, ERR_INPUT, "%s: larger than %d bytes", file, DOCKERFILE_SIZE_MAX);
	}
	diagnostics_source(diagnostics, file, bytes, len);
	if (len == 0) {
		tell_lines(&p, 0, 0, "the Dockerfile cannot be empty");
		return diagnostics_to_err(diagnostics, err);
	}
	lexer_start(&p.lexer, bytes, len);
	read_directives(bytes, len, &d->directives);
	read_check(&p);
	walk(&p);
	if (diagnostics_errors(diagnostics) > 0) {
		diagnostics_sort(diagnostics);
		return diagnostics_to_err(diagnostics, err);
	}
	*out = steal(&d);
	return 0;
}

static int
parse_trigger(struct parser *p, struct instruction **out, struct err *err)
{
	AUTO(instruction) struct instruction *in = NULL;
	size_t at;
	int more = lexer_next(&p->lexer, &p->line, err);

	if (more < 0)
		return -1;
	if (more == 0)
		return err_set(err, ERR_INPUT, "file with no instructions");
	if (parse_line(p, &in, &at, err) < 0)
		return -1;
	if (lexer_next(&p->lexer, &p->line, err) != 0)
		return err_set(err, ERR_INPUT, "onbuild trigger should be a single expression");
	in->line_start = in->line_end = 0;
	*out = steal(&in);
	return 0;
}

int
dockerfile_parse_trigger(const char *text, struct instruction **out, struct err *err)
{
	AUTO(parser) struct parser p = { .line = LOGICAL_INIT };
	size_t len = strlen(text), shown = strcspn(text, "\n");

	if (len > DOCKERFILE_SIZE_MAX)
		return err_set(err, ERR_INPUT, "ONBUILD trigger is larger than %d bytes",
			DOCKERFILE_SIZE_MAX);
	lexer_start(&p.lexer, text, len);
	if (parse_trigger(&p, out, err) < 0)
		return err_in(err, "ONBUILD trigger '%.*s'", (int)(shown < 80 ? shown : 80), text);
	return 0;
}

int
dockerfile_stage(const struct dockerfile *d, const char *name)
{
	for (size_t i = d->stage_count; i-- > 0;)
		if (d->stages[i].name != NULL && strcasecmp(d->stages[i].name, name) == 0)
			return (int)i;
	return -1;
}
