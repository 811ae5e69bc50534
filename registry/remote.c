/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/remote.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "registry/download.h"
#include "registry/host.h"
#include "registry/mirrors.h"
#include "registry/remote_repository.h"
#include "registry/reply.h"
#include "registry/retry.h"
#include "registry/route.h"
#include "registry/upload.h"
#include "registry/upload_chunks.h"

/* Never a bare wildcard: a registry answers with whatever it thinks old clients know. */
#define ACCEPT                                                                    \
	"Accept: " MEDIA_OCI_INDEX ", " MEDIA_OCI_MANIFEST ", " MEDIA_DOCKER_LIST \
	", " MEDIA_DOCKER_MANIFEST ", */*;q=0.1"

#define MOUNT_FROM_MAX 8
#define MOUNT_ONCE_SIZE 65536

/* An upload session that a failed mount has opened. */
struct opened {
	struct digest digest;
	struct url location;
	struct opened *next;
};

struct remote {
	struct place place;
	struct repository repository;
	char *name, *scope;
	pthread_mutex_t lock; /* of all below */
	struct opened *opened;
	struct strv mount_from; /* repositories that may have a blob */
	struct buf last;        /* the manifest that was put last: it is the one to be tagged */
	struct digest last_digest;
};

static const struct place_ops remote_ops;

static struct remote *
of(struct place *p)
{
	return (struct remote *)(void *)p;
}

static bool
is_document(const char *media_type)
{
	return media_is_index(media_type) || media_is_manifest(media_type) ||
	       starts_with(media_type, "application/vnd.docker.distribution.manifest.") ||
	       starts_with(media_type, "application/vnd.oci.artifact.manifest.");
}

static char *
path_of(const struct remote *m, const struct descriptor *d)
{
	return xasprintf("/v2/%s/%s/%s", m->name,
		is_document(d->media_type) ? "manifests" : "blobs", d->digest.text);
}

static struct request
request_of(const struct remote *m, const char *method, const char *path, const struct strv *headers)
{
	return (struct request){ .method = method,
		.path = path,
		.repository = m->name,
		.scope = m->scope,
		.headers = headers };
}

static int
ask(struct remote *m, const struct request *q, struct http_response *r, struct url *at,
	struct err *err)
{
	return request_send(m->repository.session, m->repository.host, q, r, at, err);
}

static int
failed(struct remote *m, const struct request *q, const struct http_response *r,
	const struct url *at, struct err *err)
{
	return request_failed(m->repository.session, m->repository.host, q, r, at, err);
}

/* 1: the headers say it all, 0: the body is needed. */
static int
from_headers(const struct http_response *r, const struct digest *asked, struct descriptor *out,
	struct err *err)
{
	const char *digest = http_header(r, "docker-content-digest", 0);
	const char *length = http_header(r, "content-length", 0);
	const char *type = http_header(r, "content-type", 0);
	struct digest said;
	struct err ignored;

	if (digest == NULL || length == NULL || type == NULL ||
		digest_parse(digest, &said, &ignored) < 0)
		return 0;
	if (!digest_is_empty(asked)) {
		if (digest_algorithm(&said) != digest_algorithm(asked))
			return 0;
		if (!digest_same(&said, asked))
			return err_set(err, ERR_CORRUPT, "asked for %s, the registry has %s",
				asked->text, said.text);
	}
	out->digest = said;
	out->size = strtoull(length, NULL, 10);
	media_type_clean(type, out->media_type);
	return out->size > 0 && out->size <= MANIFEST_MAX && is_document(out->media_type);
}

/* What the document itself says, where the header says nothing of use. */
static int
sniff(const struct http_response *r, struct descriptor *out, struct err *err)
{
	AUTO(json) json_t *doc = NULL;
	const char *type = http_header(r, "content-type", 0), *said = NULL;

	media_type_clean(type != NULL ? type : "", out->media_type);
	if (is_document(out->media_type))
		return 0;
	if (json_parse(r->body.data, r->body.len, &doc, err) < 0 || !json_is_object(doc))
		return err_set(
			err, ERR_INPUT, "the answer is no manifest but '%s'", out->media_type);
	if (json_get_string(doc, "mediaType", &said, err) < 0)
		return -1;
	if (said != NULL)
		media_type_clean(said, out->media_type);
	else if (json_object_get(doc, "manifests") != NULL)
		media_type_clean(MEDIA_OCI_INDEX, out->media_type);
	else if (json_object_get(doc, "layers") != NULL)
		media_type_clean(MEDIA_OCI_MANIFEST, out->media_type);
	return 0;
}

