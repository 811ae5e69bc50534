/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/helper.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/proc.h"

#define PREFIX "docker-credential-"
#define SAID_MAX 200

static bool
is_name(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && len < 128 && s[0] != '-' && s[0] != '.' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       len;
}

/* An empty or relative element of PATH would run what lies in the working directory. */
static char *
find(const char *name)
{
	AUTO(strv) struct strv dirs = STRV_INIT;
	const char *path = getenv("PATH");
	size_t i;

	strv_split(&dirs, path != NULL ? path : "/usr/local/bin:/usr/bin:/bin", ":");
	for (i = 0; i < dirs.count; i++) {
		AUTO(free) char *file = NULL;

		if (dirs.items[i][0] != '/')
			continue;
		file = xasprintf("%s/" PREFIX "%s", dirs.items[i], name);
		if (access(file, X_OK) == 0)
			return steal(&file);
	}
	return NULL;
}

static int
run(const char *name, const char *from, const char *verb, const char *input,
	struct proc_result *result, struct err *err)
{
	AUTO(free) char *file = NULL;
	struct proc_options options = PROC_OPTIONS_INIT;
	const char *argv[] = { NULL, verb, NULL };

	if (!is_name(name))
		return err_set(err, ERR_INPUT,
			"%s: the name of a credential helper is not letters and digits", from);
	file = find(name);
	if (file == NULL)
		return err_set(err, ERR_INPUT,
			"credential helper '" PREFIX "%s' (from %s) is not in PATH", name, from);
	argv[0] = file;
	options.input = input;
	options.input_len = strlen(input);
	options.limit = CREDENTIALS_HELPER_MAX;
	options.timeout_ms = CREDENTIALS_HELPER_MS;
	if (proc_run(argv, &options, result, err) < 0)
		return err_in(err, "credential helper '" PREFIX "%s' (from %s)", name, from);
	return 0;
}

/* The first line of what it said, for people. */
static int
failed(const char *name, const char *from, const struct proc_result *result, struct err *err)
{
	const char *said = result->err.len > 0 ? result->err.data : result->out.data;
	char line[SAID_MAX];
	size_t i, len = strcspn(said, "\r\n");

	if (len >= sizeof line)
		len = sizeof line - 1;
	for (i = 0; i < len; i++)
		line[i] = said[i] >= ' ' && said[i] != 0x7f ? said[i] : '?';
	line[len] = '\0';
	return err_set(err, ERR_REMOTE,
		"credential helper '" PREFIX "%s' (from %s) ended with status %d%s%s", name, from,
		result->status, len > 0 ? ": " : "", line);
}

/* What helpers print when they simply have nothing. */
static bool
has_nothing(const struct proc_result *result)
{
	static const char *const texts[] = { "credentials not found", "no credentials server URL",
		"no credentials username" };
	size_t i;

	for (i = 0; i < COUNT_OF(texts); i++)
		if (strstr(result->out.data, texts[i]) != NULL ||
			strstr(result->err.data, texts[i]) != NULL)
			return true;
	return false;
}

static int
parse(const struct proc_result *result, struct credential *out, struct err *err)
{
	AUTO(json) json_t *doc = NULL;
	const char *username = NULL, *secret = NULL;

	if (json_parse(result->out.data, result->out.len, &doc, err) < 0 ||
		json_get_string(doc, "Username", &username, err) < 0 ||
		json_get_string(doc, "Secret", &secret, err) < 0)
		return -1;
	if (secret == NULL || secret[0] == '\0')
		return 0;
	if (streq(username, "<token>"))
		out->identity_token = xstrdup(secret);
	else
		out->password = xstrdup(secret);
	out->username = xstrdup(username != NULL ? username : "");
	return 1;
}

int
helper_get(const char *name, const char *from, const char *server, struct credential *out,
	struct err *err)
{
	AUTO(proc_result) struct proc_result result = PROC_RESULT_INIT;
	int found;

	if (run(name, from, "get", server, &result, err) < 0)
		return -1;
	if (result.status != 0)
		return has_nothing(&result) ? 0 : failed(name, from, &result, err);
	found = parse(&result, out, err);
	if (found < 0) {
		/* its words may hold the secret: say that it is wrong, not what it is */
		return err_set(err, ERR_INPUT,
			"credential helper '" PREFIX "%s' (from %s) does not answer in JSON", name,
			from);
	}
	return found;
}

int
helper_store(const char *name, const char *from, const char *server, const struct credential *c,
	struct err *err)
{
	AUTO(proc_result) struct proc_result result = PROC_RESULT_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(json) json_t *doc = json_object();

	json_object_set_new(doc, "ServerURL", json_text(server));
	json_object_set_new(
		doc, "Username", json_text(c->identity_token != NULL ? "<token>" : c->username));
	json_object_set_new(doc, "Secret",
		json_text(c->identity_token != NULL ? c->identity_token : c->password));
	json_format(doc, JSON_STYLE_COMPACT, &text);
	if (run(name, from, "store", text.data, &result, err) < 0)
		return -1;
	return result.status == 0 ? 0 : failed(name, from, &result, err);
}

int
helper_erase(const char *name, const char *from, const char *server, struct err *err)
{
	AUTO(proc_result) struct proc_result result = PROC_RESULT_INIT;

	if (run(name, from, "erase", server, &result, err) < 0)
		return -1;
	return result.status == 0 || has_nothing(&result) ? 0 : failed(name, from, &result, err);
}
