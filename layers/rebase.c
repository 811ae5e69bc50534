/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/rebase.h"

#include "base/mem.h"
#include "layers/edit.h"

static json_t *
diff_ids(const struct rebase_documents *d)
{
	return json_object_get(json_object_get(d->config, "rootfs"), "diff_ids");
}

static json_t *
layers(const struct rebase_documents *d)
{
	return json_object_get(d->manifest, "layers");
}

static int
check_counts(const struct rebase_documents *d, const char *what, struct err *err)
{
	size_t ids = json_array_size(diff_ids(d)), count = json_array_size(layers(d));

	if (ids != count)
		return err_set(err, ERR_INPUT, "%s has %zu layers, and its config tells of %zu",
			what, count, ids);
	return 0;
}

static int
check_prefix(
	const struct rebase_documents *image, const struct rebase_documents *old, struct err *err)
{
	const json_t *ids = diff_ids(image), *wanted = diff_ids(old);

	for (size_t i = 0; i < json_array_size(wanted); i++)
		if (i >= json_array_size(ids) ||
			!json_equal(json_array_get(ids, i), json_array_get(wanted, i)))
			return err_set(err, ERR_INPUT,
				"the image is not made on the old base: layer %zu of %zu is "
				"another",
				i + 1, json_array_size(wanted));
	return 0;
}

static int
check_platform(
	const struct rebase_documents *image, const struct rebase_documents *new, struct err *err)
{
	static const char *const members[] = { "os", "architecture" };

	for (size_t i = 0; i < COUNT_OF(members); i++) {
		const json_t *a = json_object_get(image->config, members[i]);
		const json_t *b = json_object_get(new->config, members[i]);

		if (!json_equal(a, b))
			return err_set(err, ERR_INPUT, "the image is for %s, the new base for %s",
				json_is_string(a) ? json_string_value(a) : "nothing",
				json_is_string(b) ? json_string_value(b) : "nothing");
	}
	return 0;
}

static bool
is_layer(const json_t *row)
{
	return !json_is_true(json_object_get(row, "empty_layer"));
}

/* Whether it tells of as many layers as there are. */
static bool
tells_all(const struct rebase_documents *d)
{
	const json_t *history = json_object_get(d->config, "history");
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(history); i++)
		count += is_layer(json_array_get(history, i)) ? 1 : 0;
	return count == json_array_size(diff_ids(d));
}

/* Where the rows of the image itself begin: behind the old base's, or where those are written
 * differently, behind the row of its last layer. */
static size_t
own_history(const json_t *rows, const json_t *old, size_t old_layers)
{
	size_t at = 0, count = json_array_size(old);

	while (at < count && json_equal(json_array_get(rows, at), json_array_get(old, at)))
		at++;
	if (at == count)
		return at;
	for (at = 0; old_layers > 0 && at < json_array_size(rows); at++)
		old_layers -= is_layer(json_array_get(rows, at)) ? 1 : 0;
	return at;
}

static json_t *
join(const json_t *first, const json_t *second, size_t from)
{
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(first); i++)
		json_array_append_new(out, json_deep_copy(json_array_get(first, i)));
	for (size_t i = from; i < json_array_size(second); i++)
		json_array_append(out, json_array_get(second, i));
	return out;
}

static void
join_history(const struct rebase_documents *image, const struct rebase_documents *old,
	const struct rebase_documents *new)
{
	const json_t *rows = json_object_get(image->config, "history");
	const json_t *old_rows = json_object_get(old->config, "history");

	if (!tells_all(image) || !tells_all(new)) {
		json_object_del(image->config, "history");
		return;
	}
	json_object_set_new(image->config, "history",
		join(json_object_get(new->config, "history"), rows,
			own_history(rows, old_rows, json_array_size(diff_ids(old)))));
}

/* A layer goes by the names of the manifest that it is in. */
static int
set_types(json_t *list, size_t count, bool docker, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		json_t *row = json_array_get(list, i);
		AUTO(descriptor) struct descriptor d = { .size = 0 };

		if (descriptor_parse(row, &d, err) < 0 || edit_layer_type(&d, docker, err) < 0)
			return -1;
		json_object_set_new(row, "mediaType", json_text(d.media_type));
	}
	return 0;
}

int
rebase(const struct rebase_documents *image, const struct rebase_documents *old,
	const struct rebase_documents *new, struct err *err)
{
	size_t old_count = json_array_size(diff_ids(old));
	AUTO(json) json_t *list = NULL;

	if (check_counts(image, "the image", err) < 0 ||
		check_counts(old, "the old base", err) < 0 ||
		check_counts(new, "the new base", err) < 0 || check_prefix(image, old, err) < 0 ||
		check_platform(image, new, err) < 0)
		return -1;
	list = join(layers(new), layers(image), old_count);
	if (set_types(list, json_array_size(layers(new)), edit_is_docker(image->manifest), err) < 0)
		return -1;
	join_history(image, old, new);
	json_object_set(image->manifest, "layers", list);
	json_object_set_new(json_object_get(image->config, "rootfs"), "diff_ids",
		join(diff_ids(new), diff_ids(image), old_count));
	return 0;
}
