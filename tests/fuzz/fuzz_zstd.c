/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_codec.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	fuzz_codec(CODEC_ZSTD, bytes, len);
	return 0;
}
