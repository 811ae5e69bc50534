/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_ABSENT_H
#define BUILD_ABSENT_H

#include "base/err.h"
#include "base/strv.h"
#include "layers/oci.h"
#include "layers/store.h"
#include "registry/place.h"
#include "registry/session.h"

/* absent - the layers of an image that were never downloaded, since only metadata followed them: each is known to be
 * at a registry. */

struct absent {
	struct strv digests, sources; /* side by side with layers */
	struct descriptor *layers;
	size_t count, room;
};
#define ABSENT_INIT                                        \
	{                                                  \
		.digests = STRV_INIT, .sources = STRV_INIT \
	}
void auto_absent(struct absent *a);

/* Adds those of what place_copy() would copy with these options (platform, all_platforms).  What has no source is left
 * out: the copy says that it is missing.  Not for workers: it asks the database. */
int absent_find(struct store *store, const struct descriptor *image,
	const struct place_copy_options *options, struct absent *out, struct err *err);
bool absent_has(const struct absent *a, const struct digest *layer);
/* Puts them into `to`: their registry moves them, or they pass through. */
int absent_move(const struct absent *a, struct session *session, struct place *to, struct err *err);

#endif
