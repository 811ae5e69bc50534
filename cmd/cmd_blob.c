/* SPDX-License-Identifier: Apache-2.0 */
/* What an image is made of, byte for byte: config and blob. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/archive_file.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/files.h"
#include "cmd/show.h"
#include "registry/remote.h"
#include "registry/remote_blob.h"

struct config_values {
	const char *platform;
	struct remote_flags remote;
};
static const struct config_values config_defaults = { .remote = REMOTE_FLAGS_DEFAULT };
static const struct opt config_options[] = { OPT_STR(0, "platform", struct config_values, platform,
						     "os/arch", "the image for this platform"),
	TRUST_OPTION(struct config_values, remote), REMOTE_OPTIONS(struct config_values, remote),
	OPT_END };

static int
show_config(struct call *call, void *arg, struct err *err)
{
	const struct config_values *v = call->values;
	AUTO(files) struct files files = FILES_INIT;
	AUTO(files_image) struct files_image image = FILES_IMAGE_INIT;
	AUTO(buf) struct buf answer = BUF_INIT;

	(void)arg;
	if (files_begin(&files, call, &v->remote, false, err) < 0 ||
		files_open(&files, call->args.items[0], v->platform, &image, err) < 0)
		return -1;
	if (place_read(image.place, &image.manifest.config, CONFIG_MAX, &answer, err) < 0)
		return err_in(err, "%s: config", image.text);
	return show_answer(&answer, err);
}

static int
config_run(struct call *call, struct err *err)
{
	return files_run(call, show_config, NULL, err);
}

struct blob_values {
	const char *output;
	struct remote_flags remote;
};
static const struct blob_values blob_defaults = { .remote = REMOTE_FLAGS_DEFAULT };
static const struct opt blob_options[] = { OPT_STR('o', "output", struct blob_values, output,
						   "path", "get: write to <path>, not to stdout"),
	REMOTE_OPTIONS(struct blob_values, remote), OPT_END };

/* Among what root reaches: 1, 0, -1. */
static int
find_below(struct place *p, const struct descriptor *root, const struct digest *wanted, int depth,
	struct descriptor *out, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(index) struct index index = { .manifest_count = 0 };
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	int found = 0;

	if (digest_same(&root->digest, wanted)) {
		descriptor_copy(root, out);
		return 1;
	}
	if (depth > INDEX_DEPTH_MAX ||
		(!media_is_index(root->media_type) && !media_is_manifest(root->media_type)))
		return 0;
	/* of an index only some may be there */
	if (p->ops->has(p, root, err) != 1)
		return 0;
	if (place_read(p, root, MANIFEST_MAX, &bytes, err) < 0)
		return -1;
	if (media_is_index(root->media_type)) {
		if (index_parse(bytes.data, bytes.len, root->media_type, &index, err) < 0)
			return -1;
		for (size_t i = 0; i < index.manifest_count && found == 0; i++)
			found = find_below(p, &index.manifests[i], wanted, depth + 1, out, err);
		return found;
	}
	if (manifest_parse(bytes.data, bytes.len, root->media_type, &m, err) < 0)
		return -1;
	found = find_below(p, &m.config, wanted, INDEX_DEPTH_MAX + 1, out, err);
	for (size_t i = 0; i < m.layer_count && found == 0; i++)
		found = find_below(p, &m.layers[i], wanted, INDEX_DEPTH_MAX + 1, out, err);
	return found;
}

/* A registry is asked; elsewhere it must belong to the image. */
static int
find_blob(struct files_image *i, struct descriptor *root, const char *text, struct descriptor *out,
	struct err *err)
{
	bool is_remote = i->store_place == NULL && i->spot.kind == SPOT_REGISTRY;
	struct digest digest;
	int found;

	if (digest_parse(text, &digest, err) < 0)
		return -1;
	if (is_remote)
		return remote_blob(i->place, &digest, out, err);
	if (files_resolve(i, root, err) < 0)
		return -1;
	found = find_below(i->place, root, &digest, 0, out, err);
	if (found == 0)
		return err_set(err, ERR_NOTFOUND, "%s: nothing of the image is %s", i->text, text);
	return found < 0 ? err_in(err, "%s", i->text) : 0;
}

static int
send_blob(struct place *p, const struct descriptor *d, int out, struct err *err)
{
	AUTO(sink) struct sink *sink = sink_fd(out);

	return place_get(p, d, sink, err) < 0 ? -1 : sink_finish(sink, err);
}

static int
show_descriptor(const struct descriptor *d, struct err *err)
{
	AUTO(json) json_t *o = json_object();
	AUTO(buf) struct buf answer = BUF_INIT;

	if (d->media_type[0] != '\0')
		json_object_set_new(o, "mediaType", json_text(d->media_type));
	json_object_set_new(o, "digest", json_text(d->digest.text));
	json_object_set_new(o, "size", json_integer((json_int_t)d->size));
	json_format(o, JSON_STYLE_COMPACT, &answer);
	buf_addc(&answer, '\n');
	return show_answer(&answer, err);
}

