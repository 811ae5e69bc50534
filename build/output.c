/* SPDX-License-Identifier: Apache-2.0 */
#include "build/output.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/archive_file.h"
#include "base/event.h"
#include "base/path.h"
#include "base/worker.h"
#include "build/base.h"
#include "build/material.h"
#include "build/push.h"
#include "layers/apply.h"
#include "registry/place_archive.h"
#include "registry/place_layout.h"
#include "registry/place_store.h"

int
output_names(const struct strv *tags, struct strv *out, struct err *err)
{
	for (size_t i = 0; i < tags->count; i++) {
		AUTO(buf) struct buf name = BUF_INIT;
		struct ref ref;

		if (ref_parse(tags->items[i], &ref, err) < 0)
			return err_in(err, "tag '%s'", tags->items[i]);
		if (!digest_is_empty(&ref.digest))
			return err_set(err, ERR_INPUT, "tag '%s': a digest cannot be chosen",
				tags->items[i]);
		base_name(&ref, &name);
		if (!strv_has(out, name.data))
			strv_add(out, name.data);
	}
	return 0;
}

int
output_image(struct store *store, const struct build_options *o, const struct descriptor *image,
	bool push_it, struct err *err)
{
	AUTO(strv) struct strv names = STRV_INIT;

	if (output_names(&o->tags, &names, err) < 0)
		return -1;
	if (push_it && names.count == 0)
		return err_set(err, ERR_USAGE, "--push needs a tag to push to: give it with -t");
	for (size_t i = 0; i < names.count; i++)
		if (store_name_set(store, names.items[i], image, err) < 0)
			return -1;
	for (size_t i = 0; push_it && i < names.count; i++) {
		AUTO(descriptor) struct descriptor pushed = { .size = 0 };
		struct ref ref;
		struct push push = { .store = store, .session = &o->session, .to = &ref };

		if (ref_parse(names.items[i], &ref, err) < 0 ||
			push_image(&push, image, &pushed, err) < 0)
			return -1;
	}
	return 0;
}

/* --- archives and layouts --------------------------------------------------------------------- */

struct archiving {
	struct store *store;
	const struct strv *names;
	const struct build_output *to;
	const struct descriptor *image;
	int fd; /* of the archive; -1: a layout */
};

static int
copy_into(struct archiving *a, struct place *to, struct err *err)
{
	struct place_copy_options options = { .all_platforms = true, .parallel = 1 };
	AUTO(place) struct place *from = place_store_new(a->store);
	AUTO(descriptor) struct descriptor copied = { .size = 0 };

	if (place_copy(from, to, a->image, &options, &copied, err) < 0)
		return -1;
	for (size_t i = 0; i < a->names->count; i++)
		if (to->ops->tag(to, a->names->items[i], &copied, err) < 0)
			return -1;
	if (a->names->count == 0 && to->ops->tag(to, NULL, &copied, err) < 0)
		return -1;
	return to->ops->finish != NULL ? to->ops->finish(to, err) : 0;
}

static int
archive(void *arg, json_t **result, struct err *err)
{
	struct archiving *a = arg;
	AUTO(sink) struct sink *out = a->fd >= 0 ? sink_fd(a->fd) : NULL;
	AUTO(place) struct place *to = NULL;

	(void)result;
	if (out == NULL) {
		if (place_layout_open(a->to->dest, PLACE_LAYOUT_WRITE, &to, err) < 0)
			return -1;
	} else {
		to = place_archive_new(out, a->to->type == BUILD_OUTPUT_DOCKER
						    ? PLACE_ARCHIVE_DOCKER
						    : PLACE_ARCHIVE_OCI);
	}
	return copy_into(a, to, err);
}

