/* SPDX-License-Identifier: Apache-2.0 */
#include "build/plan_inside.h"

#include <stdlib.h>
#include <string.h>

#include "build/dockerfile/csv.h"
#include "build/dockerfile/suggest.h"
#include "build/evaluate.h"

int
plan_at(const struct plan *p, const struct instruction *in, struct err *err)
{
	(void)p;
	if (in->line_start > 0)
		return err_in(
			err, "%s:%d: %s", p->file_name, in->line_start, instruction_name(in->kind));
	return err_in(err, "ONBUILD trigger '%s'", in->text);
}

/* --- where files come from --------------------------------------------------------------------- */

static bool
parse_index(const char *text, size_t *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*out = strtoul(text, &end, 10);
	return *end == '\0' && strlen(text) < 10;
}

int
plan_origin(struct plan *p, size_t stage, const char *text, bool by_number, struct origin *out,
	struct err *err)
{
	size_t index;
	int named;

	if (by_number && parse_index(text, &index)) {
		if (index >= stage)
			return err_set(err, ERR_INPUT,
				"there is no stage %s before this one (the first stage is 0)",
				text);
		*out = (struct origin){ .kind = ORIGIN_STAGE, .index = index };
		return 0;
	}
	named = plan_context_value(p, text, &p->stages[stage].platform) == NULL
			? dockerfile_stage(p->file, text)
			: -1;
	if (named >= 0) {
		if ((size_t)named >= stage)
			return err_set(err, ERR_INPUT,
				"cannot copy from stage \"%s\", it needs to be defined before "
				"current stage",
				text);
		*out = (struct origin){ .kind = ORIGIN_STAGE, .index = (size_t)named };
		return 0;
	}
	if (streq(text, "scratch")) {
		*out = (struct origin){ .kind = ORIGIN_SCRATCH };
		return 0;
	}
	return plan_name_origin(p, text, &p->stages[stage].platform, out, err);
}

/* --- FROM ------------------------------------------------------------------------------------- */

static void
warn_from(struct plan *p, const struct stage *stage, const struct strv *undefined)
{
	AUTO(strv) struct strv names = STRV_INIT;

	if (p->lint == NULL || undefined->count == 0)
		return;
	for (size_t i = 0; i < p->global.env.count; i++)
		strv_addn(&names, p->global.env.items[i], strcspn(p->global.env.items[i], "="));
	lint_undefined_args(p->lint, stage, undefined, &names);
}

static int
expand_platform(struct plan *p, struct plan_stage *st, struct err *err)
{
	struct expand_vars vars = scope_vars(&p->global);
	AUTO(expansion) struct expansion text = EXPANSION_INIT;

	st->platform = p->target_platform;
	if (st->stage->platform == NULL)
		return 0;
	if (expand(st->stage->platform, p->file->directives.escape, 0, &vars, &text, err) < 0)
		return -1;
	if (text.text[0] == '\0')
		return err_set(err, ERR_INPUT, "empty platform value from expression %s",
			st->stage->platform);
	warn_from(p, st->stage, &text.undefined);
	if (platform_parse(text.text, &st->platform, err) < 0)
		return -1;
	if (p->lint != NULL)
		lint_platform(p->lint, st->stage, &text,
			strv_env_get(&p->global.env, "TARGETPLATFORM"), st->platform.os,
			st->platform.arch);
	return 0;
}

/* With nothing but its defaults the file should name a base. */
static void
lint_base(struct plan *p, const struct stage *stage)
{
	struct expand_vars vars = scope_vars(&p->defaults);
	AUTO(free) char *name = NULL;
	struct err ignored;
	struct ref ref;

	if (p->lint != NULL && strchr(stage->base, '$') != NULL &&
		expand_word(stage->base, p->file->directives.escape, &vars, &name, NULL,
			&ignored) == 0 &&
		(name[0] == '\0' || ref_parse(name, &ref, &ignored) < 0))
		lint_default_base(p->lint, stage);
}

