/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/event.h"
#include "base/mem.h"
#include "base/worker.h"
#include "cmd/cmd.h"
#include "cmd/recompress.h"
#include "cmd/remote_flags.h"
#include "cmd/show.h"
#include "cmd/spot.h"
#include "cmd/ui.h"
#include "layers/store.h"
#include "registry/remote_referrers.h"

struct values {
	const char *platform, *source_creds, *target_creds;
	bool referrers;
	enum recompress compression;
	struct remote_flags remote;
	struct ui_options ui;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt options[] = { OPT_STR(0, "platform", struct values, platform, "os/arch",
					      "only the image for this platform"),
	OPT_BOOL(0, "referrers", struct values, referrers,
		"what is attached to it as well: signatures, SBOMs"),
	OPT_ENUM(0, "compression", struct values, compression, recompress_words, "how",
		"layers become gzip, zstd or none, or keep what they have"),
	OPT_STR(0, "src-creds", struct values, source_creds, "user:password",
		"log in so where it comes from"),
	OPT_STR(0, "dest-creds", struct values, target_creds, "user:password",
		"log in so where it goes to"),
	TRUST_OPTION(struct values, remote), REMOTE_OPTIONS(struct values, remote),
	UI_OPTIONS(struct values, ui), OPT_END };

struct job {
	const struct values *values;
	const struct platform *platform; /* NULL: all */
	struct spot *from, *to;
	struct store *store; /* or NULL */
};

static int
open_session(const struct job *job, const char *creds, struct session **out, struct err *err)
{
	struct remote_flags flags = job->values->remote;
	struct session_options how;
	AUTO(free) char *owned = NULL;

	if (creds != NULL)
		flags.creds = creds;
	if (remote_flags_session(&flags, &owned, &how, err) < 0)
		return -1;
	how.store = job->store;
	return session_open(&how, out, err);
}

/* Between registries; they are looked for by what the copy is, so one platform has its own. */
static int
copy_referrers(const struct job *job, const struct descriptor *copied, struct err *err)
{
	unsigned count;

	if (remote_referrers_copy(job->from->place, job->to->place, &copied->digest, &count, err) <
		0)
		return err_in(err, "what is attached");
	event_debug("%u attached", count);
	return 0;
}

static int
copy(const struct job *job, struct session *from_session, struct session *to_session,
	struct descriptor *copied, struct err *err)
{
	struct spot *from = job->from, *to = job->to;
	AUTO(descriptor) struct descriptor root = { .size = 0 };
	struct place_convert_options convert;
	const struct place_copy_options how = {
		.all_platforms = job->platform == NULL,
		.platform = job->platform,
		/* an archive is written front to back */
		.parallel = spot_is_archive(to) ? 1 : 0,
	};

	if (spot_open_source(from, from_session, err) < 0 || spot_resolve(from, &root, err) < 0 ||
		spot_complete(from, from_session, err) < 0 ||
		spot_trust(from, from_session, &root, job->platform, err) < 0 ||
		spot_open_target(to, to_session, err) < 0)
		return -1;
	if (place_convert_copy(from->place, to->place, &root,
		    /* a docker archive has no manifest, so there is no digest to keep */
		    recompress_options(job->values->compression,
			    from->kind == SPOT_DOCKER_ARCHIVE && to->kind == SPOT_REGISTRY,
			    &convert),
		    &how, copied, err) < 0 ||
		spot_tag(to, copied, err) < 0 ||
		(job->values->referrers && copy_referrers(job, copied, err) < 0))
		return -1;
	return spot_written(to, err);
}

static int
copy_body(void *arg, json_t **result, struct err *err)
{
	const struct job *job = arg;
	const struct values *v = job->values;
	bool apart = v->source_creds != NULL || v->target_creds != NULL;
	AUTO(session) struct session *from = NULL;
	AUTO(session) struct session *to = NULL;
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	int done;

	if (open_session(job, v->source_creds, &from, err) < 0 ||
		(apart && open_session(job, v->target_creds, &to, err) < 0))
		return -1;
	/* with one session a registry may mount from its own repositories */
	done = copy(job, from, apart ? to : from, &copied, err);
	if (done == 0)
		*result = descriptor_format(&copied);
	place_free(steal(&job->from->place)); /* before their sessions */
	place_free(steal(&job->to->place));
	return done;
}

static int
copy_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(spot) struct spot from = SPOT_INIT;
	AUTO(spot) struct spot to = SPOT_INIT;
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	AUTO(json) json_t *result = NULL;
	AUTO(buf) struct buf answer = BUF_INIT;
	AUTO(store) struct store *store = NULL;
	struct platform platform;
	struct err ignored;
	struct job job = { .values = v, .from = &from, .to = &to };
	const struct worker_job work = { .name = "copy", .run = copy_body, .arg = &job };

	if (v->platform != NULL) {
		if (platform_parse(v->platform, &platform, err) < 0)
			return -1;
		job.platform = &platform;
	}
	if (spot_parse(call->args.items[0], &from, err) < 0 ||
		spot_parse(call->args.items[1], &to, err) < 0)
		return -1;
	if (v->referrers && (from.kind != SPOT_REGISTRY || to.kind != SPOT_REGISTRY))
		return err_set(err, ERR_USAGE, "'--referrers' is for copies between registries");
	if (v->referrers && v->compression != RECOMPRESS_DEFAULT &&
		v->compression != RECOMPRESS_KEEP)
		return err_set(err, ERR_USAGE,
			"'--compression' gives the image another digest, and what is attached is "
			"attached to the one it has: leave out '--referrers'");
	ui_begin(&v->ui, call->globals->debug);
	/* only for what is remembered about the registry, such as where an upload broke off */
	if (to.kind == SPOT_REGISTRY && store_open(call->globals->root, &store, &ignored) == 0)
		job.store = store;
	if (spot_prepare(&from, call->globals->root, job.platform, err) < 0 ||
		worker_signals(err) < 0 || spot_begin(&to, call->globals->root, err) < 0 ||
		worker_call(&work, &result, err) < 0 ||
		descriptor_parse(result, &copied, err) < 0 || spot_finish(&to, &copied, err) < 0)
		return -1;
	ui_end();
	spot_format(&to, &copied.digest, &answer);
	buf_addc(&answer, '\n');
	/* an archive on stdout is the answer itself */
	if (to.path != NULL && streq(to.path, "-"))
		return 0;
	return show_answer(&answer, err);
}

const struct cmd cmd_copy = {
	.name = "copy",
	.summary = "copy an image from one place to another",
	.args = "<source> <target>",
	.about = "Copies an image, byte for byte: an image for several platforms "
		 "goes whole unless "
		 "--platform chooses one, or --compression asks for other layers (those of a "
		 "docker-archive, which has no digests to keep, are compressed on their way to a "
		 "registry). Either end is docker://<name> (or simply <name>) at a "
		 "registry, oci:<dir>[:<name>], dir:<dir>, store:<name>, "
		 "oci-archive:<file>[:<name>] or docker-archive:<file>[:<name>]; a <file> of - is "
		 "stdin or stdout. What the "
		 "target has already is not sent, and within a registry layers are mounted. Prints "
		 "the digest of the copy.",
	.example = "  cooper copy alpine:3.20 registry.example.com/mirror/alpine:3.20\n"
		   "  cooper copy oci:out:latest registry.example.com/team/app:1\n"
		   "  cooper copy registry.example.com/team/app:1 docker-archive:app.tar:app:1\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 2,
	.args_max = 2,
	.run = copy_run,
};
