/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/spool.h"
#include "base/worker.h"
#include "cmd/image.h"
#include "cmd/show.h"
#include "layers/codec.h"
#include "layers/layer.h"
#include "registry/place_store.h"
#include "registry/place_stream.h"
#include "registry/remote.h"

struct job {
	struct call *call;
	files_body *body;
	void *arg;
};

static int
job_body(void *arg, json_t **result, struct err *err)
{
	const struct job *job = arg;

	if (job->body(job->call, job->arg, err) < 0)
		return -1;
	*result = json_integer(job->call->status);
	return 0;
}

int
files_run(struct call *call, files_body *body, void *arg, struct err *err)
{
	struct job job = { call, body, arg };
	const struct worker_job work = { .name = call->cmd->name, .run = job_body, .arg = &job };
	AUTO(json) json_t *status = NULL;

	if (worker_signals(err) < 0 || worker_call(&work, &status, err) < 0)
		return -1;
	call->status = (int)json_integer_value(status);
	return 0;
}

void
auto_files(struct files *f)
{
	roll_free(f->roll);
	session_free(f->session);
	store_free(f->store);
	free(f->known);
	free(f->slots);
}

void
auto_files_image(struct files_image *i)
{
	auto_spot(&i->spot);
	place_free(i->store_place);
	manifest_free(&i->manifest);
	free(i->slots);
}

int
files_spool(struct err *err)
{
	AUTO(fd) int dir = spool_dir(err);

	return dir < 0 ? -1 : spool_file(dir, err);
}

int
files_begin(struct files *f, const struct call *call, const struct remote_flags *remote,
	bool digests, struct err *err)
{
	struct err none = { 0 };
	int fd;

	f->digests = digests;
	/* an image elsewhere is shown where there can be no store as well */
	if (store_open(call->globals->root, &f->store, &none) < 0)
		event_debug("without the store: %s", none.msg);
	if (remote_flags_open(remote, &f->session, err) < 0)
		return -1;
	fd = files_spool(err);
	if (fd < 0)
		return -1;
	f->roll = roll_new(fd);
	return 0;
}

#define STORE_SCHEME "store:"

/* 1: it is the store's. */
static int
find_in_store(struct files *f, const char *text, struct files_image *i, struct descriptor *root,
	struct err *err)
{
	struct err failed = { .kind = ERR_NONE };

	if (f->store == NULL)
		return 0;
	if (image_find(f->store, text, NULL, root, &failed) < 0) {
		if (failed.kind == ERR_NOTFOUND)
			return 0;
		*err = failed;
		return -1;
	}
	i->place = i->store_place = place_store_new(f->store);
	return 1;
}

int
files_place(struct files *f, const char *text, struct files_image *out, struct descriptor *root,
	struct err *err)
{
	bool is_stored = starts_with(text, STORE_SCHEME);
	const char *name = is_stored ? text + strlen(STORE_SCHEME) : text;
	int found;

	out->text = text;
	found = spot_has_scheme(text) && !is_stored ? 0 : find_in_store(f, name, out, root, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (is_stored)
		return err_set(err, ERR_NOTFOUND, "'%s' is not in the store", name);
	if (spot_parse(text, &out->spot, err) < 0 ||
		spot_open_source(&out->spot, f->session, err) < 0)
		return -1;
	out->place = out->spot.place;
	return 0;
}

int
files_resolve(struct files_image *i, struct descriptor *root, struct err *err)
{
	if (!digest_is_empty(&root->digest))
		return 0;
	return i->place->ops->resolve(i->place, spot_name(&i->spot), root, err);
}

static int
read_manifest(struct files_image *i, const struct descriptor *root, const struct platform *platform,
	struct err *err)
{
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(buf) struct buf bytes = BUF_INIT;

	if (image_manifest(i->place, root, platform, &d, &bytes, err) < 0)
		return -1;
	return manifest_parse(bytes.data, bytes.len, d.media_type, &i->manifest, err);
}

int
files_open(struct files *f, const char *text, const char *platform, struct files_image *out,
	struct err *err)
{
	AUTO(descriptor) struct descriptor root = { .size = 0 };
	struct platform wanted;