static int
from_body(const struct http_response *r, const struct digest *asked, struct descriptor *out,
	struct err *err)
{
	if (sniff(r, out, err) < 0)
		return -1;
	out->size = r->body.len;
	if (digest_is_empty(asked)) {
		digest_of(r->body.data, r->body.len, &out->digest);
		return upload_check_digest(r, &out->digest, err);
	}
	out->digest = *asked;
	return digest_check(asked, r->body.data, r->body.len, err);
}

static int
resolve_get(struct remote *m, const char *path, const struct strv *headers,
	const struct digest *asked, struct descriptor *out, struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	struct request q = request_of(m, "GET", path, headers);
	struct url at;

	q.limit = MANIFEST_MAX;
	if (ask(m, &q, &r, &at, err) < 0)
		return -1;
	if (r.status != 200)
		return failed(m, &q, &r, &at, err);
	return from_body(&r, asked, out, err);
}

static int
remote_resolve(struct place *p, const char *name, struct descriptor *out, struct err *err)
{
	struct remote *m = of(p);
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(strv) struct strv headers = STRV_INIT;
	AUTO(free)
	char *path = xasprintf("/v2/%s/manifests/%s", m->name, name != NULL ? name : "latest");
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	struct digest asked = { .text = "" };
	struct request q = request_of(m, "HEAD", path, &headers);
	struct url at;
	int known = 0;

	if (name != NULL && strchr(name, ':') != NULL && digest_parse(name, &asked, err) < 0)
		return -1;
	strv_add(&headers, ACCEPT);
	if (ask(m, &q, &r, &at, err) < 0)
		return -1;
	if (r.status == 429)
		return failed(m, &q, &r, &at, err);
	if (r.status == 200)
		known = from_headers(&r, &asked, &d, err);
	/* a HEAD that fails has no body to say why; one that works may leave something out */
	if (known < 0 || (known == 0 && resolve_get(m, path, &headers, &asked, &d, err) < 0))
		return -1;
	*out = d;
	d = (struct descriptor){ .size = 0 };
	return 0;
}

static int
has_manifest(struct remote *m, const struct descriptor *d, struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(strv) struct strv headers = STRV_INIT;
	AUTO(free) char *path = path_of(m, d);
	struct request q = request_of(m, "HEAD", path, &headers);
	struct url at;

	strv_add(&headers, ACCEPT);
	if (ask(m, &q, &r, &at, err) < 0)
		return -1;
	if (r.status == 401 || r.status == 429 || r.status >= 500)
		return failed(m, &q, &r, &at, err);
	return r.status == 200;
}

static int
remote_has(struct place *p, const struct descriptor *d, struct err *err)
{
	struct remote *m = of(p);

	return is_document(d->media_type) ? has_manifest(m, d, err)
					  : upload_has_blob(&m->repository, d, err);
}

static int
remote_get(struct place *p, const struct descriptor *d, uint64_t offset, struct sink *out,
	struct err *err)
{
	struct remote *m = of(p);
	AUTO(free) char *path = path_of(m, d);
	AUTO(strv) struct strv headers = STRV_INIT;

	if (is_document(d->media_type))
		strv_add(&headers, ACCEPT);
	return download(&m->repository, path, &headers, d->size, offset, out, err);
}

/* The digest is of these very bytes, so the registry has read what another client is just writing: the links of
 * distribution are files that are empty at first. */
static bool
is_disturbed(struct http_response *r, struct retry *retry)
{
	bool again;

	if (r->status != 400 || !reply_has_code(r, "DIGEST_INVALID"))
		return false;
	r->status = 503; /* as good as a failure that passes */
	again = retry_again(retry, 0, r);
	r->status = 400;
	return again;
}

static int
put_manifest(struct remote *m, const char *name, const struct descriptor *d, struct buf *bytes,
	struct err *err)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(strv) struct strv headers = STRV_INIT;
	AUTO(free) char *path = xasprintf("/v2/%s/manifests/%s", m->name, name);
	struct request q = request_of(m, "PUT", path, &headers);
	struct retry retry;
	struct url at;

	strv_addf(&headers, "Content-Type: %s", d->media_type);
	q.send = http_send_buf;
	q.arg = bytes;
	q.size = bytes->len;
	session_retry(m->repository.session, &retry);
	do {
		http_response_clear(&r);
		if (ask(m, &q, &r, &at, err) < 0)
			return -1;
	} while (is_disturbed(&r, &retry));
	if (r.status != 201 && r.status != 200 && r.status != 202 && r.status != 204)
		return failed(m, &q, &r, &at, err);
	return upload_check_digest(&r, &d->digest, err);
}

