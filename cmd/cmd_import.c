/* SPDX-License-Identifier: Apache-2.0 */
/* import - a root file system becomes an image of one layer.  The archive is read once: its bytes
 * are checked as entries, hashed, compressed and hashed again on their way into the store. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/archive_file.h"
#include "base/epoch.h"
#include "base/event.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/worker.h"
#include "cmd/cmd.h"
#include "cmd/image.h"
#include "cmd/recompress.h"
#include "cmd/show.h"
#include "cmd/ui.h"
#include "layers/archive.h"
#include "layers/codec.h"
#include "layers/tar.h"

#define IMPORT_MAX (1ull << 40) /* bytes of the decompressed archive */

struct values {
	const char *message, *platform;
	struct strv env, labels, cmd, entrypoint;
	const char *working_dir, *user;
	enum codec_kind codec;
	struct ui_options ui;
};

static const struct values defaults = { .codec = CODEC_GZIP };

static const struct opt options[] = { OPT_STR('m', "message", struct values, message, "text",
					      "the comment in the image's history"),
	OPT_STR(0, "platform", struct values, platform, "os/arch", "what the image runs on"),
	OPT_STRV('e', "env", struct values, env, "name=value", "set a variable of the image"),
	OPT_STRV(0, "label", struct values, labels, "key=value", "add a label"),
	OPT_STRV(0, "cmd", struct values, cmd, "word",
		"a word of the image's command; once for each"),
	OPT_STRV(0, "entrypoint", struct values, entrypoint, "word",
		"a word of its entry point; once for each"),
	OPT_STR('w', "workdir", struct values, working_dir, "dir", "the image's working directory"),
	OPT_STR('u', "user", struct values, user, "user[:group]", "the image's user"),
	OPT_ENUM(0, "compression", struct values, codec, codec_words, "how", "compress the layer"),
	UI_OPTIONS(struct values, ui), OPT_END };

/* What is read passes on to a sink. */
struct stream_tee {
	struct stream stream;
	struct stream *next;
	struct sink *to;
	uint32_t event;
	uint64_t size;
};

static ssize_t
tee_read(struct stream *stream, void *bytes, size_t len, struct err *err)
{
	struct stream_tee *s = (struct stream_tee *)stream;
	ssize_t n = stream_read(s->next, bytes, len, err);

	if (n <= 0)
		return n;
	if (sink_write(s->to, bytes, (size_t)n, err) < 0)
		return -1;
	s->size += (uint64_t)n;
	event_bytes(s->event, s->size, 0);
	return n;
}

static void
tee_free(struct stream *stream)
{
	(void)stream; /* it lives on a stack */
}

static const struct stream_ops tee_ops = { tee_read, tee_free };

struct job {
	struct store *store;
	int fd;
	enum codec_kind codec;
};

static int
read_tar(struct stream *in, struct err *err)
{
	AUTO(tar_reader) struct tar_reader *r = tar_reader_new(in, TAR_LAYER);
	AUTO(entry) struct entry e = { .path = NULL };
	int n;

	do
		n = tar_reader_next(r, &e, err);
	while (n == 1);
	return n < 0 ? -1 : tar_reader_drain(r, err);
}

/* The result: {"diff": digest, "digest": digest, "size": bytes}. */
static int
import_body(void *arg, json_t **result, struct err *err)
{
	const struct job *job = arg;
	AUTO(ingest) struct ingest *in = NULL;
	AUTO(stream) struct stream *tar = NULL;
	AUTO(sink) struct sink *out = NULL;
	struct digest diff = { "" }, digest = { "" };
	uint64_t size = 0;
	struct stream_tee tee = { .stream = { &tee_ops }, .event = event_start("import") };

	if (store_ingest_new(job->store, NULL, INGEST_WAIT, &in, err) < 0 ||
		archive_decode(stream_fd(job->fd), &tar, err) < 0 ||
		codec_encode(job->codec, CODEC_DEFAULT, 0,
			sink_digest(sink_fd(ingest_fd(in)), &digest, &size), &out, err) < 0)
		return -1;
	tar = stream_limit(steal(&tar), IMPORT_MAX);
	out = sink_digest(steal(&out), &diff, NULL);
	tee.next = tar;
	tee.to = out;
	if (read_tar(&tee.stream, err) < 0 || sink_finish(out, err) < 0 ||
		ingest_sync(in, err) < 0 || ingest_commit(&in, &digest, size, err) < 0)
		return -1;
	event_done(tee.event);
	*result = json_object();
	json_object_set_new(*result, "diff", json_text(diff.text));
	json_object_set_new(*result, "digest", json_text(digest.text));
	json_object_set_new(*result, "size", json_integer((json_int_t)size));
	return 0;
}

static int
config_fill(const struct values *v, const struct digest *diff, const char *source, struct config *c,
	struct err *err)
{
	AUTO(free) char *comment = xasprintf("Imported from %s", source);
	char created[EPOCH_TEXT];

