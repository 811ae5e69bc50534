/* SPDX-License-Identifier: Apache-2.0 */
#include "build/fetch.h"

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

/* --- http ---------------------------------------------------------------------------------------
 */

struct sink_capped { /* what is fetched has an end */
	struct sink sink;
	struct sink *next;
	uint64_t left;
};

static int
capped_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	struct sink_capped *c = (struct sink_capped *)s;

	if (len > c->left)
		return err_set(err, ERR_INPUT, "it has more than %llu bytes",
			(unsigned long long)FETCH_SIZE_MAX);
	c->left -= len;
	return sink_write(c->next, bytes, len, err);
}

static int
capped_finish(struct sink *s, struct err *err)
{
	return sink_finish(((struct sink_capped *)s)->next, err);
}

static void
capped_free(struct sink *s)
{
	sink_free(((struct sink_capped *)s)->next);
	free(s);
}

static const struct sink_ops capped_ops = { capped_write, capped_finish, capped_free };

struct download {
	int fd;
	struct sink *sink;
	struct digest digest;
};

/* Each try begins anew. */
static int
accept_body(void *arg, const struct http_response *r, struct sink **out, struct err *err)
{
	struct download *d = arg;
	struct sink_capped *c;

	(void)r;
	if (ftruncate(d->fd, 0) < 0 || lseek(d->fd, 0, SEEK_SET) < 0)
		return err_sys(err, "write what is fetched");
	sink_free(d->sink);
	c = xzalloc(sizeof *c);
	c->sink.ops = &capped_ops;
	c->next = sink_digest(sink_fd(d->fd), &d->digest, NULL);
	c->left = FETCH_SIZE_MAX;
	d->sink = &c->sink;
	*out = d->sink;
	return 0;
}

static int
get_once(struct session *s, const struct url *url, enum address_class reach, struct download *d,
	struct http_response *r, struct err *err)
{
	AUTO(strv) struct strv headers = STRV_INIT;
	struct http_request q = { .method = "GET",
		.url = url,
		.headers = &headers,
		.proxy = session_proxy(s, url),
		.reach = reach,
		.accept = accept_body,
		.arg = d };
	struct retry retry;
	int result;

	strv_add(&headers, "Accept: */*");
	session_retry(s, &retry);
	do
		result = http_perform(session_http(s), &q, r, err);
	while (retry_again(&retry, result, r));
	return result;
}

static int
follow(const struct http_response *r, struct url *url, enum address_class *reach, struct err *err)
{
	const char *location = http_header(r, "location", 0);
	struct policy_verdict verdict;
	struct url next;

	if (location == NULL)
		return err_set(err, ERR_REMOTE, "a redirect that leads nowhere");
	if (url_resolve(url, location, &next, err) < 0 ||
		policy_decide(POLICY_REDIRECT, url, r->address, &next, &verdict, err) < 0)
		return -1;
	*url = next;
	*reach = verdict.reach;
	return 0;
}

static int
get(struct session *s, const struct url *first, struct download *d, struct http_response *r,
	struct err *err)
{
	struct url url = *first;
	enum address_class reach = ADDRESS_LINK_LOCAL;

	for (unsigned hops = 0;; hops++) {
		if (get_once(s, &url, reach, d, r, err) < 0)
			return -1;
		if (r->status >= 200 && r->status < 300)
			return 0;
		if (r->status < 300 || r->status >= 400 || r->status == 304)
			return err_set(err, ERR_REMOTE, "invalid response status %d", r->status);
		if (hops == FETCH_REDIRECTS_MAX)
			return err_set(
				err, ERR_REMOTE, "more than %d redirects", FETCH_REDIRECTS_MAX);
		if (follow(r, &url, &reach, err) < 0)
			return -1;
	}
}

/* RFC 9110 5.6.7; what else there may be counts as none. */
static time_t
last_modified(const struct http_response *r)
{
	static const char *const forms[] = { "%a, %d %b %Y %H:%M:%S GMT",
		"%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y" };
	const char *text = http_header(r, "last-modified", 0);

	for (size_t i = 0; text != NULL && i < COUNT_OF(forms); i++) {
		struct tm tm = { .tm_mday = 1 };
		const char *end = strptime(text, forms[i], &tm);

		if (end != NULL && *end == '\0')
			return timegm(&tm);
	}
	return 0;
}

static int
finish_file(
	const struct fetch *f, struct download *d, const struct http_response *r, struct err *err)
{
	struct timespec times[2] = { { .tv_sec = last_modified(r) } };

	times[1] = times[0];
	if (d->sink == NULL) /* an answer without a body */
		digest_of("", 0, &d->digest);
	else if (sink_finish(d->sink, err) < 0)
		return -1;
	if (f->checksum != NULL && !streq(f->checksum, d->digest.text))
		return err_set(
			err, ERR_CORRUPT, "digest mismatch %s: %s", d->digest.text, f->checksum);
	if (futimens(d->fd, times) < 0)
		return err_sys(err, "time of '%s'", f->name);
	return 0;
}

static int
download(const struct fetch *f, const struct session_options *options, int dir, const char *name,
	int *out, struct err *err)
{
	AUTO(session) struct session *s = NULL;
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	struct download d = { .sink = NULL };
	AUTO(fd) int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int result;

	d.fd = fd;
	if (fd < 0 || fchmod(fd, 0600) < 0)
		return err_sys(err, "'%s'", name);
	if (session_open(options, &s, err) < 0)
		return -1;
	result = get(s, &f->url, &d, &r, err);
	if (result == 0)
		result = finish_file(f, &d, &r, err);
	sink_free(d.sink);
	if (result < 0)
		return -1;
	if (out != NULL)
		*out = fd_steal(&fd);
	return 0;
}

static int
fetch_context(const struct fetch *f, const struct session_options *options, int dir, int scratch,
	struct err *err)
{
	AUTO(fd) int fd = -1;
	bool is_archive;

	if (download(f, options, scratch, "context", &fd, err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "read what was fetched");
	if (unpack_sniff(fd, &is_archive, err) < 0)
		return -1;
	if (is_archive)
		return unpack_context(stream_fd(fd_steal(&fd)), dir, err);
	if (renameat(scratch, "context", dir, "Dockerfile") < 0)
		return err_sys(err, "keep what was fetched");
	return 0;
}

/* --- all ----------------------------------------------------------------------------------------
 */

int
fetch_run(void *arg, json_t **unused, struct err *err)
{
	const struct fetch_job *job = arg;
	const struct fetch *f = job->fetch;
	int result = -1;

	(void)unused;
	switch (f->kind) {
	case FETCH_FILE:
		result = download(f, job->session, job->dir, f->name, NULL, err);
		break;
	case FETCH_CONTEXT:
		result = fetch_context(f, job->session, job->dir, job->scratch, err);
		break;
	case FETCH_GIT:
		result = fetch_git(&f->git, job->dir, err);
		break;
	}
	return result < 0 ? err_in(err, "%s", f->shown) : 0;
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
