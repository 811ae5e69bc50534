/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/lint.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* The rules for which the text is enough. */

static bool
has_lower(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'a' && *text <= 'z')
			return true;
	return false;
}

static bool
has_upper(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			return true;
	return false;
}

/* "# name what it is" is wanted right above a definition. */
static void
check_description(
	struct lint *l, const struct instruction *in, const char *const *names, size_t count)
{
	const char *comment;
	size_t len;

	if (in->comments.count == 0 || count == 0)
		return;
	comment = in->comments.items[in->comments.count - 1];
	len = strcspn(comment, " ");
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == len && memcmp(names[i], comment, len) == 0)
			return;
	lint_add(l, LINT_INVALID_DEFINITION_DESCRIPTION, in, instruction_name(in->kind),
		count > 1 ? "<arg_key>" : names[0]);
}

static void
check_from(struct lint *l, const struct stage *stage)
{
	const struct instruction *in = stage->from;
	const char *as = in->words.count == 3 ? in->words.items[1] : NULL;
	const char *const names[] = { stage->name };

	if (as == NULL)
		return;
	if (has_upper(in->words.items[2]))
		lint_add(l, LINT_STAGE_NAME_CASING, in, in->words.items[2]);
	/* a FROM of mixed case has a rule of its own */
	if (!has_upper(in->name) ? has_upper(as) : !has_lower(in->name) && has_lower(as))
		lint_add(l, LINT_FROM_AS_CASING, in, as, in->name);
	check_description(l, in, names, 1);
}

static void
check_arg(struct lint *l, const struct instruction *in)
{
	AUTO(free) const char **names = xcalloc(in->pair_count + 1, sizeof *names);

	for (size_t i = 0; i < in->pair_count; i++)
		names[i] = in->pairs[i].name;
	check_description(l, in, names, in->pair_count);
}

static void
check_item(struct lint *l, const struct instruction *in)
{
	if (in->kind == INSTRUCTION_MAINTAINER)
		lint_add(l, LINT_MAINTAINER_DEPRECATED, in);
	if (in->kind == INSTRUCTION_ARG)
		check_arg(l, in);
}

static void
check_names(struct lint *l)
{
	const struct dockerfile *d = l->file;

	for (size_t i = 0; i < d->stage_count; i++) {
		const char *name = d->stages[i].name;

		if (name == NULL)
			continue;
		if (streq(name, "context") || streq(name, "scratch"))
			lint_add(l, LINT_RESERVED_STAGE_NAME, d->stages[i].from, name);
		for (size_t j = 0; j < i; j++) {
			if (!streq(name, d->stages[j].name))
				continue;
			lint_add(l, LINT_DUPLICATE_STAGE_NAME, d->stages[i].from, name);
			break;
		}
	}
}

static void
count_case(const struct instruction *in, size_t *lower, size_t *upper)
{
	if (!has_upper(in->name))
		++*lower;
	else if (!has_lower(in->name))
		++*upper;
}

static void
check_case(struct lint *l, const struct instruction *in, bool mostly_lower)
{
	if (mostly_lower ? has_upper(in->name) : has_lower(in->name))
		lint_add(l, LINT_CONSISTENT_INSTRUCTION_CASING, in, in->name,
			mostly_lower ? "lowercase" : "uppercase");
}

/* Arguments before the first FROM are not asked. */
static void
check_cases(struct lint *l)
{
	const struct dockerfile *d = l->file;
	size_t lower = 0, upper = 0;

	for (size_t i = 0; i < d->stage_count; i++) {
		count_case(d->stages[i].from, &lower, &upper);
		for (size_t j = 0; j < d->stages[i].count; j++)
			count_case(d->stages[i].items[j], &lower, &upper);
	}
	for (size_t i = 0; i < d->stage_count; i++) {
		check_case(l, d->stages[i].from, lower > upper);
		for (size_t j = 0; j < d->stages[i].count; j++)
			check_case(l, d->stages[i].items[j], lower > upper);
	}
}

void
lint_file(struct lint *l)
{
	static const struct lint_config nothing = LINT_CONFIG_INIT;
	const struct dockerfile *d = l->file;

	for (size_t i = 0; i < d->empty_continuation_count; i++)
		lint_add_lines(l, LINT_NO_EMPTY_CONTINUATION, &nothing, d->empty_continuations[i],
			d->empty_continuations[i]);
	for (size_t i = 0; i < d->meta_arg_count; i++)
		check_item(l, d->meta_args[i]);
	for (size_t i = 0; i < d->stage_count; i++) {
		check_from(l, &d->stages[i]);
		for (size_t j = 0; j < d->stages[i].count; j++)
			check_item(l, d->stages[i].items[j]);
	}
	check_names(l);
	check_cases(l);
}
