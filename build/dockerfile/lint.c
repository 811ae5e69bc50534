/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/lint.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "build/dockerfile/quote.h"

#define RULE_URL "https://docs.docker.com/go/dockerfile/rule/"

/* The rules.  In a message %s stands for an argument as it is, %q for one in quotes as Go writes
 * them. */
static const struct rule {
	const char *name;
	const char *description;
	const char *url;
	const char *message;
	bool experimental;
} rules[LINT_RULE_COUNT] = {
	[LINT_STAGE_NAME_CASING] = { "StageNameCasing", "Stage names should be lowercase",
		RULE_URL "stage-name-casing/", "Stage name '%s' should be lowercase", false },
	[LINT_FROM_AS_CASING] = { "FromAsCasing",
		"The 'as' keyword should match the case of the 'from' keyword",
		RULE_URL "from-as-casing/", "'%s' and '%s' keywords' casing do not match", false },
	[LINT_NO_EMPTY_CONTINUATION] = { "NoEmptyContinuation",
		"Empty continuation lines will become errors in a future release",
		RULE_URL "no-empty-continuation/", "Empty continuation line", false },
	[LINT_CONSISTENT_INSTRUCTION_CASING] = { "ConsistentInstructionCasing",
		"All commands within the Dockerfile should use the same casing (either upper or "
		"lower)",
		RULE_URL "consistent-instruction-casing/",
		"Command '%s' should match the case of the command majority (%s)", false },
	[LINT_DUPLICATE_STAGE_NAME] = { "DuplicateStageName", "Stage names should be unique",
		RULE_URL "duplicate-stage-name/",
		"Duplicate stage name %q, stage names should be unique", false },
	[LINT_RESERVED_STAGE_NAME] = { "ReservedStageName",
		"Reserved words should not be used as stage names", RULE_URL "reserved-stage-name/",
		"Stage name should not use the same name as reserved stage %q", false },
	[LINT_JSON_ARGS_RECOMMENDED] = { "JSONArgsRecommended",
		"JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior "
		"related to OS signals",
		RULE_URL "json-args-recommended/",
		"JSON arguments recommended for %s to prevent unintended behavior related to OS "
		"signals",
		false },
	[LINT_MAINTAINER_DEPRECATED] = { "MaintainerDeprecated",
		"The MAINTAINER instruction is deprecated, use a label instead to define an image "
		"author",
		RULE_URL "maintainer-deprecated/",
		"Maintainer instruction is deprecated in favor of using label", false },
	[LINT_UNDEFINED_ARG_IN_FROM] = { "UndefinedArgInFrom",
		"FROM command must use declared ARGs", RULE_URL "undefined-arg-in-from/",
		"FROM argument '%s' is not declared%s", false },
	[LINT_WORKDIR_RELATIVE_PATH] = { "WorkdirRelativePath",
		"Relative workdir without an absolute workdir declared within the build can have "
		"unexpected results if the base image changes",
		RULE_URL "workdir-relative-path/",
		"Relative workdir %q can have unexpected results if the base image changes",
		false },
	[LINT_UNDEFINED_VAR] = { "UndefinedVar", "Variables should be defined before their use",
		RULE_URL "undefined-var/", "Usage of undefined variable '$%s'%s", false },
	[LINT_MULTIPLE_INSTRUCTIONS_DISALLOWED] = { "MultipleInstructionsDisallowed",
		"Multiple instructions of the same type should not be used in the same stage",
		RULE_URL "multiple-instructions-disallowed/",
		"Multiple %s instructions should not be used in the same stage because only the "
		"last one will be used",
		false },
	[LINT_LEGACY_KEY_VALUE_FORMAT] = { "LegacyKeyValueFormat",
		"Legacy key/value format with whitespace separator should not be used",
		RULE_URL "legacy-key-value-format/",
		"\"%s key=value\" should be used instead of legacy \"%s key value\" format",
		false },
	[LINT_INVALID_BASE_IMAGE_PLATFORM] = { "InvalidBaseImagePlatform",
		"Base image platform does not match expected target platform", NULL,
		"Base image %s was pulled with platform %q, expected %q for current build", false },
	[LINT_REDUNDANT_TARGET_PLATFORM] = { "RedundantTargetPlatform",
		"Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is "
		"the default behavior",
		RULE_URL "redundant-target-platform/",
		"Setting platform to predefined %s in FROM is redundant as this is the default "
		"behavior",
		false },
	[LINT_SECRETS_USED_IN_ARG_OR_ENV] = { "SecretsUsedInArgOrEnv",
		"Sensitive data should not be used in the ARG or ENV commands",
		RULE_URL "secrets-used-in-arg-or-env/",
		"Do not use ARG or ENV instructions for sensitive data (%s %q)", false },
	[LINT_INVALID_DEFAULT_ARG_IN_FROM] = { "InvalidDefaultArgInFrom",
		"Default value for global ARG results in an empty or invalid base image name",
		RULE_URL "invalid-default-arg-in-from/",
		"Default value for ARG %s results in empty or invalid base image name", false },
	[LINT_FROM_PLATFORM_FLAG_CONST_DISALLOWED] = { "FromPlatformFlagConstDisallowed",
		"FROM --platform flag should not use a constant value",
		RULE_URL "from-platform-flag-const-disallowed/",
		"FROM --platform flag should not use constant value %q", false },
	[LINT_COPY_IGNORED_FILE] = { "CopyIgnoredFile",
		"Attempting to Copy file that is excluded by .dockerignore",
		RULE_URL "copy-ignored-file/",
		"Attempting to %s file %q that is excluded by .dockerignore", false },
	[LINT_INVALID_DEFINITION_DESCRIPTION] = { "InvalidDefinitionDescription",
		"Comment for build stage or argument should follow the format: `# <arg/stage name> "
		"<description>`. If this is not intended to be a description comment, add an empty "
		"line or comment between the instruction and the comment.",
		RULE_URL "invalid-definition-description/",
		"Comment for %s should follow the format: `# %s <description>`", true },
	[LINT_EXPOSE_PROTO_CASING] = { "ExposeProtoCasing",
		"Protocol in EXPOSE instruction should be lowercase",
		RULE_URL "expose-proto-casing/",
		"Defined protocol '%s' in EXPOSE instruction should be lowercase", false },
	[LINT_EXPOSE_INVALID_FORMAT] = { "ExposeInvalidFormat",
		"IP address and host-port mapping should not be used in EXPOSE instruction. This "
		"will become an error in a future release",
		RULE_URL "expose-invalid-format/",
		"EXPOSE instruction should not define an IP address or host-port mapping, found "
		"'%s'",
		false },
};

