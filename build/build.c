/* SPDX-License-Identifier: Apache-2.0 */
#include "build/build.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/epoch.h"
#include "base/event.h"
#include "base/file.h"
#include "build/base.h"
#include "build/call.h"
#include "build/dockerfile/diagnostic.h"
#include "build/dockerfile/lint.h"
#include "build/dockerfile/mount.h"
#include "build/dockerfile/parse.h"
#include "build/dockerfile/suggest.h"
#include "build/image.h"
#include "build/input.h"
#include "build/material.h"
#include "build/output.h"
#include "build/plan.h"
#include "build/solve.h"
#include "build/ssh_agent.h"

/* What all platforms of one call have in common. */
struct building {
	struct store *store;
	const struct build_options *o;
	struct input input;
	struct dockerfile *file;
	struct diagnostics diagnostics;
	struct lint lint;
	const struct build_output *output; /* the first, whose codec counts */
	bool docker_types;
	bool files_only; /* no output wants an image */
	bool many;
	unsigned planned; /* platforms */
};

/* --- one platform ----------------------------------------------------------------------------- */

static void need_trees(struct solve *s, size_t stage, size_t upto);

static void
need_files(struct solve *s, const struct origin *from)
{
	if (from->kind == ORIGIN_STAGE)
		need_trees(s, from->index, SIZE_MAX);
	if (from->kind == ORIGIN_IMAGE)
		for (size_t i = 0; i < s->images[from->index].count; i++)
			s->images[from->index].items[i]->tree_likely = true;
}

/* Somebody runs on, or reads from, what the first `upto` steps of a stage leave. */
static void
need_trees(struct solve *s, size_t stage, size_t upto)
{
	struct stage_run *st = &s->stages[stage];

	for (size_t i = 0; i < st->count && i < upto; i++)
		st->nodes[i].wants_tree = true;
	need_files(s, &s->plan->stages[stage].base);
}

static void
want_of_add(struct solve *s, const struct plan_step *step)
{
	const struct strv *sources = &step->in->copy.sources;
	size_t k = 0;

	for (size_t i = 0; i < sources->count; i++)
		if (k < step->fetch_count && step->fetches[k].source == i)
			strv_add(&s->contexts[step->fetches[k++].context].sources, "/");
		else
			strv_add(&s->contexts[step->from.index].sources, sources->items[i]);
}

static void
want_of_step(struct solve *s, struct plan_step *step)
{
	if (step->kind == STEP_COPY && step->in->copy.sources.count > 0) {
		if (step->from.kind == ORIGIN_CONTEXT)
			want_of_add(s, step);
		else
			need_files(s, &step->from);
	}
	for (size_t i = 0; i < step->mount_count; i++) {
		const struct step_mount *m = &step->mounts[i];

		if (m->from.kind == ORIGIN_CONTEXT)
			strv_add(&s->contexts[m->from.index].sources,
				m->mount.source != NULL ? m->mount.source : "/");
		else
			need_files(s, &m->from);
	}
	if (step->kind == STEP_RUN)
		need_trees(s, step->stage, step->index);
}

static void
make_nodes(struct solve *s)
{
	struct plan *p = s->plan;

	for (size_t i = 0; i < p->stage_count; i++) {
		struct plan_stage *ps = &p->stages[i];

		if (!ps->needed)
			continue;
		s->stages[i].count = ps->step_count;
		s->stages[i].nodes = xcalloc(ps->step_count, sizeof *s->stages[i].nodes);
		for (size_t k = 0; k < ps->step_count; k++) {
			s->stages[i].nodes[k].step = ps->steps[k];
			s->stages[i].nodes[k].listing_fd = -1;
			s->stages[i].nodes[k].wants_blob = ps->is_target_chain && !s->no_export;
		}
	}
	for (size_t i = 0; i < p->stage_count; i++)
		for (size_t k = 0; k < s->stages[i].count; k++)
			want_of_step(s, p->stages[i].steps[k]);
	if (s->no_export)
		need_files(s, &(struct origin){ ORIGIN_STAGE, p->target });
}

static int
open_contexts(struct building *b, struct solve *s, struct err *err)
{
	s->context_count = s->plan->context_dirs.count;
	s->contexts = xcalloc(s->context_count, sizeof *s->contexts);
	for (size_t i = 0; i < s->context_count; i++)
		s->contexts[i].dir = s->contexts[i].new_cache = -1;
	if (b->input.context >= 0)
		s->contexts[0].dir = fcntl(b->input.context, F_DUPFD_CLOEXEC, 3);
	s->contexts[0].ignore = b->input.ignore; /* lent: other platforms need it too */
	for (size_t i = 1; i < s->context_count; i++) {
		const char *path = s->plan->context_dirs.items[i];

		s->contexts[i].fetch = s->plan->fetches[i];
		if (s->contexts[i].fetch != NULL)
			continue;
		s->contexts[i].dir = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (s->contexts[i].dir < 0)
			return err_sys(err, "--build-context '%s'", path);
		if (input_ignore(s->contexts[i].dir, &s->contexts[i].ignore, err) < 0)
			return -1;
	}
	return 0;
}

