/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SCOPE_H
#define BUILD_SCOPE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"
#include "build/dockerfile/expand.h"
#include "layers/oci.h"

/* scope - what names mean at one point of a Dockerfile.
 *
 * ENV and ARG are applied in the order of the file, so the later one wins for the builder, while
 * the image's configuration keeps what ENV said.  An ARG without a value is declared, and sets
 * nothing. (features of BuildKit's frontend: one environment per stage, which `FROM stage`
 * inherits) */

/* --build-arg: NAME=value; a NAME alone takes its value from our environment, or is not given. */
struct build_args {
	struct strv given; /* NAME=value, unique */
	struct strv used;  /* names that some ARG declared, or that mean something by themselves */
};
#define BUILD_ARGS_INIT            \
	{                          \
		.given = STRV_INIT \
	}
void build_args_add(struct build_args *a, const char *text);
void build_args_free(struct build_args *a);
void auto_build_args(struct build_args *a);
/* The value, or NULL; marks it used. */
const char *build_args_get(struct build_args *a, const char *name);
/* Names that were given and that nothing declared. */
void build_args_unused(const struct build_args *a, struct strv *out);
bool build_args_is_proxy(const char *name); /* HTTP_PROXY and so on, in any case */

struct scope {
	struct strv env;  /* NAME=value: what RUN sees and $NAME gives */
	struct strv args; /* names declared by ARG in this stage and those it inherits, in order */
};
#define SCOPE_INIT               \
	{                        \
		.env = STRV_INIT \
	}
void scope_free(struct scope *s);
void auto_scope(struct scope *s);
void scope_copy(const struct scope *s, struct scope *out);
void scope_declare(
	struct scope *s, const char *name, const char *value); /* ARG; value may be NULL */
struct expand_vars scope_vars(const struct scope *s);
/* "|2 A=1 B= " as history shows it in front of a RUN's command; nothing without ARGs. */
void scope_history(const struct scope *s, struct buf *out);

/* The names that are there before the first line: BUILDPLATFORM, TARGETARCH and so on. */
void scope_predefined(const struct platform *build, const struct platform *target,
	const char *target_stage, struct build_args *args, struct scope *out);

#endif