/* arg: where to write it, or NULL: it is only looked for. */
static int
blob_look(struct call *call, void *arg, struct err *err)
{
	const struct blob_values *v = call->values;
	const int *out = arg;
	AUTO(files) struct files files = FILES_INIT;
	AUTO(files_image) struct files_image image = FILES_IMAGE_INIT;
	AUTO(descriptor) struct descriptor root = { .size = 0 };
	AUTO(descriptor) struct descriptor d = { .size = 0 };

	if (files_begin(&files, call, &v->remote, false, err) < 0 ||
		files_place(&files, call->args.items[1], &image, &root, err) < 0 ||
		find_blob(&image, &root, call->args.items[2], &d, err) < 0)
		return -1;
	return out != NULL ? send_blob(image.place, &d, *out, err) : show_descriptor(&d, err);
}

static int
blob_get(struct call *call, struct err *err)
{
	const struct blob_values *v = call->values;
	AUTO(archive_file) struct archive_file file = ARCHIVE_FILE_INIT;
	int out = STDOUT_FILENO;

	if (v->output == NULL)
		return files_run(call, blob_look, &out, err);
	if (archive_file_new(v->output, &file, err) < 0 ||
		files_run(call, blob_look, &file.fd, err) < 0)
		return -1;
	return archive_file_finish(&file, err);
}

/* A file that can be read again; what comes from a pipe is copied into one. */
static int
open_input(const char *path, uint64_t *size, struct err *err)
{
	AUTO(fd) int fd = archive_file_open(path, err);
	AUTO(fd) int copy = -1;
	uint64_t copied = 0;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "'%s'", path);
	if (S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0) {
		*size = (uint64_t)st.st_size;
		return fd_steal(&fd);
	}
	copy = files_spool(err);
	if (copy < 0 || fd_copy(fd, copy, UINT64_MAX, &copied, err) < 0)
		return -1;
	*size = copied;
	return fd_steal(&copy);
}

static int
put_blob(struct place *p, const char *path, struct descriptor *d, struct err *err)
{
	AUTO(sink) struct sink *sink = NULL;
	AUTO(fd) int fd = -1;
	struct source_file file;
	uint64_t size = 0;
	int has;

	fd = open_input(path, &size, err);
	if (fd < 0)
		return -1;
	source_file(&file, fd, size);
	sink = sink_digest(sink_none(), &d->digest, &d->size);
	if (source_send(&file.source, 0, sink, err) < 0 || sink_finish(sink, err) < 0)
		return err_in(err, "'%s'", path);
	has = p->ops->has(p, d, err);
	if (has != 0)
		return has < 0 ? -1 : 0;
	return p->ops->put(p, d, &file.source, err);
}

static int
blob_put(const struct call *call, struct err *err)
{
	const struct blob_values *v = call->values;
	const char *text = call->args.items[1];
	AUTO(session) struct session *session = NULL;
	AUTO(place) struct place *place = NULL;
	AUTO(spot) struct spot spot = SPOT_INIT;
	struct descriptor d = { .size = 0 };

	if (spot_parse(text, &spot, err) < 0)
		return -1;
	if (spot.kind != SPOT_REGISTRY)
		return err_set(err, ERR_USAGE, "blob put is for registries");
	if (remote_flags_open(&v->remote, &session, err) < 0 ||
		remote_open(session, &spot.ref, REMOTE_PUSH, &place, err) < 0 ||
		put_blob(place, call->args.items[2], &d, err) < 0)
		return -1;
	return show_descriptor(&d, err);
}

static int
blob_run(struct call *call, struct err *err)
{
	const char *verb = call->args.items[0];

	if (streq(verb, "put"))
		return blob_put(call, err);
	if (streq(verb, "get"))
		return blob_get(call, err);
	if (streq(verb, "stat"))
		return files_run(call, blob_look, NULL, err);
	return err_set(err, ERR_USAGE, "blob knows 'get', 'stat' and 'put'");
}

const struct cmd cmd_config = {
	.name = "config",
	.summary = "show the config of an image",
	.args = "<image>",
	.about = "Prints the bytes of the image's config as they are, after they were checked. The "
		 "image is named as for 'cooper ls'.",
	.example = "  cooper config registry.example.com/team/app:1 | jq .config.Env\n",
	.options = config_options,
	.values_size = sizeof(struct config_values),
	.defaults = &config_defaults,
	.args_min = 1,
	.args_max = 1,
	.run = config_run,
};

const struct cmd cmd_blob = {
	.name = "blob",
	.summary = "get, look for, or put bytes by their digest",
	.args = "get|stat|put <name> <digest>|<file>",
	.about = "'get' writes the bytes of a blob; what they are is known to be right only when "
		 "the exit status is 0, and with -o the file appears only then. 'stat' says its "
		 "size, as JSON. Both are for any blob of a registry's repository, and for those "
		 "that an image elsewhere (named as for 'cooper ls') consists of. 'put' sends a "
		 "file "
		 "(- is stdin) to a registry's repository, where it stays until the registry "
		 "collects what no manifest names, and prints its digest and size as JSON.",
	.example = "  cooper blob get r.example/team/app sha256:... | tar -tz\n"
		   "  cooper blob stat oci:out:latest sha256:...\n"
		   "  cooper blob put r.example/team/app data.bin\n",
	.options = blob_options,
	.values_size = sizeof(struct blob_values),
	.defaults = &blob_defaults,
	.args_min = 3,
	.args_max = 3,
	.run = blob_run,
};
