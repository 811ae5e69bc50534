/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/expand.h"
#include "build/dockerfile/heredoc.h"
#include "build/dockerfile/instruction_parse.h"
#include "build/dockerfile/lex.h"
#include "build/dockerfile/lint.h"
#include "build/dockerfile/parse.h"
#include "tests/unit/dockerfile_dump.h"
#include "tests/unit/dockerfile_table.h"

/* The language, by tables of one text each. */

static void
failed(const struct err *err, struct buf *out)
{
	buf_addf(out, "error: %s", err->msg);
}

/* What the tables of expansion know. */
static void
some_variables(struct strv *env)
{
	strv_env_set(env, "HOME", "/home/me");
	strv_env_set(env, "NAME", "value");
	strv_env_set(env, "EMPTY", "");
	strv_env_set(env, "SPACED", "a  b c");
	strv_env_set(env, "PATHS", "/usr/lib:/usr/bin");
	strv_env_set(env, "FILE", "a.tar.gz");
	strv_env_set(env, "CITY", "k\xc3\xb6ln");
	strv_env_set(env, "LINES", "one\ntwo");
	strv_env_set(env, "STARS", "a*b?c");
	strv_env_set(env, "1", "first");
}

static void
expand_with(const char *input, char escape, unsigned flags, struct buf *out)
{
	AUTO(strv) struct strv env = STRV_INIT;
	AUTO(expansion) struct expansion e = EXPANSION_INIT;
	struct expand_vars vars = expand_vars_env(&env);
	struct err err;

	some_variables(&env);
	if (expand(input, escape, flags, &vars, &e, &err) < 0)
		failed(&err, out);
	else
		buf_adds(out, e.text);
	dump_list("undefined", &e.undefined, out);
}

static void
check_expand(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	expand_with(input, '\\', 0, out);
}

static void
check_expand_backtick(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	expand_with(input, '`', 0, out);
}

static void
check_expand_keep(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(buf) struct buf text = BUF_INIT;

	expand_with(input, '\\', EXPAND_KEEP_UNSET | EXPAND_RAW_QUOTES | EXPAND_RAW_ESCAPES, &text);
	buf_add(out, text.data, strcspn(text.data, "\1"));
}

static void
check_words(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(strv) struct strv env = STRV_INIT;
	AUTO(strv) struct strv words = STRV_INIT;
	struct expand_vars vars = expand_vars_env(&env);
	struct err err;

	some_variables(&env);
	if (expand_words(input, '\\', &vars, &words, NULL, &err) < 0)
		failed(&err, out);
	for (size_t i = 0; i < words.count; i++)
		buf_addf(out, "(%s)", words.items[i]);
}

static void
check_body(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(strv) struct strv env = STRV_INIT;
	AUTO(free) char *text = NULL;
	struct expand_vars vars = expand_vars_env(&env);
	struct err err;

	some_variables(&env);
	if (expand_heredoc(input, &vars, &text, NULL, &err) < 0)
		failed(&err, out);
	else
		buf_adds(out, text);
}

static void
check_heredoc(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	struct heredoc *list = NULL;
	size_t count = 0;
	struct err err;

	if (heredoc_find(input, &list, &count, &err) < 0)
		failed(&err, out);
	for (size_t i = 0; i < count; i++) {
		buf_addf(out, "(%s%s%s", list[i].name, list[i].expand ? "" : " raw",
			list[i].chomp ? " chomp" : "");
		if (list[i].fd != 0)
			buf_addf(out, " fd %u", list[i].fd);
		buf_addc(out, ')');
	}
	heredoc_list_free(list, count);
}

/* Logical lines, each with its first and last line. */
static void
check_lex(const char *input, size_t len, struct buf *out)
{
	AUTO(lexer) struct lexer l;
	AUTO(logical) struct logical line = LOGICAL_INIT;
	struct err err;
	int more;

	lexer_start(&l, input, len);
	while ((more = lexer_next(&l, &line, &err)) != 0) {
		if (more < 0) {
			buf_addf(out, "{%d error: %s}", l.line, err.msg);
			continue;
		}
		buf_addf(out, "{%d-%d%s %s", line.line_start, line.line_end,
			line.empty_lines ? "!" : "", line.text.data);
		for (size_t i = 0; i < line.comments.count; i++)
			buf_addf(out, " #%s", line.comments.items[i]);
		buf_addc(out, '}');
	}
}

/* One instruction, as it stands behind FROM. */
static void
check_instruction(const char *input, size_t len, struct buf *out)
{
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	struct err err;
	bool from = len >= 4 && (memcmp(input, "FROM", 4) == 0 || memcmp(input, "from", 4) == 0);

	buf_adds(&text, from ? "" : "FROM scratch\n");
	buf_add(&text, input, len);
	if (dockerfile_parse(text.data, text.len, "f", &d, &list, &err) < 0)
		failed(&err, out);
	else if (from)
		dump_instruction(d->stages[0].from, out);
	else
		dump_instruction(d->stages[0].items[0], out);
}

