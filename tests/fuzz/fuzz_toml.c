/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "registry/registries.h"
#include "registry/toml.h"

/* registries.conf: what it makes of names are names. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(registries) struct registries r = REGISTRIES_INIT;
	struct endpoint endpoints[REGISTRIES_MIRRORS_MAX + 1];
	struct ref ref;
	struct err err;
	int i, count;

	if (registries_add(&r, (const char *)bytes, len, "f", &err) < 0)
		return 0;
	if (ref_parse("r.io/a/b", &ref, &err) < 0)
		abort();
	count = registries_endpoints(&r, &ref, true, endpoints, &err);
	for (i = 0; i < count; i++)
		if (endpoints[i].ref.host[0] == '\0' || endpoints[i].ref.repository[0] == '\0')
			abort();
	return 0;
}