static int
find_base(struct plan *p, struct plan_stage *st, struct err *err)
{
	struct expand_vars vars = scope_vars(&p->global);
	AUTO(free) char *name = NULL;
	AUTO(strv) struct strv undefined = STRV_INIT;

	if (expand_platform(p, st, err) < 0)
		return -1;
	if (expand_word(
		    st->stage->base, p->file->directives.escape, &vars, &name, &undefined, err) < 0)
		return -1;
	warn_from(p, st->stage, &undefined);
	lint_base(p, st->stage);
	if (name[0] == '\0')
		return err_set(
			err, ERR_INPUT, "base name (%s) should not be blank", st->stage->base);
	if (st->stage->name != NULL &&
		plan_context_value(p, st->stage->name, &st->platform) != NULL) {
		st->is_replaced = true;
		st->base_text = xstrdup(st->stage->name);
		return 0;
	}
	if (streq(name, "scratch")) {
		st->base = (struct origin){ .kind = ORIGIN_SCRATCH };
		return 0;
	}
	/* the nearest one above, in exactly this case: FROM Base does not see AS base */
	if (plan_context_value(p, name, &st->platform) == NULL)
		for (size_t i = st->index; i-- > 0;)
			if (streq(p->stages[i].stage->name, name)) {
				st->base = (struct origin){ .kind = ORIGIN_STAGE, .index = i };
				return 0;
			}
	/* listed when it turns out to be needed */
	st->base_text = steal(&name);
	return 0;
}

static int
declare_default(struct plan *p, const struct pair *pair, struct err *err)
{
	struct expand_vars vars = scope_vars(&p->defaults);
	AUTO(free) char *value = NULL;

	if (pair->value != NULL &&
		expand_word(pair->value, p->file->directives.escape, &vars, &value, NULL, err) < 0)
		return -1;
	scope_declare(&p->defaults, pair->name, value);
	return 0;
}

static int
global_args(struct plan *p, struct err *err)
{
	struct dockerfile *file = p->file;

	for (size_t i = 0; i < file->meta_arg_count; i++) {
		struct instruction *in = file->meta_args[i];

		for (size_t k = 0; k < in->pair_count; k++) {
			struct expand_vars vars = scope_vars(&p->global);
			const char *given = build_args_get(&p->args, in->pairs[k].name);
			AUTO(free) char *value = NULL;

			if (declare_default(p, &in->pairs[k], err) < 0)
				return plan_at(p, in, err);
			if (given != NULL)
				value = xstrdup(given);
			else if (in->pairs[k].value != NULL &&
				 expand_word(in->pairs[k].value, file->directives.escape, &vars,
					 &value, NULL, err) < 0)
				return plan_at(p, in, err);
			scope_declare(&p->global, in->pairs[k].name, value);
		}
		if (p->lint != NULL)
			lint_pairs(p->lint, in);
	}
	return 0;
}

static int
no_target(const struct plan *p, const char *target, struct err *err)
{
	AUTO(free) const char **names = xcalloc(p->stage_count, sizeof *names);
	const char *nearest;
	size_t count = 0;

	for (size_t i = 0; i < p->stage_count; i++)
		if (p->stages[i].stage->name != NULL)
			names[count++] = p->stages[i].stage->name;
	nearest = suggest(target, names, count, true);
	return nearest != NULL
		       ? err_set(err, ERR_INPUT,
				 "target stage \"%s\" could not be found (did you mean %s?)",
				 target, nearest)
		       : err_set(err, ERR_INPUT, "target stage \"%s\" could not be found", target);
}

static int
find_target(struct plan *p, const char *target, struct err *err)
{
	int index;

	p->target = p->stage_count - 1;
	if (target == NULL || *target == '\0')
		return 0;
	index = dockerfile_stage(p->file, target);
	if (index < 0)
		return no_target(p, target, err);
	p->target = (size_t)index;
	return 0;
}

