/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/proc.h"
#include "base/strv.h"
#include "build/fetch_inside.h"
#include "build/secret.h"
#include "build/ssh_relay.h"
#include "layers/tree.h"
#include "registry/base64.h"

/* fetch_git - git as a child.  It sees an environment of ours and nothing of the caller's configuration; a secret
 * is in that environment, as a setting for this one repository.  What a repository brings along (hooks, filters,
 * file:// submodules, attributes of a system) does not run.  No word that came from outside stands where git would
 * take it for an option. */

#define OUTPUT_MAX 65536

struct git {
	const struct git_url *url;
	int dir;
	struct strv env;
	size_t configs; /* settings in env */
};

static void
set_config(struct git *g, const char *key, const char *value)
{
	strv_addf(&g->env, "GIT_CONFIG_KEY_%zu=%s", g->configs, key);
	strv_addf(&g->env, "GIT_CONFIG_VALUE_%zu=%s", g->configs, value);
	g->configs++;
}

static void
make_environment(struct git *g)
{
	struct strv *env = &g->env;
	static const char *const kept[] = { "PATH", "SSH_AUTH_SOCK", "http_proxy", "https_proxy",
		"HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY", "SSL_CERT_FILE",
		"SSL_CERT_DIR", "GIT_SSL_CAINFO", "TMPDIR" };
	static const char *const fixed[] = { "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https:http:ssh:git",
		"GIT_PROTOCOL_FROM_USER=0", "GIT_SSH_COMMAND=ssh -oBatchMode=yes" };
	static const char *const config[][2] = { { "core.hooksPath", "/dev/null" },
		{ "core.fsmonitor", "false" }, { "core.autocrlf", "false" },
		{ "init.defaultBranch", "main" }, { "advice.detachedHead", "false" },
		{ "gc.auto", "0" }, { "maintenance.auto", "false" }, { "safe.directory", "*" } };

	for (size_t i = 0; i < COUNT_OF(kept); i++)
		if (getenv(kept[i]) != NULL)
			strv_env_set(env, kept[i], getenv(kept[i]));
	for (size_t i = 0; i < COUNT_OF(fixed); i++)
		strv_add(env, fixed[i]);
	for (size_t i = 0; i < COUNT_OF(config); i++)
		set_config(g, config[i][0], config[i][1]);
}

/* --- secrets ----------------------------------------------------------------------------------- */

/* Where a secret is sent: this repository; on GitHub, as its own tools do, all of them, since submodules are
 * repositories beside it.  For free(). */
static char *
scope_of(const char *remote, const char *host, size_t len)
{
	if (starts_with(remote, "https://") &&
		((len == 10 && strncmp(host, "github.com", 10) == 0) ||
			(len == 14 && strncmp(host, "www.github.com", 14) == 0)))
		return xasprintf("https://%.*s/", (int)len, host);
	return xasprintf("%s://%s", starts_with(remote, "https://") ? "https" : "http", host);
}

/* The first that is given, as a header; 1, 0: none, -1. */
static int
find_secret(const struct strv *secrets, const char *host, bool is_https, struct buf *out,
	struct err *err)
{
	AUTO(strv) struct strv ids = STRV_INIT;

	strv_addf(&ids, "GIT_AUTH_HEADER.%s", host);
	strv_addf(&ids, "GIT_AUTH_TOKEN.%s", host);
	if (is_https) {
		strv_add(&ids, "GIT_AUTH_HEADER");
		strv_add(&ids, "GIT_AUTH_TOKEN");
	}
	for (size_t i = 0; i < ids.count; i++) {
		AUTO(secret) struct buf value = BUF_INIT, pair = BUF_INIT;
		int found = secret_line(secrets, ids.items[i], &value, err);

		if (found < 0)
			return -1;
		if (found == 0)
			continue;
		buf_adds(out, "Authorization: ");
		if (!starts_with(ids.items[i], "GIT_AUTH_TOKEN")) {
			buf_adds(out, value.data);
			return 1;
		}
		buf_addf(&pair, "x-access-token:%s", value.data);
		buf_adds(out, "basic ");
		base64_encode(pair.data, pair.len, out);
		return 1;
	}
	return 0;
}

