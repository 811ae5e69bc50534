/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/archive_file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/worker.h"
#include "cmd/cmd.h"
#include "cmd/image.h"
#include "cmd/show.h"
#include "cmd/ui.h"
#include "registry/place_archive.h"
#include "registry/place_layout.h"
#include "registry/place_store.h"

struct values {
	const char *input;
	struct ui_options ui;
};

static const struct opt options[] = { OPT_STR('i', "input", struct values, input, "path",
					      "read the archive or OCI layout <path>, not stdin"),
	UI_OPTIONS(struct values, ui), OPT_END };

struct job {
	struct store *store;
	const char *input;
};

static bool
is_directory(const char *path)
{
	struct stat st;

	return path != NULL && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int
load_all(const struct job *job, struct place *from, const struct catalog *catalog, json_t *rows,
	struct err *err)
{
	AUTO(place) struct place *to = place_store_new(job->store);
	const struct place_copy_options how = { .all_platforms = true };

	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_row *image = &catalog->rows[i];
		AUTO(descriptor) struct descriptor copied = { .size = 0 };
		json_t *row;

		if (place_copy(from, to, &image->descriptor, &how, &copied, err) < 0)
			return err_in(err, "load %s",
				image->name == NULL ? image->descriptor.digest.text : image->name);
		row = json_object();
		json_object_set_new(row, "descriptor", descriptor_format(&copied));
		if (image->name != NULL)
			json_object_set_new(row, "name", json_text(image->name));
		json_array_append_new(rows, row);
	}
	return 0;
}

/* The result: [{"name": ..., "descriptor": {...}}]. */
static int
load_body(void *arg, json_t **result, struct err *err)
{
	const struct job *job = arg;
	AUTO(place) struct place *from = NULL;
	AUTO(catalog) struct catalog catalog = CATALOG_INIT;
	AUTO(json) json_t *rows = json_array();

	if (is_directory(job->input)) {
		if (place_layout_open(job->input, PLACE_LAYOUT_READ, &from, err) < 0 ||
			place_layout_catalog(from, &catalog, err) < 0 ||
			load_all(job, from, &catalog, rows, err) < 0)
			return -1;
	} else {
		int fd = archive_file_open(job->input, err);

		if (fd < 0)
			return -1;
		if (place_archive_open(fd, store_dir(job->store), &from, err) < 0)
			return job->input == NULL ? -1 : err_in(err, "'%s'", job->input);
		if (load_all(job, from, place_archive_catalog(from), rows, err) < 0)
			return -1;
	}
	*result = steal(&rows);
	return 0;
}

static int
name_one(struct store *store, const json_t *row, struct buf *answer, struct err *err)
{
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(buf) struct buf name = BUF_INIT;
	const char *text = NULL;
	json_t *value = NULL;
	struct err unparsed = { 0 };

	if (json_get_string(row, "name", &text, err) < 0 ||
		json_get_object(row, "descriptor", &value, err) < 0 || value == NULL ||
		descriptor_parse(value, &d, err) < 0)
		return -1;
	/* a layout's own tags may be any text, and "latest" is no name */
	if (text == NULL || strpbrk(text, "/:") == NULL ||
		image_name_parse(text, &name, &unparsed) < 0) {
		buf_addf(answer, "Loaded image ID: %s\n", d.digest.text);
		return image_keep_nameless(store, &d, err);
	}
	buf_addf(answer, "Loaded image: %s\n", name.data);
	return store_name_set(store, name.data, &d, err);
}

static int
load_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(store) struct store *store = NULL;
	AUTO(buf) struct buf answer = BUF_INIT;
	AUTO(json) json_t *rows = NULL;
	struct job job = { .input = v->input };
	const struct worker_job work = { .name = "load", .run = load_body, .arg = &job };

	ui_begin(&v->ui, call->globals->debug);
	if (store_open(call->globals->root, &store, err) < 0 || worker_signals(err) < 0)
		return -1;
	job.store = store;
	if (worker_call(&work, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(rows); i++)
		if (name_one(store, json_array_get(rows, i), &answer, err) < 0)
			return -1;
	ui_end();
	return show_answer(&answer, err);
}

const struct cmd cmd_load = {
	.name = "load",
	.summary = "read images from an archive",
	.args = "",
	.about = "Reads what 'docker save', 'podman save', skopeo, BuildKit and 'cooper save' "
		 "write: docker archives "
		 "old and new, OCI archives, compressed or not, and OCI layouts in directories.",
	.example = "  cooper load -i app.tar\n  docker save app:1 | cooper load\n",
	.options = options,
	.values_size = sizeof(struct values),
	.args_max = 0,
	.run = load_run,
};
