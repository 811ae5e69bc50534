/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "build/fetch_inside.h"
#include "build/secret.h"
#include "layers/digest.h"
#include "layers/stream.h"
#include "registry/http.h"
#include "registry/retry.h"

/* fetch_http - a file by http(s).  What was fetched before is asked about by its strong ETag; without one,
 * by a HEAD whose Last-Modified and length are those of before: servers answer If-Modified-Since with "not
 * modified" also for a file that was replaced by an older one.  Only the very address that answered before
 * is asked so, for another one may use the same tags for other files. */

#define TAG_MAX 1024
#define SETTLED_S 60 /* a file younger than this may change again within the second of its time */

/* --- what comes -------------------------------------------------------------------------------- */

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

/* --- who asks ---------------------------------------------------------------------------------- */

/* HTTP_AUTH_TOKEN_<host> comes before HTTP_AUTH_HEADER_<host>, as in BuildKit. */
static int
authorization(const struct fetch_job *job, struct strv *headers, struct err *err)
{
	static const struct {
		const char *prefix, *scheme;
	} forms[] = { { "HTTP_AUTH_TOKEN_", "Bearer " }, { "HTTP_AUTH_HEADER_", "" } };
	const char *host = job->fetch->url.host;
	size_t len = strlen(host);

	if (job->secrets == NULL)
		return 0;
	if (host[0] == '[' && len > 2) {
		host++;
		len -= 2;
	}
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		AUTO(free) char *id = xasprintf("%s%.*s", forms[i].prefix, (int)len, host);
		AUTO(secret) struct buf value = BUF_INIT;
		int found = secret_line(job->secrets, id, &value, err);

		if (found < 0)
			return -1;
		if (found == 0)
			continue;
		strv_addf(headers, "Authorization: %s%s", forms[i].scheme, value.data);
		return 0;
	}
	return 0;
}

/* --- what is known ----------------------------------------------------------------------------- */

static const char *
fact(const json_t *facts, const char *name)
{
	return json_string_value(json_object_get(facts, name));
}

/* The latest of this very address; NULL: none. */
static const json_t *
known_at(const json_t *known, const char *address, size_t *index)
{
	for (size_t i = 0; i < json_array_size(known); i++)
		if (streq(fact(json_array_get(known, i), "address"), address)) {
			*index = i;
			return json_array_get(known, i);
		}
	return NULL;
}

static void
name_address(const struct url *url, struct digest *out)
{
	AUTO(buf) struct buf text = BUF_INIT;

	url_format(url, &text);
	digest_of(text.data, text.len, out);
}

/* RFC 9110 5.6.7; what else there may be counts as none. */
static time_t
header_time(const struct http_response *r, const char *name)
{
	static const char *const forms[] = { "%a, %d %b %Y %H:%M:%S GMT",
		"%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y" };
	const char *text = http_header(r, name, 0);

	for (size_t i = 0; text != NULL && i < COUNT_OF(forms); i++) {
		struct tm tm = { .tm_mday = 1 };
		const char *end = strptime(text, forms[i], &tm);

		if (end != NULL && *end == '\0')
			return timegm(&tm);
	}
	return 0;
}

static json_t *
facts_of(const struct http_response *r, const char *address, const struct download *d)
{
	const char *tag = http_header(r, "etag", 0), *time = http_header(r, "last-modified", 0);
	json_t *facts = json_object();

	json_object_set_new(facts, "address", json_string(address));
	json_object_set_new(facts, "digest", json_string(d->digest.text));
	json_object_set_new(facts, "size", json_integer((json_int_t)r->received));
	if (tag != NULL && tag[0] == '"' && strlen(tag) <= TAG_MAX)
		json_object_set_new(facts, "etag", json_text(tag));
	else if (time != NULL && strlen(time) <= TAG_MAX && header_time(r, "last-modified") > 0 &&
		 header_time(r, "date") - header_time(r, "last-modified") >= SETTLED_S)
		json_object_set_new(facts, "modified", json_text(time));
	return facts;
}

/* --- asking ------------------------------------------------------------------------------------ */

struct hop {
	struct session *session;
	struct url url;
	enum address_class reach;
	struct strv headers;
};

static int
ask(const struct hop *hop, const char *method, struct download *d, struct http_response *r,
	struct err *err)
{
	struct http_request q = { .method = method,
		.url = &hop->url,
		.headers = &hop->headers,
		.proxy = session_proxy(hop->session, &hop->url),
		.reach = hop->reach,
		.accept = d != NULL ? accept_body : NULL,
		.arg = d };
	struct retry retry;
	int result;

