/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_HOST_H
#define REGISTRY_HOST_H

#include <pthread.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"
#include "registry/hosts.h"
#include "registry/http.h"
#include "registry/memory.h"
#include "registry/policy.h"
#include "registry/url.h"

/* host - how one registry is reached, and what was learned about it.
 *
 * Certificates are those of the first directory there is of ~/.config/containers/certs.d/HOST,
 * /etc/containers/certs.d/HOST, ~/.config/docker/certs.d/HOST and /etc/docker/certs.d/HOST: *.crt
 * are authorities besides the system's, NAME.cert with NAME.key the client's pair.  HOST has the
 * port as it is written in references. (docker's and containers' certs.d) */

#define HOST_HUB_API "registry-1.docker.io" /* whom requests for Docker Hub go to */
#define HOST_CERTIFICATE_MAX (1u << 20)
#define HOST_AUTHORITIES_MAX (10u << 20)

enum host_auth { HOST_AUTH_UNKNOWN, HOST_AUTH_BASIC, HOST_AUTH_BEARER };

struct host {
	char *name;        /* as in struct ref */
	bool may_be_plain; /* http, where https finds no TLS */
	bool is_mirror;    /* of another registry, so it gets no secret that was said for that one */
	struct http_tls tls;
	char *certs;          /* the directory that its certificates are from; NULL: none */
	char *root;           /* what "/v2/" of a request's path stands for; NULL: that */
	char *ns;             /* the registry it is a mirror of, which it is told; NULL: none */
	struct strv headers;  /* "Name: value", for it alone */
	unsigned connect_ms;  /* 0: as the session has it */
	const struct hosts_entry *entry; /* lent; what it was made from, if anything */

	pthread_mutex_t lock; /* of all below */
	struct url base;      /* its origin; target "/" */
	bool is_settled;      /* base.secure is known to be right */
	enum address_class address;
	enum host_auth auth;
	char *realm, *service; /* of BEARER */
	struct memory_host can;
};

/* insecure: certificates are not checked, and plain http is tried last.  cert_dir: NULL, or where
 * its certificates are.  ERR_INPUT for a directory that cannot be used. */
int host_new(
	const char *name, bool insecure, const char *cert_dir, struct host **out, struct err *err);
/* One of hosts.toml; registry: whose file it is.  Without certificates of its own it has those of
 * certs.d. */
int host_new_entry(const struct hosts_entry *e, const char *registry, bool insecure,
	const char *cert_dir, struct host **out, struct err *err);
/* What it can do, as far as that is known. */
void host_can(struct host *h, struct memory_host *out);
void host_free(struct host *h);
void auto_host(struct host **h);

#endif
