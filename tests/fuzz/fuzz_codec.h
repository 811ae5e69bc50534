/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_FUZZ_CODEC_H
#define TESTS_FUZZ_FUZZ_CODEC_H

#include <stdlib.h>

#include "layers/codec.h"

#define FUZZ_OUT_MAX (8u << 20)

/* Decodes in small steps and in large ones, which must come to the same. */
static inline void
fuzz_codec(enum codec_kind kind, const uint8_t *bytes, size_t len)
{
	static const size_t steps[] = { 1000, 300000 };
	struct digest digests[COUNT_OF(steps)];
	ssize_t results[COUNT_OF(steps)];
	size_t i;

	for (i = 0; i < COUNT_OF(steps); i++) {
		AUTO(stream) struct stream *s = NULL;
		AUTO(hasher) struct hasher *h = hasher_new(DIGEST_SHA256);
		AUTO(free) char *out = xmalloc(steps[i]);
		struct err err = { .kind = ERR_NONE };
		uint64_t total = 0;

		if (codec_decode(kind, stream_bytes(bytes, len), &s, &err) < 0)
			abort();
		do {
			results[i] = stream_read(s, out, steps[i], &err);
			if (results[i] > 0)
				hasher_add(h, out, (size_t)results[i]);
			total += results[i] > 0 ? (uint64_t)results[i] : 0;
		} while (results[i] > 0 && total < FUZZ_OUT_MAX);
		hasher_digest(h, &digests[i]);
	}
	if ((results[0] < 0) != (results[1] < 0) && results[0] <= 0 && results[1] <= 0)
		abort();
	if (results[0] == 0 && results[1] == 0 && !digest_same(&digests[0], &digests[1]))
		abort();
}

#endif