/* The same, expanded. */
static void
check_expanded(const char *input, size_t len, struct buf *out)
{
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	AUTO(strv) struct strv env = STRV_INIT;
	AUTO(strv) struct strv undefined = STRV_INIT;
	AUTO(instruction) struct instruction *in = NULL;
	AUTO(buf) struct buf text = BUF_INIT;
	struct expand_vars vars = expand_vars_env(&env);
	struct err err;

	some_variables(&env);
	buf_adds(&text, "FROM scratch\n");
	buf_add(&text, input, len);
	if (dockerfile_parse(text.data, text.len, "f", &d, &list, &err) < 0 ||
		instruction_expand(d->stages[0].items[0], d->directives.escape, &vars, &in,
			&undefined, &err) < 0)
		failed(&err, out);
	else
		dump_instruction(in, out);
	dump_list("undefined", &undefined, out);
}

/* All errors of a file: line, column, message. */
static void
check_errors(const char *input, size_t len, struct buf *out)
{
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	struct err err;

	if (dockerfile_parse(input, len, "f", &d, &list, &err) == 0)
		buf_adds(out, "fine");
	for (size_t i = 0; i < list.count; i++) {
		const struct diagnostic *one = &list.items[i];

		buf_addf(out, "{%d", one->line_start);
		if (one->column > 0)
			buf_addf(out, "@%d:%d", one->column_line, one->column);
		buf_addf(out, " %s}", one->message);
	}
}

static void
check_lint(const char *input, size_t len, struct buf *out)
{
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	AUTO(lint) struct lint lint = LINT_INIT;
	struct err err;

	if (dockerfile_parse(input, len, "f", &d, &list, &err) < 0 ||
		lint_start(&lint, d, NULL, &list, &err) < 0) {
		failed(&err, out);
		return;
	}
	lint_file(&lint);
	for (size_t i = 0; i < d->stage_count; i++)
		for (size_t j = 0; j < d->stages[i].count; j++)
			lint_pairs(&lint, d->stages[i].items[j]);
	diagnostics_sort(&list);
	for (size_t i = 0; i < list.count; i++)
		buf_addf(out, "{%d %s: %s}", list.items[i].line_start, list.items[i].rule,
			list.items[i].message);
	if (lint_finish(&lint, &err) < 0)
		failed(&err, out);
}

static void
check_lint_config(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(lint_config) struct lint_config c = LINT_CONFIG_INIT;
	struct err err;

	if (lint_config_parse(input, &c, &err) < 0) {
		failed(&err, out);
		return;
	}
	buf_adds(out, c.skip_all ? " skip-all" : "");
	buf_adds(out, c.experimental_all ? " experimental-all" : "");
	buf_adds(out, c.error ? " error" : "");
	dump_list("skip", &c.skip, out);
	dump_list("experimental", &c.experimental, out);
}

static void
check_syntax(const char *input, size_t len, struct buf *out)
{
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	struct err err;

	buf_add(&text, input, len);
	buf_adds(&text, "\nFROM a\n");
	if (dockerfile_parse(text.data, text.len, "Dockerfile", &d, &list, &err) < 0)
		failed(&err, out);
	else
		buf_adds(out, d->directives.syntax != NULL ? d->directives.syntax : "-");
}

static void
check_trigger(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(instruction) struct instruction *in = NULL;
	struct err err;

	if (dockerfile_parse_trigger(input, &in, &err) < 0)
		failed(&err, out);
	else
		dump_instruction(in, out);
}

/* What the shell of a RUN gets. */
static void
check_shell_text(const char *input, size_t len, struct buf *out)
{
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(free) char *shell = NULL;
	struct err err;
	bool script = false;

	buf_adds(&text, "FROM scratch\n");
	buf_add(&text, input, len);
	if (dockerfile_parse(text.data, text.len, "f", &d, &list, &err) < 0) {
		failed(&err, out);
		return;
	}
	shell = instruction_shell_text(d->stages[0].items[0], &script);
	buf_addf(out, "%s%s", script ? "script: " : "", shell != NULL ? shell : "-");
}

#define TABLE(name)                             \
	TEST(table_##name)                      \
	{                                       \
		table_run(#name, check_##name); \
	}

TABLE(expand)
TABLE(expand_backtick)
TABLE(expand_keep)
TABLE(words)
TABLE(body)
TABLE(heredoc)
TABLE(lex)
TABLE(instruction)
TABLE(expanded)
TABLE(errors)
TABLE(lint)
TABLE(lint_config)
TABLE(syntax)
TABLE(trigger)
TABLE(shell_text)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(table_expand),
		CASE(table_expand_backtick),
		CASE(table_expand_keep),
		CASE(table_words),
		CASE(table_body),
		CASE(table_heredoc),
		CASE(table_lex),
		CASE(table_instruction),
		CASE(table_expanded),
		CASE(table_errors),
		CASE(table_lint),
		CASE(table_lint_config),
		CASE(table_syntax),
		CASE(table_trigger),
		CASE(table_shell_text),
	};

	return RUN(tests);
}
