/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_TOML_VALUE_H
#define REGISTRY_TOML_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* toml_value - what stands in a line: keys and values.  For toml.c. */

struct toml_text {
	const char *at, *end;
	unsigned line;
	struct err *err;
};

int toml_wrong(struct toml_text *t, const char *what);
bool toml_is(const struct toml_text *t, char c);
/* Blanks; also line ends and remarks when `lines`. */
void toml_skip(struct toml_text *t, bool lines);

/* One part of a key, bare or quoted; appended to out. */
int toml_key_part(struct toml_text *t, struct buf *out);
/* "a.b.c = value" into table. */
int toml_pair(struct toml_text *t, json_t *table, unsigned depth);

#endif
