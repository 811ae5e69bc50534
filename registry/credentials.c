/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credentials.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/mem.h"
#include "registry/base64.h"
#include "registry/helper.h"
#include "registry/ref.h"

static const char *const hub_keys[] = { CREDENTIALS_HUB_KEY, "docker.io", "index.docker.io",
	"registry-1.docker.io" };

void
credential_clear(struct credential *c)
{
	free(c->username);
	if (c->password != NULL)
		explicit_bzero(c->password, strlen(c->password));
	free(c->password);
	free(c->identity_token);
	free(c->registry_token);
	free(c->source);
	*c = (struct credential)CREDENTIAL_INIT;
}

void
auto_credential(struct credential *c)
{
	credential_clear(c);
}

bool
credential_is_anonymous(const struct credential *c)
{
	return c->username == NULL && c->identity_token == NULL && c->registry_token == NULL;
}

void
credential_add_basic(const char *username, const char *password, struct strv *headers)
{
	AUTO(buf) struct buf pair = BUF_INIT;
	AUTO(buf) struct buf header = BUF_INIT;

	buf_addf(&pair, "%s:%s", username, password != NULL ? password : "");
	buf_adds(&header, "Authorization: Basic ");
	base64_encode(pair.data, pair.len, &header);
	strv_add(headers, header.data);
	explicit_bzero(pair.data, pair.len);
	explicit_bzero(header.data, header.len);
}

struct search {
	const char *name; /* of the document */
	const char *host, *repository;
	struct strv keys; /* most specific first */
	struct strv *trail;
	struct credential *out;
	struct err *err;
};

static void
note(struct search *s, const char *what, const char *key)
{
	if (s->trail != NULL)
		strv_addf(s->trail, "%s: %s%s%s%s", s->name, what, key[0] != '\0' ? " '" : "", key,
			key[0] != '\0' ? "'" : "");
}

static bool
is_hub(const char *host)
{
	size_t i;

	for (i = 1; i < COUNT_OF(hub_keys); i++)
		if (strcasecmp(host, hub_keys[i]) == 0)
			return true;
	return false;
}

static void
list_keys(struct search *s)
{
	AUTO(free) char *path = xstrdup(s->repository);
	char *slash;
	size_t i;

	while (path[0] != '\0') {
		strv_addf(&s->keys, "%s/%s", s->host, path);
		slash = strrchr(path, '/');
		*(slash != NULL ? slash : path) = '\0';
	}
	strv_add(&s->keys, s->host);
	for (i = 0; is_hub(s->host) && i < COUNT_OF(hub_keys); i++)
		if (!strv_has(&s->keys, hub_keys[i]))
			strv_add(&s->keys, hub_keys[i]);
}

static int
from_helper(struct search *s, const char *helper, const char *key)
{
	int found = helper_get(
		helper, s->name, is_hub(key) ? CREDENTIALS_HUB_KEY : key, s->out, s->err);

	if (found < 0)
		return -1;
	note(s, found > 0 ? "found by the helper" : "nothing has the helper", helper);
	if (found > 0)
		s->out->source = xasprintf("%s, helper '%s' for '%s'", s->name, helper, key);
	return found;
}

/* "user:password", at the first ':'; some files have NUL bytes at its end. */
static int
from_auth(struct search *s, const char *auth, const char *key)
{
	AUTO(buf) struct buf pair = BUF_INIT;
	const char *colon;

	if (base64_decode(auth, strlen(auth), &pair) < 0)
		return err_set(s->err, ERR_INPUT, "%s: 'auth' of '%s' is not base64", s->name, key);
	colon = strchr(pair.data, ':');
	if (colon == NULL) {
		event_warn("%s: 'auth' of '%s' has no ':' and is ignored", s->name, key);
		explicit_bzero(pair.data, pair.len);
		return 0;
	}
	s->out->username = xstrndup(pair.data, (size_t)(colon - pair.data));
	s->out->password = xstrdup(colon + 1);
	explicit_bzero(pair.data, pair.len);
	return 1;
}

