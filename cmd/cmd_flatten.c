/* SPDX-License-Identifier: Apache-2.0 */
/* flatten, squash - all layers of an image, or the last ones, become one. */
#include <fcntl.h>
#include <unistd.h>

#include "base/event.h"
#include "base/mem.h"
#include "base/spool.h"
#include "cmd/recompress.h"
#include "cmd/rework.h"
#include "layers/edit.h"
#include "layers/flatten.h"
#include "layers/layer.h"
#include "registry/draft.h"

struct values {
	unsigned last; /* 0: all */
	enum codec_kind codec;
	struct rework_flags common;
};

static const struct values defaults = { .codec = CODEC_GZIP, .common = REWORK_FLAGS_DEFAULT };

#define COMPRESSION                                                          \
	OPT_ENUM(0, "compression", struct values, codec, codec_words, "how", \
		"compress the layer so (gzip)")

static const struct opt flatten_options[] = { COMPRESSION,
	REWORK_IMAGE_OPTIONS(struct values, common), REWORK_OPTIONS(struct values, common),
	OPT_END };

static const struct opt squash_options[] = {
	OPT_UINT(0, "last", struct values, last, "count", "the last <count> layers"), COMPRESSION,
	REWORK_IMAGE_OPTIONS(struct values, common), REWORK_OPTIONS(struct values, common), OPT_END
};

struct job {
	const struct values *values;
	const char *verb;
	struct rework *rework;
	int spool; /* a directory */
};

/* Fetched and checked, then read; its tar must be what the config says. */
static int
read_layer(const struct job *job, struct flatten *f, const struct descriptor *d,
	const char *diff_id, struct err *err)
{
	int fd = spool_file(job->spool, err);
	AUTO(stream) struct stream *tar = NULL;
	AUTO(stream) struct stream *blob = NULL;
	AUTO(sink) struct sink *sink = NULL;
	struct digest got = { "" };

	if (fd < 0)
		return -1;
	blob = stream_fd(fd);
	sink = sink_fd(fd);
	if (place_get(job->rework->from->place, d, sink, err) < 0 || sink_finish(sink, err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "a file in TMPDIR");
	if (layer_stream(steal(&blob), LAYER_SIZE_MAX, &got, &tar, err) < 0 ||
		flatten_add(f, tar, err) < 0)
		return -1;
	if (!streq(got.text, diff_id))
		return err_set(err, ERR_CORRUPT, "its tar is %s, and the config says %s", got.text,
			diff_id);
	return 0;
}

static int
read_layers(
	const struct job *job, const struct amend_image *image, struct flatten *f, struct err *err)
{
	const json_t *layers = json_object_get(image->manifest, "layers");
	const json_t *ids = json_object_get(json_object_get(image->config, "rootfs"), "diff_ids");

	for (size_t i = 0; i < json_array_size(layers); i++) {
		AUTO(descriptor) struct descriptor d = { .size = 0 };
		const char *diff_id = json_string_value(json_array_get(ids, i));
		uint32_t event;

		if (descriptor_parse(json_array_get(layers, i), &d, err) < 0)
			return -1;
		event = event_start("read %.19s", d.digest.text);
		if (read_layer(job, f, &d, diff_id != NULL ? diff_id : "", err) < 0) {
			event_fail(event, err->msg);
			return err_in(err, "layer %s", d.digest.text);
		}
		event_done(event);
	}
	return 0;
}

/* The new layer, in the draft; what it is called in the manifest. */
static int
make_layer(const struct job *job, struct amend_image *image, size_t below, struct layer_made *made,
	struct err *err)
{
	AUTO(fd) int spool = spool_file(job->spool, err);
	AUTO(fd) int out = -1;
	AUTO(flatten) struct flatten *f = NULL;
	AUTO(sink) struct sink *sink = NULL;

	if (spool < 0)
		return -1;
	f = flatten_new(fd_steal(&spool));
	if (read_layers(job, image, f, err) < 0)
		return -1;
	out = spool_file(job->spool, err);
	if (out < 0 ||
		layer_sink(out, job->values->codec, CODEC_DEFAULT, 0, made, &sink, err) < 0 ||
		flatten_write(f, below, sink, err) < 0 || sink_finish(sink, err) < 0 ||
		edit_layer_type(&made->blob, edit_is_docker(image->manifest), err) < 0)
		return -1;
	draft_file(job->rework->draft, fd_steal(&out), &made->blob);
	return 0;
}

static int
merge(struct amend_image *image, void *arg, struct err *err)
{
	const struct job *job = arg;
	size_t count = json_array_size(json_object_get(image->manifest, "layers"));
	size_t below = job->values->last == 0 ? 0 : count - job->values->last;
	struct layer_made made = { .diff_size = 0 };
	AUTO(free) char *text = NULL;

	if (job->values->last > count)
		return err_set(err, ERR_USAGE, "the image has %zu layers only", count);
	if (count - below <= 1)
		return 0;
	if (make_layer(job, image, below, &made, err) < 0 ||
		edit_layers_merge(image->manifest, image->config, below,
			descriptor_format(&made.blob), &made.diff_id, err) < 0)
		return -1;
	text = xasprintf("cooper %s: %zu layers", job->verb, count - below);
	edit_history(image->config, job->rework->created, text, false);
	edit_created(image->config, job->rework->created);
	return 0;
}

static int
merge_body(struct rework *r, const struct descriptor *root, void *arg, struct descriptor *out,
	struct err *err)
{
	struct job *job = arg;
	AUTO(fd) int spool = spool_dir(err);

	if (spool < 0)
		return -1;
	job->rework = r;
	job->spool = spool;
	return rework_images(r, root, true, merge, job, out, err);
}

static int
flatten_run(struct call *call, struct err *err)
{
	const struct strv *args = &call->args;
	struct job job = { .values = call->values, .verb = call->cmd->name };

	if (streq(job.verb, "squash") && job.values->last == 0)
		return err_set(err, ERR_USAGE,
			"squash wants '--last <count>'; 'cooper flatten' makes one of all layers");
	if (args->count == 2 && job.values->common.target != NULL)
		return err_set(err, ERR_USAGE, "%s wants one target, not two", job.verb);
	return rework_run(call, &job.values->common, args->items[0],
		args->count == 2 ? args->items[1] : NULL, merge_body, &job, err);
}

#define FLATTEN_ABOUT                                                                              \
	"What was removed or replaced on the way is not in it. The same layers give the same "     \
	"bytes. The files go through nameless ones in TMPDIR, uncompressed. Of an image for "      \
	"several platforms all are changed, unless --platform chooses one. Names are as for "      \
	"'cooper copy'; without a target <name> goes on to mean the result. Prints the digest of " \
	"the result."
#define FLATTEN_COMMAND                                                                            \
	.values_size = sizeof(struct values), .defaults = &defaults, .args_min = 1, .args_max = 2, \
	.run = flatten_run

const struct cmd cmd_flatten = {
	.name = "flatten",
	.summary = "make one layer of all layers of an image",
	.args = "<name> [<target>]",
	.about = FLATTEN_ABOUT,
	.example = "  cooper flatten r.example/app:1 r.example/app:flat\n",
	.options = flatten_options,
	FLATTEN_COMMAND,
};

const struct cmd cmd_squash = {
	.name = "squash",
	.summary = "make one layer of the last layers of an image",
	.args = "<name> [<target>]",
	.about = "The layers below stay as they are, and are shared with other images as "
		 "before.\n\n" FLATTEN_ABOUT,
	.example = "  cooper squash --last 5 r.example/app:1 r.example/app:small\n",
	.options = squash_options,
	FLATTEN_COMMAND,
};
