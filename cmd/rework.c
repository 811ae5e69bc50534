/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/rework.h"

#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/mem.h"
#include "base/worker.h"
#include "cmd/show.h"
#include "registry/draft.h"
#include "registry/place_archive.h"
#include "registry/place_layout.h"
#include "registry/remote_referrers.h"

enum { FORMAT_TEXT, FORMAT_JSON };

const struct opt_word rework_formats[] = {
	{ "text", FORMAT_TEXT },
	{ "json", FORMAT_JSON },
	{ NULL, 0 },
};

struct job {
	struct rework rework;
	rework_body *body;
	void *arg;
	bool in_place;
};

/* An image that was asked for as the only one is written under its own name, or there would be two. */
static int
name_only_one(struct job *job, struct err *err)
{
	struct spot *from = job->rework.from, *to = job->rework.to;
	AUTO(catalog) struct catalog read = CATALOG_INIT;
	const struct catalog *c = &read;
	bool is_archive = from->kind != SPOT_REGISTRY && from->kind != SPOT_LAYOUT;

	if (!job->in_place || from->kind == SPOT_REGISTRY || from->kind == SPOT_DIR ||
		from->kind == SPOT_STORE)
		return 0;
	if (is_archive)
		c = place_archive_catalog(from->place);
	else if (place_layout_catalog(from->place, &read, err) < 0)
		return -1;
	if (is_archive && c->count != 1)
		return err_set(err, ERR_USAGE,
			"the archive has %zu images, and would have one: write to another with "
			"'--dst'",
			c->count);
	if (to->name != NULL && !starts_with(to->name, "sha256:"))
		return 0;
	free(to->name);
	to->name = NULL;
	if (c->count == 1 && c->rows[0].name != NULL)
		to->name = xstrdup(c->rows[0].name);
	else if (!is_archive)
		return err_set(err, ERR_USAGE,
			"the image has no name here: give it one, with '--dst oci:%s:<name>'",
			from->path);
	return 0;
}

/* A short name may be read from elsewhere than where it would be written to. */
static int
check_name(const struct job *job, struct err *err)
{
	const struct spot *from = job->rework.from;
	AUTO(buf) struct buf whole = BUF_INIT;

	if (!job->in_place || from->kind != SPOT_REGISTRY ||
		ref_same_repository(&from->ref, &job->rework.to->ref))
		return 0;
	ref_format(&from->ref, REF_CANONICAL, &whole);
	return err_set(err, ERR_USAGE, "this is short for '%s': say all of it", whole.data);
}

static int
check_platform(const struct job *job, const struct descriptor *root, struct err *err)
{
	if (job->rework.platform == NULL || !job->in_place || !media_is_index(root->media_type))
		return 0;
	return err_set(err, ERR_USAGE,
		"with '--platform' its other images would be lost: write elsewhere with '--dst'");
}

/* What is attached to the old digest says nothing of the new one. */
static void
warn_attached(struct rework *r, const struct descriptor *root, const struct descriptor *now)
{
	AUTO(json) json_t *rows = NULL;
	AUTO(buf) struct buf tag = BUF_INIT;
	AUTO(descriptor) struct descriptor signature = { .size = 0 };
	struct err ignored = { 0 };
	struct place *p;
	bool is_signed;

	if (r->from == NULL || r->from->kind != SPOT_REGISTRY ||
		digest_same(&root->digest, &now->digest))
		return;
	p = r->from->place;
	remote_referrers_tag(&root->digest, ".sig", &tag);
	is_signed = p->ops->resolve(p, tag.data, &signature, &ignored) == 0;
	if (remote_referrers(p, &root->digest, NULL, &rows, &ignored) < 0)
		rows = NULL;
	if (is_signed || json_array_size(rows) > 0)
		event_warn("%s%s stays with %.19s: the result has another digest, and is not "
			   "signed",
			is_signed ? "the signature" : "what is attached",
			is_signed && json_array_size(rows) > 0 ? ", and what else is attached,"
							       : "",
			root->digest.text);
}

