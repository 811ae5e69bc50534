/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "build/dockerfile/lint.h"
#include "tests/unit/test.h"

/* The rules that a build calls, with the texts that people grep for. */

struct bench {
	struct dockerfile *file;
	struct diagnostics list;
	struct lint lint;
};

static void
bench_start(struct bench *b, const char *text)
{
	struct err err = { .kind = ERR_NONE };

	*b = (struct bench){ .list = DIAGNOSTICS_INIT };
	works(dockerfile_parse(text, strlen(text), "f", &b->file, &b->list, &err));
	works(lint_start(&b->lint, b->file, NULL, &b->list, &err));
}

static void
auto_bench(struct bench *b)
{
	auto_lint(&b->lint);
	auto_diagnostics(&b->list);
	auto_dockerfile(&b->file);
}

/* The one warning that there is, and none any more. */
static void
said(struct bench *b, int line, const char *rule, const char *message)
{
	same_int(b->list.count, 1);
	same_int(b->list.items[0].line_start, line);
	same_str(b->list.items[0].rule, rule);
	same_str(b->list.items[0].message, message);
	free(b->list.items[0].message);
	b->list.count = 0;
}

static const struct instruction *
item(const struct bench *b, size_t index)
{
	return b->file->stages[0].items[index];
}

TEST(undefined_arguments_of_from)
{
	AUTO(bench) struct bench b;
	AUTO(strv) struct strv undefined = STRV_INIT;
	AUTO(strv) struct strv names = STRV_INIT;

	bench_start(&b, "ARG VERSION\nFROM a:$VERSOIN\n");
	strv_add(&names, "VERSION");
	strv_add(&undefined, "VERSION");
	lint_undefined_args(&b.lint, &b.file->stages[0], &undefined, &names);
	same_int(b.list.count, 0);
	strv_add(&undefined, "VERSOIN");
	lint_undefined_args(&b.lint, &b.file->stages[0], &undefined, &names);
	said(&b, 2, "UndefinedArgInFrom",
		"FROM argument 'VERSOIN' is not declared (did you mean VERSION?)");
	strv_free(&undefined);
	strv_add(&undefined, "SOMETHING");
	lint_undefined_args(&b.lint, &b.file->stages[0], &undefined, &names);
	said(&b, 2, "UndefinedArgInFrom", "FROM argument 'SOMETHING' is not declared");
}

TEST(undefined_variables)
{
	AUTO(bench) struct bench b;
	AUTO(strv) struct strv undefined = STRV_INIT;
	AUTO(strv) struct strv declared = STRV_INIT;
	AUTO(strv) struct strv env = STRV_INIT;

	bench_start(&b, "FROM a\nENV X=$PAHT\n# check=skip=UndefinedVar\nENV Y=$PAHT\n");
	strv_add(&env, "PATH=/bin");
	strv_add(&declared, "DECLARED");
	strv_add(&undefined, "DECLARED");
	strv_add(&undefined, "PAHT");
	lint_undefined_vars(&b.lint, item(&b, 0), &undefined, &declared, &env);
	said(&b, 2, "UndefinedVar", "Usage of undefined variable '$PAHT' (did you mean $PATH?)");
	lint_undefined_vars(&b.lint, item(&b, 1), &undefined, &declared, &env);
	same_int(b.list.count, 0);
}

TEST(platforms)
{
	AUTO(bench) struct bench b;
	AUTO(expansion) struct expansion e = EXPANSION_INIT;
	AUTO(strv) struct strv env = STRV_INIT;
	struct expand_vars vars = expand_vars_env(&env);
	struct err err = { .kind = ERR_NONE };

	bench_start(&b,
		"FROM --platform=$TARGETPLATFORM a AS x\nFROM --platform=linux/arm64 a AS y\n"
		"FROM --platform=linux/arm64 a AS y-arm64\n");
	strv_env_set(&env, "TARGETPLATFORM", "linux/amd64");
	works(expand(b.file->stages[0].platform, '\\', 0, &vars, &e, &err));
	lint_platform(&b.lint, &b.file->stages[0], &e, "linux/amd64", "linux", "amd64");
	said(&b, 1, "RedundantTargetPlatform",
		"Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is "
		"the default behavior");
	works(expand(b.file->stages[1].platform, '\\', 0, &vars, &e, &err));
	lint_platform(&b.lint, &b.file->stages[1], &e, "linux/amd64", NULL, NULL);
	same_int(b.list.count, 0);
	lint_platform(&b.lint, &b.file->stages[1], &e, "linux/amd64", "linux", "arm64");
	said(&b, 2, "FromPlatformFlagConstDisallowed",
		"FROM --platform flag should not use constant value \"linux/arm64\"");
	lint_platform(&b.lint, &b.file->stages[2], &e, "linux/amd64", "linux", "arm64");
	same_int(b.list.count, 0);
	lint_base_platform(&b.lint, &b.file->stages[0], "a", "linux/amd64", "linux/arm64");
	said(&b, 1, "InvalidBaseImagePlatform",
		"Base image a was pulled with platform \"linux/arm64\", expected \"linux/amd64\" "
		"for current build");
}

TEST(shell_forms)
{
	AUTO(bench) struct bench b;

	bench_start(&b, "FROM a\nCMD x\nentrypoint [\"x\"]\n");
	lint_shell_form(&b.lint, item(&b, 0), true);
	lint_shell_form(&b.lint, item(&b, 1), false);
	same_int(b.list.count, 0);
	lint_shell_form(&b.lint, item(&b, 0), false);
	said(&b, 2, "JSONArgsRecommended",
		"JSON arguments recommended for CMD to prevent unintended behavior related to OS "
		"signals");
}

