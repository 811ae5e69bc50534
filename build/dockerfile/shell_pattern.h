/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_SHELL_PATTERN_H
#define DOCKERFILE_SHELL_PATTERN_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* shell_pattern - what ${v#p} ${v##p} ${v%p} ${v%%p} ${v/p/r} ${v//p/r} do to a value.
 *
 * Patterns know * and ? (neither takes a line's end) and the escapes \* \? \\ \} \/; there are no
 * [...].  Results are appended to out. */

#define SHELL_PATTERN_WORK_MAX (32 * 1024 * 1024) /* characters of pattern times those of value */
#define SHELL_PATTERN_OUT_MAX (4 * 1024 * 1024) /* bytes of a result of // */

/* end: '#' cuts at the front, '%' at the back; greedy: the longest match, not the shortest. */
int shell_pattern_cut(const char *pattern, const char *value, char end, int greedy, struct buf *out,
	struct err *err);
/* The first longest match, or all of them.  With all, $0, $name, ${name} and $$ in the replacement are
 * a template, as BuildKit's are: $0 is the match, other names are empty. */
int shell_pattern_replace(const char *pattern, const char *value, const char *replacement, int all,
	struct buf *out, struct err *err);

#endif