static int
from_entry(struct search *s, const json_t *entry, const char *key)
{
	const char *auth = NULL, *username = NULL, *password = NULL, *identity = NULL,
		   *registry = NULL;
	int found = 0;

	if (!json_is_object(entry))
		return err_set(
			s->err, ERR_INPUT, "%s: the entry of '%s' is not an object", s->name, key);
	if (json_get_string(entry, "auth", &auth, s->err) < 0 ||
		json_get_string(entry, "username", &username, s->err) < 0 ||
		json_get_string(entry, "password", &password, s->err) < 0 ||
		json_get_string(entry, "identitytoken", &identity, s->err) < 0 ||
		json_get_string(entry, "registrytoken", &registry, s->err) < 0)
		return err_in(s->err, "%s: '%s'", s->name, key);
	if (auth != NULL && auth[0] != '\0') {
		found = from_auth(s, auth, key);
	} else if (username != NULL && password != NULL && username[0] != '\0') {
		s->out->username = xstrdup(username);
		s->out->password = xstrdup(password);
		found = 1;
	}
	if (found < 0)
		return -1;
	if (identity != NULL && identity[0] != '\0')
		s->out->identity_token = xstrdup(identity);
	if (registry != NULL && registry[0] != '\0')
		s->out->registry_token = xstrdup(registry);
	if (credential_is_anonymous(s->out)) {
		note(s, "an empty entry", key);
		return 0;
	}
	s->out->source = xasprintf("%s, '%s'", s->name, key);
	note(s, "found", key);
	return 1;
}

/* Old files have URLs as keys, of which only the host counts. */
static bool
is_url_of(const char *key, const char *host)
{
	const char *scheme = strstr(key, "://"), *at = scheme != NULL ? scheme + 3 : key;
	size_t len = strcspn(at, "/");
	const char *rest = at + len;

	if (scheme == NULL && !streq(rest, "/") && !starts_with(rest, "/v1") &&
		!starts_with(rest, "/v2"))
		return false;
	return strlen(host) == len && strncasecmp(at, host, len) == 0;
}

static int
search_helpers(struct search *s, const json_t *helpers)
{
	const char *helper = NULL;
	size_t i;

	for (i = 0; helpers != NULL && i < s->keys.count; i++) {
		if (json_get_string(helpers, s->keys.items[i], &helper, s->err) < 0)
			return err_in(s->err, "%s: credHelpers", s->name);
		if (helper != NULL && helper[0] != '\0')
			return from_helper(s, helper, s->keys.items[i]);
	}
	return 0;
}

static int
search_auths(struct search *s, json_t *auths)
{
	const char *key;
	json_t *entry;
	size_t i;
	int found;

	for (i = 0; i < s->keys.count; i++) {
		entry = json_object_get(auths, s->keys.items[i]);
		found = entry != NULL ? from_entry(s, entry, s->keys.items[i]) : 0;
		if (found != 0)
			return found;
	}
	json_object_foreach (auths, key, entry) {
		found = is_url_of(key, s->host) && !strv_has(&s->keys, key)
				? from_entry(s, entry, key)
				: 0;
		if (found != 0)
			return found;
	}
	return 0;
}

static int
search_config(struct search *s, const json_t *document)
{
	json_t *helpers = NULL, *auths = NULL;
	const char *store = NULL;
	int found;

	if (json_get_object(document, "credHelpers", &helpers, s->err) < 0 ||
		json_get_object(document, "auths", &auths, s->err) < 0 ||
		json_get_string(document, "credsStore", &store, s->err) < 0)
		return err_in(s->err, "%s", s->name);
	found = search_helpers(s, helpers);
	if (found == 0 && auths != NULL)
		found = search_auths(s, auths);
	if (found == 0 && store != NULL && store[0] != '\0')
		found = from_helper(s, store, s->host);
	return found;
}

int
credentials_search(const json_t *document, const char *name, bool is_legacy, const char *host,
	const char *repository, struct strv *trail, struct credential *out, struct err *err)
{
	AUTO(credential) struct credential c = CREDENTIAL_INIT;
	struct search s = { .name = name,
		.host = host,
		.repository = repository,
		.keys = STRV_INIT,
		.trail = trail,
		.out = &c,
		.err = err };
	int found;

	if (!json_is_object(document))
		return err_set(err, ERR_INPUT, "%s: it is not a JSON object", name);
	list_keys(&s);
	found = is_legacy ? search_auths(&s, (json_t *)document) : search_config(&s, document);
	strv_free(&s.keys);
	if (found == 0)
		note(&s, "nothing for", host);
	if (found <= 0)
		return found;
	*out = c;
	c = (struct credential)CREDENTIAL_INIT;
	return 1;
}

