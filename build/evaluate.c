/* SPDX-License-Identifier: Apache-2.0 */
#include "build/evaluate_inside.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/path.h"
#include "build/dockerfile/duration.h"
#include "build/dockerfile/expose.h"
#include "build/dockerfile/quote.h"
#include "build/dockerfile/stop_signal.h"

/* What every line of history that we write carries; other tools look for this word. */
#define HISTORY_COMMENT "buildkit.dockerfile.v0"

static void
note(struct evaluation *e, bool empty_layer, const char *text)
{
	config_history_add(&e->stage->config, NULL, text, HISTORY_COMMENT, empty_layer);
}

static void
note_words(struct evaluation *e, const char *name, const char *sep, const struct strv *words)
{
	AUTO(free) char *joined = strv_join(words, " ");
	AUTO(free) char *text = xasprintf("%s %s%s%s", name, *sep != '\0' ? "[" : "", joined, sep);

	note(e, true, text);
}

static void
set_text(char **field, const char *value)
{
	char *copy = value != NULL && *value != '\0' ? xstrdup(value) : NULL;

	free(*field);
	*field = copy;
}

static void
note_quoted(struct evaluation *e, const char *name, const struct strv *words)
{
	AUTO(buf) struct buf b = BUF_INIT;

	buf_addf(&b, "%s [", name);
	for (size_t i = 0; i < words->count; i++) {
		if (i > 0)
			buf_addc(&b, ' ');
		quote_add(&b, words->items[i], SIZE_MAX);
	}
	buf_addc(&b, ']');
	note(e, true, b.data);
}

/* The words themselves in exec form, else the shell and the text. */
static void
command_line(struct evaluation *e, struct strv *out)
{
	const struct strv *shell = &e->stage->config.shell;
	AUTO(free) char *text = NULL;
	bool script;

	if (e->in->is_json) {
		strv_add_all(out, &e->in->words);
		return;
	}
	text = instruction_shell_text(e->in, &script);
	if (text == NULL || (*text == '\0' && e->in->kind != INSTRUCTION_RUN))
		return;
	if (shell->count > 0) {
		strv_add_all(out, shell);
	} else {
		strv_add(out, "/bin/sh");
		strv_add(out, "-c");
	}
	strv_add(out, text);
}

/* --- steps ------------------------------------------------------------------------------------ */

struct plan_step *
evaluate_step(struct evaluation *e, enum step_kind kind)
{
	struct plan_stage *st = e->stage;
	struct plan_step *s = xzalloc(sizeof *s);

	s->kind = kind;
	s->stage = st->index;
	s->index = st->step_count;
	s->in = steal(&e->in);
	s->is_onbuild = e->is_onbuild;
	strv_add_all(&s->env, &st->scope.env);
	s->working_dir = xstrdup(st->config.working_dir != NULL ? st->config.working_dir : "");
	s->user = xstrdup(st->config.user != NULL ? st->config.user : "");
	st->steps = grow(st->steps, st->step_count, &st->step_room, sizeof *st->steps);
	st->steps[st->step_count++] = s;
	return s;
}

void
evaluate_noted(struct evaluation *e, struct plan_step *s, const char *created_by)
{
	s->created_by = xstrdup(created_by);
	note(e, false, created_by);
}

char *
evaluate_path(const struct plan_stage *st, const char *path)
{
	AUTO(buf) struct buf b = BUF_INIT;
	const char *dir = st->config.working_dir;

	path_join(dir != NULL && *dir != '\0' ? dir : "/", path, &b);
	if (ends_with(path, "/") && !ends_with(b.data, "/"))
		buf_addc(&b, '/');
	return buf_steal(&b);
}

static int
resolve_mounts(struct evaluation *e, struct plan_step *s, struct err *err)
{
	struct instruction *in = s->in;

	s->mounts = xcalloc(in->run.mount_count, sizeof *s->mounts);
	for (size_t i = 0; i < in->run.mount_count; i++) {
		struct step_mount *m = &s->mounts[s->mount_count];
		struct mount *mount = &in->run.mounts[i];

		s->mount_count++;
		m->from.kind = mount->kind == MOUNT_BIND ? ORIGIN_CONTEXT : ORIGIN_SCRATCH;
		if (mount->from != NULL && plan_origin(e->plan, e->stage->index, mount->from, false,
						   &m->from, err) < 0)
			return -1;
		if (mount->target != NULL)
			m->target = evaluate_path(e->stage, mount->target);
		if (m->target != NULL && streq(m->target, "/"))
			return err_set(err, ERR_INPUT, "invalid mount target \"/\"");
		m->mount = *mount;
		memset(mount, 0, sizeof *mount);
	}
	return 0;
}

