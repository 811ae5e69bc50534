/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/codec_kinds.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>

/* RFC 1952, member by member.  Headers are read here, so that their optional fields have a limit
 * and their checksum is looked at; ISA-L inflates, and compares checksum and size at each member's
 * end. */

#define IN_SIZE (256u << 10)
#define OUT_SIZE (256u << 10)
#define DIRECT_MIN (128u << 10) /* from here on into the caller's memory */

#define HEADER_LEN 10

enum { FLAG_CRC = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16 };

struct gzip_stream {
	struct stream stream;
	struct stream *next;
	struct err err; /* once something is wrong, it stays so */
	bool in_member;
	bool any; /* there was a member */
	bool next_ended;
	uint32_t header_crc;
	size_t out_at, out_len;
	struct inflate_state inflate; /* its next_in and avail_in are what waits of in */
	unsigned char in[IN_SIZE];
	unsigned char out[OUT_SIZE];
};

static int
corrupt(struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "gzip: %s", what);
}

/* Makes sure that a byte waits: 1, 0 at the end, -1. */
static int
fill(struct gzip_stream *g, struct err *err)
{
	ssize_t n;

	if (g->inflate.avail_in > 0)
		return 1;
	n = g->next_ended ? 0 : stream_read(g->next, g->in, sizeof g->in, err);
	if (n < 0)
		return -1;
	g->next_ended = n == 0;
	g->inflate.next_in = g->in;
	g->inflate.avail_in = (uint32_t)n;
	return n > 0;
}

static int
header_byte(struct gzip_stream *g, unsigned char *out, struct err *err)
{
	int n = fill(g, err);

	if (n <= 0)
		return n < 0 ? -1 : corrupt(err, "it ends in the middle of a header");
	*out = *g->inflate.next_in++;
	g->inflate.avail_in--;
	g->header_crc = crc32_gzip_refl(g->header_crc, out, 1);
	return 0;
}

static int
header_skip(struct gzip_stream *g, size_t count, struct err *err)
{
	unsigned char ignored;

	while (count-- > 0)
		if (header_byte(g, &ignored, err) < 0)
			return -1;
	return 0;
}

static int
header_text(struct gzip_stream *g, struct err *err)
{
	unsigned char byte = 1;
	size_t len = 0;

	while (byte != 0) {
		if (len++ == CODEC_GZIP_HEADER_MAX)
			return corrupt(err, "a name or comment is too long");
		if (header_byte(g, &byte, err) < 0)
			return -1;
	}
	return 0;
}

static int
header_rest(struct gzip_stream *g, unsigned flags, struct err *err)
{
	unsigned char b[2];
	uint32_t crc;

	if ((flags & FLAG_EXTRA) != 0 &&
		(header_byte(g, &b[0], err) < 0 || header_byte(g, &b[1], err) < 0 ||
			header_skip(g, (size_t)b[0] | (size_t)b[1] << 8, err) < 0))
		return -1;
	if ((flags & FLAG_NAME) != 0 && header_text(g, err) < 0)
		return -1;
	if ((flags & FLAG_COMMENT) != 0 && header_text(g, err) < 0)
		return -1;
	if ((flags & FLAG_CRC) == 0)
		return 0;
	crc = g->header_crc & 0xffff;
	if (header_byte(g, &b[0], err) < 0 || header_byte(g, &b[1], err) < 0)
		return -1;
	if (crc != ((uint32_t)b[0] | (uint32_t)b[1] << 8))
		return corrupt(err, "the checksum of a header is wrong");
	return 0;
}

static void
inflate_begin(struct inflate_state *s)
{
	uint8_t *next_in = s->next_in;
	uint32_t avail_in = s->avail_in;

	isal_inflate_reset(s);
	s->next_in = next_in;
	s->avail_in = avail_in;
	s->crc_flag = ISAL_GZIP_NO_HDR_VER;
}

/* 1: a member follows, 0: the end. */
static int
member_begin(struct gzip_stream *g, struct err *err)
{
	unsigned char b[HEADER_LEN];
	size_t i;
	int n = fill(g, err);

	if (n < 0)
		return -1;
	if (n == 0)
		return g->any ? 0 : corrupt(err, "it is empty");
	g->header_crc = 0;
	for (i = 0; i < sizeof b; i++) {
		if (header_byte(g, &b[i], err) < 0)
			return -1;
		if ((i == 0 && b[0] != 0x1f) || (i == 1 && b[1] != 0x8b))
			return corrupt(err, g->any ? "something follows its end" : "it is none");
	}
	if (b[2] != 8 || (b[3] & 0xe0) != 0)
		return corrupt(err, "the header is of an unknown kind");
	if (header_rest(g, b[3], err) < 0)
		return -1;
	inflate_begin(&g->inflate);
	g->in_member = true;
	g->any = true;
	return 1;
}

/* Some bytes, 0 at the end of all members. */
static ssize_t
inflate_some(struct gzip_stream *g, unsigned char *out, size_t len, struct err *err)
{
	struct inflate_state *s = &g->inflate;
	size_t made = 0;
	int n;

	while (made == 0) {
		n = g->in_member ? fill(g, err) : member_begin(g, err);
		if (n < 0)
			return -1;
		if (n == 0 && !g->in_member)
			return 0;
		s->next_out = out;
		s->avail_out = (uint32_t)len;
		if (isal_inflate(s) < 0)
			return corrupt(err, "the bytes are damaged");
		made = len - s->avail_out;
		if (s->block_state == ISAL_BLOCK_FINISH)
			g->in_member = false;
		else if (n == 0 && made == 0)
			return corrupt(err, "it ends too early");
	}
	return (ssize_t)made;
}

static ssize_t
gzip_read(struct stream *s, void *bytes, size_t len, struct err *err)
{
	struct gzip_stream *g = (struct gzip_stream *)s;
	ssize_t n = 0;

	if (g->err.kind != ERR_NONE) {
		*err = g->err;
		return -1;
	}
	if (len > UINT32_MAX / 2)
		len = UINT32_MAX / 2;
	if (g->out_at == g->out_len) {
		if (len >= DIRECT_MIN)
			n = inflate_some(g, bytes, len, &g->err);
		else
			n = inflate_some(g, g->out, sizeof g->out, &g->err);
		if (n < 0)
			*err = g->err;
		if (n <= 0 || len >= DIRECT_MIN)
			return n;
		g->out_at = 0;
		g->out_len = (size_t)n;
	}
	if (len > g->out_len - g->out_at)
		len = g->out_len - g->out_at;
	memcpy(bytes, g->out + g->out_at, len);
	g->out_at += len;
	return (ssize_t)len;
}

static void
gzip_free(struct stream *s)
{
	struct gzip_stream *g = (struct gzip_stream *)s;

	stream_free(g->next);
	free(g);
}

struct stream *
codec_gzip_decode(struct stream *next)
{
	static const struct stream_ops ops = { gzip_read, gzip_free };
	struct gzip_stream *g = xmalloc(sizeof *g);

	memset(g, 0, offsetof(struct gzip_stream, in));
	g->stream.ops = &ops;
	g->next = next;
	isal_inflate_init(&g->inflate);
	return &g->stream;
}
