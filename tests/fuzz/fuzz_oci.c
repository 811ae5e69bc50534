/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "layers/config.h"
#include "layers/oci.h"

static void
same(const struct buf *a, const struct buf *b)
{
	if (a->len != b->len || memcmp(a->data, b->data, a->len) != 0)
		abort();
}

/* Our own text must read back, and print the same again. */
static void
try_manifest(const char *bytes, size_t len)
{
	AUTO(manifest) struct manifest m = { 0 };
	AUTO(manifest) struct manifest again = { 0 };
	AUTO(buf) struct buf a = BUF_INIT;
	AUTO(buf) struct buf b = BUF_INIT;
	struct err err = { .kind = ERR_NONE };

	if (manifest_parse(bytes, len, "", &m, &err) < 0)
		return;
	manifest_format(&m, &a);
	if (manifest_parse(a.data, a.len, manifest_media_type(&m), &again, &err) < 0) {
		/* Go's escapes make a text longer, so one near the limit may not fit any more */
		if (a.len <= MANIFEST_MAX)
			abort();
		return;
	}
	manifest_format(&again, &b);
	same(&a, &b);
}

static void
try_index(const char *bytes, size_t len)
{
	AUTO(index) struct index x = { 0 };
	AUTO(index) struct index again = { 0 };
	AUTO(buf) struct buf a = BUF_INIT;
	AUTO(buf) struct buf b = BUF_INIT;
	const struct descriptor *chosen;
	struct platform want;
	struct err err = { .kind = ERR_NONE };

	if (index_parse(bytes, len, "", &x, &err) < 0)
		return;
	platform_host(&want);
	index_choose(&x, &want, &chosen, &err);
	index_format(&x, &a);
	if (index_parse(a.data, a.len, index_media_type(&x), &again, &err) < 0) {
		if (a.len <= MANIFEST_MAX)
			abort();
		return;
	}
	index_format(&again, &b);
	same(&a, &b);
}

static void
try_config(const char *bytes, size_t len)
{
	AUTO(config) struct config c = { 0 };
	AUTO(config) struct config copy = { 0 };
	AUTO(config) struct config again = { 0 };
	AUTO(buf) struct buf a = BUF_INIT;
	AUTO(buf) struct buf b = BUF_INIT;
	struct err err = { .kind = ERR_NONE };

	if (config_parse(bytes, len, &c, &err) < 0)
		return;
	config_copy(&c, &copy);
	config_format(&copy, &a);
	if (config_parse(a.data, a.len, &again, &err) < 0) {
		if (a.len <= CONFIG_MAX)
			abort();
		return;
	}
	config_format(&again, &b);
	same(&a, &b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *type;
	struct err err = { .kind = ERR_NONE };

	try_manifest((const char *)bytes, len);
	try_index((const char *)bytes, len);
	try_config((const char *)bytes, len);
	manifest_sniff((const char *)bytes, len, &type, &err);
	return 0;
}
