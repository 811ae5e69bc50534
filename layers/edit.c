/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/edit.h"

#include <string.h>

#include "base/mem.h"

/* The length of the name, and the value, NULL where it is to be removed; lent. */
static int
split(const char *edit, size_t *name_len, const char **value, struct err *err)
{
	const char *equals = strchr(edit, '=');
	size_t len = strlen(edit);

	if (equals != NULL && equals != edit) {
		*name_len = (size_t)(equals - edit);
		*value = equals + 1;
		return 0;
	}
	if (equals == NULL && len > 1 && edit[len - 1] == '-') {
		*name_len = len - 1;
		*value = NULL;
		return 0;
	}
	return err_set(err, ERR_USAGE,
		"'%s' is neither name=value, which sets, nor name-, which removes", edit);
}

static void
set_member(json_t *o, const char *name, json_t *value)
{
	json_object_set_new(o, name, value);
}

/* The object under a name; made where there is none. */
static int
object_of(json_t *o, const char *name, json_t **out, struct err *err)
{
	json_t *found = NULL;

	if (json_get_object(o, name, &found, err) < 0)
		return -1;
	if (found == NULL) {
		found = json_object();
		set_member(o, name, found);
	}
	*out = found;
	return 0;
}

/* Members are sorted, as Go's maps are. */
static void
sort_members(json_t *o, const char *name)
{
	json_t *map = json_object_get(o, name), *value;
	AUTO(strv) struct strv keys = STRV_INIT;
	json_t *sorted;
	const char *key;

	if (json_object_size(map) == 0) {
		json_object_del(o, name);
		return;
	}
	json_object_foreach (map, key, value)
		strv_add(&keys, key);
	strv_sort(&keys);
	sorted = json_object();
	for (size_t i = 0; i < keys.count; i++)
		json_object_set(sorted, keys.items[i], json_object_get(map, keys.items[i]));
	set_member(o, name, sorted);
}

/* A name that is not UTF-8 would be dropped without a word. */
static int
check_text(const char *text, struct err *err)
{
	AUTO(json) json_t *clean = json_text(text);

	if (!streq(json_string_value(clean), text))
		return err_set(err, ERR_USAGE, "'%s' is not UTF-8", json_string_value(clean));
	return 0;
}

static int
edit_map(json_t *o, const char *member, const struct strv *edits, struct err *err)
{
	json_t *map = NULL;

	if (edits->count == 0)
		return 0;
	if (object_of(o, member, &map, err) < 0)
		return -1;
	for (size_t i = 0; i < edits->count; i++) {
		AUTO(free) char *name = NULL;
		const char *value = NULL;
		size_t len = 0;

		if (check_text(edits->items[i], err) < 0 ||
			split(edits->items[i], &len, &value, err) < 0)
			return -1;
		name = xstrndup(edits->items[i], len);
		if (value != NULL)
			json_object_set_new(map, name, json_text(value));
		else
			json_object_del(map, name);
	}
	sort_members(o, member);
	return 0;
}

int
edit_annotations(json_t *doc, const struct strv *edits, struct err *err)
{
	return edit_map(doc, "annotations", edits, err);
}

static size_t
find_variable(const json_t *env, const char *name, size_t len)
{
	for (size_t i = 0; i < json_array_size(env); i++) {
		const char *row = json_string_value(json_array_get(env, i));

		if (row != NULL && strncmp(row, name, len) == 0 &&
			(row[len] == '=' || row[len] == '\0'))
			return i;
	}
	return json_array_size(env);
}

static int
edit_env(json_t *o, const struct strv *edits, struct err *err)
{
	json_t *env = NULL;

	if (edits->count == 0)
		return 0;
	if (json_get_array(o, "Env", &env, err) < 0)
		return -1;
	if (env == NULL) {
		env = json_array();
		set_member(o, "Env", env);
	}
	for (size_t i = 0; i < edits->count; i++) {
		const char *value = NULL;
		size_t len = 0, at;

		if (check_text(edits->items[i], err) < 0 ||
			split(edits->items[i], &len, &value, err) < 0)
			return -1;
		at = find_variable(env, edits->items[i], len);
		if (value == NULL)
			json_array_remove(env, at);
		else if (at < json_array_size(env))
			json_array_set_new(env, at, json_text(edits->items[i]));
		else
			json_array_append_new(env, json_text(edits->items[i]));
	}
	if (json_array_size(env) == 0)
		json_object_del(o, "Env");
	return 0;
}

