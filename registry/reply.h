/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REPLY_H
#define REGISTRY_REPLY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "registry/http.h"
#include "registry/url.h"

/* reply - what a registry's failure means, for people. (distribution-spec, "Error Codes") */

/* What the body says: "CODE: message; ...", cleaned and cut; else its first line.  "" for nothing.
 */
void reply_words(const struct http_response *r, struct buf *out);
/* Whether the body has this error code. */
bool reply_has_code(const struct http_response *r, const char *code);

/* Sets the error of a response that is not what was hoped for; host is for hints.  401, 403:
 * ERR_DENIED; 404: ERR_NOTFOUND; 408, 429, 5xx: ERR_REMOTE; others ERR_DENIED.  Returns -1. */
int reply_failed(const char *method, const struct url *url, const char *host,
	const struct http_response *r, struct err *err);

/* Appends text without control characters, at most max bytes. */
void reply_clean(const char *text, size_t max, struct buf *out);

#endif
