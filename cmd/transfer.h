/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_TRANSFER_H
#define CMD_TRANSFER_H

#include <stdbool.h>

#include "base/err.h"
#include "layers/oci.h"
#include "layers/store.h"
#include "registry/place.h"
#include "registry/ref.h"
#include "registry/session.h"

/* transfer - from a registry into the store, in a worker of its own: it uses threads, and what strangers send is not
 * parsed by the process that owns the store. */

struct transfer {
	struct store *store;
	struct ref ref; /* at the registry; a short name becomes what it stands for */
	const struct session_options *session;
	const struct platform *platform; /* NULL: the host's */
	bool all_platforms;
};

/* *out: what the store has afterwards; it has no name yet. */
int transfer_pull(struct transfer *t, struct descriptor *out, struct err *err);

#endif