/* SOURCE_DATE_EPOCH, from --build-arg, else from our environment as buildx takes it. */
static int
set_times(struct solve *s, struct err *err)
{
	const char *text = strv_env_get(&s->plan->args.given, "SOURCE_DATE_EPOCH");
	const struct plan_stage *st = &s->plan->stages[s->plan->target];
	struct tm tm = { .tm_year = 0 };

	if (text == NULL)
		text = getenv("SOURCE_DATE_EPOCH");
	if (text != NULL && *text != '\0') {
		if (epoch_parse(text, &s->epoch_s, s->epoch, err) < 0)
			return -1;
		s->made_s = s->epoch_s;
		return 0;
	}
	/* directories that nobody dated look as old as the base, so that the same build gives the
	 * same layer */
	while (st->base.kind == ORIGIN_STAGE)
		st = &s->plan->stages[st->base.index];
	if (st->base.kind == ORIGIN_IMAGE) {
		const char *created = s->plan->images[st->base.index]->config.created;

		if (created != NULL && strptime(created, "%Y-%m-%dT%H:%M:%S", &tm) != NULL)
			s->made_s = timegm(&tm);
	}
	return 0;
}

static int
solve_open(struct building *b, struct plan *p, struct solve *s, struct err *err)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	s->store = b->store;
	s->o = b->o;
	s->plan = p;
	s->userns = -1;
	s->codec = b->output->codec;
	s->level = b->output->level;
	s->no_export = b->files_only;
	s->layers_stay_remote = b->o->push || b->output->push;
	s->max_steps = b->o->jobs > 0 ? b->o->jobs : processors > 2 ? (unsigned)processors : 2;
	s->stages = xcalloc(p->stage_count, sizeof *s->stages);
	s->images = xcalloc(p->image_count, sizeof *s->images);
	digest_of("", 0, &s->scratch.state);
	if (open_contexts(b, s, err) < 0 || set_times(s, err) < 0)
		return -1;
	for (size_t i = 0; i < p->image_count; i++)
		if (p->images[i]->resolved &&
			materials_of_image(s, p->images[i], &s->images[i], err) < 0)
			return -1;
	make_nodes(s);
	return 0;
}

static int
make_plan(struct building *b, const struct platform *platform, struct plan **out, struct err *err)
{
	bool is_check = b->o->call == BUILD_CALL_CHECK;
	struct plan_options po = { .file = b->file,
		.file_name = b->input.name,
		/* what there is to say is the same for each platform */
		.lint = b->planned++ == 0 ? &b->lint : NULL,
		.build_args = &b->o->build_args,
		.contexts = &b->o->contexts,
		.labels = &b->o->labels,
		.target = b->o->target,
		.platform = platform,
		.ignore = b->input.ignore,
		.all_stages = is_check && b->o->target == NULL,
		.many_platforms = b->many };
	AUTO(plan) struct plan *p = NULL;
	size_t added;

	if (plan_open(&po, &p, err) < 0)
		return -1;
	do {
		if (plan_reach(p, &added, err) < 0)
			return -1;
		if (added > 0 && base_resolve(b->store, b->o->pull, &b->o->session, p->images,
					 p->image_count, err) < 0)
			return -1;
	} while (added > 0);
	if (plan_finish(p, err) < 0)
		return -1;
	*out = steal(&p);
	return 0;
}

static void
warn_unused(struct building *b, struct plan *p)
{
	AUTO(strv) struct strv unused = STRV_INIT, names = STRV_INIT;

	build_args_unused(&p->args, &unused);
	plan_arg_names(p, &names);
	for (size_t i = 0; i < unused.count; i++) {
		const char *nearest = suggest(
			unused.items[i], (const char *const *)names.items, names.count, true);

		event_warn("--build-arg %s: no ARG in %s declares it%s%s%s", unused.items[i],
			b->input.name, nearest != NULL ? " (did you mean " : "",
			nearest != NULL ? nearest : "", nearest != NULL ? "?)" : "");
	}
}

