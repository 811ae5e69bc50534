/* SPDX-License-Identifier: Apache-2.0 */
#include "build/fetch_inside.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "build/unpack.h"
#include "layers/digest.h"
#include "layers/stream.h"
#include "registry/http.h"
#include "registry/retry.h"

void
fetch_free(struct fetch *f)
{
	if (f == NULL)
		return;
	free(f->shown);
	free(f->name);
	free(f->checksum);
	git_url_free(&f->git);
	free(f);
}

void
auto_fetch(struct fetch **f)
{
	fetch_free(*f);
	*f = NULL;
}

/* --- what is named ------------------------------------------------------------------------------
 */

static bool
is_http(const char *text)
{
	return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

bool
fetch_same(const struct fetch *a, const struct fetch *b)
{
	if (a->kind != b->kind || !streq(a->shown, b->shown) || !streq(a->name, b->name) ||
		!streq(a->checksum, b->checksum))
		return false;
	if (a->kind == FETCH_GIT)
		return streq(a->git.remote, b->git.remote) && streq(a->git.ref, b->git.ref) &&
		       streq(a->git.subdir, b->git.subdir) && streq(a->git.commit, b->git.commit) &&
		       a->git.keep_git_dir == b->git.keep_git_dir &&
		       a->git.no_submodules == b->git.no_submodules;
	return url_same_origin(&a->url, &b->url) && streq(a->url.target, b->url.target);
}

/* A user and password before '@' are for git alone. */
static char *
without_secret(const char *text)
{
	const char *host = strstr(text, "://"), *at;

	if (host == NULL)
		return xstrdup(text);
	host += 3;
	at = host + strcspn(host, "/?#");
	while (at > host && at[-1] != '@')
		at--;
	if (at == host || memchr(host, ':', (size_t)(at - host)) == NULL)
		return xstrdup(text);
	return xasprintf("%.*sxxxxx:xxxxx@%s", (int)(host - text), text, at);
}

/* The last part of the path, escapes undone. */
static char *
name_of(const struct url *url)
{
	AUTO(buf) struct buf path = BUF_INIT;
	size_t len = strcspn(url->target, "?#");
	const char *name;
	char hex[3] = "";

	for (size_t i = 0; i < len; i++) {
		char c = url->target[i];

		if (c == '%' && i + 2 < len) {
			memcpy(hex, url->target + i + 1, 2);
			if (strspn(hex, "0123456789abcdefABCDEF") == 2) {
				c = (char)strtoul(hex, NULL, 16);
				i += 2;
			}
		}
		buf_addc(&path, c != '\0' ? c : '_');
	}
	while (path.len > 1 && path.data[path.len - 1] == '/')
		buf_truncate(&path, path.len - 1);
	name = path_base(path.data);
	if (*name == '\0' || streq(name, ".") || streq(name, "..") || strlen(name) > 255)
		name = "__unnamed__";
	return xstrdup(name);
}

static int
of_text(const char *text, enum git_url_place place, enum fetch_kind kind, struct fetch **out,
	struct err *err)
{
	AUTO(fetch) struct fetch *f = xzalloc(sizeof *f);
	int is_git = git_url_parse(text, place, &f->git, err);
	AUTO(buf) struct buf shown = BUF_INIT;

	if (is_git < 0)
		return -1;
	if (is_git > 0) {
		f->kind = FETCH_GIT;
		f->shown = without_secret(text);
		*out = steal(&f);
		return 1;
	}
	if (!is_http(text))
		return 0;
	f->kind = kind;
	if (url_parse(text, &f->url, err) < 0)
		return err_in(err, "address");
	url_show(&f->url, &shown);
	f->shown = buf_steal(&shown);
	f->name = name_of(&f->url);
	*out = steal(&f);
	return 1;
}

int
fetch_of_source(const char *text, struct fetch **out, struct err *err)
{
	return of_text(text, GIT_URL_SOURCE, FETCH_FILE, out, err);
}

int
fetch_of_context(const char *text, struct fetch **out, struct err *err)
{
	return of_text(text, GIT_URL_CONTEXT, FETCH_CONTEXT, out, err);
}

/* --- all ----------------------------------------------------------------------------------------
 */

static int
fetch_context(const struct fetch_job *job, size_t *same, json_t **facts, struct err *err)
{
	AUTO(fd) int fd = -1;
	bool is_archive;
	int got = fetch_http(job, job->scratch, "context", &fd, same, facts, err);

	if (got != 0)
		return got;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "read what was fetched");
	if (unpack_sniff(fd, &is_archive, err) < 0)
		return -1;
	if (is_archive)
		return unpack_context(stream_fd(fd_steal(&fd)), job->dir, err);
	if (renameat(job->scratch, "context", job->dir, "Dockerfile") < 0)
		return err_sys(err, "keep what was fetched");
	return 0;
}

