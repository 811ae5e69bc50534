/* SPDX-License-Identifier: Apache-2.0 */
/* sync - a list of images is copied, several at a time; what is the same already costs a question on each
 * side. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/archive_file.h"
#include "base/event.h"
#include "base/mem.h"
#include "base/worker.h"
#include "cmd/cmd.h"
#include "cmd/remote_flags.h"
#include "cmd/show.h"
#include "cmd/spot.h"
#include "cmd/ui.h"
#include "layers/texts.h"
#include "registry/amend.h"
#include "registry/remote.h"
#include "registry/remote_referrers.h"
#include "registry/sync_list.h"

#define TASKS_MAX 1000000
#define PARALLEL 4
#define PARALLEL_MAX 32

enum { FORMAT_TEXT, FORMAT_JSON };

struct values {
	bool dry_run;
	unsigned parallel;
	int format;
	struct remote_flags remote;
	struct ui_options ui;
};

static const struct values defaults = { .parallel = PARALLEL, .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt_word formats[] = {
	{ "text", FORMAT_TEXT },
	{ "json", FORMAT_JSON },
	{ NULL, 0 },
};

static const struct opt options[] = { OPT_BOOL(0, "dry-run", struct values, dry_run,
					      "say what would be copied, and copy nothing"),
	OPT_UINT('j', "parallel", struct values, parallel, "count", "so many images at a time (4)"),
	OPT_ENUM(0, "format", struct values, format, formats, "how", "answer as text or json"),
	TRUST_OPTION(struct values, remote), REMOTE_OPTIONS(struct values, remote),
	UI_OPTIONS(struct values, ui), OPT_END };

enum outcome { OUTCOME_FAILED, OUTCOME_SAME, OUTCOME_COPIED, OUTCOME_WOULD };
static const char *const outcomes[] = { "failed", "same", "copied", "would copy" };

struct task {
	const struct sync_row *row; /* NULL: two lines want the same target */
	char *source, *target;
	enum outcome outcome;
	struct digest digest;
	struct err err;
};

struct sync {
	const struct values *values;
	const struct sync_list *list;
	struct session *session;
	struct task *tasks;
	size_t count, room;
	struct texts targets;
	pthread_mutex_t lock; /* of next */
	size_t next;
};

static void
sync_free(struct sync *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->tasks[i].source);
		free(s->tasks[i].target);
	}
	free(s->tasks);
	texts_free(&s->targets);
	pthread_mutex_destroy(&s->lock);
}

static struct task *
add_task(struct sync *s, const struct sync_row *row, const char *source, const char *target)
{
	struct task *t;

	s->tasks = grow(s->tasks, s->count, &s->room, sizeof *s->tasks);
	t = &s->tasks[s->count++];
	*t = (struct task){ .row = row, .source = xstrdup(source), .target = xstrdup(target) };
	return t;
}

static int
add_image(struct sync *s, const struct sync_row *row, const char *source, const char *target,
	struct err *err)
{
	struct task *t;

	if (s->count == TASKS_MAX)
		return err_set(err, ERR_INPUT, "more than %d images", TASKS_MAX);
	t = add_task(s, row, source, target);
	if (texts_add(&s->targets, target))
		return 0;
	t->row = NULL;
	err_set(&t->err, ERR_INPUT, "another one has the same target");
	return 0;
}

/* All tags that the row means of one repository; rest: what follows the target's name. */
static int
add_tags(struct sync *s, const struct sync_row *row, const char *source, const char *rest,
	struct err *err)
{
	AUTO(spot) struct spot from = SPOT_INIT;
	AUTO(strv) struct strv tags = STRV_INIT;
	size_t count = 0;

	if (spot_parse(source, &from, err) < 0)
		return -1;
	if (from.kind != SPOT_REGISTRY || !from.ref.tag_implied)
		return err_set(err, ERR_INPUT, "many tags want a repository, without a tag");
	if (spot_open_source(&from, s->session, err) < 0 || remote_tags(from.place, &tags, err) < 0)
		return -1;
	for (size_t i = 0; i < tags.count; i++) {
		AUTO(free) char *image = NULL;
		AUTO(free) char *target = NULL;

		if (!sync_row_has(row, tags.items[i]))
			continue;
		image = xasprintf("%s:%s", source, tags.items[i]);
		target = xasprintf("%s%s:%s", row->target, rest, tags.items[i]);
		count++;
		if (add_image(s, row, image, target, err) < 0)
			return -1;
	}
	if (count == 0)
		event_warn("line %u: %s has no such tags", row->line, source);
	return 0;
}