TEST(directories)
{
	AUTO(bench) struct bench b;

	bench_start(&b, "FROM a\nWORKDIR x\n");
	lint_workdir(&b.lint, item(&b, 0), "x", true);
	lint_workdir(&b.lint, item(&b, 0), "/x", false);
	same_int(b.list.count, 0);
	lint_workdir(&b.lint, item(&b, 0), "x", false);
	said(&b, 2, "WorkdirRelativePath",
		"Relative workdir \"x\" can have unexpected results if the base image changes");
}

TEST(instructions_that_count_once)
{
	AUTO(bench) struct bench b;

	bench_start(&b, "FROM a\nCMD x\ncmd y\n");
	lint_again(&b.lint, item(&b, 0), item(&b, 1));
	said(&b, 2, "MultipleInstructionsDisallowed",
		"Multiple cmd instructions should not be used in the same stage because only the "
		"last one will be used");
}

TEST(ports)
{
	AUTO(bench) struct bench b;

	bench_start(&b, "FROM a\nEXPOSE 80/TCP\n");
	lint_expose(&b.lint, item(&b, 0), "80/tcp");
	lint_expose(&b.lint, item(&b, 0), "nonsense");
	same_int(b.list.count, 0);
	lint_expose(&b.lint, item(&b, 0), "80/TCP");
	said(&b, 2, "ExposeProtoCasing",
		"Defined protocol '80/TCP' in EXPOSE instruction should be lowercase");
	lint_expose(&b.lint, item(&b, 0), "127.0.0.1:80:80");
	said(&b, 2, "ExposeInvalidFormat",
		"EXPOSE instruction should not define an IP address or host-port mapping, found "
		"'127.0.0.1:80:80'");
}

TEST(sources_that_are_ignored)
{
	AUTO(bench) struct bench b;
	AUTO(ignore) struct ignore *ig = NULL;
	AUTO(ignore) struct ignore *all = NULL;
	AUTO(ignore) struct ignore *exceptions = NULL;
	struct err err = { .kind = ERR_NONE };

	bench_start(&b, "FROM a\nCOPY x y\nADD x y\n");
	works(ignore_parse("d\n", 2, "i", &ig, &err));
	works(ignore_parse("*\n", 2, "i", &all, &err));
	works(ignore_parse("d\n!e\n", 5, "i", &exceptions, &err));
	lint_copy_ignored(&b.lint, item(&b, 0), "d/f", NULL);
	lint_copy_ignored(&b.lint, item(&b, 0), "d/f", exceptions);
	lint_copy_ignored(&b.lint, item(&b, 0), ".", ig);
	lint_copy_ignored(&b.lint, item(&b, 0), "e", ig);
	same_int(b.list.count, 0);
	lint_copy_ignored(&b.lint, item(&b, 0), "./d/f", ig);
	said(&b, 2, "CopyIgnoredFile",
		"Attempting to Copy file \"d/f\" that is excluded by .dockerignore");
	lint_copy_ignored(&b.lint, item(&b, 1), ".", all);
	said(&b, 3, "CopyIgnoredFile",
		"Attempting to Add file \".\" that is excluded by .dockerignore");
}

TEST(bases_that_are_none_by_default)
{
	AUTO(bench) struct bench b;

	bench_start(&b, "ARG X\nFROM $X\n");
	lint_default_base(&b.lint, &b.file->stages[0]);
	said(&b, 2, "InvalidDefaultArgInFrom",
		"Default value for ARG $X results in empty or invalid base image name");
}

TEST(a_build_argument_overrides_the_directive)
{
	static const char text[] = "# check=skip=all\nFROM a AS B\n";
	AUTO(bench) struct bench b;
	struct err err = { .kind = ERR_NONE };

	bench_start(&b, text);
	lint_file(&b.lint);
	same_int(b.list.count, 0);
	auto_lint(&b.lint);
	fails(lint_start(&b.lint, b.file, "skip", &b.list, &err),
		"failed to parse check options: invalid check option \"skip\"");
	works(lint_start(&b.lint, b.file, "error=true", &b.list, &err));
	lint_file(&b.lint);
	said(&b, 2, "StageNameCasing", "Stage name 'B' should be lowercase");
	fails(lint_finish(&b.lint, &err), "lint violation found for rules: StageNameCasing");
}

TEST(every_rule_has_a_name_and_a_description)
{
	for (int i = 0; i < LINT_RULE_COUNT; i++) {
		is_true(lint_rule_name(i) != NULL && lint_rule_description(i) != NULL);
		is_true(lint_rule_url(i) != NULL || i == LINT_INVALID_BASE_IMAGE_PLATFORM);
		for (int j = 0; j < i; j++)
			is_true(!streq(lint_rule_name(i), lint_rule_name(j)));
	}
	same_int(LINT_RULE_COUNT, 22);
}

TEST(stages_are_found_by_name_in_any_case)
{
	AUTO(bench) struct bench b;

	bench_start(&b, "FROM a AS one\nFROM b\nFROM c AS one\n");
	same_int(dockerfile_stage(b.file, "ONE"), 2);
	same_int(dockerfile_stage(b.file, "two"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(undefined_arguments_of_from),
		CASE(undefined_variables),
		CASE(platforms),
		CASE(shell_forms),
		CASE(directories),
		CASE(instructions_that_count_once),
		CASE(ports),
		CASE(sources_that_are_ignored),
		CASE(bases_that_are_none_by_default),
		CASE(a_build_argument_overrides_the_directive),
		CASE(every_rule_has_a_name_and_a_description),
		CASE(stages_are_found_by_name_in_any_case),
	};

	return RUN(tests);
}
