/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_EXAMINE_H
#define REGISTRY_EXAMINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "registry/ref.h"
#include "registry/session.h"

/* examine - how a registry is reached and what it can do, for people who wonder.  Only asks; writes
 * nothing there.  Texts may hold what the registry says: show them as a stranger's.  No secret. */

enum examine_grade {
	EXAMINE_GOOD,
	EXAMINE_NOTE, /* worth knowing, or not known */
	EXAMINE_BAD,
};
struct examine_row {
	const char *what; /* "address": a constant */
	enum examine_grade grade;
	char *text;
};
struct examine {
	struct examine_row *rows;
	size_t count, room;
};
#define EXAMINE_INIT         \
	{                    \
		.rows = NULL \
	}
void auto_examine(struct examine *e);

/* has_repository: ref has one that may be asked about; else only the registry is.  1: the registry
 * answers and lets us in, 0: it does not, as the rows say; -1: the configuration is of no use. */
int examine_registry(struct session *s, const struct ref *ref, bool has_repository,
	struct examine *out, struct err *err);

#endif