static int
do_run(struct evaluation *e, struct err *err)
{
	AUTO(buf) struct buf by = BUF_INIT;
	struct plan_step *s;
	AUTO(free) char *joined = NULL;
	bool script = false;
	AUTO(free) char *text = instruction_shell_text(e->in, &script);

	if (e->in->run.security == RUN_INSECURE)
		return err_set(err, ERR_DENIED,
			"--security=insecure is refused: a step that needs it cannot be built "
			"rootless");
	if (e->in->run.devices.count > 0)
		return err_set(err, ERR_INPUT, "--device is not supported");
	if (script && heredoc_check_name(&e->in->heredocs[0], err) < 0)
		return -1;
	s = evaluate_step(e, STEP_RUN);
	if (resolve_mounts(e, s, err) < 0)
		return -1;
	e->in = s->in;
	command_line(e, &s->argv);
	e->in = NULL;
	if (script) {
		s->script = steal(&text);
		s->script_name = xstrdup(s->in->heredocs[0].name);
	}
	joined = strv_join(&s->argv, " ");
	buf_adds(&by, "RUN ");
	scope_history(&e->stage->scope, &by);
	buf_addf(&by, "%s # buildkit", joined);
	evaluate_noted(e, s, by.data);
	return 0;
}

static int
do_workdir(struct evaluation *e, struct err *err)
{
	const char *word = e->in->words.items[0];
	struct config *c = &e->stage->config;
	AUTO(free) char *path = NULL;
	AUTO(free) char *by = NULL;
	struct plan_step *s;

	(void)err;
	if (e->plan->lint != NULL)
		lint_workdir(e->plan->lint, e->raw, word, e->stage->workdir_set);
	e->stage->workdir_set = true;
	/* an absolute one is kept as it is written, a relative one is joined and cleaned */
	if (*word == '/') {
		path = xstrdup(word);
	} else {
		AUTO(buf) struct buf b = BUF_INIT;

		path_join(c->working_dir != NULL ? c->working_dir : "/", word, &b);
		path = buf_steal(&b);
	}
	by = xasprintf("WORKDIR %s", path);
	set_text(&c->working_dir, path);
	if (streq(path, "/")) {
		note(e, true, by);
		return 0;
	}
	s = evaluate_step(e, STEP_WORKDIR);
	s->dest = steal(&path);
	evaluate_noted(e, s, by);
	return 0;
}

/* --- configuration ---------------------------------------------------------------------------- */

static void
set_pairs(const struct instruction *in, struct strv *out)
{
	for (size_t i = 0; i < in->pair_count; i++)
		strv_env_set(out, in->pairs[i].name, in->pairs[i].value);
}

static void
note_pairs(struct evaluation *e)
{
	AUTO(buf) struct buf by = BUF_INIT;

	buf_adds(&by, instruction_name(e->in->kind));
	for (size_t i = 0; i < e->in->pair_count; i++)
		buf_addf(&by, " %s=%s", e->in->pairs[i].name, e->in->pairs[i].value);
	note(e, true, by.data);
}

static int
do_env(struct evaluation *e, struct err *err)
{
	(void)err;
	set_pairs(e->in, &e->stage->config.env);
	set_pairs(e->in, &e->stage->scope.env);
	note_pairs(e);
	return 0;
}

static int
do_label(struct evaluation *e, struct err *err)
{
	(void)err;
	set_pairs(e->in, &e->stage->config.labels);
	note_pairs(e);
	return 0;
}

