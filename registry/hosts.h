/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_HOSTS_H
#define REGISTRY_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"
#include "registry/url.h"

/* hosts - hosts.toml: which servers stand for a registry.  (containerd's docs/hosts.md)
 *
 * Of ~/.config/containerd/certs.d, ~/.config/docker/certs.d, /etc/containerd/certs.d and
 * /etc/docker/certs.d the first that has one of HOST_PORT_/hosts.toml, HOST:PORT/hosts.toml,
 * HOST/hosts.toml and _default/hosts.toml counts.
 *
 *	server = "https://r.example"              the registry itself; by default HOST
 *	[host."https://mirror.example/proxy"]     before it, in the order of the file
 *	  capabilities = ["pull", "resolve"]      resolve: may be asked what a tag means; by default all
 *	  ca = "ca.pem"                           or a list; relative to the file
 *	  client = "both.pem"                     or [["certificate", "key"]]; of a list the first
 *	  skip_verify = true
 *	  override_path = true                    the path is all there is before the repository
 *	  dial_timeout = "2s"
 *	  [host."https://mirror.example/proxy".header]
 *	    x-team = "a"                          or a list
 *
 * What stands before the first [host] is about the server. */

#define HOSTS_FILE_MAX (1u << 20)
#define HOSTS_MIRRORS_MAX 16
#define HOSTS_DIAL_MS_MAX 600000

enum hosts_capability {
	HOSTS_PULL = 1,    /* bytes, by their digest */
	HOSTS_RESOLVE = 2, /* tags */
	HOSTS_PUSH = 4,
};

struct hosts_entry {
	struct url base;       /* target: what comes before the repository: "/v2/" */
	char *name;            /* "mirror.example:5000": whose credentials */
	unsigned capabilities; /* of the enum */
	bool is_push_said;     /* pushes go to a mirror only where the file says so in words */
	bool is_for_others;    /* it is told which registry is meant ("ns") */
	bool skip_verify;
	unsigned dial_ms; /* 0: not said */
	struct strv authorities;
	char *certificate, *key; /* files; NULL: none */
	struct strv headers;     /* "Name: value" */
};

struct hosts {
	char *file;
	struct hosts_entry *entries; /* mirrors in order, the server last: at least one */
	size_t count, room;
};
#define HOSTS_INIT           \
	{                    \
		.file = NULL \
	}
void hosts_free(struct hosts *h);
void auto_hosts(struct hosts *h);

/* registry: as in struct ref.  dir: where the certs.d is, the only one looked into, or NULL.  1: it
 * has one, 0: none, -1: it cannot be read or understood, which is an error. */
int hosts_find(const char *dir, const char *registry, struct hosts *out, struct err *err);
/* One document. */
int hosts_parse(const char *text, size_t len, const char *file, const char *registry,
	struct hosts *out, struct err *err);

#endif