	platform_host(&c->platform);
	if (v->platform != NULL && platform_parse(v->platform, &c->platform, err) < 0)
		return -1;
	if (epoch_or_now(NULL, created, err) < 0)
		return -1;
	c->created = xstrdup(created);
	for (size_t i = 0; i < v->env.count; i++) {
		const char *equals = strchr(v->env.items[i], '=');
		AUTO(free) char *name = NULL;

		if (equals == NULL || equals == v->env.items[i])
			return err_set(
				err, ERR_USAGE, "'--env': '%s' is not name=value", v->env.items[i]);
		name = xstrndup(v->env.items[i], (size_t)(equals - v->env.items[i]));
		strv_env_set(&c->env, name, equals + 1);
	}
	strv_add_all(&c->labels, &v->labels);
	strv_add_all(&c->cmd, &v->cmd);
	strv_add_all(&c->entrypoint, &v->entrypoint);
	c->has_cmd = v->cmd.count > 0;
	c->has_entrypoint = v->entrypoint.count > 0;
	c->working_dir = v->working_dir == NULL ? NULL : xstrdup(v->working_dir);
	c->user = v->user == NULL ? NULL : xstrdup(v->user);
	config_diff_id_add(c, diff);
	config_history_add(c, c->created, NULL, v->message == NULL ? comment : v->message, false);
	return 0;
}

static int
write_documents(struct store *store, const struct config *config, struct descriptor *layer,
	struct descriptor *out, struct err *err)
{
	AUTO(manifest) struct manifest m = { .is_docker = false };
	AUTO(buf) struct buf config_bytes = BUF_INIT;
	AUTO(buf) struct buf manifest_bytes = BUF_INIT;

	config_format(config, &config_bytes);
	if (store_blob_put(store, config_bytes.data, config_bytes.len, &m.config.digest, err) < 0)
		return -1;
	m.config.size = config_bytes.len;
	media_type_clean(MEDIA_OCI_CONFIG, m.config.media_type);
	manifest_layer_add(&m, layer);
	manifest_format(&m, &manifest_bytes);
	if (store_blob_put(store, manifest_bytes.data, manifest_bytes.len, &out->digest, err) < 0)
		return -1;
	out->size = manifest_bytes.len;
	media_type_clean(MEDIA_OCI_MANIFEST, out->media_type);
	return 0;
}

static int
import_layer(const struct job *job, struct descriptor *layer, struct digest *diff, struct err *err)
{
	const struct worker_job work = { .name = "import", .run = import_body, .arg = (void *)job };
	AUTO(json) json_t *result = NULL;
	const char *diff_text = "", *digest_text = "";
	struct layer_record record = { .id = 0 };
	struct layer_blob blob = { .size = 0 };
	AUTO(free)
	char *media_type = xasprintf("%s%s", MEDIA_OCI_LAYER, codec_media_suffix(job->codec));

	if (worker_signals(err) < 0 || worker_call(&work, &result, err) < 0)
		return -1;
	if (json_get_string(result, "diff", &diff_text, err) < 0 ||
		json_get_string(result, "digest", &digest_text, err) < 0 ||
		json_get_uint(result, "size", &layer->size, err) < 0 ||
		digest_parse(diff_text, diff, err) < 0 ||
		digest_parse(digest_text, &layer->digest, err) < 0)
		return -1;
	media_type_clean(media_type, layer->media_type);
	media_type_clean(media_type, blob.media_type);
	blob.digest = layer->digest;
	blob.size = layer->size;
	record.diff_id = *diff;
	record.blobs[0] = blob;
	record.blob_count = 1;
	return store_layer_add(job->store, &record, err);
}

static int
import(struct call *call, struct store *store, const char *name, struct descriptor *out,
	struct err *err)
{
	const struct values *v = call->values;
	const char *source = call->args.items[0];
	AUTO(fd) int fd = archive_file_open(source, err);
	AUTO(config) struct config config = { .author = NULL };
	struct descriptor layer = { .size = 0 };
	struct digest diff = { "" };
	const struct job job = { store, fd, v->codec };

	if (fd < 0)
		return -1;
	if (import_layer(&job, &layer, &diff, err) < 0)
		return err_in(err, "'%s'", source);
	if (config_fill(v, &diff, source, &config, err) < 0 ||
		write_documents(store, &config, &layer, out, err) < 0)
		return -1;
	return name == NULL ? image_keep_nameless(store, out, err)
			    : store_name_set(store, name, out, err);
}

static int
import_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(store) struct store *store = NULL;
	AUTO(buf) struct buf name = BUF_INIT;
	AUTO(buf) struct buf answer = BUF_INIT;
	struct descriptor d = { .size = 0 };

	if (call->args.count == 2 && image_name_parse(call->args.items[1], &name, err) < 0)
		return -1;
	ui_begin(&v->ui, call->globals->debug);
	if (store_open(call->globals->root, &store, err) < 0 ||
		import(call, store, name.len == 0 ? NULL : name.data, &d, err) < 0)
		return -1;
	ui_end();
	buf_addf(&answer, "%s\n", d.digest.text);
	return show_answer(&answer, err);
}

const struct cmd cmd_import = {
	.name = "import",
	.summary = "make an image of a root file system",
	.args = "<archive> [<name>]",
	.about = "Makes an image of one layer from a tar archive, plain or compressed by gzip, "
		 "zstd, bzip2 or xz; - is "
		 "stdin. Prints its digest.",
	.example = "  tar -C rootfs -c . | cooper import - base:1\n"
		   "  cooper import --cmd /bin/sh -e PATH=/usr/bin:/bin rootfs.tar.xz base:1\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = 2,
	.run = import_run,
};