/* Below a path of a registry, or all of it. */
static int
add_repositories(struct sync *s, const struct sync_row *row, struct err *err)
{
	const char *bare = starts_with(row->source, "docker://") ? row->source + strlen("docker://")
								 : row->source;
	size_t host_len = strcspn(bare, "/");
	AUTO(free) char *host = xstrndup(bare, host_len);
	AUTO(free)
	char *prefix = bare[host_len] == '/' ? xasprintf("%s/", bare + host_len + 1) : xstrdup("");
	AUTO(strv) struct strv names = STRV_INIT;

	if (remote_repositories(s->session, host, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		AUTO(free) char *source = NULL;
		AUTO(free) char *rest = NULL;

		if (!starts_with(names.items[i], prefix))
			continue;
		source = xasprintf("docker://%s/%s", host, names.items[i]);
		rest = xasprintf("/%s", names.items[i] + strlen(prefix));
		if (add_tags(s, row, source, rest, err) < 0)
			return -1;
	}
	return 0;
}

static int
check_target(const struct sync_row *row, struct err *err)
{
	AUTO(spot) struct spot to = SPOT_INIT;

	if (spot_parse(row->target, &to, err) < 0)
		return -1;
	if (spot_is_archive(&to))
		return err_set(err, ERR_INPUT, "an archive is written by 'cooper copy'");
	if (to.kind == SPOT_STORE)
		return err_set(err, ERR_INPUT, "the store is filled by 'cooper pull'");
	if (!sync_row_is_many(row))
		return 0;
	if (to.kind == SPOT_DIR)
		return err_set(err, ERR_INPUT, "'%s' can have one image only", row->target);
	if (to.kind == SPOT_REGISTRY ? !to.ref.tag_implied : to.name != NULL)
		return err_set(
			err, ERR_INPUT, "tags keep their names: '%s' wants none", row->target);
	return 0;
}

/* A line that fails is one that failed, and no reason not to do the others. */
static int
expand(struct sync *s, struct err *err)
{
	for (size_t i = 0; i < s->list->count; i++) {
		const struct sync_row *row = &s->list->rows[i];
		struct err failed = { .kind = ERR_NONE };
		int done = check_target(row, &failed);
		struct task *t;

		if (done == 0 && row->has_all)
			done = add_repositories(s, row, &failed);
		else if (done == 0 && sync_row_is_many(row))
			done = add_tags(s, row, row->source, "", &failed);
		else if (done == 0)
			done = add_image(s, row, row->source, row->target, &failed);
		if (done == 0)
			continue;
		if (failed.kind == ERR_INTERRUPTED) {
			*err = failed;
			return -1;
		}
		t = add_task(s, NULL, row->source, row->target);
		t->err = failed;
		err_in(&t->err, "line %u", row->line);
	}
	return 0;
}

/* What the target should be: the source's digest, or that of its image for a platform. */
static int
find_wanted(struct place *from, const char *name, const struct platform *platform,
	struct descriptor *root, struct digest *wanted, struct err *err)
{
	AUTO(amend_image) struct amend_image image = { .manifest = NULL };

	if (from->ops->resolve(from, name, root, err) < 0)
		return -1;
	*wanted = root->digest;
	if (platform == NULL || !media_is_index(root->media_type))
		return 0;
	if (amend_image_read(from, root, platform, &image, err) < 0)
		return -1;
	*wanted = image.was.digest;
	return 0;
}

static bool
is_same(const struct spot *to, const struct digest *wanted)
{
	AUTO(descriptor) struct descriptor there = { .size = 0 };
	struct err ignored = { 0 };

	return to->place->ops->resolve(to->place, spot_name(to), &there, &ignored) == 0 &&
	       digest_same(&there.digest, wanted);
}

static int
copy_image(struct task *t, struct spot *from, struct spot *to, const struct descriptor *root,
	const struct platform *platform, struct err *err)
{
	const struct place_copy_options how = { .all_platforms = platform == NULL,
		.platform = platform };
	AUTO(descriptor) struct descriptor copied = { .size = 0 };

	if (place_copy(from->place, to->place, root, &how, &copied, err) < 0)
		return -1;
	t->digest = copied.digest;
	return spot_tag(to, &copied, err) < 0 ? -1 : spot_written(to, err);
}

static int
copy_referrers(
	const struct task *t, const struct spot *from, const struct spot *to, struct err *err)
{
	unsigned count;

	if (!t->row->referrers || from->kind != SPOT_REGISTRY || to->kind != SPOT_REGISTRY)
		return 0;
	if (remote_referrers_copy(from->place, to->place, &t->digest, &count, err) < 0)
		return err_in(err, "what is attached");
	return 0;
}

/* A layout that is not there yet has nothing; one that is looked at only is not made. */
static int
open_target(struct sync *s, struct spot *to, struct err *err)
{
	if (s->values->dry_run && to->kind != SPOT_REGISTRY) {
		struct err ignored = { 0 };

		if (spot_open_source(to, s->session, &ignored) < 0)
			to->place = NULL;
		return 0;
	}
	return spot_open_target(to, s->session, err);
}

static int
sync_one(struct sync *s, struct task *t, struct err *err)
{
	AUTO(spot) struct spot from = SPOT_INIT;
	AUTO(spot) struct spot to = SPOT_INIT;
	AUTO(descriptor) struct descriptor root = { .size = 0 };
	struct platform platform;
	const struct platform *wanted = NULL;

	if (t->row->platform != NULL) {
		if (platform_parse(t->row->platform, &platform, err) < 0)
			return -1;
		wanted = &platform;
	}
	if (spot_parse(t->source, &from, err) < 0 || spot_parse(t->target, &to, err) < 0 ||
		spot_open_source(&from, s->session, err) < 0 ||
		find_wanted(from.place, spot_name(&from), wanted, &root, &t->digest, err) < 0 ||
		spot_trust(&from, s->session, &root, wanted, err) < 0 ||
		open_target(s, &to, err) < 0)
		return -1;
	if (to.place != NULL && is_same(&to, &t->digest)) {
		t->outcome = OUTCOME_SAME;
		return s->values->dry_run ? 0 : copy_referrers(t, &from, &to, err);
	}
	if (s->values->dry_run) {
		t->outcome = OUTCOME_WOULD;
		return 0;
	}
	if (copy_image(t, &from, &to, &root, wanted, err) < 0 ||
		copy_referrers(t, &from, &to, err) < 0)
		return -1;
	t->outcome = OUTCOME_COPIED;
	return 0;
}

static void *
sync_some(void *arg)
{
	struct sync *s = arg;

	for (;;) {
		struct task *t;
		uint32_t event;

		pthread_mutex_lock(&s->lock);
		t = s->next < s->count ? &s->tasks[s->next++] : NULL;
		pthread_mutex_unlock(&s->lock);
		if (t == NULL)
			return NULL;
		if (t->row == NULL)
			continue;
		event = event_start("sync %s", t->source);
		if (sync_one(s, t, &t->err) < 0) {
			t->outcome = OUTCOME_FAILED;
			event_fail(event, t->err.msg);
			continue;
		}
		if (t->outcome == OUTCOME_SAME)
			event_cached(event);
		event_done(event);
	}
}

/* Signals stay with the thread that called, which is one of them. */
static void
sync_all(struct sync *s)
{
	pthread_t threads[PARALLEL_MAX];
	unsigned wanted = s->values->parallel < 1              ? 1
			  : s->values->parallel > PARALLEL_MAX ? PARALLEL_MAX
							       : s->values->parallel;
	unsigned count = 0;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (count + 1 < wanted && count + 1 < s->count &&
		pthread_create(&threads[count], NULL, sync_some, s) == 0)
		count++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	sync_some(s);
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static json_t *
task_row(const struct task *t)
{
	json_t *o = json_object();

	json_object_set_new(o, "status", json_text(outcomes[t->outcome]));
	json_object_set_new(o, "source", json_text(t->source));
	json_object_set_new(o, "target", json_text(t->target));
	if (t->outcome != OUTCOME_FAILED)
		json_object_set_new(o, "digest", json_text(t->digest.text));
	if (t->outcome == OUTCOME_FAILED) {
		json_object_set_new(o, "error", json_text(t->err.msg));
		json_object_set_new(o, "kind", json_integer(t->err.kind));
	}
	return o;
}

struct job {
	const struct values *values;
	const struct sync_list *list;
};

static int
sync_body(void *arg, json_t **result, struct err *err)
{
	const struct job *job = arg;
	AUTO(session) struct session *session = NULL;
	struct sync s = {
		.values = job->values, .list = job->list, .lock = PTHREAD_MUTEX_INITIALIZER
	};
	int done;

	if (remote_flags_open(&job->values->remote, &session, err) < 0)
		return -1;
	s.session = session;
	done = expand(&s, err);
	if (done == 0) {
		sync_all(&s);
		*result = json_array();
		for (size_t i = 0; i < s.count; i++)
			json_array_append_new(*result, task_row(&s.tasks[i]));
	}
	sync_free(&s);
	return done;
}

/* The error of all: how many, and the first one's words and kind. */
static int
summarise(json_t *rows, struct err *err)
{
	size_t failed = 0;
	const json_t *first = NULL;
	uint64_t kind = ERR_SYSTEM;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		if (json_object_get(row, "error") == NULL)
			continue;
		if (failed++ == 0)
			first = row;
	}
	if (failed == 0)
		return 0;
	if (json_get_uint(first, "kind", &kind, err) < 0)
		return -1;
	return err_set(err, (enum err_kind)kind, "%zu of %zu failed: %s: %s", failed,
		json_array_size(rows), json_string_value(json_object_get(first, "source")),
		json_string_value(json_object_get(first, "error")));
}

static void
add_line(const json_t *row, struct buf *answer)
{
	const json_t *error = json_object_get(row, "error");
	const json_t *last = error != NULL ? error : json_object_get(row, "digest");

	buf_addf(answer, "%-10s  ", json_string_value(json_object_get(row, "status")));
	show_line(json_string_value(json_object_get(row, "source")), answer);
	buf_adds(answer, "  ");
	show_line(json_string_value(json_object_get(row, "target")), answer);
	buf_adds(answer, "  ");
	show_line(json_string_value(last), answer);
	buf_addc(answer, '\n');
}

static int
answer_with(const struct values *v, json_t *rows, struct err *err)
{
	AUTO(buf) struct buf answer = BUF_INIT;
	struct err failed = { .kind = ERR_NONE };
	int all = summarise(rows, &failed);

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_object_del(json_array_get(rows, i), "kind");
		if (v->format == FORMAT_TEXT)
			add_line(json_array_get(rows, i), &answer);
	}
	if (v->format == FORMAT_JSON) {
		json_format(rows, JSON_STYLE_INDENT, &answer);
		buf_addc(&answer, '\n');
	}
	if (show_answer(&answer, err) < 0)
		return -1;
	if (all < 0)
		*err = failed;
	return all;
}