/* A build argument, else the default, else what the name means before the first FROM. */
static int
do_arg(struct evaluation *e, struct err *err)
{
	struct scope *scope = &e->stage->scope;
	AUTO(buf) struct buf by = BUF_INIT;

	buf_adds(&by, "ARG");
	for (size_t i = 0; i < e->in->pair_count; i++) {
		const struct pair *pair = &e->in->pairs[i];
		const char *given = build_args_get(&e->plan->args, pair->name);
		struct expand_vars vars = scope_vars(scope);
		AUTO(strv) struct strv undefined = STRV_INIT;
		AUTO(free) char *value = NULL;

		if (given == NULL && pair->value != NULL) {
			if (expand_word(pair->value, e->plan->file->directives.escape, &vars,
				    &value, &undefined, err) < 0)
				return -1;
			if (e->plan->lint != NULL)
				lint_undefined_vars(e->plan->lint, e->raw, &undefined, &scope->args,
					&scope->env);
		} else {
			if (given == NULL)
				given = strv_env_get(&e->plan->global.env, pair->name);
			value = given != NULL ? xstrdup(given) : NULL;
		}
		scope_declare(scope, pair->name, value);
		buf_addf(&by, value != NULL ? " %s=%s" : " %s", pair->name, value);
	}
	note(e, true, by.data);
	return 0;
}

static void
set_command(struct evaluation *e, struct strv *out)
{
	AUTO(strv) struct strv words = STRV_INIT;

	if (e->plan->lint != NULL && !e->in->is_json)
		lint_shell_form(e->plan->lint, e->raw, e->stage->shell_set);
	command_line(e, &words);
	note_quoted(e, instruction_name(e->in->kind), &words);
	strv_free(out);
	*out = words;
	words = (struct strv)STRV_INIT;
}

static int
do_cmd(struct evaluation *e, struct err *err)
{
	struct config *c = &e->stage->config;

	(void)err;
	set_command(e, &c->cmd);
	c->has_cmd = c->cmd.count > 0;
	c->args_escaped = true;
	e->stage->cmd_set = true;
	return 0;
}

static int
do_entrypoint(struct evaluation *e, struct err *err)
{
	struct config *c = &e->stage->config;

	(void)err;
	set_command(e, &c->entrypoint);
	c->has_entrypoint = c->entrypoint.count > 0;
	/* a CMD that was inherited belongs to the old entry point */
	if (!e->stage->cmd_set) {
		strv_free(&c->cmd);
		c->has_cmd = false;
	}
	return 0;
}