/* With a secret no redirect is followed: git would send it along. */
static int
authorize(struct git *g, const struct strv *secrets, struct err *err)
{
	const char *remote = g->url->remote, *host = strstr(remote, "://"), *at;
	bool is_https = starts_with(remote, "https://");
	AUTO(secret) struct buf header = BUF_INIT;
	AUTO(free) char *name = NULL, *scope = NULL, *header_key = NULL, *redirect_key = NULL;
	size_t len;
	int found;

	if (secrets == NULL || secrets->count == 0 || host == NULL ||
		!(is_https || starts_with(remote, "http://")))
		return 0;
	host += 3;
	len = strcspn(host, "/?#");
	while ((at = memchr(host, '@', len)) != NULL) {
		len -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	name = xstrndup(host, len);
	found = find_secret(secrets, name, is_https, &header, err);
	if (found <= 0)
		return found;
	scope = scope_of(remote, host, len);
	header_key = xasprintf("http.%s.extraHeader", scope);
	redirect_key = xasprintf("http.%s.followRedirects", scope);
	set_config(g, header_key, header.data);
	set_config(g, redirect_key, "false");
	return 0;
}

/* --- calls ------------------------------------------------------------------------------------- */

/* What git died of first, else what it said last; one line. */
static const char *
reason(struct buf *text)
{
	const char *fatal = text->len > 0 ? strstr(text->data, "fatal: ") : NULL;
	char *line, *end;

	while (text->len > 0 && text->data[text->len - 1] == '\n')
		buf_truncate(text, text->len - 1);
	if (fatal != NULL) {
		end = text->data + (fatal - text->data);
		end[strcspn(end, "\n")] = '\0';
		return fatal + strlen("fatal: ");
	}
	line = text->len > 0 ? strrchr(text->data, '\n') : NULL;
	return line != NULL ? line + 1 : text->data;
}

/* 1, 0 when git said no (err is set all the same), -1.  out: what it printed, without its last newline; may
 * be NULL. */
static int
git_run(const struct git *g, const char *const *argv, struct buf *out, struct err *err)
{
	struct proc_options options = PROC_OPTIONS_INIT;
	AUTO(proc_result) struct proc_result r = PROC_RESULT_INIT;

	options.env = (const char *const *)g->env.items;
	options.dir = g->dir;
	options.limit = OUTPUT_MAX;
	options.timeout_ms = FETCH_GIT_MS;
	if (proc_run(argv, &options, &r, err) < 0)
		return err->kind == ERR_NOTFOUND
			       ? err_set(err, ERR_NOTFOUND,
					 "git is not installed, and is needed for this address")
			       : -1;
	if (r.status != 0) {
		err_set(err, ERR_REMOTE, "git %s: %s", argv[1], reason(&r.err));
		return 0;
	}
	if (out != NULL) {
		buf_adds(out, r.out.data);
		while (out->len > 0 && out->data[out->len - 1] == '\n')
			buf_truncate(out, out->len - 1);
	}
	return 1;
}

static int
must(const struct git *g, const char *const *argv, struct buf *out, struct err *err)
{
	return git_run(g, argv, out, err) > 0 ? 0 : -1;
}

static int
resolve(const struct git *g, const char *name, struct buf *out, struct err *err)
{
	AUTO(free) char *commit = xasprintf("%s^{commit}", name);
	const char *const argv[] = { "git", "rev-parse", "--verify", "-q", "--end-of-options",
		commit, NULL };

	buf_clear(out);
	return git_run(g, argv, out, err);
}

/* A short history first; servers that cannot (plain files over http) or do not (a commit by its name) give
 * all. */
static int
fetch_commit(const struct git *g, struct buf *out, struct err *err)
{
	const char *ref = g->url->ref != NULL ? g->url->ref : "HEAD";
	const char *const shallow[] = { "git", "fetch", "-q", "--depth=1", "--no-tags",
		"--no-recurse-submodules", "--", g->url->remote, ref, NULL };
	const char *const all[] = { "git", "fetch", "-q", "--no-recurse-submodules", "--",
		g->url->remote, "+HEAD:refs/cooper/HEAD", "+refs/heads/*:refs/cooper/heads/*",
		"+refs/tags/*:refs/cooper/tags/*", NULL };
	const char *const places[] = { "", "refs/cooper/", "refs/cooper/tags/",
		"refs/cooper/heads/" };
	int got = git_run(g, shallow, NULL, err);

	if (got < 0)
		return -1;
	if (got > 0)
		return resolve(g, "FETCH_HEAD", out, err) > 0 ? 0 : -1;
	if (must(g, all, NULL, err) < 0)
		return -1;
	if (starts_with(ref, "refs/"))
		ref += strlen("refs/");
	for (size_t i = git_url_is_commit(ref) ? 0 : 1; i < COUNT_OF(places); i++) {
		AUTO(free) char *name = xasprintf("%s%s", places[i], ref);

		got = resolve(g, name, out, err);
		if (got != 0)
			return got < 0 ? -1 : 0;
	}
	return err_set(err, ERR_NOTFOUND, "there is no ref '%s'",
		g->url->ref != NULL ? g->url->ref : "HEAD");
}

/* --- what is there ----------------------------------------------------------------------------- */

/* The commit that a line of ls-remote names, if its ref is exactly `name`. */
static bool
is_line_of(const char *line, const char *name, size_t *digits)
{
	*digits = strcspn(line, "\t");
	return line[*digits] == '\t' && streq(line + *digits + 1, name);
}

/* Of several refs that end alike, the one that a fetch takes; a tag stands for its commit.  "": none. */
static void
choose_ref(const struct strv *lines, const char *ref, struct buf *out)
{
	static const char *const places[] = { "", "refs/", "refs/tags/", "refs/heads/" };

	for (size_t i = 0; i < COUNT_OF(places) && out->len == 0; i++) {
		AUTO(free) char *name = xasprintf("%s%s", places[i], ref);
		AUTO(free) char *peeled = xasprintf("%s^{}", name);

		for (size_t k = 0; k < lines->count; k++) {
			size_t digits;
			bool is_peeled = is_line_of(lines->items[k], peeled, &digits);

			if (!is_peeled &&
				(out->len > 0 || !is_line_of(lines->items[k], name, &digits)))
				continue;
			buf_clear(out);
			buf_add(out, lines->items[k], digits);
		}
	}
}

/* 1: the ref is at a commit that is known.  Whatever goes wrong here, the fetch that follows will say. */
static bool
is_known(const struct git *g, const json_t *known, size_t *same)
{
	const char *ref = g->url->ref != NULL ? g->url->ref : "HEAD";
	AUTO(free) char *peeled = xasprintf("%s^{}", ref);
	const char *const argv[] = { "git", "ls-remote", "-q", "--", g->url->remote, ref, peeled,
		NULL };
	AUTO(buf) struct buf answer = BUF_INIT, commit = BUF_INIT;
	AUTO(strv) struct strv lines = STRV_INIT;
	struct err ignored;

	if (json_array_size(known) == 0 || git_run(g, argv, &answer, &ignored) <= 0)
		return false;
	strv_split(&lines, answer.data, "\n");
	choose_ref(&lines, ref, &commit);
	if (g->url->commit != NULL && !starts_with(commit.data, g->url->commit))
		return false;
	for (size_t i = 0; i < json_array_size(known); i++) {
		const json_t *facts = json_array_get(known, i);

		if (streq(json_string_value(json_object_get(facts, "commit")), commit.data)) {
			*same = i;
			return true;
		}
	}
	return false;
}

static int
submodules(const struct git *g, struct err *err)
{
	const char *const shallow[] = { "git", "submodule", "update", "-q", "--init", "--recursive",
		"--depth=1", NULL };
	const char *const all[] = { "git", "submodule", "update", "-q", "--init", "--recursive",
		NULL };
	struct stat st;
	int got;

	if (g->url->no_submodules || fstatat(g->dir, ".gitmodules", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(st.st_mode))
		return 0;
	got = git_run(g, shallow, NULL, err);
	return got == 0 ? must(g, all, NULL, err) : got > 0 ? 0 : -1;
}

/* --- what is left -------------------------------------------------------------------------------
 */

static int
visit_old(const struct entry *e, int dir, const char *name, void *arg, struct err *err)
{
	(void)e;
	if (utimensat(dir, name, arg, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "time of '%s'", name);
	return 0;
}

/* Submodules have a .git each: a file, or with old gits a directory. */
static int
visit_git(const struct entry *e, int dir, const char *name, void *arg, struct err *err)
{
	(void)e;
	(void)arg;
	if (!streq(name, ".git"))
		return 0;
	return path_remove(dir, name, err) < 0 ? -1 : 1;
}

static int
tidy(const struct git *g, struct err *err)
{
	const char *const argv[] = { "git", "log", "-1", "--format=%ct", "HEAD", NULL };
	struct tree_options options = TREE_OPTIONS_INIT;
	AUTO(buf) struct buf seconds = BUF_INIT;
	struct timespec times[2] = { { .tv_sec = 0 } };

	options.no_xattrs = true;
	if (must(g, argv, &seconds, err) < 0)
		return -1;
	times[0].tv_sec = times[1].tv_sec = (time_t)strtoll(seconds.data, NULL, 10);
	if (!g->url->keep_git_dir && tree_walk(g->dir, &options, visit_git, NULL, err) < 0)
		return -1;
	return tree_walk(g->dir, &options, visit_old, times, err);
}

static int
check_out(const struct git *g, struct buf *commit, struct err *err)
{
	const char *const init[] = { "git", "init", "-q", "--template=", NULL };
	const char *const remote[] = { "git", "remote", "add", "--", "origin", g->url->remote,
		NULL };

	if (must(g, init, NULL, err) < 0 || must(g, remote, NULL, err) < 0 ||
		fetch_commit(g, commit, err) < 0)
		return -1;
	if (g->url->commit != NULL && !starts_with(commit->data, g->url->commit))
		return err_set(err, ERR_CORRUPT, "expected checksum to match %s, got %s",
			g->url->commit, commit->data);
	{
		const char *const checkout[] = { "git", "checkout", "-q", "--detach", commit->data,
			"--", NULL };

		if (must(g, checkout, NULL, err) < 0)
			return -1;
	}
	return submodules(g, err) < 0 || tidy(g, err) < 0 ? -1 : 0;
}

/* The agent of --ssh default comes before that of our environment. */
static int
take_agent(struct git *g, const struct strv *ssh, struct err *err)
{
	AUTO(free) char *socket = NULL;
	int found = ssh != NULL ? ssh_relay_find(ssh, "default", &socket, err) : 0;

	if (found > 0)
		strv_env_set(&g->env, "SSH_AUTH_SOCK", socket);
	return found < 0 ? -1 : 0;
}

int
fetch_git(const struct fetch_job *job, size_t *same, json_t **facts, struct err *err)
{
	struct git g = { .url = &job->fetch->git, .dir = job->dir, .env = STRV_INIT };
	AUTO(buf) struct buf commit = BUF_INIT;
	mode_t mask = umask(022);
	int result;

	make_environment(&g);
	result = take_agent(&g, job->ssh, err);
	if (result == 0)
		result = authorize(&g, job->secrets, err);
	strv_addf(&g.env, "GIT_CONFIG_COUNT=%zu", g.configs);
	if (result == 0 && is_known(&g, job->known, same))
		result = 1;
	else if (result == 0)
		result = check_out(&g, &commit, err);
	secret_wipe_all(&g.env);
	umask(mask);
	if (result != 0)
		return result;
	*facts = json_object();
	json_object_set_new(*facts, "commit", json_string(commit.data));
	if (g.url->ref != NULL)
		json_object_set_new(*facts, "ref", json_text(g.url->ref));
	return 0;
}
