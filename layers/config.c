/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void
healthcheck_free(struct healthcheck *h)
{
	strv_free(&h->test);
}

static void
history_free(struct history *h)
{
	free(h->created);
	free(h->created_by);
	free(h->author);
	free(h->comment);
}

void
config_free(struct config *c)
{
	free(c->author);
	free(c->created);
	free(c->user);
	free(c->working_dir);
	free(c->stop_signal);
	strv_free(&c->env);
	strv_free(&c->entrypoint);
	strv_free(&c->cmd);
	strv_free(&c->shell);
	strv_free(&c->on_build);
	strv_free(&c->exposed_ports);
	strv_free(&c->volumes);
	strv_free(&c->labels);
	strv_free(&c->os_features);
	healthcheck_free(&c->healthcheck);
	free(c->diff_ids);
	for (size_t i = 0; i < c->history_count; i++)
		history_free(&c->history[i]);
	free(c->history);
	*c = (struct config){ 0 };
}

void
auto_config(struct config *c)
{
	config_free(c);
}

static char *
copy_text(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

static struct strv
copy_list(const struct strv *v)
{
	struct strv copy = STRV_INIT;

	strv_add_all(&copy, v);
	return copy;
}

void
config_copy(const struct config *c, struct config *out)
{
	struct config copy = *c;

	copy.author = copy_text(c->author);
	copy.created = copy_text(c->created);
	copy.user = copy_text(c->user);
	copy.working_dir = copy_text(c->working_dir);
	copy.stop_signal = copy_text(c->stop_signal);
	copy.env = copy_list(&c->env);
	copy.entrypoint = copy_list(&c->entrypoint);
	copy.cmd = copy_list(&c->cmd);
	copy.shell = copy_list(&c->shell);
	copy.on_build = copy_list(&c->on_build);
	copy.exposed_ports = copy_list(&c->exposed_ports);
	copy.volumes = copy_list(&c->volumes);
	copy.labels = copy_list(&c->labels);
	copy.os_features = copy_list(&c->os_features);
	copy.healthcheck.test = copy_list(&c->healthcheck.test);
	copy.diff_ids = NULL;
	if (c->diff_id_count > 0)
		copy.diff_ids = xmemdup(c->diff_ids, c->diff_id_count * sizeof *c->diff_ids);
	copy.history = xcalloc(c->history_count + 1, sizeof *copy.history);
	for (size_t i = 0; i < c->history_count; i++) {
		const struct history *h = &c->history[i];

		copy.history[i] = (struct history){
			.created = copy_text(h->created),
			.created_by = copy_text(h->created_by),
			.author = copy_text(h->author),
			.comment = copy_text(h->comment),
			.empty_layer = h->empty_layer,
		};
	}
	*out = copy;
}

void
config_diff_id_add(struct config *c, const struct digest *diff_id)
{
	c->diff_ids = xrealloc(c->diff_ids, c->diff_id_count + 1, sizeof *c->diff_ids);
	c->diff_ids[c->diff_id_count++] = *diff_id;
}

static struct history *
history_grow(struct config *c)
{
	c->history = xrealloc(c->history, c->history_count + 1, sizeof *c->history);
	c->history[c->history_count] = (struct history){ 0 };
	return &c->history[c->history_count++];
}

void
config_history_add(struct config *c, const char *created, const char *created_by,
	const char *comment, bool empty_layer)
{
	struct history *h = history_grow(c);

	h->created = copy_text(created);
	h->created_by = copy_text(created_by);
	h->comment = copy_text(comment);
	h->empty_layer = empty_layer;
}

void
config_chain_id(const struct digest *diff_ids, size_t count, struct digest *out)
{
	struct digest chain = { 0 };

	for (size_t i = 0; i < count; i++) {
		AUTO(buf) struct buf both = BUF_INIT;

		if (i == 0) {
			chain = diff_ids[0];
			continue;
		}
		buf_addf(&both, "%s %s", chain.text, diff_ids[i].text);
		digest_of(both.data, both.len, &chain);
	}
	*out = chain;
}

/* Go reads a time and prints it again: at most nine digits of a second, no zeros at their end, and
 * no dot where nothing follows. */
static char *
time_text(const char *text)
{
	AUTO(buf) struct buf b = BUF_INIT;
	const char *dot = strchr(text, '.');
	size_t digits, kept;

	if (dot == NULL)
		return xstrdup(text);
	digits = strspn(dot + 1, "0123456789");
	/* not a time, whatever it is */
	if (digits == 0 || strchr(dot + 1 + digits, '.') != NULL)
		return xstrdup(text);
	kept = digits > 9 ? 9 : digits;
	while (kept > 0 && dot[kept] == '0')
		kept--;
	buf_add(&b, text, (size_t)(dot - text) + (kept > 0 ? kept + 1 : 0));
	buf_adds(&b, dot + 1 + digits);
	return buf_steal(&b);
}

/* "" is as good as missing: Go leaves both out. */
static int
read_text(const json_t *o, const char *name, char **out, struct err *err)
{
	const char *text = NULL;

	if (json_get_string(o, name, &text, err) < 0)
		return -1;
	if (text != NULL && text[0] != '\0')
		*out = xstrdup(text);
	return 0;
}

static int
read_time(const json_t *o, char **out, struct err *err)
{
	const char *text = NULL;

	if (json_get_string(o, "created", &text, err) < 0)
		return -1;
	if (text != NULL && text[0] != '\0')
		*out = time_text(text);
	return 0;
}

/* A null among the strings is "" for Go. */
static int
read_list(const json_t *o, const char *name, struct strv *out, struct err *err)
{
	json_t *array = NULL;
	int had = json_get_array(o, name, &array, err);

	if (had < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *value = json_array_get(array, i);

		if (!json_is_string(value) && !json_is_null(value))
			return err_set(err, ERR_INPUT, "'%s[%zu]' is not a string", name, i);
		strv_add(out, json_is_null(value) ? "" : json_string_value(value));
	}
	return had;
}

/* ExposedPorts and Volumes are sets: {"80/tcp": {}}. */
static int
read_set(const json_t *o, const char *name, struct strv *out, struct err *err)
{
	json_t *set = NULL, *value;
	const char *key;

	if (json_get_object(o, name, &set, err) < 0)
		return -1;
	json_object_foreach (set, key, value) {
		if (!json_is_object(value) && !json_is_null(value))
			return err_set(err, ERR_INPUT, "'%s' of '%s' is not an object", key, name);
		strv_add(out, key);
	}
	return 0;
}

static int
read_env(const json_t *o, struct strv *out, struct err *err)
{
	AUTO(strv) struct strv rows = STRV_INIT;

	if (read_list(o, "Env", &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows.count; i++) {
		char *equals = strchr(rows.items[i], '=');

		if (equals == NULL) {
			strv_add(out, rows.items[i]);
			continue;
		}
		*equals = '\0';
		strv_env_set(out, rows.items[i], equals + 1);
	}
	return 0;
}

static int
read_labels(const json_t *o, struct strv *out, struct err *err)
{
	json_t *labels = NULL, *value;
	const char *key;

	if (json_get_object(o, "Labels", &labels, err) < 0)
		return -1;
	json_object_foreach (labels, key, value) {
		if (!json_is_string(value) && !json_is_null(value))
			return err_set(err, ERR_INPUT, "label '%s' is not a string", key);
		if (strchr(key, '=') != NULL)
			return err_set(err, ERR_INPUT, "label '%s' has a '=' in its name", key);
		strv_addf(out, "%s=%s", key, json_is_null(value) ? "" : json_string_value(value));
	}
	return 0;
}

static int
read_number(const json_t *o, const char *name, int64_t *out, struct err *err)
{
	const json_t *value = json_object_get(o, name);

	if (value == NULL || json_is_null(value))
		return 0;
	if (!json_is_integer(value))
		return err_set(err, ERR_INPUT, "'%s' is not a whole number", name);
	*out = json_integer_value(value);
	return 0;
}

static int
read_healthcheck(const json_t *o, struct config *c, struct err *err)
{
	struct healthcheck *h = &c->healthcheck;
	json_t *found = NULL;
	int had = json_get_object(o, "Healthcheck", &found, err);

	if (had <= 0)
		return had;
	c->has_healthcheck = true;
	if (read_list(found, "Test", &h->test, err) < 0 ||
		read_number(found, "Interval", &h->interval_ns, err) < 0 ||
		read_number(found, "Timeout", &h->timeout_ns, err) < 0 ||
		read_number(found, "StartPeriod", &h->start_period_ns, err) < 0 ||
		read_number(found, "StartInterval", &h->start_interval_ns, err) < 0 ||
		read_number(found, "Retries", &h->retries, err) < 0)
		return -1;
	return 0;
}

static int
read_runtime(const json_t *doc, struct config *c, struct err *err)
{
	json_t *o = NULL;
	int had = json_get_object(doc, "config", &o, err), entrypoint, cmd;

	if (had <= 0)
		return had;
	entrypoint = read_list(o, "Entrypoint", &c->entrypoint, err);
	if (entrypoint < 0)
		return -1;
	cmd = read_list(o, "Cmd", &c->cmd, err);
	if (cmd < 0)
		return -1;
	c->has_entrypoint = entrypoint > 0;
	c->has_cmd = cmd > 0;
	if (read_text(o, "User", &c->user, err) < 0 ||
		read_text(o, "WorkingDir", &c->working_dir, err) < 0 ||
		read_text(o, "StopSignal", &c->stop_signal, err) < 0 ||
		read_env(o, &c->env, err) < 0 ||
		read_set(o, "ExposedPorts", &c->exposed_ports, err) < 0 ||
		read_set(o, "Volumes", &c->volumes, err) < 0 ||
		read_labels(o, &c->labels, err) < 0 ||
		json_get_bool(o, "ArgsEscaped", &c->args_escaped, err) < 0 ||
		read_healthcheck(o, c, err) < 0 || read_list(o, "OnBuild", &c->on_build, err) < 0 ||
		read_list(o, "Shell", &c->shell, err) < 0)
		return -1;
	return 0;
}

static int
read_rootfs(const json_t *doc, struct config *c, struct err *err)
{
	json_t *o = NULL, *ids = NULL;
	const char *type = "layers";

	if (json_get_object(doc, "rootfs", &o, err) < 0 ||
		(o != NULL && json_get_string(o, "type", &type, err) < 0) ||
		(o != NULL && json_get_array(o, "diff_ids", &ids, err) < 0))
		return -1;
	if (strcmp(type, "layers") != 0)
		return err_set(err, ERR_INPUT, "rootfs of type '%s' is not made of layers", type);
	if (json_array_size(ids) > MANIFEST_LAYERS_MAX)
		return err_set(
			err, ERR_INPUT, "'diff_ids' has more than %d members", MANIFEST_LAYERS_MAX);
	for (size_t i = 0; i < json_array_size(ids); i++) {
		const json_t *value = json_array_get(ids, i);
		struct digest id;

		if (!json_is_string(value))
			return err_set(err, ERR_INPUT, "'diff_ids[%zu]' is not a string", i);
		if (digest_parse(json_string_value(value), &id, err) < 0)
			return err_in(err, "diff_ids[%zu]", i);
		config_diff_id_add(c, &id);
	}
	return 0;
}

static int
read_history(const json_t *doc, struct config *c, struct err *err)
{
	json_t *array = NULL;

	if (json_get_array(doc, "history", &array, err) < 0)
		return -1;
	c->history = xcalloc(json_array_size(array) + 1, sizeof *c->history);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *o = json_array_get(array, i);
		struct history *h = &c->history[c->history_count++];

		if (!json_is_object(o))
			return err_set(err, ERR_INPUT, "'history[%zu]' is not an object", i);
		if (read_time(o, &h->created, err) < 0 ||
			read_text(o, "created_by", &h->created_by, err) < 0 ||
			read_text(o, "author", &h->author, err) < 0 ||
			read_text(o, "comment", &h->comment, err) < 0 ||
			json_get_bool(o, "empty_layer", &h->empty_layer, err) < 0)
			return err_in(err, "history[%zu]", i);
	}
	return 0;
}

int
config_parse(const char *bytes, size_t len, struct config *out, struct err *err)
{
	AUTO(config) struct config c = { 0 };
	AUTO(json) json_t *doc = NULL;

	if (len > CONFIG_MAX)
		return err_set(err, ERR_INPUT, "image config: larger than %u bytes", CONFIG_MAX);
	if (json_parse(bytes, len, &doc, err) < 0)
		return err_in(err, "image config");
	if (!json_is_object(doc))
		return err_set(err, ERR_INPUT, "image config: not a JSON object");
	if (platform_parse_json(doc, &c.platform, err) < 0 ||
		read_text(doc, "author", &c.author, err) < 0 ||
		read_time(doc, &c.created, err) < 0 ||
		read_list(doc, "os.features", &c.os_features, err) < 0 ||
		read_runtime(doc, &c, err) < 0 || read_rootfs(doc, &c, err) < 0 ||
		read_history(doc, &c, err) < 0)
		return err_in(err, "image config");
	*out = c;
	c = (struct config){ 0 };
	return 0;
}