int
output_archive(struct store *store, const struct build_options *o, const struct build_output *to,
	const struct descriptor *image, struct err *err)
{
	AUTO(strv) struct strv names = STRV_INIT;
	struct archiving a = {
		.store = store, .names = &names, .to = to, .image = image, .fd = -1
	};
	struct worker_job job = { .name = "export", .run = archive, .arg = &a };
	bool is_file = to->type == BUILD_OUTPUT_DOCKER || to->is_tar;
	AUTO(archive_file) struct archive_file file = ARCHIVE_FILE_INIT;
	uint32_t event;
	int result;

	if (output_names(&o->tags, &names, err) < 0)
		return -1;
	if (is_file && archive_file_new(to->dest, &file, err) < 0)
		return -1;
	a.fd = file.fd;
	event = event_start("exporting to %s", to->dest);
	result = worker_call(&job, NULL, err);
	if (result == 0 && is_file)
		result = archive_file_finish(&file, err);
	if (result < 0) {
		event_fail(event, err->msg);
		return err_in(err, "export to '%s'", to->dest);
	}
	event_done(event);
	return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

struct placing {
	int tar_fd, other_fd, dir;
};

static int
place_files(void *arg, json_t **result, struct err *err)
{
	struct placing *p = arg;
	struct apply_options options = { .form = APPLY_ROOT,
		.owner = APPLY_OWNER_CALLER,
		.dialect = TAR_LAYER,
		.no_devices = true };
	AUTO(stream) struct stream *tar = NULL;

	(void)result;
	close(p->other_fd);
	tar = stream_fd(p->tar_fd);
	return apply_layer(tar, p->dir, &options, NULL, err);
}

static int
written(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	(void)s;
	(void)j;
	(void)result;
	(void)err;
	return 0;
}

static int
start_files(struct solve *s, struct copy_list *list, int tar_fd, int other_fd, struct err *err)
{
	struct root *r = solve_root(s, &(struct origin){ ORIGIN_STAGE, s->plan->target });
	AUTO(strv) struct strv sources = STRV_INIT;
	struct copy_request request = { .dest = "/", .sources = &sources, .origin = root_view(r) };
	struct origin origin = { ORIGIN_STAGE, s->plan->target };
	struct copy_start c = { .list = list,
		.origin = &origin,
		.tar_fd = tar_fd,
		.other_fd = other_fd,
		.made = written };

	strv_add(&sources, "/");
	if (copy_plan(&request, list, err) < 0)
		return -1;
	return copy_start(s, &c, err);
}

static int
output_tar(struct solve *s, const struct build_output *to, struct err *err)
{
	AUTO(copy_list) struct copy_list list = COPY_LIST_INIT;
	AUTO(archive_file) struct archive_file file = ARCHIVE_FILE_INIT;

	if (archive_file_new(to->dest, &file, err) < 0 ||
		start_files(s, &list, file.fd, -1, err) < 0 || solve_wait(s, err) < 0)
		return -1;
	return archive_file_finish(&file, err);
}

static int
output_dir(struct solve *s, const struct build_output *to, const char *subdir, struct err *err)
{
	AUTO(copy_list) struct copy_list list = COPY_LIST_INIT;
	AUTO(free)
	char *path = subdir != NULL ? xasprintf("%s/%s", to->dest, subdir) : xstrdup(to->dest);
	AUTO(fd)
	int top = openat(AT_FDCWD, *path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd) int dir = path_mkdirs(top, path, 0755);
	struct placing p = { .dir = dir };
	struct worker_job w = { .name = "output", .run = place_files, .arg = &p };
	struct job j = { .finish = written, .memory = -1, .tree = TREE_NEW_INIT };
	int ends[2], result;

	if (dir < 0)
		return err_sys(err, "output directory '%s'", path);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	p.tar_fd = ends[0];
	p.other_fd = ends[1];
	result = start_files(s, &list, ends[1], ends[0], err);
	if (result == 0)
		result = solve_start(s, &j, &w, false, err);
	auto_fd(&ends[0]);
	auto_fd(&ends[1]);
	if (result == 0)
		result = solve_wait(s, err);
	return result < 0 ? err_in(err, "output to '%s'", path) : 0;
}

int
output_files(struct solve *s, const struct build_output *to, const char *subdir, struct err *err)
{
	uint32_t event = event_start(
		"exporting to client %s", to->type == BUILD_OUTPUT_TAR ? "tarball" : "directory");
	int result = to->type == BUILD_OUTPUT_TAR ? output_tar(s, to, err)
						  : output_dir(s, to, subdir, err);

	if (result < 0)
		event_fail(event, err->msg);
	else
		event_done(event);
	return result;
}
