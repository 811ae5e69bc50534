/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/layer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "layers/tar.h"

struct pack {
	int tree;
	struct tar_writer *writer;
	struct hasher *hasher; /* NULL: digests are not wanted */
	int dir;               /* where the last file was, -1 at first */
	struct buf dir_path;
};
#define PACK_INIT                               \
	{                                       \
		.dir = -1, .dir_path = BUF_INIT \
	}

static void
auto_pack(struct pack *p)
{
	tar_writer_free(p->writer);
	hasher_free(p->hasher);
	auto_fd(&p->dir);
	buf_free(&p->dir_path);
}

/* The files of a directory come one after the other, so its descriptor is kept. */
static int
open_file(struct pack *p, const struct entry *e, struct err *err)
{
	const char *slash = strrchr(e->path, '/'), *name = slash != NULL ? slash + 1 : e->path;
	size_t len = slash != NULL ? (size_t)(slash - e->path) : 0;
	int fd;

	if (p->dir < 0 || p->dir_path.len != len || memcmp(p->dir_path.data, e->path, len) != 0) {
		auto_fd(&p->dir);
		buf_clear(&p->dir_path);
		buf_add(&p->dir_path, e->path, len);
		p->dir = path_open(
			p->tree, len > 0 ? p->dir_path.data : ".", O_PATH | O_DIRECTORY, 0);
		if (p->dir < 0)
			return err_sys(err, "open directory '%s'", p->dir_path.data);
	}
	/* a fifo that took the file's place must not make us wait */
	fd = openat(p->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open '%s'", e->path);
	return fd;
}

static int
pack_file(struct pack *p, const struct entry *e, struct digest *digest, struct err *err)
{
	AUTO(fd) int fd = open_file(p, e, err);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "look at '%s'", e->path);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != e->size)
		return err_set(err, ERR_INPUT, "'%s' changed while it was read", e->path);
	if (p->hasher != NULL)
		hasher_reset(p->hasher);
	if (tar_writer_file(p->writer, fd, p->hasher, err) < 0)
		return -1;
	if (p->hasher != NULL)
		hasher_digest(p->hasher, digest);
	return 0;
}

int
layer_pack(int tree, struct listing *entries, enum layer_digests digests, struct sink *out,
	struct err *err)
{
	AUTO(pack) struct pack p = PACK_INIT;
	AUTO(listed) struct listed listed = LISTED_INIT;

	p.tree = tree;
	p.writer = tar_writer_new(out, TAR_LAYER);
	if (digests == LAYER_DIGESTS)
		p.hasher = hasher_new(DIGEST_SHA256);
	for (size_t i = 0; i < entries->count; i++) {
		const struct entry *e = listing_at(entries, i, &listed);
		struct digest digest;

		if (tar_writer_entry(p.writer, e, err) < 0)
			return -1;
		if (e->kind != ENTRY_FILE)
			continue;
		if (pack_file(&p, e, &digest, err) < 0)
			return -1;
		if (p.hasher != NULL)
			listing_set_digest(entries, i, &digest);
	}
	return tar_writer_finish(p.writer, err);
}

int
layer_sink(int fd, enum codec_kind codec, int level, unsigned threads, struct layer_made *out,
	struct sink **out_sink, struct err *err)
{
	struct sink *packed = NULL, *blob;

	*out = (struct layer_made){ .diff_size = 0 };
	blob = sink_digest(sink_fd(fd), &out->blob.digest, &out->blob.size);
	if (codec_encode(codec, level, threads, blob, &packed, err) < 0)
		return -1;
	snprintf(out->blob.media_type, sizeof out->blob.media_type, "%s%s", MEDIA_OCI_LAYER,
		codec_media_suffix(codec));
	*out_sink = sink_digest(packed, &out->diff_id, &out->diff_size);
	return 0;
}

int
layer_stream(struct stream *in, uint64_t limit, struct digest *diff_id, struct stream **out,
	struct err *err)
{
	struct stream *tar = NULL;

	if (codec_decode_sniffed(in, &tar, NULL, err) < 0)
		return -1;
	/* decompressing and making files take about as long as each other */
	*out = stream_digest(stream_ahead(stream_limit(tar, limit)), diff_id);
	return 0;
}
