/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/archive_file.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/files.h"
#include "layers/flatten.h"

struct values {
	const char *output, *platform;
	struct remote_flags remote;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt options[] = { OPT_STR('o', "output", struct values, output, "path",
					      "write to <path>, not to stdout"),
	OPT_STR(0, "platform", struct values, platform, "os/arch", "the image for this platform"),
	TRUST_OPTION(struct values, remote), REMOTE_OPTIONS(struct values, remote), OPT_END };

static int
add_layer(struct stream *tar, void *arg, struct err *err)
{
	return flatten_add(arg, tar, err);
}

/* All layers are read, and so checked, before the first byte is written. */
static int export(struct files *f, const struct files_image *image, int out, struct err *err)
{
	AUTO(flatten) struct flatten *flat = NULL;
	AUTO(sink) struct sink *sink = NULL;
	int spool = files_spool(err);

	if (spool < 0)
		return -1;
	flat = flatten_new(spool);
	for (size_t l = 0; l < image->manifest.layer_count; l++)
		if (files_read(f, image, l, add_layer, flat, err) < 0)
			return -1;
	sink = sink_fd(out);
	if (flatten_write(flat, 0, sink, err) < 0)
		return err_in(err, "%s", image->text);
	return sink_finish(sink, err);
}

/* arg: the descriptor to write to. */
static int
export_image(struct call *call, void *arg, struct err *err)
{
	const struct values *v = call->values;
	const int *out = arg;
	AUTO(files) struct files files = FILES_INIT;
	AUTO(files_image) struct files_image image = FILES_IMAGE_INIT;

	if (files_begin(&files, call, &v->remote, false, err) < 0 ||
		files_open(&files, call->args.items[0], v->platform, &image, err) < 0)
		return -1;
	return export(&files, &image, *out, err);
}

static int
export_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(archive_file) struct archive_file out = ARCHIVE_FILE_INIT;

	if (archive_file_new(v->output, &out, err) < 0 ||
		files_run(call, export_image, &out.fd, err) < 0)
		return -1;
	return archive_file_finish(&out, err);
}

const struct cmd cmd_export = {
	.name = "export",
	.summary = "write the files of an image as one tar archive",
	.args = "<image>",
	.about = "Writes what a container of the image would see, as 'docker export' does: "
		 "whiteouts "
		 "and what they remove are not in it. The image is named as for 'cooper ls', and "
		 "nothing of it is kept. The same layers give the same bytes. Nothing is written "
		 "before the digests of all layers are known to be right; until then the files' "
		 "bytes are in a nameless file in $TMPDIR.",
	.example = "  cooper export alpine:3.20 | tar -C rootfs -x\n"
		   "  cooper export -o app.tar docker://registry.example.com/team/app:1\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = 1,
	.run = export_run,
};
