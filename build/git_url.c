/* SPDX-License-Identifier: Apache-2.0 */
#include "build/git_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"
#include "build/dockerfile/mount.h"

void
git_url_free(struct git_url *g)
{
	free(g->remote);
	free(g->ref);
	free(g->subdir);
	free(g->commit);
	*g = (struct git_url){ .remote = NULL };
}

bool
git_url_is_commit(const char *text)
{
	size_t len = strlen(text);

	return len >= 7 && len <= 64 && strspn(text, "0123456789abcdef") == len;
}

/* --- what kind of text it is --------------------------------------------------------------------
 */

static bool
is_plain_word(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return false;
	return len > 0;
}

/* "git@host:path", where no scheme is. */
static bool
is_scp(const char *text)
{
	size_t user = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "._-");
	const char *host = text + user + 1;
	size_t len;

	if (user == 0 || text[user] != '@')
		return false;
	len = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
	return len > 0 && host[len] == ':' && !starts_with(host + len, "://");
}

enum form { FORM_NONE, FORM_URL, FORM_SCP };

/* end: where the address ends, at its '?' or '#'. */
static enum form
form_of(const char *text, enum git_url_place place, const char **end)
{
	size_t len = strcspn(text, "#");

	*end = text + len;
	if (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0) {
		len = strcspn(text, "?#");
		*end = text + len;
		return len > 4 && strncmp(text + len - 4, ".git", 4) == 0 ? FORM_URL : FORM_NONE;
	}
	if (strncasecmp(text, "ssh://", 6) == 0 || strncasecmp(text, "git://", 6) == 0) {
		*end = text + strcspn(text, "?#");
		return FORM_URL;
	}
	if (place == GIT_URL_CONTEXT && starts_with(text, "github.com/"))
		return FORM_URL;
	return is_scp(text) ? FORM_SCP : FORM_NONE;
}

/* --- the parts ----------------------------------------------------------------------------------
 */

/* git-check-ref-format(1), and nothing that is an operator of a refspec. */
static int
set_ref(struct git_url *g, const char *prefix, const char *ref, struct err *err)
{
	if (g->ref != NULL)
		return err_set(err, ERR_INPUT, "ref is given twice");
	if (*ref == '-' || *ref == '/' || strstr(ref, "..") != NULL || strstr(ref, "@{") != NULL ||
		!is_plain_word(ref, strlen(ref)) || strpbrk(ref, ":~^?*[\\+\"'") != NULL)
		return err_set(err, ERR_INPUT, "invalid git ref '%s'", ref);
	g->ref = xasprintf("%s%s", prefix, ref);
	return 0;
}

static int
set_subdir(struct git_url *g, const char *subdir, struct err *err)
{
	AUTO(buf) struct buf clean = BUF_INIT;

	if (g->subdir != NULL)
		return err_set(err, ERR_INPUT, "subdir is given twice");
	path_clean(subdir, &clean);
	if (streq(clean.data, "..") || starts_with(clean.data, "../"))
		return err_set(err, ERR_INPUT, "subdir '%s' leads out of the repository", subdir);
	if (!streq(clean.data, ".") && !streq(clean.data, "/"))
		g->subdir = xstrdup(clean.data + strspn(clean.data, "/"));
	return 0;
}

static int
set_commit(struct git_url *g, const char *commit, struct err *err)
{
	if (g->commit != NULL)
		return err_set(err, ERR_INPUT, "checksum is given twice");
	if (!git_url_is_commit(commit))
		return err_set(err, ERR_INPUT,
			"invalid checksum '%s': it is 7 to 64 hex digits of a commit", commit);
	g->commit = xstrdup(commit);
	return 0;
}

static int
set_fragment(struct git_url *g, const char *fragment, struct err *err)
{
	const char *colon = strrchr(fragment, ':');
	size_t len = colon != NULL ? (size_t)(colon - fragment) : strlen(fragment);
	AUTO(free) char *ref = xstrndup(fragment, len);

	if (*ref != '\0' && set_ref(g, "", ref, err) < 0)
		return -1;
	return colon != NULL && colon[1] != '\0' ? set_subdir(g, colon + 1, err) : 0;
}

static int
set_parameter(struct git_url *g, const char *name, const char *value, struct err *err)
{
	bool flag = true;

	if (streq(name, "ref"))
		return set_ref(g, "", value, err);
	if (streq(name, "branch"))
		return set_ref(g, "refs/heads/", value, err);
	if (streq(name, "tag"))
		return set_ref(g, "refs/tags/", value, err);
	if (streq(name, "subdir"))
		return set_subdir(g, value, err);
	if (streq(name, "commit") || streq(name, "checksum"))
		return set_commit(g, value, err);
	if (streq(name, "mtime") || streq(name, "fetch-by-commit"))
		return 0; /* files have the commit's time anyway */
	if (!streq(name, "keep-git-dir") && !streq(name, "submodules"))
		return err_set(err, ERR_INPUT, "unexpected query \"%s\"", name);
	if (*value != '\0' && bool_parse(value, &flag) < 0)
		return err_set(err, ERR_INPUT, "%s=%s is neither true nor false", name, value);
	if (*name == 'k')
		g->keep_git_dir = flag;
	else
		g->no_submodules = !flag;
	return 0;
}

static int
hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

static int
decode(const char *text, size_t len, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			int high = i + 2 < len ? hex(text[i + 1]) : -1;
			int low = high >= 0 ? hex(text[i + 2]) : -1;

			if (low < 0 || (high == 0 && low == 0))
				return err_set(
					err, ERR_INPUT, "'%.*s' is badly escaped", (int)len, text);
			c = (char)(high << 4 | low);
			i += 2;
		}
		buf_addc(out, c);
	}
	return 0;
}

static int
set_query(struct git_url *g, const char *query, size_t len, struct err *err)
{
	const char *end = query + len;

	while (query < end) {
		size_t row = strcspn(query, "&#"), name = strcspn(query, "=&#");
		AUTO(free) char *key = xstrndup(query, name);
		AUTO(buf) struct buf value = BUF_INIT;

		if (name < row && decode(query + name + 1, row - name - 1, &value, err) < 0)
			return -1;
		if (row > 0 && set_parameter(g, key, value.data, err) < 0)
			return -1;
		query += row;
		query += query < end;
	}
	return 0;
}

static int
parse(struct git_url *g, const char *text, const char *end, struct err *err)
{
	const char *fragment = end + strcspn(end, "#");

	if (strlen(text) > GIT_URL_MAX || !is_plain_word(text, (size_t)(end - text)))
		return err_set(err, ERR_INPUT, "this is no address");
	g->remote = starts_with(text, "github.com/")
			    ? xasprintf("https://%.*s", (int)(end - text), text)
			    : xstrndup(text, (size_t)(end - text));
	/* ssh takes a host that begins so for an option */
	if (text[0] == '-' || strstr(text, "://-") != NULL || strstr(text, "@-") != NULL)
		return err_set(err, ERR_INPUT, "a host does not begin with '-'");
	if (*end == '?' && set_query(g, end + 1, (size_t)(fragment - end - 1), err) < 0)
		return -1;
	return *fragment == '#' ? set_fragment(g, fragment + 1, err) : 0;
}

int
git_url_parse(const char *text, enum git_url_place place, struct git_url *out, struct err *err)
{
	struct git_url g = { .remote = NULL };
	const char *end;

	if (form_of(text, place, &end) == FORM_NONE)
		return 0;
	if (parse(&g, text, end, err) < 0) {
		git_url_free(&g);
		return err_in(err, "git '%.*s'", (int)(end - text), text);
	}
	*out = g;
	return 1;
}
