/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/files.h"
#include "cmd/files_show.h"

#define COPY_SIZE (256u << 10)

struct values {
	bool unverified;
	const char *platform;
	struct remote_flags remote;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt options[] = { OPT_BOOL(0, "unverified", struct values, unverified,
					      "stop at the file's end, before the layer's digest "
					      "is known to be right"),
	OPT_STR(0, "platform", struct values, platform, "os/arch", "the image for this platform"),
	TRUST_OPTION(struct values, remote), REMOTE_OPTIONS(struct values, remote), OPT_END };

/* What was captured on the way: of which layer, and by what name. */
struct catch
{
	struct capture capture;
	char *path;
	size_t layer;
};

static void
auto_catch(struct catch *c)
{
	auto_capture(&c->capture);
	auto_fd(&c->capture.fd);
	free(c->path);
}

static int
find_known(struct files *f, const struct files_image *i, const char *path, struct roll_item *item,
	char **bytes_path, struct err *err)
{
	struct roll_stack stack = files_stack(i);
	AUTO(roll_walk) struct roll_walk *walk = roll_walk_new(f->roll, &stack);

	return roll_find(walk, path, true, item, bytes_path, err);
}

/* The next layer down, for *want, which is then what was looked for in it.  1: reading ended with the file. */
static int
load_next(struct files *f, struct files_image *i, struct catch *c, char **want, struct err *err)
{
	int ended;

	free(c->path);
	c->path = steal(want);
	c->layer = i->first - 1;
	c->capture.path = c->path[0] == '/' ? c->path + 1 : c->path;
	c->capture.found = CAPTURE_NOTHING;
	ended = files_load(f, i, &c->capture, err);
	/* what it stands for is the roll's to say */
	c->capture.path = c->path;
	return ended;
}

static bool
has_caught(const struct catch *c, size_t layer, const char *path)
{
	return c->path != NULL && c->capture.found == CAPTURE_FILE && c->layer == layer &&
	       streq(c->path[0] == '/' ? c->path + 1 : c->path, path);
}

static int
check_kind(const struct roll_item *item, const char *path, struct err *err)
{
	if (item->entry.kind == ENTRY_FILE)
		return 0;
	return err_set(
		err, ERR_INPUT, "'%s' is a %s, not a file", path, show_kind(item->entry.kind));
}

/* From the top down, until a layer decides; then its bytes. */
static int
fetch(struct files *f, struct files_image *i, const char *path, struct catch *c, struct err *err)
{
	AUTO(roll_item) struct roll_item item = ROLL_ITEM_INIT;
	AUTO(free) char *bytes_path = NULL;
	int found;

	while ((found = find_known(f, i, path, &item, &bytes_path, err)) == 0) {
		int ended = load_next(f, i, c, &bytes_path, err);

		if (ended != 0)
			return ended < 0 ? -1 : 0;
	}
	if (found < 0 || check_kind(&item, path, err) < 0)
		return err_in(err, "%s", i->text);
	if (has_caught(c, item.layer, bytes_path))
		return 0;
	return files_capture(f, i, item.layer, bytes_path, &c->capture, err);
}

/* A reader that went away is no failure. */
static int
write_out(int fd, struct err *err)
{
	AUTO(free) char *bytes = xmalloc(COPY_SIZE);
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "read a temporary file");
	while ((n = fd_read(fd, bytes, COPY_SIZE)) > 0)
		if (fd_write(STDOUT_FILENO, bytes, (size_t)n) < 0)
			return errno == EPIPE ? 0 : err_sys(err, "write to stdout");
	return n < 0 ? err_sys(err, "read a temporary file") : 0;
}

static int
write_files(struct call *call, void *arg, struct err *err)
{
	const struct values *v = call->values;
	AUTO(files) struct files files = FILES_INIT;
	AUTO(files_image) struct files_image image = FILES_IMAGE_INIT;

	(void)arg;
	if (files_begin(&files, call, &v->remote, false, err) < 0 ||
		files_open(&files, call->args.items[0], v->platform, &image, err) < 0)
		return -1;
	for (size_t i = 1; i < call->args.count; i++) {
		AUTO(catch) struct catch c = { .capture = { .at_once = v->unverified } };

		c.capture.fd = files_spool(err);
		if (c.capture.fd < 0 || fetch(&files, &image, call->args.items[i], &c, err) < 0 ||
			write_out(c.capture.fd, err) < 0)
			return -1;
	}
	return 0;
}

static int
cat_run(struct call *call, struct err *err)
{
	return files_run(call, write_files, NULL, err);
}

const struct cmd cmd_cat = {
	.name = "cat",
	.summary = "write a file of an image to stdout",
	.args = "<image> <path>...",
	.about = "Writes the file's bytes as they are. Links are followed within the image. The "
		 "image is named as for "
		 "'cooper ls'. Layers are read from the top down, and no further than the one "
		 "that has the file or says that "
		 "it is gone. Nothing is written before the digest of that layer is known to be "
		 "right, for which it is read "
		 "to its end; with --unverified reading ends with the file, and what is written "
		 "may then be anything that the "
		 "registry, or who sits between, likes to send.",
	.example = "  cooper cat alpine:3.20 /etc/os-release\n"
		   "  cooper cat docker://registry.example.com/team/app:1 /app/version\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 2,
	.args_max = CMD_ARGS_ANY,
	.run = cat_run,
};