static void
warn(struct building *b, struct plan *p)
{
	if (b->planned > 1)
		return;
	warn_unused(b, p);
	diagnostics_sort(&b->diagnostics);
	for (size_t i = 0; i < b->diagnostics.count; i++) {
		const struct diagnostic *d = &b->diagnostics.items[i];

		if (d->severity == SEVERITY_WARNING)
			event_warn("%s: %s (line %d)", d->rule, d->message, d->line_start);
	}
}

static int
finish_files(struct building *b, struct solve *s, const struct platform *platform, struct err *err)
{
	struct origin target = { ORIGIN_STAGE, s->plan->target };
	AUTO(buf) struct buf subdir = BUF_INIT;

	if (b->many) {
		platform_format(platform, &subdir);
		for (char *at = subdir.data; *at != '\0'; at++)
			if (*at == '/')
				*at = '_';
	}
	for (size_t i = 0; i < b->o->output_count; i++) {
		const struct build_output *to = &b->o->outputs[i];

		if (to->type != BUILD_OUTPUT_TAR && to->type != BUILD_OUTPUT_LOCAL)
			continue;
		if (solve_trees(s, solve_root(s, &target), err) < 0 ||
			output_files(s, to, b->many ? subdir.data : NULL, err) < 0)
			return -1;
	}
	return 0;
}

static int
build_platform(struct building *b, const struct platform *platform, struct image_made *out,
	struct err *err)
{
	AUTO(plan) struct plan *p = NULL;
	struct solve s = { .store = NULL };
	int result;

