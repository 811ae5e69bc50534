/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/layer_archive.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/spool.h"
#include "layers/archive.h"
#include "layers/tar.h"

void
auto_layer_archive(struct layer_archive *a)
{
	auto_fd(&a->fd);
}

/* What is read passes on to a sink. */
struct stream_tee {
	struct stream stream;
	struct stream *next;
	struct sink *to;
};

static ssize_t
tee_read(struct stream *stream, void *bytes, size_t len, struct err *err)
{
	struct stream_tee *s = (struct stream_tee *)stream;
	ssize_t n = stream_read(s->next, bytes, len, err);

	if (n > 0 && sink_write(s->to, bytes, (size_t)n, err) < 0)
		return -1;
	return n;
}

static void
tee_free(struct stream *stream)
{
	(void)stream; /* it lives on a stack */
}

static const struct stream_ops tee_ops = { tee_read, tee_free };

static int
read_entries(struct stream *in, struct err *err)
{
	AUTO(tar_reader) struct tar_reader *r = tar_reader_new(in, TAR_LAYER);
	AUTO(entry) struct entry e = { .path = NULL };
	size_t count = 0;
	int n;

	while ((n = tar_reader_next(r, &e, err)) == 1)
		count++;
	if (n == 0 && count == 0)
		return err_set(err, ERR_INPUT, "it has no files");
	return n < 0 ? -1 : tar_reader_drain(r, err);
}

/* How the bytes of a file are packed, and whether they can stay as they are. */
static int
look(int fd, enum codec_kind wanted, enum codec_kind *kind, bool *stays, struct err *err)
{
	char first[TAR_BLOCK] = { 0 };
	struct stat st;
	ssize_t n;

	*stays = false;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "look at it");
	if (!S_ISREG(st.st_mode))
		return 0;
	n = fd_pread(fd, first, sizeof first, 0);
	if (n < 0)
		return err_sys(err, "read");
	*kind = codec_sniff(first, (size_t)n);
	*stays = *kind != CODEC_NONE ||
		 (wanted == CODEC_NONE && n == sizeof first && tar_sniff(first, sizeof first));
	return 0;
}

static int
keep(int fd, enum codec_kind kind, struct layer_made *made, struct err *err)
{
	int again = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	AUTO(stream) struct stream *tar = NULL;
	struct stat st;

	if (again < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "look at it");
	if (layer_stream(stream_digest(stream_fd(again), &made->blob.digest), LAYER_SIZE_MAX,
		    &made->diff_id, &tar, err) < 0 ||
		read_entries(tar, err) < 0)
		return -1;
	made->blob.size = (uint64_t)st.st_size;
	snprintf(made->blob.media_type, sizeof made->blob.media_type, "%s%s", MEDIA_OCI_LAYER,
		codec_media_suffix(kind));
	return 0;
}

static int
pack(int fd, int to, enum codec_kind codec, struct layer_made *made, struct err *err)
{
	AUTO(stream) struct stream *tar = NULL;
	AUTO(sink) struct sink *out = NULL;
	struct stream_tee tee = { .stream = { &tee_ops } };

	if (archive_decode(stream_fd(fd), &tar, err) < 0 ||
		layer_sink(to, codec, CODEC_DEFAULT, 0, made, &out, err) < 0)
		return -1;
	tar = stream_limit(steal(&tar), LAYER_SIZE_MAX);
	tee.next = tar;
	tee.to = out;
	return read_entries(&tee.stream, err) < 0 ? -1 : sink_finish(out, err);
}

int
layer_archive_open(
	int fd, int spool, enum codec_kind codec, struct layer_archive *out, struct err *err)
{
	AUTO(fd) int in = fd;
	AUTO(layer_archive) struct layer_archive a = LAYER_ARCHIVE_INIT;
	enum codec_kind kind = CODEC_NONE;
	bool stays = false;

	if (look(in, codec, &kind, &stays, err) < 0)
		return -1;
	if (stays) {
		if (keep(in, kind, &a.made, err) < 0)
			return -1;
		a.fd = fd_steal(&in);
	} else {
		a.fd = spool_file(spool, err);
		if (a.fd < 0 || pack(fd_steal(&in), a.fd, codec, &a.made, err) < 0)
			return -1;
	}
	*out = a;
	a = (struct layer_archive)LAYER_ARCHIVE_INIT;
	return 0;
}
