/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "layers/tar_pax.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(tar_pax) struct tar_pax pax = { .keys = 0 };
	struct err err = { .kind = ERR_NONE };

	if (tar_pax_parse((const char *)bytes, len, &pax, &err) < 0) {
		if (err.kind == ERR_NONE || pax.keys != 0)
			abort();
		return 0;
	}
	if (((pax.keys & PAX_PATH) != 0 && pax.path == NULL) || pax.mtime_ns >= 1000000000)
		abort();
	return 0;
}
