/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_CALL_H
#define BUILD_CALL_H

#include <stdbool.h>

#include "build/build.h"
#include "build/dockerfile/diagnostic.h"
#include "build/plan.h"

/* call - what can be said of a Dockerfile without running it, in the words and the JSON of buildx: the
 * warnings (check), the arguments, secrets and agents that a target takes (outline), its stages (targets).
 * (docker buildx build --call) */

struct call_request {
	enum build_call kind;
	bool json;
	const struct diagnostics *diagnostics; /* sorted */
	const struct dockerfile *file;         /* NULL where it could not be parsed: CHECK only */
	const struct plan *plan;               /* finished; NULL: TARGETS, or a CHECK that failed */
	const char *error;                     /* CHECK: why it cannot be built; NULL: it can */
};

/* The answer, for free().  *is_faulty: a check that found something. */
char *call_answer(const struct call_request *r, bool *is_faulty);

#endif
