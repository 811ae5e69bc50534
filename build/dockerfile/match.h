/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_MATCH_H
#define DOCKERFILE_MATCH_H

#include <stdbool.h>

/* match - wildcards of COPY and ADD sources: Go's filepath.Match.
 *
 * '*' any run of bytes without '/', '?' one character but '/', [a-z] [^a-z] one of a class (which
 * may be '/': never), '\\' frees the next character.  The whole name must match. */

/* 1 it matches, 0 it does not, -1 the pattern is malformed ("syntax error in pattern"). */
int match_path(const char *pattern, const char *path);

/* Whether a source is a pattern at all: has one of * ? [ \ */
bool match_is_pattern(const char *text);

#endif