static int
read_list(const struct strv *args, struct buf *out, struct err *err)
{
	AUTO(fd) int fd = -1;

	if (args->count > 1) {
		for (size_t i = 0; i < args->count; i++)
			buf_addf(out, "%s ", args->items[i]);
		return 0;
	}
	fd = archive_file_open(args->items[0], err);
	if (fd < 0)
		return -1;
	return buf_read(out, fd, SYNC_LIST_MAX, err) < 0 ? err_in(err, "'%s'", args->items[0]) : 0;
}

static int
sync_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(sync_list) struct sync_list list = SYNC_LIST_INIT;
	AUTO(json) json_t *rows = NULL;
	const struct job job = { v, &list };
	const struct worker_job work = { .name = "sync", .run = sync_body, .arg = (void *)&job };

	if (read_list(&call->args, &text, err) < 0)
		return -1;
	if (sync_list_parse(text.data, text.len, &list, err) < 0)
		return call->args.count > 1 ? -1 : err_in(err, "'%s'", call->args.items[0]);
	ui_begin(&v->ui, call->globals->debug);
	if (worker_signals(err) < 0 || worker_call(&work, &rows, err) < 0)
		return -1;
	ui_end();
	return answer_with(v, rows, err);
}

const struct cmd cmd_sync = {
	.name = "sync",
	.summary = "copy a list of images, and keep the copies up to date",
	.args = "<list>|<source> <target> [<word>...]",
	.about = "A line of <list> (- is stdin) is a source, a target, and words; # begins a "
		 "remark. Names "
		 "are as for 'cooper copy', but for archives as targets. tags=<pattern>,... takes "
		 "all "
		 "tags of a repository that match one of these patterns, semver=<range> those that "
		 "are "
		 "versions in that range (>=1.2,<2, ^1.2, ~1.2, 1.x, and || between them; "
		 "pre-releases "
		 "only where the range names one), not=<pattern>,... leaves out some; tags keep "
		 "their "
		 "names. A source that ends in /* means all repositories of the registry below it, "
		 "with "
		 "all their tags or those that match. platform=<os/arch> takes the image for this "
		 "one "
		 "only, referrers what is attached as well. One line can stand on the command line "
		 "instead.\n\n"
		 "What the target has already under the same digest is not copied; that costs a "
		 "question "
		 "on each side. A failure does not keep the others from being copied. Prints a "
		 "line for "
		 "each image: copied, same, would copy or failed, the source, the target, and the "
		 "digest "
		 "or what went wrong. The exit status is 0 where none failed, else that of the "
		 "first "
		 "failure.",
	.example = "  cooper sync --dry-run mirror.list\n"
		   "  cooper sync debian r.example/debian tags='12*' not='*-backports'\n"
		   "  cooper sync quay.io/team/app r.example/app 'semver=>=1.2,<2' referrers\n"
		   "  cooper sync 'r.example/team/*' oci:backup\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = CMD_ARGS_ANY,
	.run = sync_run,
};