static int
rework(struct job *job, struct descriptor *root, struct descriptor *copied, struct err *err)
{
	struct rework *r = &job->rework;
	AUTO(descriptor) struct descriptor made = { .size = 0 };
	const struct place_copy_options how = {
		.all_platforms = true,
		.parallel = spot_is_archive(r->to) ? 1 : 0,
	};

	if (r->from != NULL &&
		(spot_open_source(r->from, r->session, err) < 0 ||
			spot_resolve(r->from, root, err) < 0 ||
			spot_complete(r->from, r->session, err) < 0 ||
			spot_trust(r->from, r->session, root, r->platform, err) < 0 ||
			check_name(job, err) < 0 || check_platform(job, root, err) < 0 ||
			name_only_one(job, err) < 0))
		return -1;
	r->draft = draft_new(r->from != NULL ? r->from->place : NULL);
	if (job->body(r, r->from != NULL ? root : NULL, job->arg, &made, err) < 0 ||
		spot_open_target(r->to, r->session, err) < 0 ||
		place_copy(r->draft, r->to->place, &made, &how, copied, err) < 0 ||
		spot_tag(r->to, copied, err) < 0 || spot_written(r->to, err) < 0)
		return -1;
	if (r->after != NULL && r->after(r, copied, job->arg, err) < 0)
		return -1;
	if (r->from != NULL)
		warn_attached(r, root, copied);
	return 0;
}

/* What stands on a session goes before it. */
static void
close_places(struct rework *r)
{
	place_free(steal(&r->draft));
	for (size_t i = 0; i < r->more_count; i++) {
		auto_spot(r->more[i]);
		free(r->more[i]);
	}
	free(steal(&r->more));
	if (r->from != NULL)
		place_free(steal(&r->from->place));
	place_free(steal(&r->to->place));
}

static int
job_body(void *arg, json_t **result, struct err *err)
{
	struct job *job = arg;
	struct rework *r = &job->rework;
	AUTO(session) struct session *session = NULL;
	AUTO(descriptor) struct descriptor root = { .size = 0 };
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	int done;

	if (remote_flags_open(&r->flags->remote, &session, err) < 0)
		return -1;
	r->session = session;
	done = rework(job, &root, &copied, err);
	if (done == 0) {
		*result = json_object();
		json_object_set_new(*result, "mediaType", json_text(copied.media_type));
		json_object_set_new(*result, "digest", json_text(copied.digest.text));
		json_object_set_new(*result, "size", json_integer((json_int_t)copied.size));
		if (r->from != NULL)
			json_object_set_new(*result, "was", json_text(root.digest.text));
	}
	close_places(r);
	return done;
}

static int
answer_with(const struct rework *r, const struct descriptor *made, json_t *result, struct err *err)
{
	AUTO(buf) struct buf name = BUF_INIT;
	AUTO(buf) struct buf answer = BUF_INIT;

	spot_format(r->to, &made->digest, &name);
	if (r->flags->format == FORMAT_JSON) {
		json_object_set_new(result, "name", json_text(name.data));
		json_format(result, JSON_STYLE_COMPACT, &answer);
	} else {
		buf_adds(&answer, name.data);
	}
	buf_addc(&answer, '\n');
	return show_answer(&answer, err);
}

/* The target that nobody named is where it came from; by its tag, or by no name. */
static void
forget_digest(struct spot *to)
{
	if (to->kind == SPOT_REGISTRY)
		to->ref.digest = (struct digest){ "" };
}

/* Found by its ID, it has no name that could go on to mean the result. */
static int
name_stored(struct job *job, struct err *err)
{
	struct spot *from = job->rework.from, *to = job->rework.to;

	if (!job->in_place || from->kind != SPOT_STORE)
		return 0;
	if (from->name == NULL)
		return err_set(err, ERR_USAGE, "name the result with '--dst store:<name>'");
	free(to->name);
	to->name = xstrdup(from->name);
	return 0;
}

