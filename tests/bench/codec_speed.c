/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "layers/codec.h"
#include "layers/tar.h"

/* codec_speed FILE: how fast FILE (a tar archive of some 100 MB, say) is compressed and
 * decompressed, in MB/s of plain bytes, the best of three. */

#define FILE_MAX (2u << 30)
#define ROUNDS 3

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
encode(enum codec_kind kind, int level, unsigned threads, const struct buf *in, struct buf *out,
	struct err *err)
{
	AUTO(sink) struct sink *s = NULL;

	buf_clear(out);
	if (codec_encode(kind, level, threads, sink_buf(out), &s, err) < 0 ||
		sink_write(s, in->data, in->len, err) < 0)
		return -1;
	return sink_finish(s, err);
}

static int
decode(enum codec_kind kind, const struct buf *in, bool ahead, struct err *err)
{
	AUTO(stream) struct stream *s = NULL;
	AUTO(sink) struct sink *none = NULL;
	struct digest ignored;

	if (codec_decode(kind, stream_bytes(in->data, in->len), &s, err) < 0)
		return -1;
	/* with the digest, as a pull has it */
	none = sink_digest(sink_none(), &ignored, NULL);
	if (ahead)
		s = stream_ahead(s);
	return stream_copy(s, none, NULL, err);
}

static int
read_tar(const struct buf *in, struct err *err)
{
	AUTO(stream) struct stream *s = stream_bytes(in->data, in->len);
	AUTO(tar_reader) struct tar_reader *r = tar_reader_new(s, TAR_LAYER);
	AUTO(entry) struct entry e = { .path = NULL };
	int n;

	do
		n = tar_reader_next(r, &e, err);
	while (n > 0);
	return n;
}

static void
tell(const char *what, const char *how, double seconds, const struct buf *in,
	const struct buf *packed)
{
	printf("%-14s %-12s %7.0f MB/s", what, how, (double)in->len / 1e6 / seconds);
	if (packed != NULL)
		printf("  %.4f", (double)packed->len / (double)in->len);
	printf("\n");
}

static int
measure(enum codec_kind kind, int level, const struct buf *in, struct err *err)
{
	AUTO(buf) struct buf packed = BUF_INIT;
	AUTO(free) char *name = xasprintf("%s %d", codec_name(kind), level);
	unsigned threads;
	double best, start;
	int i;

	for (threads = 1; threads <= 2; threads++) {
		AUTO(free) char *how = xasprintf("%u threads", threads);

		for (i = 0, best = 1e9; i < ROUNDS; i++) {
			start = now();
			if (encode(kind, level, threads, in, &packed, err) < 0)
				return -1;
			best = now() - start < best ? now() - start : best;
		}
		tell(name, how, best, in, &packed);
	}
	for (threads = 0; threads < 2; threads++) {
		for (i = 0, best = 1e9; i < ROUNDS; i++) {
			start = now();
			if (decode(kind, &packed, threads == 1, err) < 0)
				return -1;
			best = now() - start < best ? now() - start : best;
		}
		tell(name, threads == 1 ? "read ahead" : "read", best, in, NULL);
	}
	return 0;
}

static int
run(const char *path, struct err *err)
{
	static const struct {
		enum codec_kind kind;
		int level;
	} rows[] = { { CODEC_GZIP, 1 }, { CODEC_GZIP, 6 }, { CODEC_ZSTD, 1 }, { CODEC_ZSTD, 3 } };
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(buf) struct buf in = BUF_INIT;
	double start;
	size_t i;

	if (fd < 0)
		return err_sys(err, "%s", path);
	if (buf_read(&in, fd, FILE_MAX, err) < 0)
		return -1;
	start = now();
	if (read_tar(&in, err) == 0)
		tell("tar", "read", now() - start, &in, NULL);
	for (i = 0; i < COUNT_OF(rows); i++)
		if (measure(rows[i].kind, rows[i].level, &in, err) < 0)
			return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	struct err err = { .kind = ERR_NONE };

	if (argc != 2) {
		fprintf(stderr, "codec_speed FILE\n");
		return 2;
	}
	if (run(argv[1], &err) < 0) {
		fprintf(stderr, "codec_speed: %s\n", err.msg);
		return 1;
	}
	return 0;
}
