/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/mem.h"
#include "build/dockerfile/lint.h"
#include "build/dockerfile/parse.h"
#include "tests/fuzz/fuzz_dockerfile.h"

/* A file from nowhere: it is parsed, or every error has a message; what was parsed can be expanded,
 * checked and copied. */

static void
check_instruction(struct lint *lint, const struct instruction *in, char escape)
{
	AUTO(strv) struct strv env = STRV_INIT;
	AUTO(strv) struct strv undefined = STRV_INIT;
	AUTO(instruction) struct instruction *expanded = NULL;
	AUTO(instruction) struct instruction *trigger = NULL;
	AUTO(free) char *shell = NULL;
	struct expand_vars vars = expand_vars_env(&env);
	struct err err;
	bool script;

	strv_env_set(&env, "A", "a value");
	strv_env_set(&env, "B", "");
	law(in->line_start >= 1 && in->line_end >= in->line_start);
	law(in->text[0] != '\0' && in->kind < INSTRUCTION_COUNT);
	if (instruction_expand(in, escape, &vars, &expanded, &undefined, &err) == 0)
		law(expanded->kind == in->kind);
	lint_pairs(lint, in);
	lint_undefined_vars(lint, in, &undefined, &env, &env);
	if (in->trigger != NULL)
		dockerfile_parse_trigger(in->trigger, &trigger, &err);
	if (in->kind == INSTRUCTION_RUN)
		shell = instruction_shell_text(in, &script);
	law(shell != NULL || in->kind != INSTRUCTION_RUN || in->is_json);
}

static void
check_file(const struct dockerfile *d, struct diagnostics *list)
{
	AUTO(lint) struct lint lint = LINT_INIT;
	struct err err;

	law(d->stage_count > 0);
	law(lint_start(&lint, d, NULL, list, &err) == 0);
	lint_file(&lint);
	for (size_t i = 0; i < d->stage_count; i++) {
		law(d->stages[i].base[0] != '\0');
		for (size_t j = 0; j < d->stages[i].count; j++)
			check_instruction(&lint, d->stages[i].items[j], d->directives.escape);
	}
	lint_finish(&lint, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	struct err err;

	if (dockerfile_parse((const char *)bytes, len, "Dockerfile", &d, &list, &err) == 0)
		check_file(d, &list);
	else
		law(diagnostics_errors(&list) > 0 && err.msg[0] != '\0');
	diagnostics_sort(&list);
	for (size_t i = 0; i < list.count && i < 16; i++) {
		law(list.items[i].message[0] != '\0');
		diagnostic_format(&list, &list.items[i], &text);
	}
	return 0;
}
