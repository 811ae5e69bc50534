/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/hosts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "registry/host.h"
#include "registry/ref.h"
#include "registry/toml.h"

static void
entry_clear(struct hosts_entry *e)
{
	free(e->name);
	strv_free(&e->authorities);
	free(e->certificate);
	free(e->key);
	strv_free(&e->headers);
}

void
hosts_free(struct hosts *h)
{
	size_t i;

	for (i = 0; i < h->count; i++)
		entry_clear(&h->entries[i]);
	free(h->entries);
	free(h->file);
	*h = (struct hosts)HOSTS_INIT;
}

void
auto_hosts(struct hosts *h)
{
	hosts_free(h);
}

/* "500ms", "1m30s" */
static int
parse_duration(const char *text, unsigned *out, struct err *err)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = { { "ms", 1 }, { "us", 1e-3 }, { "ns", 1e-6 }, { "s", 1e3 }, { "m", 6e4 },
		{ "h", 3.6e6 } };
	const char *at = text;
	double sum = 0;

	while (*at != '\0') {
		size_t digits = strspn(at, "0123456789."), i;
		double value = digits > 0 && digits < 16 ? strtod(at, NULL) : -1;

		at += digits;
		for (i = 0; i < COUNT_OF(units); i++)
			if (starts_with(at, units[i].name))
				break;
		if (value < 0 || i == COUNT_OF(units))
			return err_set(err, ERR_INPUT,
				"dial_timeout '%s' is no duration such as '2s'", text);
		at += strlen(units[i].name);
		sum += value * units[i].ms;
	}
	*out = sum < 1 ? 0 : sum > HOSTS_DIAL_MS_MAX ? HOSTS_DIAL_MS_MAX : (unsigned)sum;
	return 0;
}

/* A string or a list of them. */
static int
get_texts(const json_t *table, const char *name, struct strv *out, struct err *err)
{
	json_t *value = json_object_get(table, name);

	if (json_is_string(value)) {
		strv_add(out, json_string_value(value));
		return 1;
	}
	return json_get_strv(table, name, out, err);
}

/* Relative to the file that says so. */
static char *
beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');

	if (path[0] == '/' || slash == NULL)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - file), file, path);
}

static int
parse_capabilities(const json_t *table, struct hosts_entry *e, struct err *err)
{
	static const struct {
		const char *name;
		unsigned bit;
	} known[] = { { "pull", HOSTS_PULL }, { "resolve", HOSTS_RESOLVE }, { "push", HOSTS_PUSH },
		{ "referrers", 0 } };
	AUTO(strv) struct strv names = STRV_INIT;
	int said = json_get_strv(table, "capabilities", &names, err);
	size_t i, k;

	if (said < 0)
		return -1;
	e->capabilities = said == 0 ? HOSTS_PULL | HOSTS_RESOLVE | HOSTS_PUSH : 0;
	for (i = 0; i < names.count; i++) {
		for (k = 0; k < COUNT_OF(known); k++)
			if (streq(names.items[i], known[k].name))
				break;
		if (k == COUNT_OF(known))
			return err_set(err, ERR_INPUT,
				"capability '%s' is none of pull, resolve, push", names.items[i]);
		e->capabilities |= known[k].bit;
	}
	e->is_push_said = said == 1 && (e->capabilities & HOSTS_PUSH) != 0;
	return 0;
}

/* "both.pem", ["both.pem", ...], [["c.pem", "c.key"], ...] */
static int
parse_client(const json_t *table, const char *file, struct hosts_entry *e, struct err *err)
{
	const json_t *value = json_object_get(table, "client"), *key = NULL;

	if (value == NULL)
		return 0;
	if (json_is_array(value))
		value = json_array_get(value, 0);
	if (json_is_array(value)) {
		key = json_array_get(value, 1);
		value = json_array_get(value, 0);
	}
	if (!json_is_string(value) || (key != NULL && !json_is_string(key)))
		return err_set(err, ERR_INPUT,
			"client is \"<file>\", or [[\"<certificate>\", \"<key>\"]]");
	e->certificate = beside(file, json_string_value(value));
	e->key = beside(file, key != NULL && json_string_value(key)[0] != '\0'
				      ? json_string_value(key)
				      : json_string_value(value));
	return 0;
}

