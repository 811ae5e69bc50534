/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "registry/ref.h"

void
host_free(struct host *h)
{
	if (h == NULL)
		return;
	free(h->name);
	buf_free(&h->tls.authorities);
	free(h->tls.certificate);
	free(h->tls.key);
	free(h->certs);
	free(h->root);
	free(h->ns);
	strv_free(&h->headers);
	free(h->realm);
	free(h->service);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

void
auto_host(struct host **h)
{
	host_free(*h);
}

void
host_can(struct host *h, struct memory_host *out)
{
	pthread_mutex_lock(&h->lock);
	*out = h->can;
	pthread_mutex_unlock(&h->lock);
}

/* Giving authorities of our own replaces the system's file, so it is given as well. */
static void
add_system_authorities(struct buf *out)
{
	static const char *const files[] = { "/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem" };
	const char *said = getenv("SSL_CERT_FILE");
	struct err err;
	size_t i;

	if (said != NULL && file_read(AT_FDCWD, said, HOST_AUTHORITIES_MAX, out, &err) == 0)
		return;
	for (i = 0; i < COUNT_OF(files); i++)
		if (file_read(AT_FDCWD, files[i], HOST_AUTHORITIES_MAX, out, &err) == 0)
			return;
}

static int
add_authority(int dir, const char *name, struct http_tls *out, struct err *err)
{
	if (out->authorities.len == 0)
		add_system_authorities(&out->authorities);
	buf_addc(&out->authorities, '\n');
	if (file_read(dir, name, HOST_CERTIFICATE_MAX, &out->authorities, err) < 0 &&
		err->kind != ERR_NOTFOUND)
		return -1;
	buf_addc(&out->authorities, '\n');
	return 0;
}

/* Both files of a pair must be there; people also name an authority ".cert". */
static int
add_pair(int fd, const char *dir, const char *name, struct http_tls *out, struct err *err)
{
	AUTO(free) char *stem = xstrndup(name, strlen(name) - strlen(strrchr(name, '.')));
	bool is_key = ends_with(name, ".key");
	AUTO(free) char *other = xasprintf("%s.%s", stem, is_key ? "cert" : "key");

	if (faccessat(fd, other, R_OK, 0) < 0)
		return err_set(err, ERR_INPUT, "'%s' has no readable '%s' beside it%s", name, other,
			is_key ? "" : " (an authority's certificate is called '.crt')");
	if (out->certificate == NULL && !is_key) {
		out->certificate = xasprintf("%s/%s", dir, name);
		out->key = xasprintf("%s/%s", dir, other);
	}
	return 0;
}

/* Adds what the directory has; 0 as well where there is none. */
static int
read_certificates(const char *dir, struct http_tls *out, struct err *err)
{
	AUTO(fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **names = NULL;
	int i, count, result = 0;

	if (fd < 0)
		return 0; /* not there, or not ours to see */
	count = scandirat(fd, ".", &names, NULL, alphasort);
	for (i = 0; i < count; i++) {
		const char *name = names[i]->d_name;

		if (result == 0 && ends_with(name, ".crt"))
			result = add_authority(fd, name, out, err);
		else if (result == 0 && (ends_with(name, ".cert") || ends_with(name, ".key")))
			result = add_pair(fd, dir, name, out, err);
		free(names[i]);
	}
	free(names);
	return result < 0 ? err_in(err, "certificates in '%s'", dir) : 0;
}

static int
find_certificates(struct host *h, const char *cert_dir, struct err *err)
{
	static const char *const below_home[] = { "/.config/containers/certs.d", NULL,
		"/.config/docker/certs.d", NULL };
	static const char *const fixed[] = { NULL, "/etc/containers/certs.d", NULL,
		"/etc/docker/certs.d" };
	const char *home = getenv("HOME");
	size_t i;

	if (cert_dir != NULL) {
		h->certs = xstrdup(cert_dir);
		return read_certificates(cert_dir, &h->tls, err);
	}
	for (i = 0; i < COUNT_OF(fixed); i++) {
		AUTO(free) char *dir = NULL;

		if (fixed[i] == NULL && home == NULL)
			continue;
		dir = xasprintf("%s%s/%s", fixed[i] != NULL ? "" : home,
			fixed[i] != NULL ? fixed[i] : below_home[i], h->name);
		if (access(dir, R_OK | X_OK) == 0) {
			h->certs = steal(&dir);
			return read_certificates(h->certs, &h->tls, err);
		}
	}
	return 0;
}

static struct host *
allocate(const char *name)
{
	struct host *h = xzalloc(sizeof *h);

	pthread_mutex_init(&h->lock, NULL);
	h->name = xstrdup(name);
	h->tls.authorities = (struct buf)BUF_INIT;
	h->headers = (struct strv)STRV_INIT;
	return h;
}

int
host_new(const char *name, bool insecure, const char *cert_dir, struct host **out, struct err *err)
{
	AUTO(host) struct host *h = allocate(name);
	AUTO(free)
	char *text = xasprintf(
		"https://%s/", strcasecmp(name, REF_HOST_DOCKER_HUB) == 0 ? HOST_HUB_API : name);

	if (url_parse(text, &h->base, err) < 0)
		return -1;
	h->tls.skip_verify = insecure;
	h->may_be_plain = h->tls.skip_verify || policy_host(h->base.host) == ADDRESS_LOOPBACK;
	h->address = policy_host(h->base.host);
	if (find_certificates(h, cert_dir, err) < 0)
		return err_in(err, "%s", name);
	*out = steal(&h);
	return 0;
}

int
host_new_entry(const struct hosts_entry *e, const char *registry, bool insecure,
	const char *cert_dir, struct host **out, struct err *err)
{
	AUTO(host) struct host *h = allocate(e->name);
	size_t i;

	h->entry = e;
	h->base = e->base;
	snprintf(h->base.target, sizeof h->base.target, "/");
	h->root = xstrdup(e->base.target);
	if (e->is_for_others)
		h->ns = xstrdup(registry);
	strv_add_all(&h->headers, &e->headers);
	h->connect_ms = e->dial_ms;
	h->tls.skip_verify = insecure || e->skip_verify;
	h->may_be_plain = insecure; /* the file says which it is */
	h->address = policy_host(h->base.host);
	for (i = 0; i < e->authorities.count; i++)
		if (access(e->authorities.items[i], R_OK) < 0 ||
			add_authority(AT_FDCWD, e->authorities.items[i], &h->tls, err) < 0)
			return err_set(err, ERR_INPUT, "%s: the certificate '%s' cannot be read",
				e->name, e->authorities.items[i]);
	if (e->certificate != NULL) {
		h->tls.certificate = xstrdup(e->certificate);
		h->tls.key = xstrdup(e->key);
	}
	if (e->authorities.count == 0 && e->certificate == NULL &&
		find_certificates(h, cert_dir, err) < 0)
		return err_in(err, "%s", e->name);
	*out = steal(&h);
	return 0;
}
