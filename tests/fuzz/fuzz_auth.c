/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "registry/credentials.h"
#include "registry/token.h"

/* docker's config.json and podman's auth.json, and answers of token servers. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(json) json_t *doc = NULL;
	AUTO(token) struct token token = TOKEN_INIT;
	struct err err;
	int legacy;

	setenv("PATH", "/nonexistent", 1); /* helpers that a document names are not for now */
	token_parse((const char *)bytes, len, &token, &err);
	if (json_parse((const char *)bytes, len, &doc, &err) < 0)
		return 0;
	for (legacy = 0; legacy < 2; legacy++) {
		AUTO(credential) struct credential c = CREDENTIAL_INIT;
		AUTO(strv) struct strv trail = STRV_INIT;

		if (credentials_search(doc, "f", legacy, "docker.io", "a/b", &trail, &c, &err) ==
				1 &&
			credential_is_anonymous(&c))
			abort();
	}
	return 0;
}
