/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_CODEC_H
#define LAYERS_CODEC_H

#include <stddef.h>

#include "base/err.h"
#include "layers/stream.h"

/* codec - how a layer's bytes are compressed.
 *
 * Encoding is done by threads that live until the sink is freed, and gives the same bytes for any
 * number of them.  Decoding is strict: a checksum that fails, an end that comes early and anything
 * behind the end are ERR_CORRUPT.  How much may come out is the caller's to bound (stream_limit).
 */

enum codec_kind { CODEC_NONE, CODEC_GZIP, CODEC_ZSTD };

/* A level is one of these, or a number: gzip 0..12, zstd 0..22 (0: as it is, for zstd: default). */
enum codec_level { CODEC_FAST = -1, CODEC_DEFAULT = -2, CODEC_BEST = -3 };

#define CODEC_SNIFF_SIZE 4 /* bytes that codec_sniff wants */
#define CODEC_THREADS_MAX 64
#define CODEC_ZSTD_WINDOW_LOG_MAX 27    /* 128 MiB */
#define CODEC_GZIP_HEADER_MAX 65536     /* bytes of each optional header field */
#define CODEC_SKIPPABLE_MAX (64u << 20) /* bytes of zstd's skippable frames, together */

const char *codec_name(enum codec_kind kind); /* "uncompressed", "gzip", "zstd" */
int codec_parse(const char *name, enum codec_kind *out, struct err *err); /* also "none" */
const char *codec_media_suffix(enum codec_kind kind);                     /* "", "+gzip", "+zstd" */
/* By "+gzip", ".gzip", "+zstd" at the end of a media type; else none.  What a layer's bytes are is
 * for codec_sniff to say: registries hold layers of other kinds than their media types. */
enum codec_kind codec_of_media(const char *media_type);
enum codec_kind codec_sniff(const void *bytes, size_t len);

/* Takes next, on failure too.  threads 0: as many as this process may run on.  ERR_USAGE for a
 * level that the codec does not have. */
int codec_encode(enum codec_kind kind, int level, unsigned threads, struct sink *next,
	struct sink **out, struct err *err);
int codec_decode(enum codec_kind kind, struct stream *next, struct stream **out, struct err *err);
/* The same by what the first bytes are; kind may be NULL. */
int codec_decode_sniffed(
	struct stream *next, struct stream **out, enum codec_kind *kind, struct err *err);

#endif
