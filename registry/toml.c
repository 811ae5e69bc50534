/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/toml.h"

#include <string.h>

#include "base/mem.h"
#include "registry/toml_value.h"

/* The table that a header's next part names, made where it is missing; of an array of tables, the
 * last one. */
static json_t *
enter(json_t *table, const char *key)
{
	json_t *inner = json_object_get(table, key);

	if (inner == NULL) {
		inner = json_object();
		return json_object_set_new(table, key, inner) < 0 ? NULL : inner;
	}
	if (json_is_array(inner) && json_array_size(inner) > 0)
		inner = json_array_get(inner, json_array_size(inner) - 1);
	return json_is_object(inner) ? inner : NULL;
}

static json_t *
append(json_t *table, const char *key)
{
	json_t *list = json_object_get(table, key), *inner;

	if (list == NULL) {
		list = json_array();
		if (json_object_set_new(table, key, list) < 0)
			return NULL;
	}
	if (!json_is_array(list))
		return NULL;
	inner = json_object();
	json_array_append_new(list, inner);
	return inner;
}

/* [a.b] or [[a.b]]; *out is lent. */
static int
header(struct toml_text *t, json_t *root, json_t **out)
{
	bool is_list = t->end - t->at > 1 && t->at[1] == '[';
	json_t *table = root;
	unsigned depth = 0;

	t->at += is_list ? 2 : 1;
	for (;;) {
		AUTO(buf) struct buf key = BUF_INIT;
		bool is_last;

		toml_skip(t, false);
		if (toml_key_part(t, &key) < 0)
			return -1;
		toml_skip(t, false);
		is_last = !toml_is(t, '.');
		table = is_last && is_list ? append(table, key.data) : enter(table, key.data);
		if (table == NULL || ++depth > TOML_DEPTH_MAX)
			return toml_wrong(t, "a table's name is something else already");
		if (is_last)
			break;
		t->at++;
	}
	if (!toml_is(t, ']') || (is_list && !(t->end - t->at > 1 && t->at[1] == ']')))
		return toml_wrong(t, "']' is missing");
	t->at += is_list ? 2 : 1;
	*out = table;
	return 0;
}

int
toml_parse(const char *text, size_t len, json_t **out, struct err *err)
{
	struct toml_text t = { .at = text, .end = text + len, .line = 1, .err = err };
	AUTO(json) json_t *root = json_object();
	json_t *table = root;

	for (;;) {
		toml_skip(&t, true);
		if (t.at == t.end)
			break;
		if (toml_is(&t, '[') ? header(&t, root, &table) < 0 : toml_pair(&t, table, 0) < 0)
			return -1;
		toml_skip(&t, false);
		if (t.at < t.end && !toml_is(&t, '\n') && !toml_is(&t, '\r') && !toml_is(&t, '#'))
			return toml_wrong(&t, "there is more than one thing in a line");
	}
	*out = steal(&root);
	return 0;
}
