/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/examine.h"

#include <inttypes.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "layers/oci.h"
#include "registry/credentials.h"
#include "registry/host.h"
#include "registry/request.h"
#include "registry/route.h"

#define ADDRESSES_MAX 8
/* Docker Hub has it for this question, which does not count. */
#define HUB_PREVIEW "ratelimitpreview/test"
#define NO_IMAGE "sha256:0000000000000000000000000000000000000000000000000000000000000000"

void
auto_examine(struct examine *e)
{
	size_t i;

	for (i = 0; i < e->count; i++)
		free(e->rows[i].text);
	free(e->rows);
	*e = (struct examine)EXAMINE_INIT;
}

static void __attribute__((format(printf, 4, 5)))
say(struct examine *e, const char *what, enum examine_grade grade, const char *fmt, ...)
{
	va_list ap;

	e->rows = grow(e->rows, e->count, &e->room, sizeof *e->rows);
	e->rows[e->count] = (struct examine_row){ .what = what, .grade = grade };
	va_start(ap, fmt);
	e->rows[e->count++].text = xvasprintf(fmt, ap);
	va_end(ap);
}

static void
get_base(struct host *h, struct url *out)
{
	pthread_mutex_lock(&h->lock);
	*out = h->base;
	pthread_mutex_unlock(&h->lock);
}

static void
examine_address(struct session *s, struct host *h, struct examine *out)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL, *a;
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(free) char *name = NULL;
	struct url base;
	unsigned count = 0;
	int result;

	get_base(h, &base);
	if (session_proxy(s, &base) != NULL) {
		say(out, "address", EXAMINE_NOTE, "%s, which a proxy looks up", base.host);
		return;
	}
	name = base.host[0] == '[' ? xstrndup(base.host + 1, strlen(base.host) - 2)
				   : xstrdup(base.host);
	result = getaddrinfo(name, NULL, &hints, &list);
	for (a = result == 0 ? list : NULL; a != NULL && count < ADDRESSES_MAX; a = a->ai_next) {
		char numbers[NI_MAXHOST];

		if (getnameinfo(a->ai_addr, a->ai_addrlen, numbers, sizeof numbers, NULL, 0,
			    NI_NUMERICHOST) == 0)
			buf_addf(&text, "%s%s", count++ > 0 ? ", " : "", numbers);
	}
	if (result == 0)
		freeaddrinfo(list);
	if (count == 0)
		say(out, "address", EXAMINE_BAD, "%s: %s", base.host, gai_strerror(result));
	else
		say(out, "address", EXAMINE_GOOD, "%s: %s", base.host, text.data);
}

static const char *
certificate_line(const struct http_response *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->certificate.count; i++)
		if (starts_with(r->certificate.items[i], name))
			return r->certificate.items[i] + strlen(name);
	return "unknown";
}

/* Only to see who is there: an answer of any kind will do. */
static void
examine_tls(struct session *s, struct host *h, struct examine *out)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	struct policy_verdict verdict;
	struct url base;
	struct http_request q = { .method = "GET",
		.url = &base,
		.tls = &h->tls,
		.connect_ms = h->connect_ms,
		.wants_certificate = true };
	struct err err;

	get_base(h, &base);
	if (!base.secure) {
		say(out, "tls", EXAMINE_NOTE, "none: plain http, by configuration");
		return;
	}
	if (policy_decide(POLICY_REQUEST, &base, h->address, &base, &verdict, &err) < 0)
		return;
	q.reach = verdict.reach;
	q.proxy = session_proxy(s, &base);
	if (http_perform(session_http(s), &q, &r, &err) < 0) {
		say(out, "tls", h->may_be_plain ? EXAMINE_NOTE : EXAMINE_BAD, "%s%s", err.msg,
			h->may_be_plain ? " (plain http is tried)" : "");
		return;
	}
	say(out, "tls", h->tls.skip_verify ? EXAMINE_NOTE : EXAMINE_GOOD, "%s%s%s",
		h->tls.skip_verify ? "the certificate is not checked"
				   : "the certificate is trusted",
		h->certs != NULL ? ", with what is in " : "", h->certs != NULL ? h->certs : "");
	say(out, "certificate", EXAMINE_GOOD, "signed by %s, valid until %s",
		certificate_line(&r, "Issuer:"), certificate_line(&r, "Expire date:"));
	if (h->tls.certificate != NULL)
		say(out, "client", EXAMINE_GOOD, "we show the certificate in %s",
			h->tls.certificate);
}

