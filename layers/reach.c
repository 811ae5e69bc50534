/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/reach.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"

void
reach_free(struct reach *r)
{
	free(r->items);
	*r = (struct reach)REACH_INIT;
}

void
auto_reach(struct reach *r)
{
	reach_free(r);
}

static void
add(struct reach *r, enum reach_kind kind, const json_t *descriptor)
{
	struct reach_item item = { .kind = kind };
	const char *text = NULL;
	struct err ignored = { 0 };

	if (json_get_string(descriptor, "digest", &text, &ignored) <= 0 ||
		digest_parse(text, &item.digest, &ignored) < 0)
		return;
	json_get_uint(descriptor, "size", &item.size, &ignored);
	r->items = grow(r->items, r->count, &r->room, sizeof *r->items);
	r->items[r->count++] = item;
}

int
reach_parse(const char *bytes, size_t len, struct reach *out, struct err *err)
{
	static const struct {
		const char *name;
		enum reach_kind kind;
	} members[] = {
		{ "manifests", REACH_MANIFEST },
		{ "subject", REACH_SUBJECT },
		{ "config", REACH_CONFIG },
		{ "layers", REACH_LAYER },
		{ "blobs", REACH_LAYER },
	};
	AUTO(json) json_t *document = NULL;
	AUTO(reach) struct reach r = REACH_INIT;

	if (json_parse(bytes, len, &document, err) < 0)
		return -1;
	if (!json_is_object(document))
		return err_set(err, ERR_INPUT, "not a JSON object");
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		const json_t *value = json_object_get(document, members[i].name);

		/* an image config has a member "config" too, which is no descriptor and has no
		 * digest */
		if (json_is_object(value))
			add(&r, members[i].kind, value);
		for (size_t k = 0; json_is_array(value) && k < json_array_size(value); k++)
			add(&r, members[i].kind, json_array_get(value, k));
	}
	*out = r;
	r = (struct reach)REACH_INIT;
	return 0;
}
