/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_SECCOMP_H
#define BUILD_SANDBOX_SECCOMP_H

#include <stdint.h>

#include "base/err.h"

/* seccomp - which system calls a box may make.
 *
 * The list is docker's default (seccomp_table.c): what is not on it is refused with EPERM, what this
 * program has never heard of with ENOSYS, so that a C library falls back.  Sockets of AF_ALG and
 * AF_VSOCK are refused.  All architectures of the machine's processor are covered: a 32-bit program
 * gets the verdicts of a native one.
 *
 * Compile once in the coordinator and hand the result to every box.  The program is small, because
 * loading it is a good part of a box's start: runs of neighbouring numbers with the same verdict are
 * looked up by binary search. */

struct seccomp;

/* For a box with these capabilities, some of which open further calls. */
int seccomp_compile(uint64_t caps, struct seccomp **out, struct err *err);
void seccomp_free(struct seccomp *s);
void auto_seccomp(struct seccomp **s);
uint64_t seccomp_caps(const struct seccomp *s); /* what it was compiled for */
unsigned seccomp_size(const struct seccomp *s); /* instructions */

/* Binds this process for good.  It has CAP_SYS_ADMIN in its namespace, or no_new_privs.
 * -1 with errno. */
int seccomp_load_filter(const struct seccomp *s);

#endif