static bool
is_header(const char *name, const char *value)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";
	const char *at;

	for (at = name; *at != '\0'; at++)
		if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
			    (*at >= '0' && *at <= '9') || strchr(marks, *at) != NULL))
			return false;
	for (; *value != '\0'; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == 127)
			return false;
	return at > name;
}

static int
parse_headers(const json_t *table, struct hosts_entry *e, struct err *err)
{
	json_t *headers = NULL, *value;
	const char *name;
	size_t i;

	if (json_get_object(table, "header", &headers, err) < 0)
		return -1;
	json_object_foreach (headers, name, value) {
		AUTO(strv) struct strv texts = STRV_INIT;

		if (get_texts(headers, name, &texts, err) < 0)
			return -1;
		for (i = 0; i < texts.count; i++) {
			if (!is_header(name, texts.items[i]))
				return err_set(err, ERR_INPUT, "'%s' is no header", name);
			strv_addf(&e->headers, "%s: %s", name, texts.items[i]);
		}
	}
	return 0;
}

/* "mirror.example:5000/proxy" to its parts; without a scheme it is https. */
static int
parse_base(const char *text, bool override_path, struct hosts_entry *e, struct err *err)
{
	AUTO(free)
	char *whole = strstr(text, "://") != NULL ? xstrdup(text) : xasprintf("https://%s", text);
	AUTO(buf) struct buf root = BUF_INIT;
	size_t len;

	if (url_parse(whole, &e->base, err) < 0)
		return -1;
	if (strpbrk(e->base.target, "?#") != NULL)
		return err_set(err, ERR_INPUT, "'%s' has more than a path", text);
	len = strlen(e->base.target);
	while (len > 0 && e->base.target[len - 1] == '/')
		len--;
	buf_add(&root, e->base.target, len);
	if (!override_path && !ends_with(root.data != NULL ? root.data : "", "/v2"))
		buf_adds(&root, "/v2");
	buf_addc(&root, '/');
	if (root.len >= sizeof e->base.target)
		return err_set(err, ERR_INPUT, "'%s' is too long", text);
	memcpy(e->base.target, root.data, root.len + 1);
	e->name = e->base.port == (e->base.secure ? 443 : 80)
			  ? xstrdup(e->base.host)
			  : xasprintf("%s:%u", e->base.host, e->base.port);
	return 0;
}

static int
parse_entry(const json_t *table, const char *base, const char *file, const char *registry,
	struct hosts_entry *e, struct err *err)
{
	AUTO(strv) struct strv authorities = STRV_INIT;
	const char *dial = NULL;
	bool override_path = false;
	size_t i;

	if (json_get_bool(table, "skip_verify", &e->skip_verify, err) < 0 ||
		json_get_bool(table, "override_path", &override_path, err) < 0 ||
		json_get_string(table, "dial_timeout", &dial, err) < 0 ||
		(dial != NULL && parse_duration(dial, &e->dial_ms, err) < 0) ||
		parse_base(base, override_path, e, err) < 0 ||
		parse_capabilities(table, e, err) < 0 ||
		get_texts(table, "ca", &authorities, err) < 0 ||
		parse_client(table, file, e, err) < 0 || parse_headers(table, e, err) < 0)
		return -1;
	for (i = 0; i < authorities.count; i++)
		strv_take(&e->authorities, beside(file, authorities.items[i]));
	e->is_for_others = strcasecmp(e->name, registry) != 0 &&
			   !(strcasecmp(registry, REF_HOST_DOCKER_HUB) == 0 &&
				   strcasecmp(e->name, HOST_HUB_API) == 0);
	return 0;
}

static int
add_entry(struct hosts *h, const json_t *table, const char *base, const char *registry,
	struct err *err)
{
	struct hosts_entry e = { .authorities = STRV_INIT, .headers = STRV_INIT };