const char *
lint_rule_name(enum lint_rule rule)
{
	return rules[rule].name;
}

const char *
lint_rule_description(enum lint_rule rule)
{
	return rules[rule].description;
}

const char *
lint_rule_url(enum lint_rule rule)
{
	return rules[rule].url;
}

void
auto_lint(struct lint *l)
{
	lint_config_free(&l->config);
}

int
lint_start(struct lint *l, const struct dockerfile *file, const char *override,
	struct diagnostics *diagnostics, struct err *err)
{
	struct lint_config config = LINT_CONFIG_INIT;

	if (override != NULL) {
		if (lint_config_parse(override, &config, err) < 0)
			return err_in(err, "failed to parse check options");
	} else {
		lint_config_copy(&file->directives.lint, &config);
	}
	*l = (struct lint){ .file = file, .config = config, .diagnostics = diagnostics };
	return 0;
}

static bool
is_wanted(const struct lint *l, const struct rule *rule, const struct lint_config *here)
{
	if (rule->experimental)
		return l->config.experimental_all || here->experimental_all ||
		       strv_has(&l->config.experimental, rule->name) ||
		       strv_has(&here->experimental, rule->name);
	return !l->config.skip_all && !here->skip_all && !strv_has(&l->config.skip, rule->name) &&
	       !strv_has(&here->skip, rule->name);
}

static void
format(const char *message, va_list arguments, struct buf *out)
{
	while (*message != '\0') {
		size_t len = strcspn(message, "%");

		buf_add(out, message, len);
		message += len;
		if (*message == '\0')
			return;
		if (message[1] == 's')
			buf_adds(out, va_arg(arguments, const char *));
		else
			quote_add(out, va_arg(arguments, const char *), 1024);
		message += 2;
	}
}

static void
add_at(struct lint *l, enum lint_rule which, const struct lint_config *config, int first, int last,
	va_list arguments)
{
	const struct rule *rule = &rules[which];
	AUTO(buf) struct buf message = BUF_INIT;

	if (!is_wanted(l, rule, config))
		return;
	l->called[which] = true;
	format(rule->message, arguments, &message);
	diagnostics_add(l->diagnostics,
		&(struct diagnostic){ .severity = SEVERITY_WARNING,
			.rule = rule->name,
			.url = rule->url,
			.description = rule->description,
			.line_start = first,
			.line_end = last },
		"%s", message.data);
}

void
lint_add(struct lint *l, enum lint_rule rule, const struct instruction *at, ...)
{
	va_list arguments;

	va_start(arguments, at);
	add_at(l, rule, &at->lint, at->line_start, at->line_end, arguments);
	va_end(arguments);
}

void
lint_add_lines(struct lint *l, enum lint_rule rule, const struct lint_config *here, int first,
	int last, ...)
{
	va_list arguments;

	va_start(arguments, last);
	add_at(l, rule, here, first, last, arguments);
	va_end(arguments);
}

int
lint_finish(const struct lint *l, struct err *err)
{
	AUTO(strv) struct strv names = STRV_INIT;
	AUTO(free) char *list = NULL;

	if (!l->config.error)
		return 0;
	for (int i = 0; i < LINT_RULE_COUNT; i++)
		if (l->called[i])
			strv_add(&names, rules[i].name);
	if (names.count == 0)
		return 0;
	strv_sort(&names);
	list = strv_join(&names, ", ");
	return err_set(err, ERR_INPUT, "lint violation found for rules: %s", list);
}
