/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_PLATFORM_H
#define LAYERS_PLATFORM_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* platform - what a machine must be to run an image.  (image-spec image-index.md; the spellings and
 * preferences are containerd's) */

struct platform {
	char os[32];      /* "linux" */
	char arch[32];    /* "amd64" */
	char variant[32]; /* "v8", or "" */
	char os_version[64];
};

/* "linux/arm64/v8", "arm64", "linux", "local"; normalised as containerd does (aarch64 is arm64,
 * x86_64 amd64, arm64/v8 arm64, arm is arm/v7). */
int platform_parse(const char *text, struct platform *out, struct err *err);
void platform_format(const struct platform *p, struct buf *out); /* "linux/arm/v7" */
void platform_host(struct platform *out);
/* One spelling for each platform, in place; empty members stay empty. */
void platform_normalise(struct platform *p);
bool platform_same(const struct platform *a, const struct platform *b);
/* Whether an image for `have` runs where `want` is asked for, and how well: 0 no, higher is better. */
int platform_match(const struct platform *want, const struct platform *have);

/* The members os, architecture, variant and os.version of a document's object, as they are. */
int platform_parse_json(const json_t *object, struct platform *out, struct err *err);
json_t *platform_format_json(const struct platform *p);

#endif
