/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_EXEC_FORM_H
#define DOCKERFILE_EXEC_FORM_H

#include "base/err.h"
#include "base/strv.h"

/* exec_form - ["program", "argument"]: a JSON array of strings, as Go's encoding/json reads it. */

/* 1: an array of strings, added to *out.  0: no JSON array, so the text is what a shell reads.
 * -1: an array that holds something else: "when using JSON array syntax, arrays must be comprised of
 * strings only". */
int exec_form_parse(const char *text, struct strv *out, struct err *err);

#endif