int
fetch_run(void *arg, json_t **result, struct err *err)
{
	const struct fetch_job *job = arg;
	const struct fetch *f = job->fetch;
	AUTO(json) json_t *facts = NULL;
	size_t same = 0;
	int got = -1;

	switch (f->kind) {
	case FETCH_FILE:
		got = fetch_http(job, job->dir, f->name, NULL, &same, &facts, err);
		break;
	case FETCH_CONTEXT:
		got = fetch_context(job, &same, &facts, err);
		break;
	case FETCH_GIT:
		got = fetch_git(job, &same, &facts, err);
		break;
	}
	if (got < 0)
		return err_in(err, "%s", f->shown);
	if (got > 0) {
		*result = json_object();
		json_object_set_new(*result, "same", json_integer((json_int_t)same));
	} else {
		*result = steal(&facts);
	}
	return 0;
}

static const char *
fact(const json_t *facts, const char *name)
{
	return json_string_value(json_object_get(facts, name));
}

/* All digits of a commit: what it names can never be anything else. */
static bool
is_whole(const char *commit)
{
	return commit != NULL && git_url_is_commit(commit) &&
	       (strlen(commit) == 40 || strlen(commit) == 64);
}

static bool
is_pinned(const struct fetch *f, const json_t *facts)
{
	const char *commit = fact(facts, "commit");

	if (f->kind != FETCH_GIT)
		return f->checksum != NULL && streq(f->checksum, fact(facts, "digest"));
	if (commit == NULL || (f->git.commit != NULL && !starts_with(commit, f->git.commit)))
		return false;
	return (is_whole(f->git.ref) && streq(f->git.ref, commit)) ||
	       (is_whole(f->git.commit) && streq(f->git.ref, fact(facts, "ref")));
}

bool
fetch_pinned(const struct fetch *f, const json_t *known, size_t *out)
{
	for (size_t i = 0; i < json_array_size(known); i++)
		if (is_pinned(f, json_array_get(known, i))) {
			*out = i;
			return true;
		}
	return false;
}

void
fetch_identity(const struct fetch *f, struct digest *out)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(free) char *remote = NULL;

	buf_addf(&text, "%d\n", (int)f->kind);
	if (f->kind == FETCH_GIT) {
		remote = without_secret(f->git.remote);
		buf_addf(&text, "%s\n%d%d", remote, f->git.keep_git_dir, f->git.no_submodules);
	} else {
		url_format(&f->url, &text);
	}
	digest_of(text.data, text.len, out);
}

int
fetch_open(const struct fetch *f, int dir, struct err *err)
{
	/* its own position: the worker's reading has moved the one they share */
	AUTO(fd) int at = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(strv) struct strv parts = STRV_INIT;

	if (at < 0)
		return err_sys(err, "%s", f->shown);
	if (f->kind == FETCH_GIT && f->git.subdir != NULL)
		strv_split(&parts, f->git.subdir, "/");
	for (size_t i = 0; i < parts.count; i++) {
		int next =
			openat(at, parts.items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (next < 0)
			return err_sys(err, "%s: subdir '%s'", f->shown, f->git.subdir);
		close(at);
		at = next;
	}
	return fd_steal(&at);
}
