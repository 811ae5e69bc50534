/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_LINT_H
#define DOCKERFILE_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"
#include "build/dockerfile/diagnostic.h"
#include "build/dockerfile/expand.h"
#include "build/dockerfile/ignore.h"
#include "build/dockerfile/parse.h"

/* lint - BuildKit's 22 rules, their texts and links.
 *
 * 1. lint_start(&lint, file, override, diagnostics, err)
 * 2. lint_file(&lint): all rules that need the text alone
 * 3. the planner calls the others where it knows more
 * 4. lint_finish(&lint, err): -1 "lint violation found for rules: A, B" when error=true was asked for
 */

enum lint_rule {
	LINT_STAGE_NAME_CASING,
	LINT_FROM_AS_CASING,
	LINT_NO_EMPTY_CONTINUATION,
	LINT_CONSISTENT_INSTRUCTION_CASING,
	LINT_DUPLICATE_STAGE_NAME,
	LINT_RESERVED_STAGE_NAME,
	LINT_JSON_ARGS_RECOMMENDED,
	LINT_MAINTAINER_DEPRECATED,
	LINT_UNDEFINED_ARG_IN_FROM,
	LINT_WORKDIR_RELATIVE_PATH,
	LINT_UNDEFINED_VAR,
	LINT_MULTIPLE_INSTRUCTIONS_DISALLOWED,
	LINT_LEGACY_KEY_VALUE_FORMAT,
	LINT_INVALID_BASE_IMAGE_PLATFORM,
	LINT_REDUNDANT_TARGET_PLATFORM,
	LINT_SECRETS_USED_IN_ARG_OR_ENV,
	LINT_INVALID_DEFAULT_ARG_IN_FROM,
	LINT_FROM_PLATFORM_FLAG_CONST_DISALLOWED,
	LINT_COPY_IGNORED_FILE,
	LINT_INVALID_DEFINITION_DESCRIPTION, /* experimental */
	LINT_EXPOSE_PROTO_CASING,
	LINT_EXPOSE_INVALID_FORMAT,
	LINT_RULE_COUNT,
};

const char *lint_rule_name(enum lint_rule rule);        /* "StageNameCasing" */
const char *lint_rule_description(enum lint_rule rule);
const char *lint_rule_url(enum lint_rule rule);         /* NULL: it has none */

void lint_config_free(struct lint_config *c);
void auto_lint_config(struct lint_config *c);
void lint_config_copy(const struct lint_config *c, struct lint_config *out);
/* "skip=A,B;error=true;experimental=all": the value of `# check=` or of BUILDKIT_DOCKERFILE_CHECK. */
int lint_config_parse(const char *text, struct lint_config *out, struct err *err);
/* From the comments above an instruction: the first `check=...` among them, if it can be read. */
void lint_config_comments(const struct strv *comments, struct lint_config *out);

struct lint {
	const struct dockerfile *file;
	struct lint_config config;
	struct diagnostics *diagnostics;
	bool called[LINT_RULE_COUNT];
};
#define LINT_INIT { .file = NULL }
void auto_lint(struct lint *l);

/* override: what the build argument BUILDKIT_DOCKERFILE_CHECK says; NULL: the file's directive
 * counts. */
int lint_start(struct lint *l, const struct dockerfile *file, const char *override,
	struct diagnostics *diagnostics, struct err *err);
void lint_file(struct lint *l);
int lint_finish(const struct lint *l, struct err *err);

/* Adds a warning about an instruction, unless a rule is skipped there.  The arguments are the %s of
 * the rule's message, in order. */
void lint_add(struct lint *l, enum lint_rule rule, const struct instruction *at, ...);
/* The same about lines, where these rules are skipped. */
void lint_add_lines(struct lint *l, enum lint_rule rule, const struct lint_config *here, int first,
	int last, ...);

/* --- rules that need more than the text ------------------------------------------------------- */

/* FROM or its --platform use names that no ARG before it declares; names: those that are. */
void lint_undefined_args(struct lint *l, const struct stage *stage, const struct strv *undefined,
	const struct strv *names);
/* An instruction uses variables that are not set: undefined, without those that an ARG declares;
 * env: NAME=value list that holds here, for the suggestion. */
void lint_undefined_vars(struct lint *l, const struct instruction *in, const struct strv *undefined,
	const struct strv *declared, const struct strv *env);
/* --platform of a stage, expanded with the global arguments; target: value of TARGETPLATFORM; os and
 * architecture of what it names (NULL where it cannot be parsed). */
void lint_platform(struct lint *l, const struct stage *stage, const struct expansion *platform,
	const char *target, const char *os, const char *architecture);
/* CMD and ENTRYPOINT in shell form where no SHELL is set. */
void lint_shell_form(struct lint *l, const struct instruction *in, bool shell_is_set);
/* The first WORKDIR of a chain of stages in this file is relative (path: expanded). */
void lint_workdir(struct lint *l, const struct instruction *in, const char *path, bool workdir_is_set);
/* CMD, ENTRYPOINT or HEALTHCHECK again in one stage: said of the earlier one, which counts no more. */
void lint_again(struct lint *l, const struct instruction *earlier, const struct instruction *later);
/* ENV (expanded or not) and ARG with names that look like secrets; ENV and LABEL in legacy form. */
void lint_pairs(struct lint *l, const struct instruction *in);
/* One word of EXPOSE, expanded. */
void lint_expose(struct lint *l, const struct instruction *in, const char *word);
/* A source of COPY or ADD (expanded) from the context, which has these patterns (NULL: none). */
void lint_copy_ignored(struct lint *l, const struct instruction *in, const char *source,
	const struct ignore *ignore);
/* Expected and actual are formatted platforms; called when os or architecture differ. */
void lint_base_platform(struct lint *l, const struct stage *stage, const char *image,
	const char *expected, const char *actual);
/* The stage's base is empty or no valid reference when only default arguments are used. */
void lint_default_base(struct lint *l, const struct stage *stage);

#endif
