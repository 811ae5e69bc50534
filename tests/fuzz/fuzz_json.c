/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

static bool
has_real(const json_t *value)
{
	json_t *v = (json_t *)(uintptr_t)value, *member;
	const char *key;
	size_t i;

	json_array_foreach (v, i, member)
		if (has_real(member))
			return true;
	json_object_foreach (v, key, member)
		if (has_real(member))
			return true;
	return json_is_real(value);
}

/* A document that is taken without fractions reads back as the same value in every style, and
 * strangers' text becomes a string whatever it is. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(free) char *text = xstrndup((const char *)bytes, len);
	AUTO(json) json_t *doc = NULL;
	AUTO(json) json_t *string = json_text(text);
	struct err err = { .kind = ERR_NONE };

	if (!json_is_string(string))
		abort();
	if (json_parse((const char *)bytes, len, &doc, &err) < 0) {
		if (err.kind != ERR_INPUT || doc != NULL)
			abort();
		return 0;
	}
	for (int style = JSON_STYLE_COMPACT; style <= JSON_STYLE_SORTED; style++) {
		AUTO(buf) struct buf once = BUF_INIT;
		AUTO(buf) struct buf twice = BUF_INIT;
		AUTO(json) json_t *again = NULL;

		json_format(doc, (enum json_style)style, &once);
		if (has_real(doc)) /* Go's text of 1e20 has no exponent, and -0 is no integer */
			continue;
		if (json_parse(once.data, once.len, &again, &err) < 0)
			abort();
		json_format(again, (enum json_style)style, &twice);
		if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
			abort();
	}
	return 0;
}
