/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_PLAN_INSIDE_H
#define BUILD_PLAN_INSIDE_H

#include "build/plan.h"

/* plan_inside - what the parts of plan share: what a name stands for (plan_context.c). */

/* The value of --build-context for this name; `name::platform` comes before `name`, names of images are
 * the same in any form.  Lent; NULL: none. */
const char *plan_context_value(
	const struct plan *p, const char *name, const struct platform *platform);

/* A new ORIGIN_CONTEXT: a directory, or with f (taken) what that brings. */
size_t plan_context_add(struct plan *p, const char *text, struct fetch *f);

/* A name that is no stage of the file's: what --build-context puts there (an image, a directory, another
 * stage, nothing at all), else an image, which joins the list. */
int plan_name_origin(struct plan *p, const char *text, const struct platform *platform,
	struct origin *out, struct err *err);

#endif
