/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/session.h"

#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

#include "base/event.h"
#include "base/mem.h"
#include "base/strv.h"
#include "registry/credentials.h"
#include "registry/host.h"
#include "registry/hosts.h"
#include "registry/http.h"
#include "registry/memory.h"
#include "registry/proxy.h"
#include "registry/registries.h"
#include "registry/retry.h"
#include "registry/token.h"

#define SLOW_BYTES_S 60000000
#define CONNECTIONS_MAX 4 /* besides one for each blob */

struct known_credential {
	char *host, *repository;
	bool is_mirror;
	struct credential credential;
	struct known_credential *next; /* linked, since what was lent must stay where it is */
};

struct known_hosts {
	char *registry;
	struct hosts hosts; /* count 0: there is no file */
	struct known_hosts *next;
};

struct session {
	struct session_options options;
	char *username, *password, *registry_token, *auth_file, *cert_dir, *registries_conf;
	char *hosts_dir, *signature_policy;
	struct proxy_settings proxy;
	struct http *http;
	pthread_mutex_t lock; /* of hosts, credentials and warnings */
	struct host **hosts;
	size_t host_count, host_room;
	struct known_credential *credentials;
	struct strv warnings;
	struct registries registries;
	bool has_registries;
	struct known_hosts *known_hosts;
	unsigned borrowed; /* connections */
	pthread_mutex_t token_lock;
	struct tokens tokens;
};

static char *
copy(const char **field)
{
	char *text = *field != NULL ? xstrdup(*field) : NULL;

	*field = text;
	return text;
}

int
session_open(const struct session_options *options, struct session **out, struct err *err)
{
	AUTO(session) struct session *s = xzalloc(sizeof *s);
	struct http_options http = { .connect_ms = options->connect_ms,
		.stall_ms = options->stall_ms,
		.answer_ms = options->answer_ms };

	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->token_lock, NULL);
	s->options = *options;
	s->username = copy(&s->options.username);
	s->password = copy(&s->options.password);
	s->registry_token = copy(&s->options.registry_token);
	s->auth_file = copy(&s->options.auth_file);
	s->cert_dir = copy(&s->options.cert_dir);
	s->registries_conf = copy(&s->options.registries_conf);
	s->hosts_dir = copy(&s->options.hosts_dir);
	s->signature_policy = copy(&s->options.signature_policy);
	proxy_environment(&s->proxy);
	if (http_new(&http, &s->http, err) < 0)
		return -1;
	*out = steal(&s);
	return 0;
}

static void
forget_credentials(struct session *s)
{
	struct known_credential *k;

	while (s->credentials != NULL) {
		k = s->credentials;
		s->credentials = k->next;
		free(k->host);
		free(k->repository);
		credential_clear(&k->credential);
		free(k);
	}
}

static void
forget_hosts(struct session *s)
{
	struct known_hosts *k;

	while (s->known_hosts != NULL) {
		k = s->known_hosts;
		s->known_hosts = k->next;
		hosts_free(&k->hosts);
		free(k->registry);
		free(k);
	}
}

void
session_free(struct session *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->host_count; i++)
		host_free(s->hosts[i]);
	free(s->hosts);
	forget_credentials(s);
	forget_hosts(s);
	tokens_free(&s->tokens);
	strv_free(&s->warnings);
	http_free(s->http);
	free(s->username);
	free(s->password);
	free(s->registry_token);
	free(s->auth_file);
	free(s->cert_dir);
	free(s->registries_conf);
	free(s->hosts_dir);
	free(s->signature_policy);
	registries_free(&s->registries);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->token_lock);
	free(s);
}

void
auto_session(struct session **s)
{
	session_free(*s);
}

struct http *
session_http(struct session *s)
{
	return s->http;
}

const char *
session_proxy(struct session *s, const struct url *url)
{
	return proxy_for(&s->proxy, url);
}

