/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_BASE64_H
#define REGISTRY_BASE64_H

#include <stddef.h>

#include "base/buf.h"

/* base64 - bytes as text, standard alphabet, padded. (RFC 4648 4) */

void base64_encode(const void *bytes, size_t len, struct buf *out);
/* Appends the bytes; padding may be missing, line ends are skipped.  -1 for anything else, out
 * unchanged. */
int base64_decode(const char *text, size_t len, struct buf *out);

#endif
