/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_GLOB_H
#define DOCKERFILE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* glob - one pattern of an ignore file, made ready to be asked often.
 *
 * As match has it, and "**": at the end everything below, else any number of directories, none too;
 * "**" with plain text behind it asks for the end of the path ("**foo" matches "barfoo").  A class may
 * match '/'.  '^' outside of a class never matches in a pattern that has wildcards. */

struct glob;

/* The pattern must be clean ("a/b", no "./").  NULL: malformed. */
struct glob *glob_new(const char *pattern);
void glob_free(struct glob *g);
bool glob_matches(const struct glob *g, const char *path, size_t len);

/* Whether some path below dir could match; true when in doubt. */
bool glob_may_match_below(const struct glob *g, const char *dir, size_t len);

/* What can be told from a path's ends and slashes alone, so that most patterns need not be asked:
 * its first and last byte and how many slashes it has (-1: any), and its length at least.  Paths are
 * never empty. */
struct glob_hint {
	int first, last, slashes;
	size_t least;
};
struct glob_hint glob_hint(const struct glob *g);
static inline bool
glob_hint_fits(const struct glob_hint *hint, const char *path, size_t len, int slashes)
{
	return (hint->slashes < 0 || hint->slashes == slashes) && len >= hint->least &&
		(hint->last < 0 || (unsigned char)path[len - 1] == hint->last) &&
		(hint->first < 0 || (unsigned char)path[0] == hint->first);
}

#endif
