/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PATH_WALK_H
#define BASE_PATH_WALK_H

#include <sys/types.h>

/* path_walk - path_open() for a kernel without openat2; only base/path.c calls it.
 *
 * The same results as openat2 with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS, errors included: component
 * by component, every one opened without following, a link's text put in its place by hand.  ".." goes
 * back to the very descriptor that we came through, so that a directory which is moved away meanwhile
 * cannot lead outside. */
int path_walk(int root, const char *path, int flags, mode_t mode);

#endif
