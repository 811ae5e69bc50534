/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_URL_H
#define REGISTRY_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* url - an http or https address, in parts that were checked.  A value; owns nothing.  No user, no
 * fragment, no control or non-ASCII characters. (RFC 3986) */

#define URL_TARGET_MAX 8192 /* bytes of path and query; presigned ones have some thousand */

struct url {
	bool secure;                 /* https */
	char host[264];              /* lower-case; IPv6 in brackets */
	unsigned port;               /* never 0 */
	char target[URL_TARGET_MAX]; /* path and query, kept to the byte; starts with '/' */
};

/* ERR_INPUT.  A user before '@' is refused: it only ever hides the host. */
int url_parse(const char *text, struct url *out, struct err *err);

/* What reference means in a document that came from base. (RFC 3986 5.2) */
int url_resolve(const struct url *base, const char *reference, struct url *out, struct err *err);

bool url_same_host(const struct url *a, const struct url *b);
bool url_same_origin(const struct url *a, const struct url *b); /* scheme, host and port */

void url_format(const struct url *u, struct buf *out);
/* "https://host:port" */
void url_format_origin(const struct url *u, struct buf *out);
/* For people: values of parameters that may be secrets are left out. */
void url_show(const struct url *u, struct buf *out);

/* Appends "name=value" to a target, with '?' or '&', the value percent-encoded. */
void url_add_parameter(struct buf *target, const char *name, const char *value);
/* Percent-encodes all but unreserved characters. */
void url_encode(const char *text, struct buf *out);

#endif
