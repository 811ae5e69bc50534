/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_TEMPLATE_H
#define CMD_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* template - the part of docker's --format that scripts use:
 *
 *	{{.A.B}}                a member; strings as they are, all else as JSON
 *	{{json .A}}             a member as JSON
 *	{{index .A "key"}}      a member with any name; {{index .A 0}} an element
 *
 * ERR_USAGE for all else, and for members that are not there. */
int template_format(const char *text, const json_t *value, struct buf *out, struct err *err);

#endif
