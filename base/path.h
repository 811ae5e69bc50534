/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

/* path - names, and the only way from a name to a descriptor when somebody else chose the name.
 *
 * "Beneath" means: the directory fd is the root; a leading '/', '..' and every symlink on the way
 * are resolved inside it, magic links (/proc/self/fd/...) never.  openat2(RESOLVE_IN_ROOT) where the
 * kernel has it, else a walker with the same results.  What is done next is done to the returned
 * descriptor or with the *at call and a name without slashes. */

#define PATH_LINKS_MAX 40 /* in one look-up, as in the kernel; more: ELOOP */

/* Text only.  Results are appended to out. */
void path_clean(const char *path, struct buf *out);                   /* as Go's path.Clean */
void path_join(const char *a, const char *b, struct buf *out);        /* cleaned; absolute b replaces a */
const char *path_base(const char *path);                              /* after the last '/' */
bool path_wants_dir(const char *path); /* ends in '/', "." or "..", so only a directory is meant */
size_t path_dir_len(const char *path); /* of what is before it: 2 of "/a/b", 1 of "/a", 0 of "a" */
bool path_is_inside(const char *path, const char *dir);               /* equal, or below; both clean */

/* Opens path beneath root.  flags as for open(2); O_CLOEXEC is added; O_NOFOLLOW concerns the last
 * component only.  mode is used with O_CREAT.  Returns the descriptor, or -1 (errno kept). */
int path_open(int root, const char *path, int flags, mode_t mode);

/* Makes path and its missing parents beneath root with the given mode (umask does not apply),
 * following links; where one leads to nothing, its target is made.  Returns a descriptor of the last
 * one (O_PATH where it may not be read), or -1. */
int path_mkdirs(int root, const char *path, mode_t mode);

/* Opens the directory that holds path's last component (O_PATH where it may not be read), and gives
 * that component in name (at most NAME_MAX + 1 bytes), not followed if it is a link; slashes at the end
 * do not count.  "/", "" and names of "." or ".." fail with EINVAL. */
int path_open_parent(int root, const char *path, char name[256]);

/* The names in directory dir (O_PATH is enough) but "." and "..", sorted by bytes: all of them, or an error.
 * dir's own position stays where it is. */
int path_names(int dir, struct strv *out, struct err *err);

/* Removes name (no slashes, not ".") and everything below it in directory dir, never through a link;
 * missing is fine.  A mount point in it is an error and is not entered: what is mounted there may be
 * somebody's own files.  Directories without the owner's rights are given them first.  However deep the
 * tree is, a few descriptors are enough. */
int path_remove(int dir, const char *name, struct err *err);

/* For tests: 1 makes path_open behave as on a kernel without openat2; returns what it was. */
int path_without_openat2(int without);

#endif
