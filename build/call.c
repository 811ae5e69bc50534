/* SPDX-License-Identifier: Apache-2.0 */
#include "build/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/path.h"
#include "registry/base64.h"

/* --- parts of the JSON
 * -------------------------------------------------------------------------------*/

static json_t *
location(int first, int last)
{
	json_t *ranges = json_array();

	json_array_append_new(ranges,
		json_pack("{s:{s:i},s:{s:i}}", "start", "line", first, "end", "line", last));
	return json_pack("{s:o}", "ranges", ranges);
}

static json_t *
encoded(const struct diagnostics *d)
{
	AUTO(buf) struct buf text = BUF_INIT;

	base64_encode(d->text, d->len, &text);
	return json_string(text.data);
}

static void
set_text(json_t *o, const char *name, const char *value)
{
	if (value != NULL && *value != '\0')
		json_object_set_new(o, name, json_text(value));
}

static char *
finished(json_t *o)
{
	AUTO(buf) struct buf text = BUF_INIT;

	json_format(o, JSON_STYLE_INDENT, &text);
	buf_addc(&text, '\n');
	json_decref(o);
	return buf_steal(&text);
}

/* --- tables
 * ------------------------------------------------------------------------------------------*/

#define COLUMNS_MAX 3
#define GAP 3 /* blanks between columns */

struct table {
	size_t columns;
	struct strv cells; /* row after row */
};

static void
row(struct table *t, const char *a, const char *b, const char *c)
{
	const char *cells[COLUMNS_MAX] = { a, b, c };

	for (size_t i = 0; i < t->columns; i++)
		strv_add(&t->cells, cells[i] != NULL ? cells[i] : "");
}

/* The last column is not filled up. */
static void
table_format(struct table *t, struct buf *out)
{
	size_t widths[COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < t->cells.count; i++) {
		size_t len = strlen(t->cells.items[i]);

		if (len > widths[i % t->columns])
			widths[i % t->columns] = len;
	}
	for (size_t i = 0; i < t->cells.count; i++) {
		size_t column = i % t->columns;

		if (column + 1 < t->columns)
			buf_addf(out, "%-*s", (int)widths[column] + GAP, t->cells.items[i]);
		else
			buf_addf(out, "%s\n", t->cells.items[i]);
	}
	strv_free(&t->cells);
}

/* --- check
 * -------------------------------------------------------------------------------------------*/

static char *
check_json(const struct call_request *r)
{
	json_t *o = json_object(), *warnings = json_array(), *sources = json_array();
	const struct diagnostics *d = r->diagnostics;

	for (size_t i = 0; i < d->count; i++) {
		const struct diagnostic *w = &d->items[i];
		json_t *one;

		if (w->severity != SEVERITY_WARNING)
			continue;
		one = json_object();
		set_text(one, "ruleName", w->rule);
		set_text(one, "description", w->description);
		set_text(one, "url", w->url);
		set_text(one, "detail", w->message);
		json_object_set_new(one, "location", location(w->line_start, w->line_end));
		json_array_append_new(warnings, one);
	}
	json_array_append_new(sources, json_pack("{s:o,s:s,s:o}", "filename", json_text(d->file),
					       "language", "Dockerfile", "data", encoded(d)));
	json_object_set_new(o, "warnings", warnings);
	json_object_set_new(o, "sources", sources);
	if (r->error != NULL)
		json_object_set_new(
			o, "buildError", json_pack("{s:o}", "message", json_text(r->error)));
	return finished(o);
}

static char *
check_text(const struct call_request *r, size_t count)
{
	AUTO(buf) struct buf text = BUF_INIT;

	if (count == 0 && r->error == NULL)
		return xstrdup("Check complete, no warnings found.\n");
	if (count > 0)
		buf_addf(&text, "Check complete, %zu %s been found!\n", count,
			count == 1 ? "warning has" : "warnings have");
	for (size_t i = 0; i < r->diagnostics->count; i++)
		if (r->diagnostics->items[i].severity == SEVERITY_WARNING) {
			buf_addc(&text, '\n');
			diagnostic_format(r->diagnostics, &r->diagnostics->items[i], &text);
		}
	if (r->error != NULL)
		buf_addf(&text, "%sERROR: %s\n", count > 0 ? "\n" : "", r->error);
	return buf_steal(&text);
}

