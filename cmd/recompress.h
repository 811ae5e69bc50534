/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_RECOMPRESS_H
#define CMD_RECOMPRESS_H

#include <stdbool.h>

#include "cmd/opt.h"
#include "registry/place_convert.h"

/* recompress - option --compression: of the commands that move images, and of those that make layers. */

extern const struct opt_word codec_words[]; /* enum codec_kind */

enum recompress { RECOMPRESS_DEFAULT, RECOMPRESS_KEEP, RECOMPRESS_GZIP, RECOMPRESS_ZSTD, RECOMPRESS_NONE };
extern const struct opt_word recompress_words[];

/* out, or NULL: layers stay as they are.  The default, if compress_plain: what is not compressed becomes gzip. */
const struct place_convert_options *recompress_options(
	enum recompress how, bool compress_plain, struct place_convert_options *out);

#endif
