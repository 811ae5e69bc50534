/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "registry/reply.h"

/* The body of a failure: what is shown of it has no control characters. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(buf) struct buf words = BUF_INIT;
	size_t i;

	r.status = 404;
	buf_add(&r.body, bytes, len);
	reply_words(&r, &words);
	for (i = 0; i < words.len; i++)
		if ((unsigned char)words.data[i] < ' ' || words.data[i] == 0x7f)
			abort();
	reply_has_code(&r, "NAME_UNKNOWN");
	return 0;
}