int
plan_open(const struct plan_options *o, struct plan **out, struct err *err)
{
	AUTO(plan) struct plan *p = xzalloc(sizeof *p);

	p->file = o->file;
	p->file_name = o->file_name;
	p->lint = o->lint;
	p->contexts = o->contexts;
	p->labels = o->labels;
	p->ignore = o->ignore;
	p->all_stages = o->all_stages;
	p->many_platforms = o->many_platforms;
	p->target_platform = *o->platform;
	platform_host(&p->build_platform);
	plan_context_add(p, "", NULL);
	for (size_t i = 0; i < o->build_args->count; i++)
		build_args_add(&p->args, o->build_args->items[i]);
	scope_predefined(&p->build_platform, &p->target_platform, o->target, &p->args, &p->global);
	scope_copy(&p->global, &p->defaults);
	if (global_args(p, err) < 0)
		return -1;
	p->stage_count = o->file->stage_count;
	p->stages = xcalloc(p->stage_count, sizeof *p->stages);
	for (size_t i = 0; i < p->stage_count; i++) {
		struct plan_stage *st = &p->stages[i];

		st->stage = &o->file->stages[i];
		st->index = i;
		st->label = st->stage->name != NULL ? xstrdup(st->stage->name)
						    : xasprintf("stage-%zu", i);
		if (find_base(p, st, err) < 0)
			return plan_at(p, st->stage->from, err);
	}
	if (find_target(p, o->target, err) < 0)
		return -1;
	*out = steal(&p);
	return 0;
}

/* --- what the target needs -------------------------------------------------------------------- */

static int need_stage(struct plan *p, size_t index, struct err *err);

static int
need_origin(struct plan *p, size_t stage, const char *text, bool by_number,
	const struct instruction *in, struct err *err)
{
	struct origin origin;

	if (plan_origin(p, stage, text, by_number, &origin, err) < 0)
		return plan_at(p, in, err);
	if (origin.kind != ORIGIN_STAGE)
		return 0;
	p->stages[origin.index].files_wanted = true;
	return need_stage(p, origin.index, err);
}

/* What variables or quotes would make another word of. */
static int
check_from(const char *text, struct err *err)
{
	AUTO(strv) struct strv nothing = STRV_INIT;
	struct expand_vars vars = expand_vars_env(&nothing);
	AUTO(free) char *expanded = NULL;

	if (expand_word(text, '\\', &vars, &expanded, NULL, err) < 0)
		return err_in(err, "--from");
	return streq(text, expanded) ? 0
				     : err_set(err, ERR_INPUT,
					       "variable expansion is not supported for --from, "
					       "define a new stage with "
					       "FROM using ARG from global scope as a workaround");
}

static int
need_instruction(struct plan *p, size_t stage, const struct instruction *in, struct err *err)
{
	if (in->copy.from != NULL)
		return check_from(in->copy.from, err) < 0
			       ? plan_at(p, in, err)
			       : need_origin(p, stage, in->copy.from, true, in, err);
	for (size_t i = 0; i < in->run.mount_texts.count; i++) {
		AUTO(strv) struct strv fields = STRV_INIT;

		if (csv_parse(in->run.mount_texts.items[i], &fields, err) < 0)
			return plan_at(p, in, err);
		for (size_t k = 0; k < fields.count; k++)
			if (strncasecmp(fields.items[k], "from=", 5) == 0 &&
				need_origin(p, stage, fields.items[k] + 5, false, in, err) < 0)
				return -1;
	}
	return 0;
}

static int
need_triggers(struct plan *p, size_t stage, struct err *err)
{
	AUTO(strv) struct strv triggers = STRV_INIT;

	plan_triggers(p, &p->stages[stage], &triggers);
	for (size_t i = 0; i < triggers.count; i++) {
		AUTO(instruction) struct instruction *in = NULL;

		if (dockerfile_parse_trigger(triggers.items[i], &in, err) < 0 ||
			need_instruction(p, stage, in, err) < 0)
			return -1;
	}
	return 0;
}

static int
need_stage(struct plan *p, size_t index, struct err *err)
{
	struct plan_stage *st = &p->stages[index];

	if (st->is_open)
		return err_set(
			err, ERR_INPUT, "circular dependency detected on stage: %s", st->label);
	if (st->needed)
		return 0;
	st->needed = true;
	st->is_open = true;
	if (st->base_text != NULL &&
		plan_name_origin(p, st->base_text, &st->platform, &st->base, err) < 0)
		return plan_at(p, st->stage->from, err);
	if (st->base.kind == ORIGIN_STAGE && need_stage(p, st->base.index, err) < 0)
		return plan_at(p, st->stage->from, err);
	for (size_t i = 0; i < st->stage->count && !st->is_replaced; i++)
		if (need_instruction(p, index, st->stage->items[i], err) < 0)
			return -1;
	if (need_triggers(p, index, err) < 0)
		return -1;
	st->is_open = false;
	return 0;
}

