/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/files.h"
#include "cmd/files_show.h"
#include "cmd/show.h"

struct values {
	bool is_long, recursive, layers, json;
	const char *platform;
	struct remote_flags remote;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt options[] = { OPT_BOOL('l', "long", struct values, is_long,
					      "show mode, owner, size and time (in UTC) as well"),
	OPT_BOOL('R', "recursive", struct values, recursive,
		"all that is below, with its path from there"),
	OPT_BOOL(0, "layers", struct values, layers,
		"show the layer that each file comes from: its number, 1 is the lowest, and "
		"digest"),
	OPT_BOOL(0, "json", struct values, json, "show a JSON list"),
	OPT_STR(0, "platform", struct values, platform, "os/arch", "the image for this platform"),
	TRUST_OPTION(struct values, remote), REMOTE_OPTIONS(struct values, remote), OPT_END };

struct listing_job {
	const struct values *values;
	const struct files_image *image;
	struct roll_walk *walk;
	struct files_answer answer;
};

/* item: a hard link becomes its file. */
static int
show_item(struct listing_job *job, struct roll_item *item, const char *name, struct err *err)
{
	AUTO(free) char *hard_link = NULL;
	AUTO(buf) struct buf text = BUF_INIT;
	struct files_line line = { job->image, item, name, NULL, job->values->is_long,
		job->values->layers };

	if (item->entry.kind == ENTRY_HARDLINK) {
		hard_link = xstrdup(item->entry.link);
		line.hard_link = hard_link;
		if (roll_link(job->walk, item, NULL, err) < 0)
			return -1;
	}
	if (job->answer.json)
		return files_answer_json(&job->answer, show_file_json(&line), err);
	show_file(&line, &text);
	buf_addc(&text, '\n');
	return files_answer_line(&job->answer, &text, err);
}

static int
show_directory(struct listing_job *job, const char *dir, struct err *err)
{
	AUTO(roll_item) struct roll_item item = ROLL_ITEM_INIT;
	size_t skip = strlen(dir) + (dir[0] != '\0');
	int more;

	if (roll_walk_start(job->walk, dir, err) < 0)
		return -1;
	more = roll_walk_next(job->walk, &item, err); /* the directory itself */
	while (more == 1 && (more = roll_walk_next(job->walk, &item, err)) == 1) {
		AUTO(free) char *name = xstrdup(item.entry.path + skip);
		bool is_dir = item.entry.kind == ENTRY_DIR;

		if (show_item(job, &item, name, err) < 0 ||
			(is_dir && !job->values->recursive && roll_walk_skip(job->walk, err) < 0))
			return -1;
	}
	return more < 0 ? -1 : files_answer_end(&job->answer, err);
}

/* As ls: a link on the command line is followed to a directory, unless the link itself can be meant. */
static int
show_path(struct listing_job *job, const char *path, struct err *err)
{
	AUTO(roll_item) struct roll_item item = ROLL_ITEM_INIT;
	AUTO(roll_item) struct roll_item there = ROLL_ITEM_INIT;
	struct err ignored = { 0 };

	if (roll_find(job->walk, path, false, &item, NULL, err) < 0)
		return -1;
	if (item.entry.kind == ENTRY_SYMLINK && !job->values->is_long &&
		roll_find(job->walk, path, true, &there, NULL, &ignored) == 1 &&
		there.entry.kind == ENTRY_DIR)
		return show_directory(job, there.entry.path, err);
	if (item.entry.kind == ENTRY_DIR)
		return show_directory(job, item.entry.path, err);
	if (show_item(job, &item, path, err) < 0)
		return -1;
	return files_answer_end(&job->answer, err);
}

static int
list(struct call *call, void *arg, struct err *err)
{
	const struct values *v = call->values;
	const char *path = call->args.count > 1 ? call->args.items[1] : "/";
	AUTO(files) struct files files = FILES_INIT;
	AUTO(files_image) struct files_image image = FILES_IMAGE_INIT;
	AUTO(roll_walk) struct roll_walk *walk = NULL;
	struct listing_job job = {
		.values = v, .image = &image, .answer = { .text = BUF_INIT, .json = v->json }
	};
	struct roll_stack stack;
	int result;

	(void)arg;
	if (files_begin(&files, call, &v->remote, false, err) < 0 ||
		files_open(&files, call->args.items[0], v->platform, &image, err) < 0 ||
		files_load_to(&files, &image, 0, err) < 0)
		return -1;
	stack = files_stack(&image);
	job.walk = walk = roll_walk_new(files.roll, &stack);
	result = show_path(&job, path, err);
	auto_files_answer(&job.answer);
	return result < 0 ? err_in(err, "%s", image.text) : 0;
}

static int
ls_run(struct call *call, struct err *err)
{
	return files_run(call, list, NULL, err);
}

const struct cmd cmd_ls = {
	.name = "ls",
	.summary = "list the files of an image",
	.args = "<image> [<path>]",
	.about =
		"Lists what a directory of the image holds (the root, where none is said), as a "
		"container would see it, without keeping anything of the image. The image is one "
		"of the store, or docker://<name> at a registry (the store's names are not looked "
		"at then), oci:<dir>[:<name>], dir:<dir>, oci-archive:<file>[:<name>] or "
		"docker-archive:<file>[:<name>]; a name that the store does not have is looked for "
		"at its registry. What the store knows of a layer is used; of other layers the "
		"bytes are read once and checked. Control characters in names are shown as "
		"\\x1b.",
	.example = "  cooper ls -l alpine:3.20 /etc\n"
		   "  cooper ls -R --layers docker://registry.example.com/team/app:1 /app\n"
		   "  cooper ls --json oci:out:latest / | jq -r '.[].path'\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = 2,
	.run = ls_run,
};
