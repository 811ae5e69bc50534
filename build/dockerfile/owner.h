/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_OWNER_H
#define DOCKERFILE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* owner - the value of --chown and USER: user[:group], each a name or a number.  Names are looked up
 * elsewhere, in the image's own files. */

struct owner_part {
	char *name;     /* as written; NULL: not given */
	bool is_number;
	uint32_t id;    /* when is_number */
};

struct owner {
	struct owner_part user;
	struct owner_part group;
};
#define OWNER_INIT { .user = { .name = NULL } }
void owner_free(struct owner *o);
void auto_owner(struct owner *o);

/* "1000", "app:www-data", "0:0".  An empty user or a third part: ERR_INPUT. */
int owner_parse(const char *text, struct owner *out, struct err *err);

#endif
