/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REQUEST_H
#define REGISTRY_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "layers/stream.h"
#include "registry/host.h"
#include "registry/http.h"
#include "registry/policy.h"
#include "registry/session.h"
#include "registry/url.h"

/* request - one question to a registry, until it has an answer: with its credential, its redirects
 * followed where policy lets them, and tried again while that may help. */

#define REQUEST_REDIRECTS_MAX 10
#define REQUEST_AUTH_ROUNDS_MAX 3

struct request {
	const char *method;
	const char *path;      /* with its query; NULL: url */
	const struct url *url; /* where the registry sent us to, for `reason` */
	enum policy_reason reason;
	const char *repository;     /* whose credential; "": the host's */
	const char *scope;          /* what a token must be for; NULL: what the registry says */
	const struct strv *headers; /* "Name: value"; NULL: none */
	unsigned margin_s;          /* a token must live for so long */

	/* The body, as in http.h, but send() is called again for each try. */
	int (*send)(void *arg, struct sink *out, struct err *err);
	uint64_t size;
	int (*accept)(void *arg, const struct http_response *r, struct sink **out, struct err *err);
	void *arg;
	size_t limit;

	bool once; /* its failure is the caller's to repair: one try (and one for a token) */
	bool keep_redirect; /* a redirect is the answer */
};

/* 0: an answer, whatever its status.  *at (may be NULL): where it came from; url of a Location in
 * it is relative to that. */
int request_send(struct session *s, struct host *h, const struct request *q,
	struct http_response *r, struct url *at, struct err *err);

/* Sets the error of an answer that is not what was hoped for. */
int request_failed(struct session *s, struct host *h, const struct request *q,
	const struct http_response *r, const struct url *at, struct err *err);

#endif
