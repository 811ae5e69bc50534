/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_LAYER_H
#define LAYERS_LAYER_H

#include <stdint.h>

#include "base/err.h"
#include "layers/codec.h"
#include "layers/digest.h"
#include "layers/listing.h"
#include "layers/oci.h"
#include "layers/stream.h"

/* layer - from a tree to a blob, in one pass:
 *
 *	layer_pack: entries + the tree's bytes -> tar -> layer_sink: diff id -> codec -> digest -> fd
 */

enum layer_digests {
	LAYER_DIGESTS_NONE,
	LAYER_DIGESTS, /* each FILE's digest is set while its bytes go by */
};

/* Writes the entries as a tar archive with their files' bytes from the tree, which nobody may change
 * meanwhile (ERR_INPUT "changed while it was read").  The sink is not finished.  On failure the entries'
 * digests are as far as they came. */
int layer_pack(int tree, struct listing *entries, enum layer_digests digests, struct sink *out,
	struct err *err);

struct layer_made {
	struct digest diff_id;  /* of the tar */
	uint64_t diff_size;     /* bytes of the tar */
	struct descriptor blob; /* of what was written; media type by codec, OCI's */
};

/* A sink for tar bytes.  fd is lent; *out is complete after sink_finish(), and outlives the sink.  level and
 * threads as for codec_encode. */
int layer_sink(int fd, enum codec_kind codec, int level, unsigned threads, struct layer_made *out,
	struct sink **out_sink, struct err *err);

/* The way back: a blob's bytes to its tar's, by what its first bytes say.  *diff_id is filled at the end.
 * Takes in, on failure too. */
int layer_stream(struct stream *in, uint64_t limit, struct digest *diff_id, struct stream **out,
	struct err *err);
/* Bytes that one layer may have, uncompressed, where nothing tighter is known. */
#define LAYER_SIZE_MAX (UINT64_C(1) << 40)

#endif
