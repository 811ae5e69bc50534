/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_EVALUATE_INSIDE_H
#define BUILD_EVALUATE_INSIDE_H

#include "build/evaluate.h"

/* evaluate_inside - what the parts of evaluate share. */

struct evaluation {
	struct plan *plan;
	struct plan_stage *stage;
	const struct instruction *raw; /* as parsed */
	struct instruction *in;        /* expanded; owned */
	bool is_onbuild;
};

/* A new step of the stage, which takes e->in. */
struct plan_step *evaluate_step(struct evaluation *e, enum step_kind kind);
/* Its line of history. */
void evaluate_noted(struct evaluation *e, struct plan_step *s, const char *created_by);
/* A path as WORKDIR makes it absolute; a slash at its end stays.  For free(). */
char *evaluate_path(const struct plan_stage *st, const char *path);

/* COPY and ADD. */
int evaluate_copy(struct evaluation *e, struct err *err);

#endif