static void
remember(struct remote *m, const struct digest *digest, const struct buf *bytes)
{
	pthread_mutex_lock(&m->lock);
	buf_clear(&m->last);
	buf_add(&m->last, bytes->data, bytes->len);
	m->last_digest = *digest;
	pthread_mutex_unlock(&m->lock);
}

static bool
close_opened(struct remote *m, const struct digest *digest, struct url *location)
{
	struct opened **at, *o = NULL;

	pthread_mutex_lock(&m->lock);
	for (at = &m->opened; *at != NULL; at = &(*at)->next)
		if (digest_same(&(*at)->digest, digest)) {
			o = *at;
			*at = o->next;
			break;
		}
	pthread_mutex_unlock(&m->lock);
	if (o == NULL)
		return false;
	*location = o->location;
	free(o);
	return true;
}

static char *
mount_candidate(struct remote *m, size_t i)
{
	char *name = NULL;

	pthread_mutex_lock(&m->lock);
	if (i < m->mount_from.count)
		name = xstrdup(m->mount_from.items[i]);
	pthread_mutex_unlock(&m->lock);
	return name;
}

/* One that had a blob is asked first from then on; one that refused, never again. */
static void
mount_learn(struct remote *m, const char *name, bool was_useful)
{
	size_t i;

	pthread_mutex_lock(&m->lock);
	for (i = 0; i < m->mount_from.count; i++)
		if (streq(m->mount_from.items[i], name)) {
			strv_remove(&m->mount_from, i);
			break;
		}
	if (was_useful) {
		strv_add(&m->mount_from, name);
		for (i = m->mount_from.count - 1; i > 0; i--) {
			char *before = m->mount_from.items[i - 1];

			m->mount_from.items[i - 1] = m->mount_from.items[i];
			m->mount_from.items[i] = before;
		}
	}
	pthread_mutex_unlock(&m->lock);
}

/* A mount that fails opens the session that is needed anyway, so asking once costs nothing; asking
 * all pays for what is not small.  1: mounted, 0: not. */
static int
try_mounts(struct remote *m, const struct descriptor *d, struct url *location, bool *has_location,
	struct err *err)
{
	size_t i, most = d->size > MOUNT_ONCE_SIZE ? MOUNT_FROM_MAX : 1;

	for (i = 0; i < most;) {
		AUTO(free) char *name = mount_candidate(m, i);
		struct url before = *location;
		bool had_location = *has_location;

		if (name == NULL)
			return 0;
		if (upload_mount(&m->repository, d, name, location, has_location, err) == 1) {
			mount_learn(m, name, true);
			return 1;
		}
		if (had_location && *has_location)
			upload_cancel(&m->repository, &before);
		if (*has_location)
			i++;
		else
			mount_learn(m, name, false);
		if (had_location && !*has_location) {
			*location = before;
			*has_location = true;
		}
	}
	return 0;
}

static int
put_blob(struct remote *m, const struct descriptor *d, struct source *from, struct err *err)
{
	struct url location = { .port = 0 };
	bool has_location = close_opened(m, &d->digest, &location);

	if (!has_location && try_mounts(m, d, &location, &has_location, err) == 1)
		return 0;
	return upload_blob(&m->repository, d, has_location ? &location : NULL, from, err);
}

static int
remote_put(struct place *p, const struct descriptor *d, struct source *from, struct err *err)
{
	struct remote *m = of(p);
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(sink) struct sink *sink = NULL;

	if (!is_document(d->media_type))
		return put_blob(m, d, from, err);
	if (d->size > MANIFEST_MAX)
		return err_set(err, ERR_INPUT, "%s is too large for a manifest", d->digest.text);
	sink = sink_buf(&bytes);
	if (source_send(from, 0, sink, err) < 0 ||
		digest_check(&d->digest, bytes.data, bytes.len, err) < 0 ||
		put_manifest(m, d->digest.text, d, &bytes, err) < 0)
		return -1;
	remember(m, &d->digest, &bytes);
	return 0;
}

