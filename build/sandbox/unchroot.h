/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_UNCHROOT_H
#define BUILD_SANDBOX_UNCHROOT_H

/* unchroot - a chroot becomes the root of a mount namespace.
 *
 * The kernel makes no user namespace for a process whose root is not that of its mount namespace
 * (user_namespaces(7), EPERM), so a build in a chroot would have none.  Root can do better: a mount
 * namespace of its own whose root is the very directory that it sees as "/".  Paths mean what they
 * meant, and nothing that is mounted from now on is seen outside. */

/* Of this process, which has one thread: 0 when it was done; -1 (errno) when it is not allowed, or
 * there was no chroot. */
int unchroot(void);

#endif
