/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/layer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "layers/tar.h"

/* --- tree to tar
 * ---------------------------------------------------------------------------------*/

static int
pack_file(struct tar_writer *w, int tree, struct entry *e, enum layer_digests digests,
	struct err *err)
{
	AUTO(hasher) struct hasher *h = digests == LAYER_DIGESTS ? hasher_new(DIGEST_SHA256) : NULL;
	AUTO(fd) int fd = path_open(tree, e->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(err, "open '%s'", e->path);
	if (tar_writer_file(w, fd, h, err) < 0)
		return err_in(err, "'%s'", e->path);
	if (h != NULL)
		hasher_digest(h, &e->digest);
	return 0;
}

int
layer_pack(int tree, struct listing *entries, enum layer_digests digests, struct sink *out,
	struct err *err)
{
	AUTO(tar_writer) struct tar_writer *w = tar_writer_new(out, TAR_LAYER);

	for (size_t i = 0; i < entries->count; i++) {
		struct entry *e = &entries->entries[i];

		if (tar_writer_entry(w, e, err) < 0)
			return -1;
		if (e->kind == ENTRY_FILE && pack_file(w, tree, e, digests, err) < 0)
			return -1;
	}
	return tar_writer_finish(w, err);
}

/* --- tar to blob
 * ---------------------------------------------------------------------------------*/

struct layer_out {
	struct sink sink; /* first */
	struct sink *next;
	struct layer_made *out;
	enum codec_kind codec;
};

static int
layer_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	return sink_write(((struct layer_out *)s)->next, bytes, len, err);
}

static int
layer_finish(struct sink *s, struct err *err)
{
	struct layer_out *l = (struct layer_out *)s;
	AUTO(free) char *type = NULL;

	if (sink_finish(l->next, err) < 0)
		return -1;
	type = xasprintf(MEDIA_OCI_LAYER "%s", codec_media_suffix(l->codec));
	media_type_clean(type, l->out->blob.media_type);
	return 0;
}

static void
layer_free(struct sink *s)
{
	struct layer_out *l = (struct layer_out *)s;

	sink_free(l->next);
	free(l);
}

static const struct sink_ops layer_ops = { layer_write, layer_finish, layer_free };

int
layer_sink(int fd, enum codec_kind codec, int level, unsigned threads, struct layer_made *out,
	struct sink **out_sink, struct err *err)
{
	struct sink *packed = NULL;
	struct layer_out *l;

	*out = (struct layer_made){ .diff_size = 0 };
	if (codec_encode(codec, level, threads,
		    sink_digest(sink_fd(fd), &out->blob.digest, &out->blob.size), &packed, err) < 0)
		return -1;
	l = xzalloc(sizeof *l);
	l->sink.ops = &layer_ops;
	l->next = sink_digest(packed, &out->diff_id, &out->diff_size);
	l->out = out;
	l->codec = codec;
	*out_sink = &l->sink;
	return 0;
}

/* --- blob to tar
 * ---------------------------------------------------------------------------------*/

int
layer_stream(struct stream *in, uint64_t limit, struct digest *diff_id, struct stream **out,
	struct err *err)
{
	struct stream *tar = NULL;

	if (codec_decode_sniffed(in, &tar, NULL, err) < 0)
		return -1;
	*out = stream_digest(stream_limit(tar, limit), diff_id);
	return 0;
}
