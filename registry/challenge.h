/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_CHALLENGE_H
#define REGISTRY_CHALLENGE_H

#include <stddef.h>

#include "base/strv.h"

/* challenge - what WWW-Authenticate asks for. (RFC 9110 11.6.1: any number of challenges in a
 * header, each a scheme with parameters or a token68) */

#define CHALLENGE_COUNT_MAX 16
#define CHALLENGE_PARAMETERS_MAX 32

struct challenge {
	char *scheme;           /* lower-case */
	struct strv parameters; /* "name=value", names lower-case, values unquoted; the first of a
				   name */
};
struct challenges {
	struct challenge *items;
	size_t count, room;
};
#define CHALLENGES_INIT       \
	{                     \
		.items = NULL \
	}
void challenges_free(struct challenges *c);
void auto_challenges(struct challenges *c);

/* Appends what can be understood of one header value, up to the first nonsense. */
void challenges_add(struct challenges *c, const char *header);

/* The first one of that (lower-case) scheme, or NULL. */
const struct challenge *challenges_find(const struct challenges *c, const char *scheme);
/* Or NULL. */
const char *challenge_parameter(const struct challenge *c, const char *name);

#endif
