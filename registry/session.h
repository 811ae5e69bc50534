/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_SESSION_H
#define REGISTRY_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* session - what the remotes of one run have in common: connections, tokens, credentials, and what
 * was learned about hosts.  May be used by several threads; must not cross a fork (open it in the
 * worker that uses it). */

enum session_tls {
	SESSION_TLS_VERIFY, /* https; plain http only for loopback, once TLS was tried */
	SESSION_TLS_SKIP,   /* --tls-verify=false: certificates are not checked, plain http is tried
			       last */
};

struct session_options {
	enum session_tls tls;
	/* Override of what is found in files and helpers, but for mirrors; NULL: look there. */
	const char *username, *password;
	const char *registry_token;  /* a bearer token that is sent as it is; likewise */
	const char *auth_file;       /* the only file looked into; NULL: the usual ones */
	const char *registries_conf; /* NULL: the usual ones; "": none */
	const char *signature_policy; /* policy.json; NULL: the usual ones; "": none */
	const char *hosts_dir;       /* the certs.d with hosts.toml; NULL: the usual ones; "": none */
	const char *cert_dir;        /* *.crt, *.cert and *.key for every host; NULL: certs.d */
	unsigned stall_ms;           /* no byte for so long ends a try; 0: 60 s */
	/* A download that gives less per second goes on over several connections; 0: 60 MB where it
	 * is not loopback; UINT64_MAX: all do, 1: none does. */
	uint64_t slow_bytes_s;
	unsigned connect_ms; /* 0: 30 s */
	unsigned answer_ms;  /* what a registry may think before it answers; 0: 300 s */
	unsigned tries;      /* of each request; 0: 5 */
	unsigned retry_ms;   /* the shortest wait between tries; 0: 300 ms */
	/* Keeps what was learned about hosts, and uploads that broke off, for the next run; lent,
	 * and only what a worker may call is called.  NULL: nothing is kept. */
	struct store *store;
};
#define SESSION_OPTIONS_INIT     \
	{                        \
		.username = NULL \
	}

struct session;
/* Options are copied.  Touches neither files nor the network yet. */
int session_open(const struct session_options *options, struct session **out, struct err *err);
void session_free(struct session *s);
void auto_session(struct session **s);

/* For the files of this room that talk to registries; what is returned is lent and lives as long.
 */
struct host;
struct registries;
struct http;
struct credential;
struct tokens;
struct retry;
struct url;
struct memory_host;
struct http *session_http(struct session *s);
const char *session_proxy(struct session *s, const struct url *url); /* or NULL */
/* insecure: certificates are not checked, and plain http is tried last.  is_mirror: as in struct host. */
int session_host(struct session *s, const char *name, bool insecure, bool is_mirror,
	struct host **out, struct err *err);
/* hosts.toml for a registry, read once; NULL: there is none. */
struct hosts;
struct hosts_entry;
int session_hosts(
	struct session *s, const char *registry, const struct hosts **out, struct err *err);
/* One of them, which session_hosts() has lent. */
int session_hosts_host(struct session *s, const char *registry, const struct hosts_entry *e,
	bool is_mirror, struct host **out, struct err *err);
/* registries.conf, read once. */
int session_registries(struct session *s, const struct registries **out, struct err *err);
/* Searched once for each repository. */
int session_credential(struct session *s, const struct host *h, const char *repository,
	const struct credential **out, struct err *err);
/* The cache of tokens is locked until session_tokens_done(). */
struct tokens *session_tokens(struct session *s);
void session_tokens_done(struct session *s);
void session_retry(struct session *s, struct retry *out);
uint64_t session_slow_bytes_s(const struct session *s, struct host *h);
/* Further connections for one download: at least min and at most max of them, or 0; to be given
 * back. */
unsigned session_borrow(struct session *s, unsigned min, unsigned max);
void session_give_back(struct session *s, unsigned count);
struct store *session_store(struct session *s); /* or NULL */
const char *session_signature_policy(const struct session *s); /* the option */
/* What was learned about h is added to what is known. */
void session_learn(struct session *s, struct host *h, const struct memory_host *lesson);
/* Warns once per text. */
void session_warn(struct session *s, const char *host, const char *text);

#endif
