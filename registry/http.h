/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_HTTP_H
#define REGISTRY_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"
#include "layers/stream.h"
#include "registry/policy.h"
#include "registry/url.h"

/* http - one request, one response, over libcurl, which nobody else calls.  Connections are kept
 * and reused; names and TLS sessions are remembered.  Nothing is followed, repeated or
 * authenticated here, and nothing is read from .netrc or cookies.  May be used by several threads;
 * must not cross a fork. */

#define HTTP_HEADERS_MAX (256u << 10) /* bytes of all header lines of a response */
#define HTTP_HEADER_COUNT_MAX 1000
#define HTTP_ERROR_BODY_MAX (64u << 10) /* what is kept of the body of a failure */

struct http_options {
	unsigned connect_ms; /* 0: 30 s */
	unsigned stall_ms;   /* no byte for so long: 0: 60 s */
	unsigned answer_ms;  /* from the last byte sent to the first that comes; 0: 300 s */
};
struct http;
int http_new(const struct http_options *options, struct http **out, struct err *err);
void http_free(struct http *h);
void auto_http(struct http **h);

struct http_tls {
	bool skip_verify;
	struct buf authorities;  /* PEM; trusted besides the system's */
	char *certificate, *key; /* files; NULL: none */
};
/* How to trust a host, by a registry's own way (NULL: none): authorities and the client's pair are
 * for the registry's host, whatever the port; that nothing is checked goes for all. */
const struct http_tls *http_tls_for(const struct http_tls *own, bool is_same_host);

struct http_response;
struct http_request {
	const char *method;
	const struct url *url;
	const struct strv *headers; /* "Name: value"; NULL: none of ours */
	const struct http_tls *tls; /* NULL: the system's trust */
	const char *proxy;          /* NULL: none */
	enum address_class reach;   /* the innermost address that may be connected to */
	unsigned connect_ms;        /* 0: as http_new() was told */
	bool wants_certificate;     /* the response tells who the other side is */

	/* What is sent: size bytes, which send() writes into the sink; called once. */
	int (*send)(void *arg, struct sink *out, struct err *err);
	uint64_t size;

	/* Called before the first byte of a 2xx body.  May set *out (lent): then the body goes
	 * there; else it is kept in the response.  -1 ends the request. */
	int (*accept)(void *arg, const struct http_response *r, struct sink **out, struct err *err);
	void *arg;
	size_t limit; /* of a body that is kept: a longer one is ERR_INPUT; 0: HTTP_ERROR_BODY_MAX
		       */
};

/* For send: arg is a struct buf. */
int http_send_buf(void *arg, struct sink *out, struct err *err);

enum http_failure {
	HTTP_FAILURE_NONE,
	HTTP_FAILURE_RESOLVE,
	HTTP_FAILURE_CONNECT,
	HTTP_FAILURE_TLS_MISSING, /* it does not speak TLS */
	HTTP_FAILURE_TLS_UNTRUSTED,
	HTTP_FAILURE_TLS_CERTIFICATE, /* it wants a client certificate */
	HTTP_FAILURE_TLS,
	HTTP_FAILURE_STALL,
	HTTP_FAILURE_CUT,  /* the connection ended too early */
	HTTP_FAILURE_OURS, /* a sink, accept(), send(), a limit or policy said no */
};

struct http_response {
	int status;
	struct strv headers; /* "name: value", names in lower case */
	struct buf body;
	struct strv certificate; /* "Issuer:...", "Expire date:..." of the other side's, as libcurl
				    has them; where it was asked for, and TLS was spoken anew */
	uint64_t received; /* bytes of the body that came, wherever they went */
	enum http_failure failure;
	enum address_class address; /* of the other side (by its name alone, behind a proxy) */
};
#define HTTP_RESPONSE_INIT                             \
	{                                              \
		.headers = STRV_INIT, .body = BUF_INIT, .certificate = STRV_INIT \
	}
void http_response_clear(struct http_response *r);
void auto_http_response(struct http_response *r);

/* The nth header of that (lower-case) name, without blanks around, or NULL. */
const char *http_header(const struct http_response *r, const char *name, size_t nth);

/* 0: a response came, whatever its status; that it came before all was sent is fine.  -1:
 * r->failure says why; network failures are ERR_REMOTE, trust is ERR_DENIED. */
int http_perform(
	struct http *h, const struct http_request *q, struct http_response *r, struct err *err);

#endif