int
session_registries(struct session *s, const struct registries **out, struct err *err)
{
	int result = 0;

	pthread_mutex_lock(&s->lock);
	if (!s->has_registries)
		result = registries_load(s->registries_conf, &s->registries, err);
	s->has_registries = result == 0;
	pthread_mutex_unlock(&s->lock);
	if (result == 0)
		*out = &s->registries;
	return result;
}

int
session_hosts(struct session *s, const char *registry, const struct hosts **out, struct err *err)
{
	struct known_hosts *k;
	int found = 0;

	pthread_mutex_lock(&s->lock);
	for (k = s->known_hosts; k != NULL; k = k->next)
		if (strcasecmp(k->registry, registry) == 0)
			break;
	if (k == NULL) {
		k = xzalloc(sizeof *k);
		found = hosts_find(s->hosts_dir, registry, &k->hosts, err);
		if (found >= 0) {
			k->registry = xstrdup(registry);
			k->next = s->known_hosts;
			s->known_hosts = k;
		} else {
			free(k);
		}
	}
	pthread_mutex_unlock(&s->lock);
	if (found < 0)
		return -1;
	*out = k->hosts.count > 0 ? &k->hosts : NULL;
	return 0;
}

static struct host *
find_host(struct session *s, const char *name, bool insecure, bool is_mirror)
{
	size_t i;

	for (i = 0; i < s->host_count; i++)
		if (s->hosts[i]->entry == NULL && strcasecmp(s->hosts[i]->name, name) == 0 &&
			s->hosts[i]->tls.skip_verify == insecure &&
			s->hosts[i]->is_mirror == is_mirror)
			return s->hosts[i];
	return NULL;
}

static struct host *
find_host_of(struct session *s, const struct hosts_entry *e, bool is_mirror)
{
	size_t i;

	for (i = 0; i < s->host_count; i++)
		if (s->hosts[i]->entry == e && s->hosts[i]->is_mirror == is_mirror)
			return s->hosts[i];
	return NULL;
}

static void
add_host(struct session *s, struct host *h, bool is_mirror)
{
	h->is_mirror = is_mirror;
	memory_host_read(s->options.store, h->name, &h->can);
	s->hosts = grow(s->hosts, s->host_count, &s->host_room, sizeof *s->hosts);
	s->hosts[s->host_count++] = h;
}

int
session_host(struct session *s, const char *name, bool insecure, bool is_mirror, struct host **out,
	struct err *err)
{
	struct host *h;
	int result = 0;

	insecure = insecure || s->options.tls == SESSION_TLS_SKIP;
	pthread_mutex_lock(&s->lock);
	h = find_host(s, name, insecure, is_mirror);
	if (h == NULL) {
		result = host_new(name, insecure, s->options.cert_dir, &h, err);
		if (result == 0)
			add_host(s, h, is_mirror);
	}
	pthread_mutex_unlock(&s->lock);
	if (result == 0)
		*out = h;
	return result;
}

int
session_hosts_host(struct session *s, const char *registry, const struct hosts_entry *e,
	bool is_mirror, struct host **out, struct err *err)
{
	struct host *h;
	int result = 0;

	pthread_mutex_lock(&s->lock);
	h = find_host_of(s, e, is_mirror);
	if (h == NULL) {
		result = host_new_entry(e, registry, s->options.tls == SESSION_TLS_SKIP,
			s->options.cert_dir, &h, err);
		if (result == 0)
			add_host(s, h, is_mirror);
	}
	pthread_mutex_unlock(&s->lock);
	if (result == 0)
		*out = h;
	return result;
}

static int
look_up(struct session *s, const struct host *h, const char *repository, struct credential *out,
	struct err *err)
{
	if (h->is_mirror)
		return credentials_find(s->auth_file, h->name, repository, NULL, out, err);
	if (s->registry_token != NULL) {
		out->registry_token = xstrdup(s->registry_token);
		out->source = xstrdup("the command line");
		return 0;
	}
	if (s->username != NULL) {
		out->username = xstrdup(s->username);
		out->password = xstrdup(s->password != NULL ? s->password : "");
		out->source = xstrdup("the command line");
		return 0;
	}
	return credentials_find(s->auth_file, h->name, repository, NULL, out, err);
}