static int
remote_tag(struct place *p, const char *name, const struct descriptor *d, struct err *err)
{
	struct remote *m = of(p);
	AUTO(buf) struct buf bytes = BUF_INIT;

	if (!ref_is_tag(name))
		return err_set(err, ERR_INPUT, "'%s' cannot be a tag", name);
	pthread_mutex_lock(&m->lock);
	if (digest_same(&m->last_digest, &d->digest))
		buf_add(&bytes, m->last.data, m->last.len);
	pthread_mutex_unlock(&m->lock);
	if (bytes.len == 0 && place_read(p, d, MANIFEST_MAX, &bytes, err) < 0)
		return -1;
	return put_manifest(m, name, d, &bytes, err);
}

static int
remote_mount(struct place *p, const struct descriptor *d, struct place *from, struct err *err)
{
	struct remote *m = of(p), *other = of(mirrors_primary(from));
	bool has_location;
	struct url location;
	struct opened *o;
	int mounted;

	if (other->place.ops != &remote_ops || m->repository.host != other->repository.host ||
		streq(m->name, other->name) || is_document(d->media_type))
		return 0;
	mounted = upload_mount(&m->repository, d, other->name, &location, &has_location, err);
	if (mounted == 0 && has_location) {
		o = xzalloc(sizeof *o);
		o->digest = d->digest;
		o->location = location;
		pthread_mutex_lock(&m->lock);
		o->next = m->opened;
		m->opened = o;
		pthread_mutex_unlock(&m->lock);
	}
	return mounted;
}

static void
remote_free(struct place *p)
{
	struct remote *m = of(p);
	struct opened *o;

	while (m->opened != NULL) {
		o = m->opened;
		m->opened = o->next;
		free(o);
	}
	buf_free(&m->last);
	strv_free(&m->mount_from);
	pthread_mutex_destroy(&m->lock);
	free(m->name);
	free(m->scope);
	free(m);
}

static const struct place_ops remote_ops = {
	.scheme = "docker",
	.resolve = remote_resolve,
	.tag = remote_tag,
	.has = remote_has,
	.get = remote_get,
	.put = remote_put,
	.mount = remote_mount,
	.free = remote_free,
};

static struct place *
remote_new(struct session *s, struct host *host, const char *name, enum remote_access access)
{
	static const char *const actions[] = { "pull", "pull,push", "delete,pull" };
	struct remote *m = xzalloc(sizeof *m);

	pthread_mutex_init(&m->lock, NULL);
	m->place.ops = &remote_ops;
	m->last = (struct buf)BUF_INIT;
	m->name = xstrdup(name);
	m->scope = xasprintf("repository:%s:%s", m->name, actions[access]);
	m->repository = (struct repository){
		.session = s, .host = host, .name = m->name, .scope = m->scope
	};
	return &m->place;
}

int
remote_open(struct session *s, const struct ref *repository, enum remote_access access,
	struct place **out, struct err *err)
{
	struct mirror mirrors[ROUTE_MAX];
	struct route route;
	size_t i;

	if (route_find(s, repository, access == REMOTE_PULL ? ROUTE_READ : ROUTE_WRITE, &route,
		    err) < 0)
		return -1;
	if (route.count == 1 && !route.stops[0].no_resolve && !route.stops[0].no_pull) {
		*out = remote_new(s, route.stops[0].host, route.stops[0].repository, access);
		return 0;
	}
	for (i = 0; i < route.count; i++) {
		const struct route_stop *stop = &route.stops[i];

		mirrors[i] = (struct mirror){ .place = remote_new(
						      s, stop->host, stop->repository, access),
			.pull = stop->pull,
			.no_resolve = stop->no_resolve,
			.no_pull = stop->no_pull,
			.name = xstrdup(stop->host->name) };
	}
	*out = mirrors_new(mirrors, route.count, ref_name(repository));
	return 0;
}

const struct repository *
remote_repository(struct place *p)
{
	return &of(mirrors_primary(p))->repository;
}

void
remote_mount_from(struct place *p, const char *repository)
{
	struct remote *m = of(mirrors_primary(p));

	pthread_mutex_lock(&m->lock);
	if (!streq(repository, m->name) && m->mount_from.count < MOUNT_FROM_MAX &&
		!strv_has(&m->mount_from, repository))
		strv_add(&m->mount_from, repository);
	pthread_mutex_unlock(&m->lock);
}