static void
examine_credential(struct session *s, struct host *h, const char *repository, struct examine *out)
{
	const struct credential *c;
	struct err err;

	if (session_credential(s, h, repository, &c, &err) < 0)
		say(out, "credentials", EXAMINE_BAD, "%s", err.msg);
	else if (credential_is_anonymous(c))
		say(out, "credentials", EXAMINE_NOTE, "none: anonymous");
	else
		say(out, "credentials", EXAMINE_GOOD, "%s%s, from %s",
			c->registry_token != NULL   ? "a bearer token"
			: c->identity_token != NULL ? "an identity token"
						    : "a password of ",
			c->registry_token == NULL && c->identity_token == NULL &&
					c->username != NULL
				? c->username
				: "",
			c->source != NULL ? c->source : "nowhere");
}

static void
say_authentication(struct host *h, int status, struct examine *out)
{
	AUTO(free) char *realm = NULL;
	enum host_auth auth;

	pthread_mutex_lock(&h->lock);
	auth = h->auth;
	realm = xstrdup(h->realm != NULL ? h->realm : "");
	pthread_mutex_unlock(&h->lock);
	realm[strcspn(realm, "?")] = '\0';
	if (auth == HOST_AUTH_UNKNOWN && status != 200) {
		say(out, "authentication", EXAMINE_BAD, "required, and there are no credentials");
		return;
	}
	say(out, "authentication", status == 200 ? EXAMINE_GOOD : EXAMINE_BAD, "%s%s%s",
		auth == HOST_AUTH_BASIC    ? "basic"
		: auth == HOST_AUTH_BEARER ? "bearer, with tokens of "
					   : "nobody is asked who they are",
		auth == HOST_AUTH_BEARER ? realm : "",
		auth == HOST_AUTH_UNKNOWN ? ""
		: status == 200           ? ": accepted"
					  : ": refused");
}

/* Whether it answers and lets us in. */
static bool
examine_ping(struct session *s, struct host *h, const char *repository, struct examine *out)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	struct request q = { .method = "GET", .path = "/v2/", .repository = repository };
	struct url at;
	struct err err;

	if (request_send(s, h, &q, &r, &at, &err) < 0) {
		say(out, "answer", EXAMINE_BAD, "%s", err.msg);
		return false;
	}
	if (r.status != 200 && r.status != 401) {
		request_failed(s, h, &q, &r, &at, &err);
		say(out, "answer", EXAMINE_BAD, "%s", err.msg);
		return false;
	}
	say(out, "answer",
		at.secure || h->address == ADDRESS_LOOPBACK ? EXAMINE_GOOD : EXAMINE_NOTE,
		"%d over %s", r.status, at.secure ? "https" : "plain http");
	say_authentication(h, r.status, out);
	return r.status == 200;
}

static void
examine_quota(struct session *s, struct host *h, const char *repository, const char *name,
	struct examine *out)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	bool is_hub = strcasecmp(h->name, REF_HOST_DOCKER_HUB) == 0 ||
		      strcasecmp(h->name, HOST_HUB_API) == 0;
	AUTO(free)
	char *path = xasprintf(
		"/v2/%s/manifests/%s", is_hub ? HUB_PREVIEW : repository, is_hub ? "latest" : name);
	AUTO(free)
	char *scope = xasprintf("repository:%s:pull", is_hub ? HUB_PREVIEW : repository);
	struct request q = {
		.method = "HEAD", .path = path, .repository = repository, .scope = scope
	};
	const char *limit, *left;
	struct err err;

	if (!is_hub && repository[0] == '\0')
		return;
	if (request_send(s, h, &q, &r, NULL, &err) < 0)
		return;
	limit = http_header(&r, "ratelimit-limit", 0);
	left = http_header(&r, "ratelimit-remaining", 0);
	if (limit == NULL && left == NULL)
		say(out, "rate limit", EXAMINE_NOTE, "it does not say");
	else
		say(out, "rate limit",
			left != NULL && strtoull(left, NULL, 10) == 0 ? EXAMINE_BAD : EXAMINE_GOOD,
			"%s left of %s", left != NULL ? left : "unknown",
			limit != NULL ? limit : "unknown");
}