	if (parse_entry(table, base, h->file, registry, &e, err) < 0) {
		entry_clear(&e);
		return err_in(err, "%s: '%s'", h->file,
			strchr(base, '@') == NULL ? base : "..."); /* it may hold a password */
	}
	h->entries = grow(h->entries, h->count, &h->room, sizeof *h->entries);
	h->entries[h->count++] = e;
	return 0;
}

int
hosts_parse(const char *text, size_t len, const char *file, const char *registry, struct hosts *out,
	struct err *err)
{
	AUTO(hosts) struct hosts h = HOSTS_INIT;
	AUTO(json) json_t *document = NULL;
	json_t *tables = NULL, *table;
	const char *server = NULL, *name;

	h.file = xstrdup(file);
	if (toml_parse(text, len, &document, err) < 0 ||
		json_get_object(document, "host", &tables, err) < 0 ||
		json_get_string(document, "server", &server, err) < 0)
		return err_in(err, "%s", file);
	if (json_object_size(tables) > HOSTS_MIRRORS_MAX)
		return err_set(err, ERR_INPUT, "%s: more than %d hosts", file, HOSTS_MIRRORS_MAX);
	json_object_foreach (tables, name, table) {
		if (!json_is_object(table))
			return err_set(err, ERR_INPUT, "%s: '%s' is no table", file, name);
		if (add_entry(&h, table, name, registry, err) < 0)
			return -1;
	}
	if (server == NULL || server[0] == '\0')
		server = strcasecmp(registry, REF_HOST_DOCKER_HUB) == 0 ? HOST_HUB_API : registry;
	if (add_entry(&h, document, server, registry, err) < 0)
		return -1;
	*out = h;
	h = (struct hosts)HOSTS_INIT;
	return 0;
}

/* 1, 0: no such file, -1. */
static int
read_file(
	const char *dir, const char *name, const char *registry, struct hosts *out, struct err *err)
{
	AUTO(free) char *file = xasprintf("%s/%s/hosts.toml", dir, name);
	AUTO(buf) struct buf text = BUF_INIT;

	if (faccessat(AT_FDCWD, file, F_OK, 0) < 0)
		return 0; /* or the directory is not ours to see */
	if (file_read(AT_FDCWD, file, HOSTS_FILE_MAX, &text, err) < 0)
		return err->kind == ERR_NOTFOUND ? 0 : err_in(err, "%s", file);
	return hosts_parse(text.data, text.len, file, registry, out, err) < 0 ? -1 : 1;
}

static int
look_in(const char *dir, const char *registry, struct hosts *out, struct err *err)
{
	const char *colon = strrchr(registry, ':');
	AUTO(free) char *plain = NULL;
	int found = 0;

	if (registry[0] == '.' || strchr(registry, '/') != NULL)
		return 0;
	if (colon != NULL && strchr(colon, ']') == NULL) {
		plain = xasprintf("%.*s_%s_", (int)(colon - registry), registry, colon + 1);
		found = read_file(dir, plain, registry, out, err);
	}
	if (found == 0)
		found = read_file(dir, registry, registry, out, err);
	if (found == 0)
		found = read_file(dir, "_default", registry, out, err);
	return found;
}

int
hosts_find(const char *dir, const char *registry, struct hosts *out, struct err *err)
{
	static const char *const fixed[] = { "/etc/containerd/certs.d", "/etc/docker/certs.d" };
	static const char *const below[] = { "containerd/certs.d", "docker/certs.d" };
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int found = 0;
	size_t i;

	if (dir != NULL)
		return dir[0] != '\0' ? look_in(dir, registry, out, err) : 0;
	for (i = 0; found == 0 && i < COUNT_OF(below); i++) {
		AUTO(free) char *path = NULL;

		if (config != NULL && config[0] == '/')
			path = xasprintf("%s/%s", config, below[i]);
		else if (home != NULL && home[0] == '/')
			path = xasprintf("%s/.config/%s", home, below[i]);
		if (path != NULL)
			found = look_in(path, registry, out, err);
	}
	for (i = 0; found == 0 && i < COUNT_OF(fixed); i++)
		found = look_in(fixed[i], registry, out, err);
	return found;
}
