/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/codec.h"

#include <sched.h>
#include <string.h>

#include "layers/codec_kinds.h"

struct codec {
	const char *name, *media_suffix;
	const char *magic;
	size_t magic_len;
	int level_max, level_fast, level_default, level_best;
	struct sink *(*encode)(int level, unsigned threads, struct sink *next);
	struct stream *(*decode)(struct stream *next);
};

static const struct codec codecs[] = {
	[CODEC_NONE] = { "uncompressed", "", "", 0, 0, 0, 0, 0, NULL, NULL },
	[CODEC_GZIP] = { "gzip", "+gzip", "\x1f\x8b\x08", 3, 12, 1, 6, 9, codec_gzip_encode,
		codec_gzip_decode },
	[CODEC_ZSTD] = { "zstd", "+zstd", "\x28\xb5\x2f\xfd", 4, 22, 1, 3, 12, codec_zstd_encode,
		codec_zstd_decode },
};

const char *
codec_name(enum codec_kind kind)
{
	return codecs[kind].name;
}

int
codec_parse(const char *name, enum codec_kind *out, struct err *err)
{
	size_t i;

	if (streq(name, "none"))
		name = codecs[CODEC_NONE].name;
	for (i = 0; i < COUNT_OF(codecs); i++)
		if (streq(name, codecs[i].name)) {
			*out = (enum codec_kind)i;
			return 0;
		}
	return err_set(err, ERR_USAGE,
		"'%.60s' is not a compression: use uncompressed, gzip or zstd", name);
}

const char *
codec_media_suffix(enum codec_kind kind)
{
	return codecs[kind].media_suffix;
}

enum codec_kind
codec_of_media(const char *media_type)
{
	if (ends_with(media_type, "+gzip") || ends_with(media_type, ".gzip"))
		return CODEC_GZIP;
	return ends_with(media_type, "+zstd") ? CODEC_ZSTD : CODEC_NONE;
}

enum codec_kind
codec_sniff(const void *bytes, size_t len)
{
	const unsigned char *b = bytes;
	size_t i;

	for (i = CODEC_NONE + 1; i < COUNT_OF(codecs); i++)
		if (len >= codecs[i].magic_len &&
			memcmp(b, codecs[i].magic, codecs[i].magic_len) == 0)
			return (enum codec_kind)i;
	/* zstd may begin with a frame to be skipped */
	if (len >= 4 && b[0] >> 4 == 5 && memcmp(b + 1, "\x2a\x4d\x18", 3) == 0)
		return CODEC_ZSTD;
	return CODEC_NONE;
}

static int
level_number(const struct codec *c, int level, int *out, struct err *err)
{
	if (level == CODEC_FAST)
		level = c->level_fast;
	else if (level == CODEC_DEFAULT)
		level = c->level_default;
	else if (level == CODEC_BEST)
		level = c->level_best;
	if (level < 0 || level > c->level_max)
		return err_set(err, ERR_USAGE, "%s has no level %d: use 0 to %d", c->name, level,
			c->level_max);
	*out = level;
	return 0;
}

static unsigned
thread_count(unsigned wanted)
{
	cpu_set_t set;

	if (wanted == 0)
		wanted =
			sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
	return wanted < CODEC_THREADS_MAX ? wanted : CODEC_THREADS_MAX;
}

int
codec_encode(enum codec_kind kind, int level, unsigned threads, struct sink *next,
	struct sink **out, struct err *err)
{
	AUTO(sink) struct sink *s = next;
	const struct codec *c = &codecs[kind];
	int number;

	if (c->encode == NULL) {
		*out = steal(&s);
		return 0;
	}
	if (level_number(c, level, &number, err) < 0)
		return -1;
	*out = c->encode(number, thread_count(threads), steal(&s));
	return 0;
}

int
codec_decode(enum codec_kind kind, struct stream *next, struct stream **out,
	struct err *err __attribute__((unused)))
{
	*out = codecs[kind].decode != NULL ? codecs[kind].decode(next) : next;
	return 0;
}

int
codec_decode_sniffed(
	struct stream *next, struct stream **out, enum codec_kind *kind, struct err *err)
{
	AUTO(stream) struct stream *s = next;
	unsigned char bytes[CODEC_SNIFF_SIZE];
	ssize_t n = stream_read_full(s, bytes, sizeof bytes, err);
	enum codec_kind found;

	if (n < 0)
		return -1;
	found = codec_sniff(bytes, (size_t)n);
	if (kind != NULL)
		*kind = found;
	return codec_decode(found, stream_after(bytes, (size_t)n, steal(&s)), out, err);
}
