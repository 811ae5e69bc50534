/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "registry/bundle.h"

/* Of a key whose other half is one input's; what is let in has a statement. */
static const char public_key[] = "-----BEGIN PUBLIC KEY-----\n"
				 "MCowBQYDK2VwAyEA5yausMkSTEOjTNwKFITwys/8IPDwAHJVHIDBeRc6mGQ=\n"
				 "-----END PUBLIC KEY-----\n";

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(buf) struct buf key = BUF_INIT;
	AUTO(strv) struct strv statements = STRV_INIT;
	struct digest digest;
	struct err err;

	buf_adds(&key, public_key);
	digest_of("", 0, &digest);
	if (bundle_check((const char *)bytes, len, &digest, &key, &statements, &err) == 1 &&
		statements.count != 1)
		abort();
	return 0;
}
