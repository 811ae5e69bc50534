/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LATE_H
#define BASE_LATE_H

/* late - functions of shared libraries that are loaded when they are first called, and not when the
 * program starts: libcurl and libarchive bring some forty others with them, which takes longer than
 * most commands do. */

/* The function, or NULL: the library is not there, or does not have it.  Any thread may call. */
void *late_find(const char *library, const char *function);

#endif
