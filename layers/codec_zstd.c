/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/codec_kinds.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

/* libzstd's own threads do the work: a frame is cut into jobs of a fixed size that overlap a
 * little, and its documentation promises the same bytes for any number of workers from one on. With
 * none, it would take another way and make other bytes, so one worker is the least.  The size of
 * what comes is never told: it would choose other parameters for small input, and whether it is
 * known would then depend on how the bytes were handed over. */

#define JOB_SIZE (4u << 20)
#define OUT_SIZE (256u << 10)
#define IN_SIZE (256u << 10)

struct zstd_sink {
	struct sink sink;
	struct sink *next;
	ZSTD_CCtx *context;
	char out[OUT_SIZE];
};

static int
zstd_step(struct zstd_sink *z, ZSTD_inBuffer *in, ZSTD_EndDirective end, struct err *err)
{
	ZSTD_outBuffer out;
	size_t left;

	do {
		out = (ZSTD_outBuffer){ z->out, sizeof z->out, 0 };
		left = ZSTD_compressStream2(z->context, &out, in, end);
		if (ZSTD_isError(left))
			return err_set(err, ERR_SYSTEM, "zstd: %s", ZSTD_getErrorName(left));
		if (out.pos > 0 && sink_write(z->next, z->out, out.pos, err) < 0)
			return -1;
	} while (end == ZSTD_e_end ? left > 0 : in->pos < in->size);
	return 0;
}

static int
zstd_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	ZSTD_inBuffer in = { bytes, len, 0 };

	return len > 0 ? zstd_step((struct zstd_sink *)s, &in, ZSTD_e_continue, err) : 0;
}

static int
zstd_finish(struct sink *s, struct err *err)
{
	struct zstd_sink *z = (struct zstd_sink *)s;
	ZSTD_inBuffer in = { "", 0, 0 };

	if (zstd_step(z, &in, ZSTD_e_end, err) < 0)
		return -1;
	return sink_finish(z->next, err);
}

static void
zstd_sink_free(struct sink *s)
{
	struct zstd_sink *z = (struct zstd_sink *)s;

	ZSTD_freeCCtx(z->context);
	sink_free(z->next);
	free(z);
}

/* Of the parameters none can be wrong; a library without threads has no workers, and makes the
 * bytes that it can. */