/* "80", "80/tcp", "8000-8010/udp" */
static int
check_port(const char *text, struct buf *out, struct err *err)
{
	size_t digits = strspn(text, "0123456789");
	const char *rest = text + digits;

	if (*rest == '-' && rest[1] != '\0') {
		size_t more = strspn(rest + 1, "0123456789");

		rest += 1 + more;
		digits = more > 0 ? digits : 0;
	}
	if (digits == 0 || (*rest != '\0' && !streq(rest, "/tcp") && !streq(rest, "/udp") &&
				   !streq(rest, "/sctp")))
		return err_set(err, ERR_USAGE, "'%s' is not a port, as 80 or 53/udp", text);
	buf_addf(out, "%s%s", text, *rest == '\0' ? "/tcp" : "");
	return 0;
}

static int
edit_set(json_t *o, const char *member, const struct strv *edits, struct err *err)
{
	bool is_port = streq(member, "ExposedPorts");
	json_t *set = NULL;

	if (edits->count == 0)
		return 0;
	if (object_of(o, member, &set, err) < 0)
		return -1;
	for (size_t i = 0; i < edits->count; i++) {
		const char *text = edits->items[i];
		size_t len = strlen(text);
		bool removes = len > 1 && text[len - 1] == '-';
		AUTO(free) char *name = xstrndup(text, removes ? len - 1 : len);
		AUTO(buf) struct buf key = BUF_INIT;

		if (check_text(text, err) < 0 || (is_port && check_port(name, &key, err) < 0))
			return -1;
		if (!is_port)
			buf_adds(&key, name);
		if (!is_port && name[0] != '/')
			return err_set(err, ERR_USAGE, "'%s' is not an absolute path", name);
		if (removes)
			json_object_del(set, key.data);
		else if (json_object_get(set, key.data) == NULL)
			json_object_set_new(set, key.data, json_object());
	}
	sort_members(o, member);
	return 0;
}

static int
edit_words(json_t *o, const char *member, const struct strv *words, struct err *err)
{
	AUTO(json) json_t *list = NULL;

	if (words->count == 0)
		return 0;
	for (size_t i = 0; i < words->count; i++)
		if (check_text(words->items[i], err) < 0)
			return -1;
	if (words->count == 1 && words->items[0][0] == '\0') {
		json_object_del(o, member);
		return 0;
	}
	if (words->count > 1 || words->items[0][0] != '[') {
		set_member(o, member, json_strv(words));
		return 0;
	}
	if (json_parse(words->items[0], strlen(words->items[0]), &list, err) < 0) {
		err->kind = ERR_USAGE;
		return err_in(err, "'%s'", words->items[0]);
	}
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return err_set(
				err, ERR_USAGE, "'%s' is not an array of words", words->items[0]);
	set_member(o, member, steal(&list));
	return 0;
}

static int
edit_text(json_t *o, const char *member, const char *text, struct err *err)
{
	if (text == NULL)
		return 0;
	if (check_text(text, err) < 0)
		return -1;
	if (text[0] == '\0')
		json_object_del(o, member);
	else
		set_member(o, member, json_text(text));
	return 0;
}

static int
edit_runtime(json_t *o, const struct edit *e, struct err *err)
{
	if (e->working_dir != NULL && e->working_dir[0] != '\0' && e->working_dir[0] != '/' &&
		!(e->working_dir[0] != '\0' && e->working_dir[1] == ':'))
		return err_set(err, ERR_USAGE, "'%s' is not an absolute path", e->working_dir);
	if (edit_text(o, "User", e->user, err) < 0 ||
		edit_set(o, "ExposedPorts", &e->exposed_ports, err) < 0 ||
		edit_env(o, &e->env, err) < 0 ||
		edit_words(o, "Entrypoint", &e->entrypoint, err) < 0 ||
		edit_words(o, "Cmd", &e->cmd, err) < 0 ||
		edit_set(o, "Volumes", &e->volumes, err) < 0 ||
		edit_text(o, "WorkingDir", e->working_dir, err) < 0 ||
		edit_map(o, "Labels", &e->labels, err) < 0 ||
		edit_text(o, "StopSignal", e->stop_signal, err) < 0)
		return -1;
	return 0;
}

/* Neither is there, or both are and say the same. */
static bool
same_member(const json_t *a, const json_t *b, const char *name)
{
	const json_t *x = json_object_get(a, name), *y = json_object_get(b, name);

	return x == y || json_equal(x, y);
}

