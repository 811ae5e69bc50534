/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "build/dockerfile/expand.h"
#include "tests/fuzz/fuzz_dockerfile.h"

/* The first byte chooses escape and flags, the rest is the word. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(free) char *text = len > 0 ? fuzz_text(bytes + 1, len - 1) : NULL;
	AUTO(strv) struct strv env = STRV_INIT;
	AUTO(expansion) struct expansion e = EXPANSION_INIT;
	struct expand_vars vars = expand_vars_env(&env);
	size_t words = 0;
	struct err err;

	if (text == NULL)
		return 0;
	strv_env_set(&env, "A", "a/b/c.tar.gz");
	strv_env_set(&env, "B", "");
	strv_env_set(&env, "C", "one  two\nthree $A \xc3\xa9\xff");
	if (expand(text, bytes[0] & 16 ? '`' : '\\', bytes[0] & 15, &vars, &e, &err) < 0) {
		law(err.kind == ERR_INPUT && err.msg[0] != '\0');
		law(e.text == NULL && e.words.count == 0);
		return 0;
	}
	for (size_t i = 0; i < e.words.count; i++) {
		law(e.words.items[i][0] != '\0');
		words += strlen(e.words.items[i]);
	}
	law(words <= strlen(e.text));
	law(strpbrk(text, "$") != NULL || e.used.count + e.undefined.count == 0);
	return 0;
}