struct sink *
codec_zstd_encode(int level, unsigned threads, struct sink *next)
{
	static const struct sink_ops ops = { zstd_write, zstd_finish, zstd_sink_free };
	struct zstd_sink *z = xmalloc(sizeof *z);

	z->sink.ops = &ops;
	z->next = next;
	z->context = ZSTD_createCCtx();
	if (z->context == NULL)
		abort(); /* out of memory */
	ZSTD_CCtx_setParameter(z->context, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(z->context, ZSTD_c_checksumFlag, 1);
	if (!ZSTD_isError(ZSTD_CCtx_setParameter(z->context, ZSTD_c_nbWorkers, (int)threads)))
		ZSTD_CCtx_setParameter(z->context, ZSTD_c_jobSize, JOB_SIZE);
	return &z->sink;
}

struct zstd_stream {
	struct stream stream;
	struct stream *next;
	ZSTD_DCtx *context;
	struct err err; /* once something is wrong, it stays so */
	bool in_frame;
	bool any; /* there was a frame with bytes */
	bool next_ended;
	size_t skipped; /* bytes of skippable frames */
	size_t at, len; /* of in: what waits */
	unsigned char in[IN_SIZE];
};

/* Makes sure that as many bytes wait: 1, 0 where there are none at all, -1. */
static int
fill(struct zstd_stream *z, size_t wanted, struct err *err)
{
	ssize_t n;

	while (z->len - z->at < wanted && !z->next_ended) {
		memmove(z->in, z->in + z->at, z->len - z->at);
		z->len -= z->at;
		z->at = 0;
		n = stream_read(z->next, z->in + z->len, sizeof z->in - z->len, err);
		if (n < 0)
			return -1;
		z->next_ended = n == 0;
		z->len += (size_t)n;
	}
	if (z->len == z->at)
		return 0;
	if (z->len - z->at < wanted)
		return err_set(err, ERR_CORRUPT, "zstd: it ends too early");
	return 1;
}

static uint32_t
get32(const unsigned char *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static int
skip_frame(struct zstd_stream *z, struct err *err)
{
	size_t left, n;
	int more;

	if (fill(z, 8, err) < 0)
		return -1;
	left = (size_t)get32(z->in + z->at + 4) + 8;
	if (left > CODEC_SKIPPABLE_MAX - z->skipped)
		return err_set(err, ERR_INPUT, "zstd: more than %u bytes of skippable frames",
			CODEC_SKIPPABLE_MAX);
	z->skipped += left;
	while (left > 0) {
		more = fill(z, 1, err);
		if (more <= 0)
			return more < 0 ? -1 : err_set(err, ERR_CORRUPT, "zstd: it ends too early");
		n = z->len - z->at < left ? z->len - z->at : left;
		z->at += n;
		left -= n;
	}
	return 0;
}

/* 1: a frame follows, 0: the end, -1. */
static int
frame_begin(struct zstd_stream *z, struct err *err)
{
	uint32_t magic;
	int n;

	for (;;) {
		n = fill(z, 4, err);
		if (n < 0)
			return -1;
		if (n == 0)
			return z->any ? 0 : err_set(err, ERR_CORRUPT, "zstd: it is empty");
		magic = get32(z->in + z->at);
		if (magic == ZSTD_MAGICNUMBER) {
			z->in_frame = true;
			z->any = true;
			return 1;
		}
		if ((magic & ZSTD_MAGIC_SKIPPABLE_MASK) != ZSTD_MAGIC_SKIPPABLE_START)
			return err_set(err, ERR_CORRUPT, "zstd: %s",
				z->any ? "something follows its end" : "it is none");
		if (skip_frame(z, err) < 0)
			return -1;
	}
}

static int
tell(size_t code, struct err *err)
{
	if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
		return err_set(err, ERR_INPUT, "zstd: it needs a window of more than %d MiB",
			1 << (CODEC_ZSTD_WINDOW_LOG_MAX - 20));
	return err_set(err, ERR_CORRUPT, "zstd: %s", ZSTD_getErrorName(code));
}

static ssize_t
zstd_some(struct zstd_stream *z, void *bytes, size_t len, struct err *err)
{
	ZSTD_outBuffer out = { bytes, len, 0 };
	ZSTD_inBuffer in;
	size_t hint;
	int n;

	while (out.pos == 0) {
		n = z->in_frame ? fill(z, 1, err) : frame_begin(z, err);
		if (n < 0)
			return -1;
		if (n == 0 && !z->in_frame)
			return 0;
		in = (ZSTD_inBuffer){ z->in + z->at, z->len - z->at, 0 };
		hint = ZSTD_decompressStream(z->context, &out, &in);
		if (ZSTD_isError(hint))
			return tell(hint, err);
		z->at += in.pos;
		if (hint == 0)
			z->in_frame = false;
		else if (n == 0 && out.pos == 0)
			return err_set(err, ERR_CORRUPT, "zstd: it ends too early");
	}
	return (ssize_t)out.pos;
}

static ssize_t
zstd_read(struct stream *s, void *bytes, size_t len, struct err *err)
{
	struct zstd_stream *z = (struct zstd_stream *)s;
	ssize_t n = -1;

	if (len == 0)
		return 0;
	if (z->err.kind == ERR_NONE)
		n = zstd_some(z, bytes, len, &z->err);
	if (n < 0)
		*err = z->err;
	return n;
}

static void
zstd_stream_free(struct stream *s)
{
	struct zstd_stream *z = (struct zstd_stream *)s;

	ZSTD_freeDCtx(z->context);
	stream_free(z->next);
	free(z);
}

struct stream *
codec_zstd_decode(struct stream *next)
{
	static const struct stream_ops ops = { zstd_read, zstd_stream_free };
	struct zstd_stream *z = xmalloc(sizeof *z);

	memset(z, 0, offsetof(struct zstd_stream, in));
	z->stream.ops = &ops;
	z->next = next;
	z->context = ZSTD_createDCtx();
	if (z->context == NULL)
		abort(); /* out of memory */
	ZSTD_DCtx_setParameter(z->context, ZSTD_d_windowLogMax, CODEC_ZSTD_WINDOW_LOG_MAX);
	return &z->stream;
}