static void
set_platform(json_t *config, const struct platform *p)
{
	set_member(config, "architecture", json_text(p->arch));
	set_member(config, "os", json_text(p->os));
	json_object_del(config, "variant");
	if (p->variant[0] != '\0')
		set_member(config, "variant", json_text(p->variant));
	if (p->os_version[0] != '\0')
		set_member(config, "os.version", json_text(p->os_version));
}

static void
add_list(struct buf *line, const struct strv *words)
{
	for (size_t i = 0; i < words->count; i++)
		buf_addf(line, " %s", words->items[i]);
}

/* The members of the config's "config", as Dockerfiles call them. */
static const struct {
	const char *member, *word;
	size_t list, text; /* of struct edit */
} rows[] = {
	{ "User", "USER", 0, offsetof(struct edit, user) },
	{ "ExposedPorts", "EXPOSE", offsetof(struct edit, exposed_ports), 0 },
	{ "Env", "ENV", offsetof(struct edit, env), 0 },
	{ "Entrypoint", "ENTRYPOINT", offsetof(struct edit, entrypoint), 0 },
	{ "Cmd", "CMD", offsetof(struct edit, cmd), 0 },
	{ "Volumes", "VOLUME", offsetof(struct edit, volumes), 0 },
	{ "WorkingDir", "WORKDIR", 0, offsetof(struct edit, working_dir) },
	{ "Labels", "LABEL", offsetof(struct edit, labels), 0 },
	{ "StopSignal", "STOPSIGNAL", 0, offsetof(struct edit, stop_signal) },
};

static void
add_steps(const json_t *before, const json_t *after, const struct edit *e, struct strv *steps)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *at = (const char *)e;
		AUTO(buf) struct buf line = BUF_INIT;

		if (same_member(before, after, rows[i].member))
			continue;
		buf_adds(&line, rows[i].word);
		if (rows[i].text != 0)
			buf_addf(&line, " %s",
				*(const char *const *)(const void *)(at + rows[i].text));
		else
			add_list(&line, (const struct strv *)(const void *)(at + rows[i].list));
		strv_add(steps, line.data);
	}
}

int
edit_config(json_t *config, const struct edit *e, struct strv *steps, struct err *err)
{
	AUTO(json) json_t *before = json_deep_copy(config);
	json_t *o = NULL;
	bool had_none;

	if (!json_is_object(config))
		return err_set(err, ERR_INPUT, "image config: not a JSON object");
	had_none = !json_is_object(json_object_get(config, "config"));
	if (object_of(config, "config", &o, err) < 0 || edit_runtime(o, e, err) < 0 ||
		edit_text(config, "author", e->author, err) < 0)
		return -1;
	add_steps(json_object_get(before, "config"), o, e, steps);
	if (e->platform != NULL) {
		set_platform(config, e->platform);
		if (!same_member(before, config, "architecture") ||
			!same_member(before, config, "os") ||
			!same_member(before, config, "variant") ||
			!same_member(before, config, "os.version"))
			strv_add(steps, "platform");
	}
	if (!same_member(before, config, "author"))
		strv_add(steps, "MAINTAINER");
	if (had_none && json_object_size(o) == 0)
		json_object_del(config, "config");
	return 0;
}

void
edit_history(json_t *config, const char *created, const char *created_by, bool empty_layer)
{
	json_t *history = json_object_get(config, "history"), *row;
	json_t *ids = json_object_get(json_object_get(config, "rootfs"), "diff_ids");
	size_t layers = 0;

	for (size_t i = 0; i < json_array_size(history); i++)
		if (!json_is_true(json_object_get(json_array_get(history, i), "empty_layer")))
			layers++;
	/* a new layer is among the diff ids already */
	if (layers + (empty_layer ? 0 : 1) != json_array_size(ids))
		return;
	if (!json_is_array(history)) {
		history = json_array();
		set_member(config, "history", history);
	}
	row = json_object();
	set_member(row, "created", json_text(created));
	set_member(row, "created_by", json_text(created_by));
	set_member(row, "comment", json_text("cooper"));
	if (empty_layer)
		set_member(row, "empty_layer", json_true());
	json_array_append_new(history, row);
}

void
edit_created(json_t *config, const char *created)
{
	set_member(config, "created", json_text(created));
}

int
edit_layer_add(json_t *manifest, json_t *config, json_t *layer, const struct digest *diff_id,
	struct err *err)
{
	AUTO(json) json_t *taken = layer;
	json_t *rootfs = NULL, *ids = NULL, *layers = NULL;