/* As people write it. */
static char *
shorten(const char *path)
{
	const char *home = getenv("HOME");

	if (home != NULL && home[0] == '/' && starts_with(path, home) && path[strlen(home)] == '/')
		return xasprintf("~%s", path + strlen(home));
	return xstrdup(path);
}

static int
search_file(const char *path, bool is_needed, const char *host, const char *repository,
	struct strv *trail, struct credential *out, struct err *err)
{
	AUTO(free) char *name = shorten(path);
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(json) json_t *doc = NULL;
	struct stat st;

	if (file_read(AT_FDCWD, path, CREDENTIALS_FILE_MAX, &text, err) < 0) {
		if (err->kind != ERR_NOTFOUND || is_needed)
			return err_in(err, "credentials");
		if (trail != NULL)
			strv_addf(trail, "%s: there is no such file", name);
		return 0;
	}
	if (stat(path, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		event_warn("%s may be written by others than its owner", name);
	if (text.len == 0)
		return 0;
	if (json_parse(text.data, text.len, &doc, err) < 0)
		return err_in(err, "%s", name);
	return credentials_search(
		doc, name, ends_with(path, "/.dockercfg"), host, repository, trail, out, err);
}

static int
search_environment(
	const char *host, const char *repository, struct strv *trail, struct credential *out)
{
	const char *text = getenv("DOCKER_AUTH_CONFIG");
	AUTO(json) json_t *doc = NULL;
	struct err err;
	int found;

	if (text == NULL || text[0] == '\0')
		return 0;
	if (strlen(text) > CREDENTIALS_FILE_MAX || json_parse(text, strlen(text), &doc, &err) < 0) {
		event_warn("$DOCKER_AUTH_CONFIG is not JSON and is ignored");
		return 0;
	}
	found = credentials_search(
		doc, "$DOCKER_AUTH_CONFIG", false, host, repository, trail, out, &err);
	if (found < 0)
		event_warn("%s", err.msg);
	return found > 0;
}

static void
add_path(struct strv *paths, const char *dir, const char *fallback_format, const char *value,
	const char *rest)
{
	if (dir != NULL && dir[0] != '\0')
		strv_addf(paths, "%s%s", dir, rest);
	else if (value != NULL)
		strv_addf(paths, "%s%s%s", value, fallback_format, rest);
}

static void
list_files(struct strv *paths)
{
	const char *home = getenv("HOME"), *only = getenv("REGISTRY_AUTH_FILE");
	AUTO(free) char *run = xasprintf("/run/containers/%u", (unsigned)geteuid());

	if (only != NULL && only[0] != '\0') {
		strv_add(paths, only);
	} else {
		if (getenv("XDG_RUNTIME_DIR") != NULL)
			strv_addf(paths, "%s/containers/auth.json", getenv("XDG_RUNTIME_DIR"));
		else
			strv_addf(paths, "%s/auth.json", run);
		add_path(paths, getenv("XDG_CONFIG_HOME"), "/.config", home,
			"/containers/auth.json");
	}
	add_path(paths, getenv("DOCKER_CONFIG"), "/.docker", home, "/config.json");
	if (home != NULL)
		strv_addf(paths, "%s/.dockercfg", home);
}

int
credentials_find(const char *auth_file, const char *host, const char *repository,
	struct strv *trail, struct credential *out, struct err *err)
{
	AUTO(strv) struct strv paths = STRV_INIT;
	size_t i;
	int found;

	if (auth_file != NULL) {
		found = search_file(auth_file, true, host, repository, trail, out, err);
		return found < 0 ? -1 : 0;
	}
	if (search_environment(host, repository, trail, out) > 0)
		return 0;
	list_files(&paths);
	for (i = 0; i < paths.count; i++) {
		found = search_file(paths.items[i], false, host, repository, trail, out, err);
		if (found != 0)
			return found < 0 ? -1 : 0;
	}
	if (trail != NULL)
		strv_add(trail, "nothing was found: anonymous");
	return 0;
}
