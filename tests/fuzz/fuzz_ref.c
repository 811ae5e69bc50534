/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "registry/ref.h"

/* What parses, formats to something that parses to the same. */
static void
check(const struct ref *r, enum ref_style style)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct ref again;
	struct err err;

	ref_format(r, style, &text);
	if (ref_parse(text.data, &again, &err) < 0 || !ref_same_repository(r, &again) ||
		strcmp(r->tag, again.tag) != 0 || strcmp(r->digest.text, again.digest.text) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(free) char *text = xstrndup((const char *)bytes, len);
	struct ref r;
	struct err err;

	if (ref_parse(text, &r, &err) < 0)
		return 0;
	check(&r, REF_CANONICAL);
	check(&r, REF_FAMILIAR);
	return 0;
}
