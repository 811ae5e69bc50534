/* SPDX-License-Identifier: Apache-2.0 */
#include "build/solve.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/event.h"
#include "build/material.h"
#include "build/run_mount.h"
#include "build/sandbox/supervisor.h"
#include "build/trash.h"

/* Workers that unpack, pack and fetch run beside the steps; together no more than this. */
#define JOBS_MAX 16

/* --- roots ------------------------------------------------------------------------------------ */

void
root_add(struct root *r, struct material *m)
{
	r->items = grow(r->items, r->count, &r->room, sizeof *r->items);
	r->items[r->count++] = m;
}

void
root_copy(const struct root *r, struct root *out)
{
	for (size_t i = 0; i < r->count; i++)
		root_add(out, r->items[i]);
	out->state = r->state;
}

struct view *
root_view(struct root *r)
{
	AUTO(free) const struct listing **layers = xcalloc(r->count, sizeof *layers);

	if (r->view != NULL)
		return r->view;
	for (size_t i = 0; i < r->count; i++)
		layers[i] = &r->items[i]->listing;
	r->view = view_new(layers, r->count);
	return r->view;
}

int
root_open(struct solve *s, const struct root *r, int **out, size_t *out_count, struct err *err)
{
	int *fds = xcalloc(r->count + 1, sizeof *fds);
	size_t count = 0;

	for (size_t i = r->count; i-- > 0;) {
		const struct material *m = r->items[i];

		if (material_is_empty(m))
			continue;
		fds[count] = store_tree_open(s->store, m->rec.tree, err);
		if (fds[count] < 0) {
			root_close(fds, count);
			free(fds);
			return -1;
		}
		count++;
	}
	*out = fds;
	*out_count = count;
	return 0;
}

void
root_close(int *lowers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		auto_fd(&lowers[i]);
}

void
root_free(struct root *r)
{
	view_free(r->view);
	free(r->items);
	*r = (struct root){ .items = NULL };
}

struct root *
solve_root(struct solve *s, const struct origin *o)
{
	struct stage_run *st;

	if (o->kind == ORIGIN_CONTEXT)
		return NULL;
	if (o->kind == ORIGIN_SCRATCH)
		return &s->scratch;
	if (o->kind == ORIGIN_IMAGE)
		return &s->images[o->index];
	st = &s->stages[o->index];
	return st->count > 0 ? &st->nodes[st->count - 1].after : &st->base;
}

bool
origin_ready(struct solve *s, const struct origin *o)
{
	const struct stage_run *st;

	switch (o->kind) {
	case ORIGIN_CONTEXT:
		return s->contexts[o->index].done;
	case ORIGIN_SCRATCH:
	case ORIGIN_IMAGE:
		return true;
	case ORIGIN_STAGE:
		break;
	}
	st = &s->stages[o->index];
	return st->count > 0 ? st->nodes[st->count - 1].state == NODE_DONE : st->base_known;
}

/* --- workers ---------------------------------------------------------------------------------- */

int
solve_inside(struct solve *s, struct err *err)
{
	if (s->userns >= 0)
		return 0;
	if (ids_setup(&s->ids, &s->userns, err) < 0)
		return -1;
	if (s->ids.is_single)
		event_debug("one id only, so a supervisor notes owners and users of boxes: %s",
			s->ids.reason);
	return s->ids.has_moved ? store_reopen(s->store, err) : 0;
}

int
solve_filter(struct solve *s, struct err *err)
{
	if (s->seccomp != NULL)
		return 0;
	return s->ids.is_single ? supervisor_filter(CAPS_DEFAULT, false, &s->seccomp, err)
				: seccomp_compile(CAPS_DEFAULT, &s->seccomp, err);
}