static char *
check(const struct call_request *r, bool *is_faulty)
{
	size_t count = r->diagnostics->count - diagnostics_errors(r->diagnostics);

	*is_faulty = count > 0 || r->error != NULL;
	return r->json ? check_json(r) : check_text(r, count);
}

/* --- targets
 * -----------------------------------------------------------------------------------------*/

static char *
targets_json(const struct call_request *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->file->stage_count; i++) {
		const struct stage *st = &r->file->stages[i];
		json_t *one = json_object();

		set_text(one, "name", st->name);
		if (i + 1 == r->file->stage_count)
			json_object_set_new(one, "default", json_true());
		set_text(one, "description", st->comment);
		set_text(one, "base", st->base);
		set_text(one, "platform", st->platform);
		json_object_set_new(
			one, "location", location(st->from->line_start, st->from->line_end));
		json_array_append_new(all, one);
	}
	return finished(
		json_pack("{s:o,s:[o]}", "targets", all, "sources", encoded(r->diagnostics)));
}

static char *
targets_text(const struct call_request *r)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct table t = { .columns = 2 };

	row(&t, "TARGET", "DESCRIPTION", NULL);
	for (size_t i = 0; i < r->file->stage_count; i++) {
		const struct stage *st = &r->file->stages[i];
		bool is_default = i + 1 == r->file->stage_count;
		AUTO(free)
		char *name = xasprintf("%s%s%s", st->name != NULL ? st->name : "",
			st->name != NULL && is_default ? " " : "", is_default ? "(default)" : "");

		row(&t, name, st->comment, NULL);
	}
	table_format(&t, &text);
	return buf_steal(&text);
}

/* --- outline
 * -----------------------------------------------------------------------------------------*/

struct outline {
	const struct plan *plan;
	json_t *args, *secrets, *ssh, *caches;
};

static bool
has_name(const json_t *list, const char *name)
{
	size_t i;
	json_t *one;

	json_array_foreach ((json_t *)list, i, one)
		if (streq(json_string_value(json_object_get(one, "name")), name))
			return true;
	return false;
}

static void
add_arg(struct outline *o, const struct instruction *in, const struct pair *pair, const char *value)
{
	json_t *one;

	if (has_name(o->args, pair->name))
		return;
	one = json_object();
	set_text(one, "name", pair->name);
	set_text(one, "description", pair->comment);
	set_text(one, "value", value);
	json_object_set_new(one, "location", location(in->line_start, in->line_end));
	json_array_append_new(o->args, one);
}

/* Those before the first FROM count when a FROM that is needed uses them. */
static void
add_meta_args(struct outline *o, const struct plan_stage *st)
{
	const struct dockerfile *file = o->plan->file;
	struct expand_vars vars = scope_vars(&o->plan->global);
	const char *texts[] = { st->stage->base, st->stage->platform };

	for (size_t t = 0; t < COUNT_OF(texts); t++) {
		AUTO(expansion) struct expansion e = EXPANSION_INIT;
		struct err ignored;

		if (texts[t] == NULL ||
			expand(texts[t], file->directives.escape, 0, &vars, &e, &ignored) < 0)
			continue;
		for (size_t i = 0; i < file->meta_arg_count; i++)
			for (size_t k = 0; k < file->meta_args[i]->pair_count; k++) {
				const struct pair *pair = &file->meta_args[i]->pairs[k];

				if (strv_has(&e.used, pair->name))
					add_arg(o, file->meta_args[i], pair,
						strv_env_get(&o->plan->global.env, pair->name));
			}
	}
}

static void
add_mount(json_t *list, const char *name, bool required, const struct instruction *in)
{
	json_t *one;

	if (name == NULL || has_name(list, name))
		return;
	one = json_object();
	set_text(one, "name", name);
	if (required)
		json_object_set_new(one, "required", json_true());
	json_object_set_new(one, "location", location(in->line_start, in->line_end));
	json_array_append_new(list, one);
}

