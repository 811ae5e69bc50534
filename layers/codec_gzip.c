/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/codec_kinds.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "layers/codec_blocks.h"

/* A layer is compressed as a row of gzip members, one for each MiB.
 *
 *	tar   |   1 MiB   |   1 MiB   |   1 MiB   | rest |
 *	         |             |           |          |
 *	      compressed by whichever thread is free
 *	         |             |           |          |
 *	gzip  [hdr deflate crc size][hdr deflate crc size][...][...]
 *
 * Members know nothing of each other, so all cores work at once, and the cuts are made by place and
 *not by time, so the bytes are the same whoever made them.  The price is 18 bytes and a cold window
 *for each member: under 0.1 % at this size (half of it costs twice that, twice of it gains nothing
 *that can be measured).
 *
 * RFC 1952 (2.2) lets a file consist of several members, and all that read layers follow it: Go's
 * compress/gzip and klauspost's (so Docker, containerd, podman, umoci, registries' scanners),
 *zlib's gz functions, gunzip, pigz, Python; eStargz, which is in wide use, is made of nothing else.
 *A single member, joined at empty stored blocks in pigz's manner, would please even one-shot
 *readers of one member, but needs a deflater that can stop without a final block.  libdeflate,
 *twice as fast as zlib and smaller, has no such thing.
 *
 * Level 1 is ISA-L's, which is faster than the network, at the size of zlib's level 1.  ISA-L picks
 *its code by processor, so its bytes may differ between kinds of processors.  All other levels are
 * libdeflate's, whose bytes depend on its version only. */

#define BLOCK_SIZE (1u << 20)
#define HEADER_LEN 10
#define TRAILER_LEN 8
#define FAST_LEVEL 1
/* Incompressible blocks are stored, 5 bytes for 64 KiB; the rest is for a writer that looks ahead.
 */
#define RESULT_MAX (BLOCK_SIZE + BLOCK_SIZE / 16)

struct deflater {
	struct libdeflate_compressor *compressor; /* NULL: ISA-L */
	struct isal_zstream stream;
	unsigned char level_bytes[ISAL_DEF_LVL1_LARGE];
};

static void *
deflater_new(int level)
{
	struct deflater *d = xzalloc(sizeof *d);

	if (level == FAST_LEVEL) {
		isal_deflate_init(&d->stream);
		return d;
	}
	d->compressor = libdeflate_alloc_compressor(level);
	if (d->compressor == NULL)
		abort(); /* out of memory: the level was checked */
	return d;
}

static void
deflater_free(void *state)
{
	struct deflater *d = state;

	if (d->compressor != NULL)
		libdeflate_free_compressor(d->compressor);
	free(d);
}

static size_t
deflate_fast(
	struct deflater *d, const unsigned char *bytes, size_t len, unsigned char *out, size_t room)
{
	struct isal_zstream *s = &d->stream;

	isal_deflate_reset(s);
	s->level = FAST_LEVEL;
	s->level_buf = d->level_bytes;
	s->level_buf_size = sizeof d->level_bytes;
	s->next_in = (uint8_t *)bytes; /* it is not written to */
	s->avail_in = (uint32_t)len;
	s->next_out = out;
	s->avail_out = (uint32_t)room;
	s->end_of_stream = 1;
	s->flush = NO_FLUSH;
	if (isal_deflate(s) != COMP_OK || s->internal_state.state != ZSTATE_END)
		abort(); /* there is room, and nothing else to go wrong */
	return room - s->avail_out;
}

static unsigned char *
put32(unsigned char *out, uint32_t number)
{
	int i;

	for (i = 0; i < 4; i++)
		*out++ = (unsigned char)(number >> 8 * i);
	return out;
}

static size_t
gzip_block(void *state, const unsigned char *bytes, size_t len, unsigned char *out)
{
	/* no name, no time, no hints, system unknown */
	static const unsigned char header[HEADER_LEN] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
	struct deflater *d = state;
	size_t room = RESULT_MAX - HEADER_LEN - TRAILER_LEN, size;
	unsigned char *end;

	memcpy(out, header, sizeof header);
	if (d->compressor == NULL)
		size = deflate_fast(d, bytes, len, out + HEADER_LEN, room);
	else
		size = libdeflate_deflate_compress(
			d->compressor, bytes, len, out + HEADER_LEN, room);
	if (size == 0)
		abort(); /* as above */
	end = put32(out + HEADER_LEN + size, crc32_gzip_refl(0, bytes, len));
	end = put32(end, (uint32_t)len);
	return (size_t)(end - out);
}

struct sink *
codec_gzip_encode(int level, unsigned threads, struct sink *next)
{
	static const struct block_ops ops = { BLOCK_SIZE, RESULT_MAX, deflater_new, deflater_free,
		gzip_block };

	return sink_blocks(&ops, level, threads, next);
}
