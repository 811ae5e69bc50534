/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "registry/trust.h"

/* policy.json: whatever is accepted has a requirement for every name. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(trust) struct trust t = TRUST_INIT;
	const json_t *list;
	const char *scope = NULL;
	struct ref ref;
	struct err err;

	if (ref_parse("r.io/a/b:1", &ref, &err) < 0)
		abort();
	if (trust_parse((const char *)bytes, len, "f", &t, &err) < 0)
		return 0;
	list = trust_requirements(&t, &ref, &scope);
	if (json_array_size(list) == 0 || scope == NULL ||
		json_object_get(json_array_get(list, 0), "type") == NULL)
		abort();
	trust_identity_matches(
		json_object_get(json_array_get(list, 0), "signedIdentity"), &ref, "r.io/a/b:1");
	return 0;
}