int
plan_reach(struct plan *p, size_t *added, struct err *err)
{
	size_t before = p->image_count;

	for (size_t i = 0; i < p->stage_count; i++)
		p->stages[i].needed = p->stages[i].is_open = false;
	if (need_stage(p, p->target, err) < 0)
		return -1;
	for (size_t i = 0; p->all_stages && i < p->stage_count; i++)
		if (need_stage(p, i, err) < 0)
			return -1;
	*added = p->image_count - before;
	return 0;
}

void
plan_triggers(const struct plan *p, const struct plan_stage *st, struct strv *out)
{
	if (st->is_replaced)
		return;
	if (st->base.kind == ORIGIN_IMAGE && p->images[st->base.index]->resolved)
		strv_add_all(out, &p->images[st->base.index]->config.on_build);
	if (st->base.kind != ORIGIN_STAGE)
		return;
	for (size_t i = 0; i < p->stages[st->base.index].stage->count; i++) {
		const struct instruction *in = p->stages[st->base.index].stage->items[i];

		if (in->kind == INSTRUCTION_ONBUILD)
			strv_add(out, in->trigger);
	}
}

static void
add_arg_names(const struct instruction *in, struct strv *out)
{
	for (size_t i = 0; in->kind == INSTRUCTION_ARG && i < in->pair_count; i++)
		strv_add(out, in->pairs[i].name);
}

void
plan_arg_names(const struct plan *p, struct strv *out)
{
	for (size_t i = 0; i < p->file->meta_arg_count; i++)
		add_arg_names(p->file->meta_args[i], out);
	for (size_t i = 0; i < p->file->stage_count; i++)
		for (size_t k = 0; k < p->file->stages[i].count; k++)
			add_arg_names(p->file->stages[i].items[k], out);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* A base first, wherever it stands: one that --build-context names may come later. */
static int
finish_stage(struct plan *p, size_t index, struct err *err)
{
	struct plan_stage *st = &p->stages[index];

	if (st->is_evaluated)
		return 0;
	st->is_evaluated = true;
	if (st->base.kind == ORIGIN_STAGE && finish_stage(p, st->base.index, err) < 0)
		return -1;
	return evaluate_stage(p, st, err);
}

int
plan_finish(struct plan *p, struct err *err)
{
	size_t i = p->target;

	for (;;) {
		p->stages[i].is_target_chain = true;
		if (p->stages[i].base.kind != ORIGIN_STAGE)
			break;
		i = p->stages[i].base.index;
	}
	for (i = 0; i < p->stage_count; i++)
		if (p->stages[i].needed && finish_stage(p, i, err) < 0)
			return -1;
	return 0;
}

static void
image_free(struct plan_image *image)
{
	free(image->text);
	free(image->pinned);
	descriptor_free(&image->manifest_at);
	config_free(&image->config);
	manifest_free(&image->manifest);
	free(image);
}

static void
step_free(struct plan_step *s)
{
	instruction_free(s->in);
	free(s->name);
	free(s->created_by);
	strv_free(&s->env);
	strv_free(&s->argv);
	free(s->script);
	free(s->script_name);
	free(s->working_dir);
	free(s->user);
	for (size_t i = 0; i < s->mount_count; i++) {
		mount_free(&s->mounts[i].mount);
		free(s->mounts[i].target);
	}
	free(s->mounts);
	free(s->fetches);
	free(s->dest);
	owner_free(&s->owner);
	free(s);
}

static void
stage_free(struct plan_stage *st)
{
	free(st->label);
	free(st->base_text);
	config_free(&st->config);
	scope_free(&st->scope);
	for (size_t i = 0; i < st->step_count; i++)
		step_free(st->steps[i]);
	free(st->steps);
}

void
plan_free(struct plan *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->image_count; i++)
		image_free(p->images[i]);
	free(p->images);
	for (size_t i = 0; p->stages != NULL && i < p->stage_count; i++)
		stage_free(&p->stages[i]);
	free(p->stages);
	build_args_free(&p->args);
	scope_free(&p->global);
	scope_free(&p->defaults);
	for (size_t i = 0; i < p->context_dirs.count; i++)
		fetch_free(p->fetches[i]);
	free(p->fetches);
	strv_free(&p->context_dirs);
	free(p);
}

void
auto_plan(struct plan **p)
{
	plan_free(*p);
	*p = NULL;
}
