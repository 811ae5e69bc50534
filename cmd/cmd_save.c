/* SPDX-License-Identifier: Apache-2.0 */
#include "base/archive_file.h"
#include "base/mem.h"
#include "base/worker.h"
#include "build/absent.h"
#include "cmd/cmd.h"
#include "cmd/image.h"
#include "cmd/remote_flags.h"
#include "cmd/ui.h"
#include "registry/place_archive.h"
#include "registry/place_layout.h"
#include "registry/place_store.h"

enum save_format { SAVE_DOCKER, SAVE_OCI, SAVE_LAYOUT };

struct values {
	const char *output, *platform;
	bool all_platforms;
	enum save_format format;
	struct remote_flags remote;
	struct ui_options ui;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt_word formats[] = {
	{ "docker", SAVE_DOCKER },
	{ "docker-archive", SAVE_DOCKER },
	{ "oci", SAVE_OCI },
	{ "oci-archive", SAVE_OCI },
	{ "oci-dir", SAVE_LAYOUT },
	{ NULL, 0 },
};

static const struct opt options[] = { OPT_STR('o', "output", struct values, output, "path",
					      "write to <path>, not to stdout"),
	OPT_ENUM(0, "format", struct values, format, formats, "format", "what to write"),
	OPT_STR(0, "platform", struct values, platform, "os/arch", "the image for this platform"),
	OPT_BOOL(0, "all-platforms", struct values, all_platforms, "the images for all platforms"),
	REMOTE_OPTIONS(struct values, remote), UI_OPTIONS(struct values, ui), OPT_END };

struct saved {
	char *name; /* NULL: it was asked for by ID */
	struct descriptor descriptor;
};

struct job {
	struct store *store;
	const struct values *values;
	struct place_copy_options how;
	struct session_options session;
	struct archive_file file;
	struct saved *images;
	size_t count;
	struct absent absent;
};

/* A base that no step looked into stayed at its registry. */
static int
fetch_absent(const struct job *job, struct place *store, struct err *err)
{
	AUTO(session) struct session *session = NULL;

	if (job->absent.count == 0)
		return 0;
	if (session_open(&job->session, &session, err) < 0)
		return -1;
	return absent_move(&job->absent, session, store, err);
}

static int
save_all(const struct job *job, struct place *to, struct err *err)
{
	AUTO(place) struct place *from = place_store_new(job->store);

	if (fetch_absent(job, from, err) < 0)
		return -1;
	for (size_t i = 0; i < job->count; i++) {
		const struct saved *image = &job->images[i];
		AUTO(descriptor) struct descriptor copied = { .size = 0 };

		if (place_copy(from, to, &image->descriptor, &job->how, &copied, err) < 0 ||
			to->ops->tag(to, image->name, &copied, err) < 0)
			return err_in(err, "save %s",
				image->name == NULL ? image->descriptor.digest.text : image->name);
	}
	return to->ops->finish == NULL ? 0 : to->ops->finish(to, err);
}

static int
save_body(void *arg, json_t **result, struct err *err)
{
	const struct job *job = arg;
	AUTO(sink) struct sink *out = NULL;
	AUTO(place) struct place *to = NULL;

	(void)result;
	if (job->values->format == SAVE_LAYOUT) {
		if (place_layout_open(job->values->output, PLACE_LAYOUT_WRITE, &to, err) < 0)
			return -1;
		return save_all(job, to, err);
	}
	out = sink_fd(job->file.fd);
	to = place_archive_new(
		out, job->values->format == SAVE_DOCKER ? PLACE_ARCHIVE_DOCKER : PLACE_ARCHIVE_OCI);
	return save_all(job, to, err);
}

static int
find_images(struct job *job, const struct strv *args, struct err *err)
{
	for (size_t i = 0; i < args->count; i++) {
		AUTO(strv) struct strv name = STRV_INIT;

		if (image_find(job->store, args->items[i], &name, &job->images[i].descriptor, err) <
				0 ||
			absent_find(job->store, &job->images[i].descriptor, &job->how, &job->absent,
				err) < 0)
			return -1;
		if (name.count == 1)
			job->images[i].name = xstrdup(name.items[0]);
		job->count = i + 1;
	}
	return 0;
}

static int
save(struct job *job, const struct strv *args, struct err *err)
{
	const struct values *v = job->values;
	AUTO(archive_file) struct archive_file file = ARCHIVE_FILE_INIT;
	const struct worker_job work = { .name = "save", .run = save_body, .arg = job };
	AUTO(json) json_t *result = NULL;

	if (find_images(job, args, err) < 0 || worker_signals(err) < 0)
		return -1;
	if (v->format == SAVE_LAYOUT)
		return worker_call(&work, &result, err);
	if (archive_file_new(v->output, &file, err) < 0)
		return -1;
	job->file = file;
	if (worker_call(&work, &result, err) < 0)
		return -1;
	return archive_file_finish(&file, err);
}

static int
save_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(store) struct store *store = NULL;
	AUTO(free) struct saved *images = xcalloc(call->args.count, sizeof *images);
	struct platform platform;
	AUTO(free) char *owned = NULL;
	struct job job = { .values = v, .images = images, .absent = ABSENT_INIT };
	int result;

	if (v->platform != NULL) {
		if (platform_parse(v->platform, &platform, err) < 0)
			return -1;
		job.how.platform = &platform;
	}
	job.how.all_platforms = v->all_platforms;
	job.how.parallel = v->format == SAVE_LAYOUT ? 0 : 1;
	if (v->format == SAVE_LAYOUT && v->output == NULL)
		return err_set(err, ERR_USAGE, "'--format=oci-dir' wants '--output <dir>'");
	ui_begin(&v->ui, call->globals->debug);
	if (remote_flags_session(&v->remote, &owned, &job.session, err) < 0 ||
		store_open(call->globals->root, &store, err) < 0)
		return -1;
	job.store = store;
	result = save(&job, &call->args, err);
	for (size_t i = 0; i < call->args.count; i++) {
		auto_free(&images[i].name);
		descriptor_free(&images[i].descriptor);
	}
	auto_absent(&job.absent);
	return result;
}

const struct cmd cmd_save = {
	.name = "save",
	.summary = "write images to an archive",
	.args = "<image>...",
	.about =
		"Writes images as one tar archive that 'docker load', 'podman load', skopeo and "
		"'cooper load' "
		"read, or as an OCI layout. The same images give the same bytes. Layers stay as "
		"they are in the "
		"store, compressed or not; those of a base that were never needed here are fetched "
		"first.",
	.example = "  cooper save -o app.tar app:1\n  cooper save app:1 | ssh host docker load\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = CMD_ARGS_ANY,
	.run = save_run,
};