	platform_host(&wanted);
	if (platform != NULL && platform_parse(platform, &wanted, err) < 0)
		return -1;
	if (files_place(f, text, out, &root, err) < 0 || files_resolve(out, &root, err) < 0 ||
		(out->store_place == NULL &&
			spot_trust(&out->spot, f->session, &root, &wanted, err) < 0))
		return -1;
	if (read_manifest(out, &root, platform != NULL ? &wanted : NULL, err) < 0)
		return err_in(err, "%s", text);
	out->first = out->manifest.layer_count;
	out->slots = xcalloc(out->first + 1, sizeof *out->slots);
	return 0;
}

struct roll_stack
files_stack(const struct files_image *i)
{
	return (struct roll_stack){ i->slots, i->first, i->manifest.layer_count };
}

/* SIZE_MAX: it is not in the roll. */
static size_t
known_slot(const struct files *f, const struct digest *layer)
{
	for (size_t k = 0; k < f->count; k++)
		if (digest_same(&f->known[k], layer))
			return f->slots[k];
	return SIZE_MAX;
}

static void
know(struct files *f, const struct digest *layer, size_t slot)
{
	size_t room = f->room;

	f->known = grow(f->known, f->count, &room, sizeof *f->known);
	f->slots = grow(f->slots, f->count, &f->room, sizeof *f->slots);
	f->known[f->count] = *layer;
	f->slots[f->count++] = slot;
}

/* What the store knows of it: 1, 0, -1.  A listing that lacks a file's digest where those are wanted is as
 * good as none. */
static int
get_listing(struct files *f, const struct digest *layer, struct listing *out, struct err *err)
{
	struct layer_record record = { .id = 0 };
	struct digest content;
	int found;

	if (f->store == NULL)
		return 0;
	found = store_layer_by_blob(f->store, layer, &record, err);
	if (found <= 0 || !record.has_listing)
		return found < 0 ? -1 : 0;
	found = store_listing_get(f->store, record.id, out, err);
	if (found <= 0 || !f->digests)
		return found;
	listing_content_digest(out, &content);
	return !digest_is_empty(&content);
}

static bool
has_blob(struct files *f, const struct descriptor *d)
{
	struct err ignored = { 0 };
	uint64_t size = 0;

	return f->store != NULL && store_blob_has(f->store, &d->digest, &size, &ignored) == 1 &&
	       size == d->size;
}

int
files_is_near(struct files *f, const struct files_image *i, size_t layer, struct err *err)
{
	const struct descriptor *d = &i->manifest.layers[layer];
	AUTO(listing) struct listing l = LISTING_INIT;

	if (known_slot(f, &d->digest) != SIZE_MAX || has_blob(f, d))
		return 1;
	return get_listing(f, &d->digest, &l, err);
}

/* An open layer: bytes that are checked, and what they come from. */
struct open_layer {
	struct place
		*elsewhere; /* where a base's layer stayed that was never needed in the store */
	struct stream *tar;
};

static void
auto_open_layer(struct open_layer *o)
{
	stream_free(o->tar);
	place_free(o->elsewhere);
}

static int
open_elsewhere(struct files *f, const struct descriptor *d, struct open_layer *o, struct err *err)
{
	AUTO(strv) struct strv sources = STRV_INIT;
	struct ref ref;

	if (store_source_list(f->store, &d->digest, &sources, err) < 0)
		return -1;
	if (sources.count == 0)
		return err_set(err, ERR_NOTFOUND, "it is not in the store");
	if (ref_parse(sources.items[0], &ref, err) < 0)
		return -1;
	return remote_open(f->session, &ref, REMOTE_PULL, &o->elsewhere, err);
}

static int
open_bytes(struct files *f, const struct files_image *i, const struct descriptor *d,
	struct open_layer *o, struct stream **out, struct err *err)
{
	if (has_blob(f, d)) {
		uint64_t size = 0;
		int fd = store_blob_open(f->store, &d->digest, &size, err);

		if (fd < 0)
			return -1;
		*out = stream_fd(fd);
		event_debug("%s: from the store", d->digest.text);
		return 0;
	}
	if (i->store_place != NULL && open_elsewhere(f, d, o, err) < 0)
		return -1;
	event_debug("%s: read where it is", d->digest.text);
	return place_stream(o->elsewhere != NULL ? o->elsewhere : i->place, d, out, err);
}

static int
open_layer(struct files *f, const struct files_image *i, const struct descriptor *d,
	struct open_layer *o, struct err *err)
{
	struct stream *bytes = NULL, *tar = NULL;

