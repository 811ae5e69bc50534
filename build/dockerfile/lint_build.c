/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/lint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/path.h"
#include "build/dockerfile/expose.h"
#include "build/dockerfile/suggest.h"

/* The rules that need what a build knows: values of variables, platforms, ignore files. */

/* The names of a list of NAME=value, or of NAME. */
static const char *
nearest_name(const char *word, const struct strv *list, struct strv *names)
{
	for (size_t i = 0; i < list->count; i++)
		strv_addn(names, list->items[i], strcspn(list->items[i], "="));
	return suggest(word, (const char *const *)names->items, names->count, false);
}

void
lint_undefined_args(struct lint *l, const struct stage *stage, const struct strv *undefined,
	const struct strv *names)
{
	for (size_t i = 0; i < undefined->count; i++) {
		AUTO(strv) struct strv options = STRV_INIT;
		AUTO(free) char *hint = NULL;
		const char *name = undefined->items[i], *nearest;

		if (strv_has(names, name))
			continue;
		nearest = nearest_name(name, names, &options);
		hint = nearest != NULL ? xasprintf(" (did you mean %s?)", nearest) : xstrdup("");
		lint_add(l, LINT_UNDEFINED_ARG_IN_FROM, stage->from, name, hint);
	}
}

void
lint_undefined_vars(struct lint *l, const struct instruction *in, const struct strv *undefined,
	const struct strv *declared, const struct strv *env)
{
	for (size_t i = 0; i < undefined->count; i++) {
		AUTO(strv) struct strv options = STRV_INIT;
		AUTO(free) char *hint = NULL;
		const char *name = undefined->items[i], *nearest;

		if (strv_has(declared, name))
			continue;
		nearest = nearest_name(name, env, &options);
		hint = nearest != NULL ? xasprintf(" (did you mean $%s?)", nearest) : xstrdup("");
		lint_add(l, LINT_UNDEFINED_VAR, in, name, hint);
	}
}

void
lint_platform(struct lint *l, const struct stage *stage, const struct expansion *platform,
	const char *target, const char *os, const char *architecture)
{
	const char *name = stage->name != NULL ? stage->name : "";
	bool constant = platform->used.count == 0 && platform->undefined.count == 0;

	if (platform->used.count == 1 && platform->undefined.count == 0 &&
		streq(platform->used.items[0], "TARGETPLATFORM") && streq(platform->text, target))
		lint_add(l, LINT_REDUNDANT_TARGET_PLATFORM, stage->from, stage->platform);
	/* a stage that is named after a platform is meant for it */
	if (constant && os != NULL && architecture != NULL && strstr(name, os) == NULL &&
		strstr(name, architecture) == NULL)
		lint_add(l, LINT_FROM_PLATFORM_FLAG_CONST_DISALLOWED, stage->from, platform->text);
}

void
lint_shell_form(struct lint *l, const struct instruction *in, bool shell_is_set)
{
	if (!in->is_json && !shell_is_set)
		lint_add(l, LINT_JSON_ARGS_RECOMMENDED, in, in->name);
}

void
lint_workdir(struct lint *l, const struct instruction *in, const char *path, bool workdir_is_set)
{
	if (!workdir_is_set && path[0] != '/')
		lint_add(l, LINT_WORKDIR_RELATIVE_PATH, in, path);
}

void
lint_again(struct lint *l, const struct instruction *earlier, const struct instruction *later)
{
	lint_add_lines(l, LINT_MULTIPLE_INSTRUCTIONS_DISALLOWED, &later->lint, earlier->line_start,
		earlier->line_end, later->name);
}

/* One of the words stands in the name, alone or between underscores. */
static bool
has_word(const char *name, const char *const *words, size_t count)
{
	while (*name != '\0') {
		size_t len = strcspn(name, "_");

		for (size_t i = 0; i < count; i++)
			if (strlen(words[i]) == len && strncasecmp(name, words[i], len) == 0)
				return true;
		name += len;
		name += *name == '_';
	}
	return false;
}

static bool
looks_secret(const char *name)
{
	static const char *const secret[] = { "apikey", "auth", "credential", "credentials", "key",
		"password", "pword", "passwd", "secret", "token" };
	static const char *const open[] = { "public", "file", "version" };

	return has_word(name, secret, COUNT_OF(secret)) && !has_word(name, open, COUNT_OF(open));
}

void
lint_pairs(struct lint *l, const struct instruction *in)
{
	for (size_t i = 0; i < in->pair_count; i++) {
		if (in->pairs[i].legacy)
			lint_add(l, LINT_LEGACY_KEY_VALUE_FORMAT, in, in->name, in->name);
		if (in->kind != INSTRUCTION_LABEL && looks_secret(in->pairs[i].name))
			lint_add(l, LINT_SECRETS_USED_IN_ARG_OR_ENV, in, instruction_name(in->kind),
				in->pairs[i].name);
	}
}

void
lint_expose(struct lint *l, const struct instruction *in, const char *word)
{
	AUTO(strv) struct strv ignored = STRV_INIT;
	struct expose_notes notes = { .proto_case = false };
	struct err err;

	if (expose_parse(word, &ignored, &notes, &err) < 0)
		return;
	if (notes.proto_case)
		lint_add(l, LINT_EXPOSE_PROTO_CASING, in, word);
	if (notes.host_mapping)
		lint_add(l, LINT_EXPOSE_INVALID_FORMAT, in, word);
}

/* Exceptions are too hard to judge from a name alone, so files with any are let through. */
void
lint_copy_ignored(struct lint *l, const struct instruction *in, const char *source,
	const struct ignore *ignore)
{
	AUTO(buf) struct buf clean = BUF_INIT;

	if (ignore == NULL || ignore_has_exceptions(ignore))
		return;
	path_clean(source, &clean);
	if ((streq(clean.data, ".") || streq(clean.data, "/")) && !ignore_is_everything(ignore))
		return;
	if (ignore_excludes(ignore, clean.data, NULL))
		lint_add(l, LINT_COPY_IGNORED_FILE, in,
			in->kind == INSTRUCTION_ADD ? "Add" : "Copy", clean.data);
}

void
lint_base_platform(struct lint *l, const struct stage *stage, const char *image,
	const char *expected, const char *actual)
{
	lint_add(l, LINT_INVALID_BASE_IMAGE_PLATFORM, stage->from, image, actual, expected);
}

void
lint_default_base(struct lint *l, const struct stage *stage)
{
	lint_add(l, LINT_INVALID_DEFAULT_ARG_IN_FROM, stage->from, stage->base);
}