static void
add_mounts(struct outline *o, const struct plan_step *step)
{
	for (size_t i = 0; i < step->mount_count; i++) {
		const struct mount *m = &step->mounts[i].mount;
		const char *id = m->id != NULL ? m->id : m->source;

		if (m->kind == MOUNT_SECRET)
			add_mount(o->secrets,
				id != NULL          ? id
				: m->target != NULL ? path_base(m->target)
						    : m->env,
				m->required, step->in);
		else if (m->kind == MOUNT_SSH)
			add_mount(o->ssh, m->id != NULL ? m->id : "default", m->required, step->in);
		else if (m->kind == MOUNT_CACHE)
			add_mount(o->caches, m->id != NULL ? m->id : step->mounts[i].target, false,
				step->in);
	}
}

static void
add_stage(struct outline *o, const struct plan_stage *st)
{
	add_meta_args(o, st);
	for (size_t i = 0; i < st->stage->count; i++) {
		const struct instruction *in = st->stage->items[i];

		for (size_t k = 0; in->kind == INSTRUCTION_ARG && k < in->pair_count; k++)
			add_arg(o, in, &in->pairs[k],
				strv_env_get(&st->scope.env, in->pairs[k].name));
	}
	for (size_t i = 0; i < st->step_count; i++)
		add_mounts(o, st->steps[i]);
}

static const char *
text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text != NULL ? text : "";
}

static void
list_required(const json_t *list, const char *title, struct buf *out)
{
	struct table t = { .columns = 2 };
	size_t i;
	json_t *one;

	if (json_array_size(list) == 0)
		return;
	row(&t, title, "REQUIRED", NULL);
	json_array_foreach ((json_t *)list, i, one)
		row(&t, text_of(one, "name"),
			json_is_true(json_object_get(one, "required")) ? "true" : "", NULL);
	table_format(&t, out);
	buf_addc(out, '\n');
}

static char *
outline_text(const struct outline *o, const struct stage *target)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct table t = { .columns = 3 };
	size_t i;
	json_t *one;

	if (target->name != NULL || target->comment != NULL)
		buf_addf(&text, target->comment != NULL ? "TARGET:      %s\n" : "TARGET: %s\n",
			target->name != NULL ? target->name : "(default)");
	if (target->comment != NULL)
		buf_addf(&text, "DESCRIPTION: %s\n", target->comment);
	if (text.len > 0)
		buf_addc(&text, '\n');
	if (json_array_size(o->args) > 0) {
		row(&t, "BUILD ARG", "VALUE", "DESCRIPTION");
		json_array_foreach (o->args, i, one)
			row(&t, text_of(one, "name"), text_of(one, "value"),
				text_of(one, "description"));
		table_format(&t, &text);
		buf_addc(&text, '\n');
	}
	list_required(o->secrets, "SECRET", &text);
	list_required(o->ssh, "SSH", &text);
	return buf_steal(&text);
}

static char *
outline_json(struct outline *o, const struct stage *target, const struct diagnostics *d)
{
	json_t *doc = json_object();

	set_text(doc, "name", target->name);
	set_text(doc, "description", target->comment);
	if (json_array_size(o->args) > 0)
		json_object_set(doc, "args", o->args);
	if (json_array_size(o->secrets) > 0)
		json_object_set(doc, "secrets", o->secrets);
	if (json_array_size(o->ssh) > 0)
		json_object_set(doc, "ssh", o->ssh);
	if (json_array_size(o->caches) > 0)
		json_object_set(doc, "cache", o->caches);
	json_object_set_new(doc, "sources", json_pack("[o]", encoded(d)));
	return finished(doc);
}

static char *
outline(const struct call_request *r)
{
	struct outline o = { .plan = r->plan,
		.args = json_array(),
		.secrets = json_array(),
		.ssh = json_array(),
		.caches = json_array() };
	const struct stage *target = r->plan->stages[r->plan->target].stage;
	char *answer;

	for (size_t i = 0; i < r->plan->stage_count; i++)
		if (r->plan->stages[i].needed)
			add_stage(&o, &r->plan->stages[i]);
	answer = r->json ? outline_json(&o, target, r->diagnostics) : outline_text(&o, target);
	json_decref(o.args);
	json_decref(o.secrets);
	json_decref(o.ssh);
	json_decref(o.caches);
	return answer;
}

char *
call_answer(const struct call_request *r, bool *is_faulty)
{
	*is_faulty = false;
	if (r->kind == BUILD_CALL_TARGETS)
		return r->json ? targets_json(r) : targets_text(r);
	return r->kind == BUILD_CALL_OUTLINE ? outline(r) : check(r, is_faulty);
}