	session_retry(hop->session, &retry);
	do
		result = http_perform(session_http(hop->session), &q, r, err);
	while (retry_again(&retry, result, r));
	return result;
}

/* Whether a HEAD says the same as before. */
static bool
looks_the_same(const struct hop *hop, const json_t *facts)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	const char *modified = fact(facts, "modified"), *length;
	json_int_t size = json_integer_value(json_object_get(facts, "size"));
	struct err ignored;

	if (modified == NULL || ask(hop, "HEAD", NULL, &r, &ignored) < 0 || r.status != 200)
		return false;
	length = http_header(&r, "content-length", 0);
	return streq(http_header(&r, "last-modified", 0), modified) && length != NULL &&
	       strtoll(length, NULL, 10) == size;
}

/* The headers of one request: a secret goes to the origin it was given for, and nowhere else. */
static int
dress(const struct fetch_job *job, struct hop *hop, const json_t *facts, struct err *err)
{
	secret_wipe_all(&hop->headers);
	strv_add(&hop->headers, "Accept: */*");
	if (fact(facts, "etag") != NULL)
		strv_addf(&hop->headers, "If-None-Match: %s", fact(facts, "etag"));
	if (!url_same_origin(&hop->url, &job->fetch->url))
		return 0;
	return authorization(job, &hop->headers, err);
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

/* 1: what is known at *same is there still; 0: d has the bytes. */
static int
get(const struct fetch_job *job, struct hop *hop, struct download *d, struct http_response *r,
	size_t *same, json_t **facts, struct err *err)
{
	for (unsigned hops = 0;; hops++) {
		struct digest address;
		const json_t *before;

		name_address(&hop->url, &address);
		before = known_at(job->known, address.text, same);
		if (dress(job, hop, before, err) < 0)
			return -1;
		if (before != NULL && looks_the_same(hop, before))
			return 1;
		if (ask(hop, "GET", d, r, err) < 0)
			return -1;
		if (r->status == 304 && fact(before, "etag") != NULL)
			return 1;
		if (r->status >= 200 && r->status < 300) {
			if (d->sink == NULL) /* an answer without a body */
				digest_of("", 0, &d->digest);
			else if (sink_finish(d->sink, err) < 0)
				return -1;
			*facts = facts_of(r, address.text, d);
			return 0;
		}
		if (r->status < 300 || r->status >= 400 || r->status == 304)
			return err_set(err, ERR_REMOTE, "invalid response status %d", r->status);
		if (hops == FETCH_REDIRECTS_MAX)
			return err_set(
				err, ERR_REMOTE, "more than %d redirects", FETCH_REDIRECTS_MAX);
		if (follow(r, &hop->url, &hop->reach, err) < 0)
			return -1;
	}
}

static int
check_file(const struct fetch *f, const struct download *d, const struct http_response *r,
	struct err *err)
{
	struct timespec times[2] = { { .tv_sec = header_time(r, "last-modified") } };

	times[1] = times[0];
	if (f->checksum != NULL && !streq(f->checksum, d->digest.text))
		return err_set(
			err, ERR_CORRUPT, "digest mismatch %s: %s", d->digest.text, f->checksum);
	if (futimens(d->fd, times) < 0)
		return err_sys(err, "time of '%s'", f->name);
	return 0;
}

int
fetch_http(const struct fetch_job *job, int dir, const char *name, int *out, size_t *same,
	json_t **facts, struct err *err)
{
	const struct fetch *f = job->fetch;
	AUTO(session) struct session *s = NULL;
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	struct hop hop = { .url = f->url, .reach = ADDRESS_LINK_LOCAL, .headers = STRV_INIT };
	struct download d = { .sink = NULL };
	AUTO(fd) int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int result;

	d.fd = fd;
	if (fd < 0 || fchmod(fd, 0600) < 0)
		return err_sys(err, "'%s'", name);
	if (session_open(job->session, &s, err) < 0)
		return -1;
	hop.session = s;
	result = get(job, &hop, &d, &r, same, facts, err);
	if (result == 0)
		result = check_file(f, &d, &r, err);
	sink_free(d.sink);
	secret_wipe_all(&hop.headers);
	if (result == 0 && out != NULL)
		*out = fd_steal(&fd);
	return result;
}
