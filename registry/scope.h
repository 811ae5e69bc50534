/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_SCOPE_H
#define REGISTRY_SCOPE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/strv.h"

/* scope - what a token is for: "repository:a/b:pull,push".  A set has each resource once, with the
 * union of its actions, sorted; resources keep their order, because some token servers read the
 * first one only. */

#define SCOPE_COUNT_MAX 64

struct scopes {
	struct strv items;
};
#define SCOPES_INIT                \
	{                          \
		.items = STRV_INIT \
	}
void scopes_free(struct scopes *s);
void auto_scopes(struct scopes *s);

/* Merges scopes separated by blanks.  What is not type:name:actions is dropped: some registries say
 * "aws" and mean nothing. */
void scopes_add(struct scopes *s, const char *text);
/* Whether all that `wanted` has is in s. */
bool scopes_cover(const struct scopes *s, const struct scopes *wanted);
/* Separated by blanks. */
void scopes_format(const struct scopes *s, struct buf *out);

#endif
