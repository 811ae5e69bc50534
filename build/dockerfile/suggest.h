/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_SUGGEST_H
#define DOCKERFILE_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

/* suggest - the nearest of some names, for "(did you mean ...?)".  At most two edits away; a name
 * that is there already needs no suggestion. */

/* The nearest (of several, the first that begins alike, else the first), lent from options; NULL when
 * none is near or `word` is one of them.  Without regard to case when fold is set: the caller then
 * gives the answer the case of the word. */
const char *suggest(const char *word, const char *const *options, size_t count, bool fold);

/* How many bytes must be inserted, deleted or replaced to make b of a; stops counting at limit. */
size_t edit_distance(const char *a, const char *b, size_t limit, bool fold);

#endif
