/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SOURCE_H
#define BUILD_SOURCE_H

#include "base/err.h"
#include "base/json.h"
#include "base/strv.h"
#include "build/fetch.h"
#include "layers/store.h"

/* source - what was fetched before: each is a record of the store with its files as a tree, and the facts that
 * tell whether they are still what there is.  The latest SOURCES_MAX of a place are kept.  For the
 * coordinator. */

#define SOURCES_MAX 4

struct source_past {
	json_t *facts;     /* an array, the latest first; for fetch_job.known */
	struct strv trees; /* ids */
	struct strv keys;
};
#define SOURCE_PAST_INIT                                        \
	{                                                       \
		.facts = NULL, .trees = STRV_INIT, .keys = STRV_INIT \
	}
void source_past_free(struct source_past *p);
void auto_source_past(struct source_past *p);

int source_find(struct store *s, const struct fetch *f, struct source_past *out, struct err *err);

/* After fetch_run(): tree, which it was given, has come to stay, or is dropped and becomes the one that is
 * still good. */
int source_settle(struct store *s, const struct fetch *f, const struct source_past *past,
	const json_t *result, char tree[STORE_ID_SIZE], struct err *err);

/* The directory that is meant of a settled tree, or with fetch_pinned() of one that needs no asking; a
 * descriptor. */
int source_open(struct store *s, const struct fetch *f, const char *tree, struct err *err);
void source_use(struct store *s, const struct source_past *past, size_t index); /* it was of use again */

#endif
