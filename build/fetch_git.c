/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/proc.h"
#include "base/strv.h"
#include "build/fetch.h"
#include "layers/tree.h"

/* fetch_git - git as a child.  It sees an environment of ours and nothing of the caller's configuration;
 * what a repository brings along (hooks, filters, file:// submodules, attributes of a system) does not
 * run.  No word that came from outside stands where git would take it for an option. */

#define OUTPUT_MAX 65536

struct git {
	const struct git_url *url;
	int dir;
	struct strv env;
};

static void
set_config(struct strv *env, size_t index, const char *key, const char *value)
{
	strv_addf(env, "GIT_CONFIG_KEY_%zu=%s", index, key);
	strv_addf(env, "GIT_CONFIG_VALUE_%zu=%s", index, value);
}

static void
make_environment(struct strv *env)
{
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
		set_config(env, i, config[i][0], config[i][1]);
	strv_addf(env, "GIT_CONFIG_COUNT=%zu", COUNT_OF(config));
}

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
visit_old(struct entry *e, int dir, const char *name, void *arg, struct err *err)
{
	(void)e;
	if (utimensat(dir, name, arg, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "time of '%s'", name);
	return 0;
}

/* Submodules have a .git each: a file, or with old gits a directory. */
static int
visit_git(struct entry *e, int dir, const char *name, void *arg, struct err *err)
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
check_out(const struct git *g, struct err *err)
{
	const char *const init[] = { "git", "init", "-q", "--template=", NULL };
	const char *const remote[] = { "git", "remote", "add", "--", "origin", g->url->remote,
		NULL };
	AUTO(buf) struct buf commit = BUF_INIT;

	if (must(g, init, NULL, err) < 0 || must(g, remote, NULL, err) < 0 ||
		fetch_commit(g, &commit, err) < 0)
		return -1;
	if (g->url->commit != NULL && !starts_with(commit.data, g->url->commit))
		return err_set(err, ERR_CORRUPT, "expected checksum to match %s, got %s",
			g->url->commit, commit.data);
	{
		const char *const checkout[] = { "git", "checkout", "-q", "--detach", commit.data,
			"--", NULL };

		if (must(g, checkout, NULL, err) < 0)
			return -1;
	}
	return submodules(g, err) < 0 || tidy(g, err) < 0 ? -1 : 0;
}

int
fetch_git(const struct git_url *url, int dir, struct err *err)
{
	struct git g = { .url = url, .dir = dir, .env = STRV_INIT };
	mode_t mask = umask(022);
	int result;

	make_environment(&g.env);
	result = check_out(&g, err);
	strv_free(&g.env);
	umask(mask);
	return result;
}