void
solve_time(const struct solve *s, char out[40])
{
	struct timespec now;
	struct tm tm;
	size_t len;

	if (s->epoch[0] != '\0') {
		memcpy(out, s->epoch, sizeof s->epoch);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	len = strftime(out, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + len, 40 - len, ".%09ldZ", now.tv_nsec);
}

int
solve_start(struct solve *s, const struct job *j, const struct worker_job *w, bool inside,
	struct err *err)
{
	struct worker_job start = *w;
	struct job *copy;

	if (inside && solve_inside(s, err) < 0)
		return -1;
	copy = xmemdup(j, sizeof *j);
	s->jobs = grow(s->jobs, s->job_count, &s->job_room, sizeof *s->jobs);
	s->jobs[s->job_count++] = copy;
	if (copy->is_step)
		s->steps_at_work++;
	if (inside)
		ids_job_inside(s->userns, &start, &copy->inside);
	return worker_start(&start, &copy->worker, err);
}

bool
solve_may_start(const struct solve *s)
{
	return s->steps_at_work < s->max_steps && s->job_count < JOBS_MAX;
}

static void
job_free(struct job *j)
{
	auto_fd(&j->memory);
	if (j->ingest != NULL)
		ingest_drop(j->ingest, INGEST_DISCARD);
	auto_tree_new(&j->tree);
	free(j);
}

/* Its tree goes with it: nobody will say that it is complete. */
static void
job_stop(struct solve *s, struct job *j)
{
	struct err ignored;

	if (j->worker != NULL)
		worker_stop(j->worker, WORKER_GRACE_MS);
	j->worker = NULL;
	if (j->tree.fs_fd >= 0 && j->tree.id[0] != '\0' &&
		store_tree_drop(s->store, j->tree.id, &ignored) == 0)
		s->has_trash = true;
	job_free(j);
}

static int
job_ended(struct solve *s, size_t index, struct err *err)
{
	struct job *j = s->jobs[index];
	AUTO(json) json_t *result = NULL;
	int failed = worker_result(j->worker, &result, err);

	s->jobs[index] = s->jobs[--s->job_count];
	if (j->is_step)
		s->steps_at_work--;
	worker_free(j->worker);
	j->worker = NULL;
	if (failed == 0)
		failed = j->finish(s, j, result, err);
	if (failed < 0) {
		if (j->event != 0)
			event_fail(j->event, err->msg);
		if (j->step != NULL)
			plan_at(s->plan, j->step->in, err);
	}
	if (failed < 0)
		job_stop(s, j);
	else
		job_free(j);
	return failed;
}

static int
flush(void *arg, json_t **result, struct err *err)
{
	(void)result;
	return syncfs(store_dir(arg)) < 0 ? err_sys(err, "sync the store") : 0;
}

static int
flushed(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	(void)j;
	(void)result;
	(void)err;
	s->is_flushing = false;
	return 0;
}

int
solve_flush(struct solve *s, struct err *err)
{
	struct job j = { .finish = flushed, .memory = -1, .tree = TREE_NEW_INIT };
	struct worker_job w = { .name = "flush", .run = flush, .arg = s->store };

	if (s->is_flushing)
		return 0;
	s->is_flushing = true;
	return solve_start(s, &j, &w, false, err);
}

/* What must end before the build can. */
static size_t
jobs_that_count(const struct solve *s)
{
	return s->job_count - (s->is_flushing ? 1 : 0);
}

static int
wait_for_one(struct solve *s, struct err *err)
{
	AUTO(free) struct worker **workers = xcalloc(s->job_count, sizeof *workers);
	size_t done;

	for (size_t i = 0; i < s->job_count; i++)
		workers[i] = s->jobs[i]->worker;
	if (worker_wait_any(workers, s->job_count, &done, err) < 0)
		return -1;
	return job_ended(s, done, err);
}

static int
advance_node(struct solve *s, struct node *n, struct err *err)
{
	int result = n->step->kind == STEP_RUN ? step_run_advance(s, n, err)
					       : step_copy_advance(s, n, err);

	if (result < 0) {
		if (n->event != 0)
			event_fail(n->event, err->msg);
		return plan_at(s->plan, n->step->in, err);
	}
	/* blobs of the image are made while later steps run */
	if (n->state == NODE_DONE && n->wants_blob &&
		material_want_blob(s, n->after.items[n->after.count - 1], err) < 0)
		return -1;
	return 0;
}

/* --- stages ----------------------------------------------------------------------------------- */

static bool
base_is_ready(struct solve *s, size_t stage)
{
	struct stage_run *st = &s->stages[stage];
	struct plan_stage *ps = &s->plan->stages[stage];

	if (st->base_known)
		return true;
	if (ps->base.kind == ORIGIN_CONTEXT || !origin_ready(s, &ps->base))
		return false;
	root_copy(solve_root(s, &ps->base), &st->base);
	st->base_known = true;
	return true;
}

static int
advance_stage(struct solve *s, size_t stage, bool *all_done, struct err *err)
{
	struct stage_run *st = &s->stages[stage];

	if (!base_is_ready(s, stage)) {
		*all_done = false;
		return 0;
	}
	for (size_t i = 0; i < st->count; i++) {
		struct node *n = &st->nodes[i];

		if (n->state != NODE_DONE) {
			n->before = i > 0 ? &st->nodes[i - 1].after : &st->base;
			if (advance_node(s, n, err) < 0)
				return -1;
		}
		if (n->state != NODE_DONE) {
			*all_done = false;
			return 0;
		}
	}
	return 0;
}

/* The target's layers: what is made here must be blobs; what came from a registry only when it
 * stays here. */
static int
export_ready(struct solve *s, struct err *err)
{
	struct root *r = solve_root(s, &(struct origin){ ORIGIN_STAGE, s->plan->target });
	int all = 1;

	for (size_t i = 0; i < r->count; i++) {
		int one;

		if (s->layers_stay_remote && r->items[i]->image != NULL &&
			r->items[i]->rec.blob_count > 0)
			continue;
		one = material_want_blob(s, r->items[i], err);
		if (one < 0)
			return -1;
		all = all && one;
	}
	return all;
}

int
solve_run(struct solve *s, struct err *err)
{
	for (;;) {
		bool all_done = true;
		int exported = 0;

		for (size_t i = 0; i < s->plan->stage_count; i++)
			if (s->plan->stages[i].needed && advance_stage(s, i, &all_done, err) < 0)
				return -1;
		if (all_done)
			exported = s->no_export ? 1 : export_ready(s, err);
		if (exported < 0)
			return -1;
		if (exported > 0 && jobs_that_count(s) == 0)
			return 0;
		if (jobs_that_count(s) == 0)
			return err_set(
				err, ERR_SYSTEM, "the build waits for nothing: please report this");
		if (wait_for_one(s, err) < 0)
			return -1;
	}
}

int
solve_trees(struct solve *s, struct root *r, struct err *err)
{
	for (;;) {
		int trees = materials_want(s, r, MATERIAL_TREE, err);
		int listings = trees > 0 ? materials_want(s, r, MATERIAL_LISTING, err) : trees;

		if (listings != 0)
			return listings < 0 ? -1 : 0;
		if (wait_for_one(s, err) < 0)
			return -1;
	}
}

int
solve_wait(struct solve *s, struct err *err)
{
	while (jobs_that_count(s) > 0)
		if (wait_for_one(s, err) < 0)
			return -1;
	return 0;
}

void
solve_stop(struct solve *s)
{
	struct err ignored;

	for (size_t i = 0; i < s->job_count; i++)
		job_stop(s, s->jobs[i]);
	free(s->jobs);
	for (size_t i = 0; s->stages != NULL && i < s->plan->stage_count; i++) {
		struct stage_run *st = &s->stages[i];

		for (size_t k = 0; k < st->count; k++) {
			root_free(&st->nodes[k].after);
			key_free(&st->nodes[k].key);
			copy_list_free(&st->nodes[k].plan);
			auto_fd(&st->nodes[k].listing_fd);
			stagings_free(s, &st->nodes[k]);
			add_free(s, &st->nodes[k]);
		}
		free(st->nodes);
		root_free(&st->base);
	}
	free(s->stages);
	for (size_t i = 0; s->images != NULL && i < s->plan->image_count; i++)
		root_free(&s->images[i]);
	free(s->images);
	root_free(&s->scratch);
	context_runs_free(s);
	for (size_t i = 0; i < s->material_count; i++)
		material_free(s->materials[i]);
	free(s->materials);
	seccomp_free(s->seccomp);
	if (s->has_trash && trash_empty(s->store, s->userns, &ignored) < 0)
		event_debug("some files of removed trees could not be deleted: %s", ignored.msg);
	auto_fd(&s->userns);
}