static int
do_expose(struct evaluation *e, struct err *err)
{
	struct config *c = &e->stage->config;
	AUTO(strv) struct strv ports = STRV_INIT;

	for (size_t i = 0; i < e->in->words.count; i++) {
		if (e->plan->lint != NULL)
			lint_expose(e->plan->lint, e->raw, e->in->words.items[i]);
		if (expose_parse(e->in->words.items[i], &ports, NULL, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < ports.count; i++)
		if (!strv_has(&c->exposed_ports, ports.items[i]))
			strv_add(&c->exposed_ports, ports.items[i]);
	note_words(e, "EXPOSE", "]", &ports);
	return 0;
}

static int
do_volume(struct evaluation *e, struct err *err)
{
	struct config *c = &e->stage->config;

	for (size_t i = 0; i < e->in->words.count; i++) {
		if (e->in->words.items[i][0] == '\0')
			return err_set(
				err, ERR_INPUT, "VOLUME specified can not be an empty string");
		if (!strv_has(&c->volumes, e->in->words.items[i]))
			strv_add(&c->volumes, e->in->words.items[i]);
	}
	note_words(e, "VOLUME", "]", &e->in->words);
	return 0;
}

static int
do_user(struct evaluation *e, struct err *err)
{
	(void)err;
	set_text(&e->stage->config.user, e->in->words.items[0]);
	note_words(e, "USER", "", &e->in->words);
	return 0;
}

static int
do_shell(struct evaluation *e, struct err *err)
{
	struct config *c = &e->stage->config;

	(void)err;
	strv_free(&c->shell);
	strv_add_all(&c->shell, &e->in->words);
	e->stage->shell_set = true;
	note_words(e, "SHELL", "]", &e->in->words);
	return 0;
}

static int
do_stopsignal(struct evaluation *e, struct err *err)
{
	if (stop_signal_check(e->in->words.items[0], err) < 0)
		return -1;
	set_text(&e->stage->config.stop_signal, e->in->words.items[0]);
	note_words(e, "STOPSIGNAL", "", &e->in->words);
	return 0;
}

static int
do_maintainer(struct evaluation *e, struct err *err)
{
	(void)err;
	set_text(&e->stage->config.author, e->in->words.items[0]);
	note_words(e, "MAINTAINER", "", &e->in->words);
	return 0;
}

static int
do_healthcheck(struct evaluation *e, struct err *err)
{
	const struct health *h = &e->in->health;
	struct config *c = &e->stage->config;
	AUTO(buf) struct buf by = BUF_INIT;
	AUTO(free) char *test = strv_join(&h->test, " ");
	const struct {
		const char *name;
		int64_t ns;
	} times[] = { { "Interval", h->interval }, { "Timeout", h->timeout },
		{ "StartPeriod", h->start_period }, { "StartInterval", h->start_interval } };

	(void)err;
	strv_free(&c->healthcheck.test);
	strv_add_all(&c->healthcheck.test, &h->test);
	c->has_healthcheck = true;
	c->healthcheck.interval_ns = h->interval;
	c->healthcheck.timeout_ns = h->timeout;
	c->healthcheck.start_period_ns = h->start_period;
	c->healthcheck.start_interval_ns = h->start_interval;
	c->healthcheck.retries = h->retries;
	buf_addf(&by, "HEALTHCHECK {Test:[%s]", test);
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		buf_addf(&by, " %s:", times[i].name);
		duration_format(times[i].ns, &by);
	}
	buf_addf(&by, " Retries:%d}", h->retries);
	note(e, true, by.data);
	return 0;
}

/* It leaves no line of history: what it says happens in another build. */
static int
do_onbuild(struct evaluation *e, struct err *err)
{
	(void)err;
	strv_add(&e->stage->config.on_build, e->in->trigger);
	return 0;
}

static int (*const doers[INSTRUCTION_COUNT])(struct evaluation *e, struct err *err) = {
	[INSTRUCTION_ADD] = evaluate_copy,
	[INSTRUCTION_ARG] = do_arg,
	[INSTRUCTION_CMD] = do_cmd,
	[INSTRUCTION_COPY] = evaluate_copy,
	[INSTRUCTION_ENTRYPOINT] = do_entrypoint,
	[INSTRUCTION_ENV] = do_env,
	[INSTRUCTION_EXPOSE] = do_expose,
	[INSTRUCTION_HEALTHCHECK] = do_healthcheck,
	[INSTRUCTION_LABEL] = do_label,
	[INSTRUCTION_MAINTAINER] = do_maintainer,
	[INSTRUCTION_ONBUILD] = do_onbuild,
	[INSTRUCTION_RUN] = do_run,
	[INSTRUCTION_SHELL] = do_shell,
	[INSTRUCTION_STOPSIGNAL] = do_stopsignal,
	[INSTRUCTION_USER] = do_user,
	[INSTRUCTION_VOLUME] = do_volume,
	[INSTRUCTION_WORKDIR] = do_workdir,
};

static void
lint_last(struct plan *p, struct plan_stage *st, const struct instruction *in)
{
	const struct instruction **last =
		in->kind == INSTRUCTION_CMD           ? &st->last_cmd
		: in->kind == INSTRUCTION_ENTRYPOINT  ? &st->last_entrypoint
		: in->kind == INSTRUCTION_HEALTHCHECK ? &st->last_healthcheck
						      : NULL;

	if (last == NULL)
		return;
	if (*last != NULL)
		lint_again(p->lint, *last, in);
	*last = in;
}

static int
evaluate(struct plan *p, struct plan_stage *st, const struct instruction *raw, bool is_onbuild,
	struct err *err)
{
	struct evaluation e = { .plan = p, .stage = st, .raw = raw, .is_onbuild = is_onbuild };
	struct expand_vars vars = scope_vars(&st->scope);
	char escape = is_onbuild ? '\\' : p->file->directives.escape;
	AUTO(strv) struct strv undefined = STRV_INIT;
	int result;

	if (instruction_expand(raw, escape, &vars, &e.in, &undefined, err) < 0)
		return plan_at(p, raw, err);
	if (p->lint != NULL) {
		lint_undefined_vars(p->lint, raw, &undefined, &st->scope.args, &st->scope.env);
		lint_pairs(p->lint, raw);
		if (!is_onbuild)
			lint_last(p, st, raw);
	}
	result = doers[raw->kind](&e, err);
	instruction_free(e.in);
	return result < 0 ? plan_at(p, raw, err) : 0;
}

/* --- stages ----------------------------------------------------------------------------------- */

static void
lint_image(const struct plan *p, const struct plan_stage *st)
{
	const struct plan_image *image = p->images[st->base.index];
	AUTO(buf) struct buf wanted = BUF_INIT, have = BUF_INIT;

	if (p->lint == NULL || (streq(image->config.platform.os, st->platform.os) &&
				       streq(image->config.platform.arch, st->platform.arch)))
		return;
	platform_format(&st->platform, &wanted);
	platform_format(&image->config.platform, &have);
	lint_base_platform(p->lint, st->stage, image->text, wanted.data, have.data);
}

static void
begin(struct plan *p, struct plan_stage *st)
{
	struct config *c = &st->config;

	switch (st->base.kind) {
	case ORIGIN_STAGE:
		config_copy(&p->stages[st->base.index].config, c);
		scope_copy(&p->stages[st->base.index].scope, &st->scope);
		st->base_history = p->stages[st->base.index].base_history;
		st->workdir_set = p->stages[st->base.index].workdir_set;
		break;
	case ORIGIN_IMAGE:
		config_copy(&p->images[st->base.index]->config, c);
		strv_add_all(&st->scope.env, &c->env);
		st->base_history = c->history_count;
		lint_image(p, st);
		break;
	case ORIGIN_SCRATCH:
	case ORIGIN_CONTEXT:
		set_text(&c->working_dir, "/");
		c->platform = st->platform;
		break;
	}
	if (strv_env_get(&c->env, "PATH") == NULL) {
		strv_env_set(&c->env, "PATH", PATH_DEFAULT);
		strv_env_set(&st->scope.env, "PATH", PATH_DEFAULT);
	}
	strv_free(&c->on_build);
	set_text(&c->created, NULL);
}

/* FROM a context: its files are the first layer. */
static void
copy_base(struct plan *p, struct plan_stage *st)
{
	struct evaluation e = { .plan = p, .stage = st, .raw = st->stage->from };
	AUTO(free) char *created_by = xasprintf("FROM %s", st->base_text);
	struct plan_step *s;

	e.in = instruction_copy(st->stage->from);
	strv_add(&e.in->copy.sources, ".");
	s = evaluate_step(&e, STEP_COPY);
	s->is_base = true;
	s->from = st->base;
	s->dest = xstrdup("/");
	s->created_by = xstrdup(created_by);
	config_history_add(&st->config, NULL, created_by, "buildkit.exporter.image.v0", false);
	st->base = (struct origin){ .kind = ORIGIN_SCRATCH };
}

/* "[build 2/5] RUN make": FROM of an image counts, as do the steps. */
static void
name_steps(const struct plan *p, struct plan_stage *st)
{
	size_t first = st->base.kind == ORIGIN_IMAGE ? 2 : 1, total = first - 1 + st->step_count;
	AUTO(buf) struct buf label = BUF_INIT;

	if (p->many_platforms) {
		platform_format(&st->platform, &label);
		buf_addc(&label, ' ');
	}
	if (p->stage_count > 1)
		buf_addf(&label, "%s ", st->label);
	for (size_t i = 0; i < st->step_count; i++) {
		struct plan_step *s = st->steps[i];
		const char *text = s->in->text, *rest = text + strcspn(text, " \t");

		if (s->is_base) {
			s->name = xasprintf(
				"[%s%zu/%zu] %s", label.data, first + i, total, s->created_by);
			continue;
		}
		s->name = xasprintf("[%s%zu/%zu] %s%s%s%s", label.data, first + i, total,
			s->is_onbuild ? "ONBUILD " : "",
			s->in->kind == INSTRUCTION_COPY && s->in->copy.link ? "LINK " : "",
			instruction_name(s->in->kind), rest);
	}
}

int
evaluate_stage(struct plan *p, struct plan_stage *st, struct err *err)
{
	AUTO(strv) struct strv triggers = STRV_INIT;

	begin(p, st);
	plan_triggers(p, st, &triggers);
	if (st->base.kind == ORIGIN_CONTEXT)
		copy_base(p, st);
	for (size_t i = 0; i < triggers.count; i++) {
		AUTO(instruction) struct instruction *in = NULL;

		if (dockerfile_parse_trigger(triggers.items[i], &in, err) < 0 ||
			evaluate(p, st, in, true, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < st->stage->count && !st->is_replaced; i++)
		if (evaluate(p, st, st->stage->items[i], false, err) < 0)
			return -1;
	name_steps(p, st);
	return 0;
}