static void
examine_referrers(struct session *s, struct host *h, const char *repository, struct examine *out)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(free) char *path = xasprintf("/v2/%s/referrers/" NO_IMAGE, repository);
	AUTO(free) char *scope = xasprintf("repository:%s:pull", repository);
	struct request q = {
		.method = "GET", .path = path, .repository = repository, .scope = scope
	};
	const char *type;
	struct err err;

	if (repository[0] == '\0') {
		say(out, "referrers", EXAMINE_NOTE, "name a repository to know");
		return;
	}
	if (request_send(s, h, &q, &r, NULL, &err) < 0)
		return;
	type = http_header(&r, "content-type", 0);
	if (r.status == 200 && type != NULL && starts_with(type, MEDIA_OCI_INDEX))
		say(out, "referrers", EXAMINE_GOOD, "the registry lists them");
	else if (r.status == 401 || r.status == 403 || r.status == 429 || r.status >= 500)
		say(out, "referrers", EXAMINE_NOTE, "not known: %d", r.status);
	else
		say(out, "referrers", EXAMINE_NOTE,
			"the registry does not list them; the tag sha256-<hex> is used");
}

/* From uploads before: asking would be one. */
static void
say_uploads(struct host *h, struct examine *out)
{
	struct memory_host can;
	AUTO(buf) struct buf text = BUF_INIT;

	host_can(h, &can);
	if (can.no_monolithic)
		buf_adds(&text, "large blobs in one piece are refused; ");
	if (can.no_chunks)
		buf_adds(&text, "chunks get lost; ");
	if (can.small_chunks)
		buf_adds(&text, "chunks of at most 4 MiB; ");
	if (can.no_mount)
		buf_adds(&text, "mounts are refused; ");
	if (can.chunk_min > 0)
		buf_addf(&text, "chunks of at least %" PRIu64 " bytes; ", can.chunk_min);
	if (text.len >= 2)
		buf_truncate(&text, text.len - 2);
	say(out, "uploads", EXAMINE_NOTE, "%s",
		text.len > 0 ? text.data
			     : "nothing is known against it (what a push learns is kept)");
}

static void
examine_mirror(struct session *s, const struct route_stop *stop, struct examine *out)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	struct request q = { .method = "GET", .path = "/v2/", .repository = stop->repository };
	struct err err;

	if (request_send(s, stop->host, &q, &r, NULL, &err) < 0)
		say(out, "mirror", EXAMINE_BAD, "%s: %s", stop->host->name, err.msg);
	else
		say(out, "mirror", r.status == 200 ? EXAMINE_GOOD : EXAMINE_BAD, "%s: %d%s%s",
			stop->host->name, r.status,
			stop->no_resolve ? ", not asked what tags mean" : "",
			stop->no_pull ? ", asked only what tags mean" : "");
}

int
examine_registry(struct session *s, const struct ref *ref, bool has_repository, struct examine *out,
	struct err *err)
{
	struct route route;
	const struct route_stop *last;
	const char *repository;
	const char *proxy;
	struct url base;
	bool is_good;
	size_t i;

	if (route_find(s, ref, ROUTE_READ, &route, err) < 0)
		return -1;
	last = &route.stops[route.count - 1];
	repository = has_repository ? last->repository : "";
	say(out, "configuration", EXAMINE_GOOD, "%s",
		route.file != NULL ? route.file
				   : "neither registries.conf nor hosts.toml has more");
	say(out, "registry", EXAMINE_GOOD, "%s", last->host->name);
	for (i = 0; i + 1 < route.count; i++)
		examine_mirror(s, &route.stops[i], out);
	get_base(last->host, &base);
	proxy = session_proxy(s, &base);
	if (proxy != NULL)
		say(out, "proxy", EXAMINE_NOTE, "as the environment says");
	examine_address(s, last->host, out);
	examine_tls(s, last->host, out);
	examine_credential(s, last->host, repository, out);
	is_good = examine_ping(s, last->host, repository, out);
	if (is_good) {
		examine_quota(s, last->host, repository, ref_name(ref), out);
		examine_referrers(s, last->host, repository, out);
	}
	say_uploads(last->host, out);
	return is_good;
}