	if (make_plan(b, platform, &p, err) < 0)
		return -1;
	warn(b, p);
	if (lint_finish(&b->lint, err) < 0)
		return -1;
	result = solve_open(b, p, &s, err);
	if (result == 0)
		result = solve_run(&s, err);
	if (result == 0 && !b->files_only)
		result = image_make(&s, b->docker_types, out, err);
	if (result == 0)
		result = finish_files(b, &s, platform, err);
	solve_stop(&s);
	return result;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int
open_file(struct building *b, struct err *err)
{
	struct input *in = &b->input;
	const char *override = NULL;

	if (input_open(b->store, b->o, in, err) < 0)
		return -1;
	diagnostics_source(&b->diagnostics, in->name, in->text.data, in->text.len);
	if (dockerfile_parse(
		    in->text.data, in->text.len, in->name, &b->file, &b->diagnostics, err) < 0)
		return -1;
	for (size_t i = 0; i < b->o->build_args.count; i++)
		if (starts_with(b->o->build_args.items[i], "BUILDKIT_DOCKERFILE_CHECK="))
			override = strchr(b->o->build_args.items[i], '=') + 1;
	if (lint_start(&b->lint, b->file, override, &b->diagnostics, err) < 0)
		return -1;
	lint_file(&b->lint);
	return 0;
}

static int
choose_platform(const struct building *b, size_t index, struct platform *out, struct err *err)
{
	platform_host(out);
	if (b->o->platforms.count > index &&
		platform_parse(b->o->platforms.items[index], out, err) < 0)
		return err_in(err, "--platform");
	return 0;
}

static int
write_result(const struct build_options *o, const struct build_result *r, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(json) json_t *doc = NULL;
	AUTO(free) char *names = NULL;
	AUTO(strv) struct strv tags = STRV_INIT;

	if (o->iidfile != NULL && file_write(AT_FDCWD, o->iidfile, r->config.text,
					  strlen(r->config.text), 0644, FILE_NO_SYNC, err) < 0)
		return err_in(err, "--iidfile");
	if (o->metadata_file == NULL)
		return 0;
	if (output_names(&o->tags, &tags, err) < 0)
		return -1;
	names = strv_join(&tags, ",");
	doc = json_object();
	json_object_set_new(doc, "containerimage.config.digest", json_string(r->config.text));
	json_object_set_new(doc, "containerimage.descriptor", descriptor_format(&r->descriptor));
	json_object_set_new(doc, "containerimage.digest", json_string(r->descriptor.digest.text));
	if (tags.count > 0)
		json_object_set_new(doc, "image.name", json_text(names));
	json_format(doc, JSON_STYLE_INDENT, &text);
	buf_addc(&text, '\n');
	if (file_write(AT_FDCWD, o->metadata_file, text.data, text.len, 0644, FILE_NO_SYNC, err) <
		0)
		return err_in(err, "--metadata-file");
	return 0;
}

static int
write_outputs(struct building *b, const struct descriptor *image, struct err *err)
{
	if (b->o->output_count == 0)
		return output_image(b->store, b->o, image, b->o->push, err);
	for (size_t i = 0; i < b->o->output_count; i++) {
		const struct build_output *to = &b->o->outputs[i];
		int result = 0;

		if (to->type == BUILD_OUTPUT_IMAGE)
			result = output_image(b->store, b->o, image, to->push || b->o->push, err);
		else if (to->type == BUILD_OUTPUT_OCI || to->type == BUILD_OUTPUT_DOCKER)
			result = output_archive(b->store, b->o, to, image, err);
		if (result < 0)
			return -1;
	}
	return 0;
}

/* What is wrong with the file is the answer to a check, and no failure of it. */
static int
answer_call(struct building *b, struct build_result *out, struct err *err)
{
	AUTO(plan) struct plan *p = NULL;
	struct platform platform;
	struct call_request r = { .kind = b->o->call, .json = b->o->call_json };
	int result = open_file(b, err);

	if (result == 0)
		result = choose_platform(b, 0, &platform, err);
	if (result == 0 && r.kind != BUILD_CALL_TARGETS)
		result = make_plan(b, &platform, &p, err);
	if (result < 0 && (r.kind != BUILD_CALL_CHECK || b->input.text.len == 0 ||
				  err->kind == ERR_INTERRUPTED))
		return -1;
	diagnostics_sort(&b->diagnostics);
	r.error = result < 0 ? err->msg : NULL;
	r.diagnostics = &b->diagnostics;
	r.file = b->file;
	r.plan = p;
	out->answer = call_answer(&r, &out->is_faulty);
	return 0;
}

static int
build_all(struct building *b, struct build_result *out, struct err *err)
{
	size_t count = b->o->platforms.count > 0 ? b->o->platforms.count : 1;
	AUTO(free) struct image_made *made = xcalloc(count, sizeof *made);

	b->many = count > 1;
	if (b->o->call != BUILD_CALL_BUILD)
		return answer_call(b, out, err);
	if (open_file(b, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct platform platform;

		if (choose_platform(b, i, &platform, err) < 0)
			return -1;
		if (build_platform(b, &platform, &made[i], err) < 0)
			return -1;
	}
	if (b->files_only)
		return store_sync(b->store, err);
	out->config = made[0].config;
	if (!b->many)
		descriptor_copy(&made[0].manifest, &out->descriptor);
	else if (image_index(b->store, made, count, b->docker_types, &out->descriptor, err) < 0)
		return -1;
	if (write_outputs(b, &out->descriptor, err) < 0 || store_sync(b->store, err) < 0)
		return -1;
	return write_result(b->o, out, err);
}

/* The lines that failed, below what is said of them. */
static void
quote_lines(const struct building *b, struct err *err)
{
	AUTO(buf) struct buf excerpt = BUF_INIT;
	size_t name = b->input.name != NULL ? strlen(b->input.name) : 0;
	size_t len = strlen(err->msg);
	int line;

	if (name == 0 || strncmp(err->msg, b->input.name, name) != 0 || err->msg[name] != ':')
		return;
	line = (int)strtol(err->msg + name + 1, NULL, 10);
	if (line <= 0)
		return;
	diagnostics_excerpt(&b->diagnostics, line, line, 0, 0, &excerpt);
	snprintf(err->msg + len, sizeof err->msg - len, "\n%s", excerpt.data);
}

int
build_run(struct store *store, const struct build_options *o, struct build_result *out,
	struct err *err)
{
	static const struct build_output plain = {
		.type = BUILD_OUTPUT_IMAGE, .codec = CODEC_GZIP, .level = CODEC_DEFAULT
	};
	AUTO(ssh_agents) struct ssh_agents *agents = NULL;
	struct build_options own = *o;
	struct building b = { .store = store,
		.o = &own,
		.input = INPUT_INIT,
		.diagnostics = DIAGNOSTICS_INIT,
		.lint = LINT_INIT };
	int result;

	if (ssh_agents_start(&o->ssh, &agents, err) < 0)
		return -1;
	own.ssh = *ssh_agents_specs(agents);
	b.output = o->output_count > 0 ? &o->outputs[0] : &plain;
	b.files_only = o->output_count > 0 && !o->push;
	for (size_t i = 0; i < o->output_count; i++) {
		if (o->outputs[i].type != BUILD_OUTPUT_TAR &&
			o->outputs[i].type != BUILD_OUTPUT_LOCAL)
			b.files_only = false;
		if (o->outputs[i].type == BUILD_OUTPUT_DOCKER)
			b.docker_types = true;
	}
	result = build_all(&b, out, err);
	if (result < 0)
		quote_lines(&b, err);
	auto_lint(&b.lint);
	dockerfile_free(b.file);
	diagnostics_free(&b.diagnostics);
	input_free(store, &b.input);
	return result;
}