int
session_credential(struct session *s, const struct host *h, const char *repository,
	const struct credential **out, struct err *err)
{
	struct known_credential *k;
	int result = 0;

	pthread_mutex_lock(&s->lock);
	for (k = s->credentials; k != NULL; k = k->next)
		if (k->is_mirror == h->is_mirror && streq(k->host, h->name) &&
			streq(k->repository, repository))
			break;
	if (k == NULL) {
		k = xzalloc(sizeof *k);
		result = look_up(s, h, repository, &k->credential, err);
		if (result == 0) {
			k->host = xstrdup(h->name);
			k->is_mirror = h->is_mirror;
			k->repository = xstrdup(repository);
			k->next = s->credentials;
			s->credentials = k;
			event_debug("credentials for %s/%s: %s", h->name, repository,
				k->credential.source != NULL ? k->credential.source
							     : "none, anonymous");
		} else {
			free(k);
		}
	}
	pthread_mutex_unlock(&s->lock);
	if (result == 0)
		*out = &k->credential;
	return result;
}

struct tokens *
session_tokens(struct session *s)
{
	pthread_mutex_lock(&s->token_lock);
	return &s->tokens;
}

void
session_tokens_done(struct session *s)
{
	pthread_mutex_unlock(&s->token_lock);
}

void
session_retry(struct session *s, struct retry *out)
{
	retry_start(out, &(struct retry_options){
				 .tries = s->options.tries, .first_ms = s->options.retry_ms });
}

uint64_t
session_slow_bytes_s(const struct session *s, struct host *h)
{
	bool is_near;

	if (s->options.slow_bytes_s > 0)
		return s->options.slow_bytes_s;
	pthread_mutex_lock(&h->lock);
	is_near = h->address == ADDRESS_LOOPBACK;
	pthread_mutex_unlock(&h->lock);
	return is_near ? 0 : SLOW_BYTES_S;
}

unsigned
session_borrow(struct session *s, unsigned min, unsigned max)
{
	unsigned count;

	pthread_mutex_lock(&s->lock);
	count = CONNECTIONS_MAX - s->borrowed;
	count = count > max ? max : count;
	count = count < min ? 0 : count;
	s->borrowed += count;
	pthread_mutex_unlock(&s->lock);
	return count;
}

void
session_give_back(struct session *s, unsigned count)
{
	pthread_mutex_lock(&s->lock);
	s->borrowed -= count;
	pthread_mutex_unlock(&s->lock);
}

struct store *
session_store(struct session *s)
{
	return s->options.store;
}

const char *
session_signature_policy(const struct session *s)
{
	return s->options.signature_policy;
}

void
session_learn(struct session *s, struct host *h, const struct memory_host *lesson)
{
	struct memory_host before, now;

	pthread_mutex_lock(&h->lock);
	before = h->can;
	h->can.no_monolithic = before.no_monolithic || lesson->no_monolithic;
	h->can.no_chunks = before.no_chunks || lesson->no_chunks;
	h->can.small_chunks = before.small_chunks || lesson->small_chunks;
	h->can.no_mount = before.no_mount || lesson->no_mount;
	if (lesson->chunk_min > 0)
		h->can.chunk_min = lesson->chunk_min;
	now = h->can;
	pthread_mutex_unlock(&h->lock);
	if (now.no_monolithic != before.no_monolithic || now.no_chunks != before.no_chunks ||
		now.small_chunks != before.small_chunks || now.no_mount != before.no_mount ||
		now.chunk_min != before.chunk_min)
		memory_host_write(s->options.store, h->name, &now);
}

void
session_warn(struct session *s, const char *host, const char *text)
{
	AUTO(free) char *whole = xasprintf("%s says: %s", host, text);
	bool is_new;

	pthread_mutex_lock(&s->lock);
	is_new = !strv_has(&s->warnings, whole) && s->warnings.count < 64;
	if (is_new)
		strv_add(&s->warnings, whole);
	pthread_mutex_unlock(&s->lock);
	if (is_new)
		event_warn("%s", whole);
}
