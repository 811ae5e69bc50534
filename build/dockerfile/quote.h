/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_QUOTE_H
#define DOCKERFILE_QUOTE_H

#include <stddef.h>

#include "base/buf.h"

/* quote - "text" as Go's %q writes it: \" \\ \n \t, \x00 for stray bytes; what is printable stays. */

/* Of a text longer than max bytes only the beginning, and "..." behind the closing quote. */
void quote_add(struct buf *out, const char *text, size_t max);
/* All of it, for free(). */
char *quote(const char *text);

#endif