static int
perform(struct call *call, struct job *job, struct err *err)
{
	struct rework *r = &job->rework;
	const struct worker_job work = { .name = call->cmd->name, .run = job_body, .arg = job };
	const char *root = call->globals->root;
	AUTO(json) json_t *result = NULL;
	AUTO(descriptor) struct descriptor made = { .size = 0 };

	ui_begin(&r->flags->ui, call->globals->debug);
	if ((r->from != NULL && spot_prepare(r->from, root, NULL, err) < 0) ||
		name_stored(job, err) < 0 || worker_signals(err) < 0 ||
		spot_begin(r->to, root, err) < 0 || worker_call(&work, &result, err) < 0 ||
		descriptor_parse(result, &made, err) < 0 || spot_finish(r->to, &made, err) < 0)
		return -1;
	ui_end();
	/* an archive on stdout is the answer itself */
	if (r->to->path != NULL && streq(r->to->path, "-"))
		return 0;
	return answer_with(r, &made, result, err);
}

int
rework_run(struct call *call, const struct rework_flags *flags, const char *from, const char *to,
	rework_body *body, void *arg, struct err *err)
{
	AUTO(spot) struct spot source = SPOT_INIT;
	AUTO(spot) struct spot target = SPOT_INIT;
	struct platform platform;
	struct job job = { .rework = { .flags = flags, .to = &target }, .body = body, .arg = arg };

	if (to == NULL)
		to = flags->target;
	if (flags->platform != NULL) {
		if (platform_parse(flags->platform, &platform, err) < 0)
			return -1;
		job.rework.platform = &platform;
	}
	if (epoch_or_now(flags->timestamp, job.rework.created, err) < 0)
		return -1;
	if (from != NULL) {
		if (spot_parse(from, &source, err) < 0)
			return -1;
		job.rework.from = &source;
	}
	job.in_place = from != NULL && (to == NULL || streq(to, from));
	if (spot_parse(to != NULL ? to : from, &target, err) < 0)
		return -1;
	if (to == NULL)
		forget_digest(&target);
	if (job.in_place && target.path != NULL && streq(target.path, "-"))
		return err_set(err, ERR_USAGE, "what comes from stdin wants '--dst'");
	return perform(call, &job, err);
}

int
rework_images(struct rework *r, const struct descriptor *root, bool needs_config, amend_each *each,
	void *arg, struct descriptor *out, struct err *err)
{
	const struct amend_options how = {
		.platform = r->platform,
		.to_oci = r->flags->to_oci,
		.needs_config = needs_config,
	};

	return amend_images(r->from->place, r->draft, root, &how, each, arg, out, err);
}

int
rework_open(struct rework *r, const char *text, struct spot **out, struct descriptor *found,
	struct err *err)
{
	struct spot *spot = xzalloc(sizeof *spot);

	*spot = (struct spot)SPOT_INIT;
	r->more = grow(r->more, r->more_count, &r->more_room, sizeof *r->more);
	r->more[r->more_count++] = spot;
	if (spot_parse(text, spot, err) < 0 || spot_open_source(spot, r->session, err) < 0 ||
		spot_resolve(spot, found, err) < 0 ||
		spot_trust(spot, r->session, found, NULL, err) < 0)
		return err_in(err, "'%s'", text);
	*out = spot;
	return 0;
}

static int
from_there(struct rework *r, const struct descriptor *d, struct place *from, unsigned depth,
	struct err *err)
{
	AUTO(json) json_t *doc = NULL;
	json_t *rows = NULL;

	if (depth > INDEX_DEPTH_MAX)
		return err_set(
			err, ERR_INPUT, "indexes are nested more than %d deep", INDEX_DEPTH_MAX);
	draft_from(r->draft, &d->digest, from);
	if (!media_is_index(d->media_type) && !media_is_manifest(d->media_type))
		return 0;
	if (amend_read(from, d, MANIFEST_MAX, &doc, err) < 0 ||
		json_get_array(doc, media_is_index(d->media_type) ? "manifests" : "layers", &rows,
			err) < 0)
		return -1;
	for (size_t i = 0; i <= json_array_size(rows); i++) {
		AUTO(descriptor) struct descriptor next = { .size = 0 };
		const json_t *row = i < json_array_size(rows) ? json_array_get(rows, i)
							      : json_object_get(doc, "config");

		if (row == NULL)
			continue;
		if (descriptor_parse(row, &next, err) < 0 ||
			from_there(r, &next, from, depth + 1, err) < 0)
			return -1;
	}
	return 0;
}

int
rework_from(struct rework *r, const struct descriptor *d, struct place *from, struct err *err)
{
	return from_there(r, d, from, 0, err);
}
