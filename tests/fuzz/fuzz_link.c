/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "base/mem.h"
#include "registry/download.h"
#include "registry/link.h"
#include "registry/retry.h"
#include "registry/upload_chunks.h"

/* Short headers: Link, Content-Range, Range, Retry-After. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(free) char *text = xstrndup((const char *)bytes, len);
	AUTO(buf) struct buf next = BUF_INIT;
	uint64_t first, last, total;

	if (link_next(text, &next) != (next.len > 0))
		abort();
	if (download_parse_range(text, &first, &last, &total) == 0 &&
		(first > last || last >= total))
		abort();
	if (retry_after_ms(text, NULL, 0) < -1 || retry_after_ms(NULL, text, 0) < -1)
		abort();
	upload_parse_range(text);
	return 0;
}
