/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/recompress.h"

const struct opt_word codec_words[] = {
	{ "gzip", CODEC_GZIP },
	{ "zstd", CODEC_ZSTD },
	{ "none", CODEC_NONE },
	{ NULL, 0 },
};

const struct opt_word recompress_words[] = {
	{ "keep", RECOMPRESS_KEEP },
	{ "gzip", RECOMPRESS_GZIP },
	{ "zstd", RECOMPRESS_ZSTD },
	{ "none", RECOMPRESS_NONE },
	{ NULL, 0 },
};

const struct place_convert_options *
recompress_options(enum recompress how, bool compress_plain, struct place_convert_options *out)
{
	static const enum codec_kind codecs[] = {
		[RECOMPRESS_DEFAULT] = CODEC_GZIP,
		[RECOMPRESS_GZIP] = CODEC_GZIP,
		[RECOMPRESS_ZSTD] = CODEC_ZSTD,
		[RECOMPRESS_NONE] = CODEC_NONE,
	};

	if (how == RECOMPRESS_KEEP || (how == RECOMPRESS_DEFAULT && !compress_plain))
		return NULL;
	*out = (struct place_convert_options){
		.codec = codecs[how],
		.level = CODEC_DEFAULT,
		.which = how == RECOMPRESS_DEFAULT ? PLACE_CONVERT_PLAIN : PLACE_CONVERT_ALL,
	};
	return out;
}