	if (object_of(config, "rootfs", &rootfs, err) < 0 ||
		json_get_array(rootfs, "diff_ids", &ids, err) < 0 ||
		json_get_array(manifest, "layers", &layers, err) < 0)
		return -1;
	if (json_array_size(ids) != json_array_size(layers))
		return err_set(err, ERR_INPUT,
			"the manifest has %zu layers, and the config tells of %zu",
			json_array_size(layers), json_array_size(ids));
	if (ids == NULL) {
		ids = json_array();
		set_member(rootfs, "type", json_text("layers"));
		set_member(rootfs, "diff_ids", ids);
	}
	if (layers == NULL) {
		layers = json_array();
		set_member(manifest, "layers", layers);
	}
	json_array_append_new(ids, json_text(diff_id->text));
	json_array_append(layers, taken);
	return 0;
}

static void
merge_history(json_t *config, size_t below)
{
	json_t *history = json_object_get(config, "history");
	size_t layers = 0;

	for (size_t i = 0; i < json_array_size(history); i++) {
		json_t *row = json_array_get(history, i);

		if (json_is_true(json_object_get(row, "empty_layer")))
			continue;
		if (layers++ >= below)
			set_member(row, "empty_layer", json_true());
	}
	if (layers !=
		json_array_size(json_object_get(json_object_get(config, "rootfs"), "diff_ids")))
		json_object_del(config, "history");
}

int
edit_layers_merge(json_t *manifest, json_t *config, size_t below, json_t *layer,
	const struct digest *diff_id, struct err *err)
{
	json_t *ids = json_object_get(json_object_get(config, "rootfs"), "diff_ids");
	json_t *layers = json_object_get(manifest, "layers");

	merge_history(config, below);
	while (json_array_size(ids) > below)
		json_array_remove(ids, json_array_size(ids) - 1);
	while (json_array_size(layers) > below)
		json_array_remove(layers, json_array_size(layers) - 1);
	return edit_layer_add(manifest, config, layer, diff_id, err);
}

static const struct {
	const char *docker, *oci;
} types[] = {
	{ MEDIA_DOCKER_LIST, MEDIA_OCI_INDEX },
	{ MEDIA_DOCKER_MANIFEST, MEDIA_OCI_MANIFEST },
	{ MEDIA_DOCKER_CONFIG, MEDIA_OCI_CONFIG },
	{ MEDIA_DOCKER_LAYER, MEDIA_OCI_LAYER },
	{ MEDIA_DOCKER_LAYER_GZIP, MEDIA_OCI_LAYER_GZIP },
	{ MEDIA_DOCKER_LAYER ".zstd", MEDIA_OCI_LAYER_ZSTD },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar" },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" },
};

static int
type_to_oci(json_t *o, struct err *err)
{
	const char *type = "";

	if (json_get_string(o, "mediaType", &type, err) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (streq(type, types[i].docker)) {
			set_member(o, "mediaType", json_text(types[i].oci));
			return 0;
		}
	if (starts_with(type, "application/vnd.docker."))
		return err_set(err, ERR_INPUT, "OCI has no name for '%s'", type);
	return 0;
}

int
edit_layer_type(struct descriptor *layer, bool docker, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		const char *from = docker ? types[i].oci : types[i].docker;
		const char *to = docker ? types[i].docker : types[i].oci;

		if (!streq(layer->media_type, from))
			continue;
		/* a name that some gave it, and docker does not know */
		if (docker && streq(from, MEDIA_OCI_LAYER_ZSTD))
			break;
		media_type_clean(to, layer->media_type);
		return 0;
	}
	if (starts_with(layer->media_type, "application/vnd.docker.") == docker)
		return 0;
	return err_set(err, ERR_INPUT, "a %s manifest cannot name a layer of type '%s'%s",
		docker ? "Docker" : "OCI", layer->media_type,
		docker ? "; '--oci' makes it an OCI manifest" : "");
}

int
edit_to_oci(json_t *doc, struct err *err)
{
	json_t *config = NULL, *layers = NULL;

	if (json_get_object(doc, "config", &config, err) < 0 ||
		json_get_array(doc, "layers", &layers, err) < 0 || type_to_oci(doc, err) < 0 ||
		(config != NULL && type_to_oci(config, err) < 0))
		return -1;
	for (size_t i = 0; i < json_array_size(layers); i++)
		if (type_to_oci(json_array_get(layers, i), err) < 0)
			return -1;
	return 0;
}

bool
edit_is_docker(const json_t *doc)
{
	const char *type = json_string_value(json_object_get(doc, "mediaType"));

	return type != NULL && starts_with(type, "application/vnd.docker.");
}