	if (!media_is_layer(d->media_type))
		return err_set(err, ERR_INPUT, "its type is '%s': this is no image", d->media_type);
	if (open_bytes(f, i, d, o, &bytes, err) < 0)
		return -1;
	if (codec_decode_sniffed(stream_verify(bytes, &d->digest, d->size), &tar, NULL, err) < 0)
		return -1;
	o->tar = stream_limit(tar, LAYER_SIZE_MAX);
	return 0;
}

int
files_read(struct files *f, const struct files_image *i, size_t layer, files_reader *read,
	void *arg, struct err *err)
{
	const struct descriptor *d = &i->manifest.layers[layer];
	AUTO(open_layer) struct open_layer o = { .tar = NULL };

	if (open_layer(f, i, d, &o, err) < 0 || read(o.tar, arg, err) < 0)
		return err_in(err, "%s: layer %s", i->text, d->digest.text);
	return 0;
}

/* 1: it ended at the capture. */
static int
read_layer(struct files *f, const struct files_image *i, const struct descriptor *d,
	struct capture *capture, struct roll *roll, struct err *err)
{
	AUTO(open_layer) struct open_layer o = { .tar = NULL };
	const struct roll_reading how = { .digests = f->digests && roll != NULL,
		.capture = capture };

	if (open_layer(f, i, d, &o, err) < 0 || roll_read(roll, o.tar, &how, err) < 0)
		return err_in(err, "%s: layer %s", i->text, d->digest.text);
	return capture != NULL && capture->at_once && capture->found == CAPTURE_FILE;
}

static int
load(struct files *f, struct files_image *i, const struct descriptor *d, struct capture *capture,
	struct err *err)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	size_t slot = 0;
	int ended = 0, found = get_listing(f, &d->digest, &l, err);

	if (found < 0)
		return -1;
	roll_begin(f->roll);
	if (found == 1 && roll_add_listing(f->roll, &l, err) < 0)
		return -1;
	if (found == 0)
		ended = read_layer(f, i, d, capture, f->roll, err);
	if (ended != 0)
		return ended;
	if (roll_end(f->roll, &slot, err) < 0)
		return -1;
	know(f, &d->digest, slot);
	return 0;
}

int
files_load(struct files *f, struct files_image *i, struct capture *capture, struct err *err)
{
	const struct descriptor *d = &i->manifest.layers[i->first - 1];
	size_t slot = known_slot(f, &d->digest);
	int ended;

	if (slot == SIZE_MAX) {
		ended = load(f, i, d, capture, err);
		if (ended != 0)
			return ended;
		slot = known_slot(f, &d->digest);
	}
	i->first--;
	i->slots[i->first] = slot;
	return 0;
}

int
files_load_to(struct files *f, struct files_image *i, size_t first, struct err *err)
{
	while (i->first > first)
		if (files_load(f, i, NULL, err) < 0)
			return -1;
	return 0;
}

int
files_capture(struct files *f, const struct files_image *i, size_t layer, const char *path,
	struct capture *capture, struct err *err)
{
	const struct descriptor *d = &i->manifest.layers[layer];
	AUTO(free) char *at = xstrdup(path);

	auto_free(&capture->link);
	for (int links = 0; links < ROLL_CHAIN_MAX; links++) {
		capture->path = at;
		capture->found = CAPTURE_NOTHING;
		if (read_layer(f, i, d, capture, NULL, err) < 0)
			return -1;
		capture->path = path;
		if (capture->found == CAPTURE_FILE)
			return 0;
		if (capture->found != CAPTURE_LINK)
			break;
		free(at);
		at = xstrdup(capture->link);
	}
	return err_set(
		err, ERR_CORRUPT, "%s: layer %s has no file '%s'", i->text, d->digest.text, path);
}

void
files_path(const char *path, struct buf *out)
{
	buf_addc(out, '/');
	show_line(path, out);
}
