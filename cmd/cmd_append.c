/* SPDX-License-Identifier: Apache-2.0 */
/* append - layers on top of an image, which stays where it is. */
#include <fcntl.h>
#include <stdlib.h>

#include "base/archive_file.h"
#include "base/event.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spool.h"
#include "cmd/recompress.h"
#include "cmd/rework.h"
#include "layers/edit.h"
#include "layers/layer_archive.h"
#include "registry/draft.h"

#define LAYERS_MAX 100

struct values {
	enum codec_kind codec;
	const char *message;
	struct rework_flags common;
};

static const struct values defaults = { .codec = CODEC_GZIP, .common = REWORK_FLAGS_DEFAULT };

static const struct opt options[] = { OPT_ENUM(0, "compression", struct values, codec, codec_words,
					      "how", "compress layers that are not (gzip)"),
	OPT_STR('m', "message", struct values, message, "text",
		"what the history says of the layers"),
	REWORK_IMAGE_OPTIONS(struct values, common), REWORK_OPTIONS(struct values, common),
	OPT_END };

struct job {
	const struct values *values;
	struct strv files;
	struct rework *rework;
	struct layer_archive layers[LAYERS_MAX];
	size_t count;
};

static int
add_layer(
	struct amend_image *image, const struct layer_archive *layer, json_t **out, struct err *err)
{
	struct descriptor d = layer->made.blob;
	bool docker = edit_is_docker(image->manifest);

	if (edit_layer_type(&d, docker, err) < 0)
		return -1;
	*out = descriptor_format(&d);
	return 0;
}

static int
append(struct amend_image *image, void *arg, struct err *err)
{
	const struct job *job = arg;

	for (size_t i = 0; i < job->count; i++) {
		AUTO(free)
		char *text = xasprintf("cooper append %s", path_base(job->files.items[i]));
		json_t *layer = NULL;

		if (add_layer(image, &job->layers[i], &layer, err) < 0 ||
			edit_layer_add(image->manifest, image->config, layer,
				&job->layers[i].made.diff_id, err) < 0)
			return -1;
		edit_history(image->config, job->rework->created,
			job->values->message != NULL ? job->values->message : text, false);
	}
	edit_created(image->config, job->rework->created);
	return 0;
}

static int
open_layer(struct job *job, const char *path, int spool, struct err *err)
{
	int fd = archive_file_open(path, err), again;
	struct layer_archive *a = &job->layers[job->count];
	uint32_t event;

	if (fd < 0)
		return -1;
	event = event_start("read %s", path);
	if (layer_archive_open(fd, spool, job->values->codec, a, err) < 0) {
		event_fail(event, err->msg);
		return err_in(err, "'%s'", path);
	}
	event_done(event);
	job->count++;
	again = fcntl(a->fd, F_DUPFD_CLOEXEC, 3);
	if (again < 0)
		return err_sys(err, "'%s'", path);
	draft_file(job->rework->draft, again, &a->made.blob);
	return 0;
}

static int
append_body(struct rework *r, const struct descriptor *root, void *arg, struct descriptor *out,
	struct err *err)
{
	struct job *job = arg;
	AUTO(fd) int spool = spool_dir(err);
	int done = -1;
	size_t i = 0;

	job->rework = r;
	if (spool < 0)
		return -1;
	while (i < job->files.count && open_layer(job, job->files.items[i], spool, err) == 0)
		i++;
	if (i == job->files.count)
		done = rework_images(r, root, true, append, job, out, err);
	for (i = 0; i < job->count; i++)
		auto_layer_archive(&job->layers[i]);
	return done;
}

static int
append_run(struct call *call, struct err *err)
{
	struct job job = { .values = call->values };
	const struct strv *args = &call->args;
	int done;

	if (args->count - 1 > LAYERS_MAX)
		return err_set(err, ERR_USAGE, "append takes at most %d layers", LAYERS_MAX);
	for (size_t i = 1; i < args->count; i++)
		strv_add(&job.files, args->items[i]);
	done = rework_run(call, &job.values->common, args->items[0], NULL, append_body, &job, err);
	strv_free(&job.files);
	return done;
}

const struct cmd cmd_append = {
	.name = "append",
	.summary = "put layers on top of an image",
	.args = "<name> <layer>...",
	.about = "Each <layer> is a tar archive, the first one lowest; - is stdin. One that is "
		 "packed by "
		 "gzip or zstd stays as it is, to the bit; a plain one is compressed. In them "
		 ".wh.<file> "
		 "removes a file, as in all layers. Of an image for several platforms all get the "
		 "layers, unless --platform chooses one. <name> is as for 'cooper copy', and goes "
		 "on to "
		 "mean the result unless --dst names another place, where the layers of the base "
		 "are "
		 "mounted if that can be. Prints the digest of the result.",
	.example = "  tar c app | cooper append alpine:3.20 - --dst r.example/app:1\n"
		   "  cooper append r.example/app:1 config.tar.gz\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 2,
	.args_max = CMD_ARGS_ANY,
	.run = append_run,
};
