/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_EVALUATE_H
#define BUILD_EVALUATE_H

#include "base/err.h"
#include "build/plan.h"

/* evaluate - one needed stage: each instruction changes the configuration, adds its line of history
 * and, if it changes files, a step.  The stage's base was evaluated or looked up before. */

/* ERR_INPUT "Dockerfile:12: COPY: ...". */
int evaluate_stage(struct plan *p, struct plan_stage *st, struct err *err);

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#endif
