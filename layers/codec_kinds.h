/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_CODEC_KINDS_H
#define LAYERS_CODEC_KINDS_H

#include "layers/codec.h"

/* codec_kinds - what codec.c chooses from.  Levels are numbers here, threads at least 1; a sink or
 * stream owns its next one. */
struct sink *codec_gzip_encode(int level, unsigned threads, struct sink *next);
struct stream *codec_gzip_decode(struct stream *next);
struct sink *codec_zstd_encode(int level, unsigned threads, struct sink *next);
struct stream *codec_zstd_decode(struct stream *next);

#endif
