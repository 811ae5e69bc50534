/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Go leaves out what is empty, and prints members in the order of its structs; maps, and the
 * document itself, which BuildKit puts together as a map, by key. */

static void
add_text(json_t *o, const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_object_set_new(o, name, json_text(text));
}

static void
add_list(json_t *o, const char *name, const struct strv *list)
{
	if (list->count > 0)
		json_object_set_new(o, name, json_strv(list));
}

static void
add_number(json_t *o, const char *name, int64_t number)
{
	if (number != 0)
		json_object_set_new(o, name, json_integer(number));
}

static void
add_true(json_t *o, const char *name, bool truth)
{
	if (truth)
		json_object_set_new(o, name, json_true());
}

/* A key that is not UTF-8 would be dropped without a word. */
static void
set_key(json_t *map, const char *key, json_t *value)
{
	AUTO(json) json_t *clean = json_text(key);

	json_object_set_new(map, json_string_value(clean), value);
}

static void
add_set(json_t *o, const char *name, const struct strv *list)
{
	AUTO(strv) struct strv sorted = STRV_INIT;
	json_t *set;

	if (list->count == 0)
		return;
	strv_add_all(&sorted, list);
	strv_sort(&sorted);
	set = json_object();
	for (size_t i = 0; i < sorted.count; i++)
		set_key(set, sorted.items[i], json_object());
	json_object_set_new(o, name, set);
}

static int
by_key(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	size_t x_len = strcspn(x, "="), y_len = strcspn(y, "=");
	int order = memcmp(x, y, x_len < y_len ? x_len : y_len);

	return order != 0 ? order : (x_len > y_len) - (x_len < y_len);
}

static void
add_labels(json_t *o, const struct strv *labels)
{
	AUTO(strv) struct strv sorted = STRV_INIT;
	json_t *map;

	if (labels->count == 0)
		return;
	strv_add_all(&sorted, labels);
	qsort(sorted.items, sorted.count, sizeof *sorted.items, by_key);
	map = json_object();
	for (size_t i = 0; i < sorted.count; i++) {
		char *equals = strchr(sorted.items[i], '=');

		if (equals != NULL)
			*equals = '\0';
		set_key(map, sorted.items[i], json_text(equals ? equals + 1 : ""));
	}
	json_object_set_new(o, "Labels", map);
}

static void
add_healthcheck(json_t *o, const struct healthcheck *h)
{
	json_t *check = json_object();

	add_list(check, "Test", &h->test);
	add_number(check, "Interval", h->interval_ns);
	add_number(check, "Timeout", h->timeout_ns);
	add_number(check, "StartPeriod", h->start_period_ns);
	add_number(check, "StartInterval", h->start_interval_ns);
	add_number(check, "Retries", h->retries);
	json_object_set_new(o, "Healthcheck", check);
}

static json_t *
runtime(const struct config *c)
{
	json_t *o = json_object();

	add_text(o, "User", c->user);
	add_set(o, "ExposedPorts", &c->exposed_ports);
	add_list(o, "Env", &c->env);
	add_list(o, "Entrypoint", &c->entrypoint);
	add_list(o, "Cmd", &c->cmd);
	add_set(o, "Volumes", &c->volumes);
	add_text(o, "WorkingDir", c->working_dir);
	add_labels(o, &c->labels);
	add_text(o, "StopSignal", c->stop_signal);
	add_true(o, "ArgsEscaped", c->args_escaped);
	if (c->has_healthcheck)
		add_healthcheck(o, &c->healthcheck);
	add_list(o, "OnBuild", &c->on_build);
	add_list(o, "Shell", &c->shell);
	return o;
}

static json_t *
history(const struct config *c)
{
	json_t *list;

	if (c->history_count == 0)
		return json_null();
	list = json_array();
	for (size_t i = 0; i < c->history_count; i++) {
		const struct history *h = &c->history[i];
		json_t *o = json_object();

		add_text(o, "created", h->created);
		add_text(o, "created_by", h->created_by);
		add_text(o, "author", h->author);
		add_text(o, "comment", h->comment);
		add_true(o, "empty_layer", h->empty_layer);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
rootfs(const struct config *c)
{
	json_t *o = json_object(), *ids = json_null();

	if (c->diff_id_count > 0)
		ids = json_array();
	for (size_t i = 0; i < c->diff_id_count; i++)
		json_array_append_new(ids, json_text(c->diff_ids[i].text));
	json_object_set_new(o, "type", json_string("layers"));
	json_object_set_new(o, "diff_ids", ids);
	return o;
}

void
config_format(const struct config *c, struct buf *out)
{
	AUTO(json) json_t *o = json_object();

	json_object_set_new(o, "architecture", json_text(c->platform.arch));
	add_text(o, "author", c->author);
	json_object_set_new(o, "config", runtime(c));
	json_object_set_new(o, "created", c->created ? json_text(c->created) : json_null());
	json_object_set_new(o, "history", history(c));
	json_object_set_new(o, "os", json_text(c->platform.os));
	add_list(o, "os.features", &c->os_features);
	add_text(o, "os.version", c->platform.os_version);
	json_object_set_new(o, "rootfs", rootfs(c));
	add_text(o, "variant", c->platform.variant);
	json_format(o, JSON_STYLE_COMPACT, out);
}
