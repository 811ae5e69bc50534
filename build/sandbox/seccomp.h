/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_SECCOMP_H
#define BUILD_SANDBOX_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
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

/* A native call about which somebody outside is asked (SECCOMP_RET_USER_NOTIF), where it is allowed at all. */
enum seccomp_when {
	SECCOMP_ALWAYS,
	SECCOMP_IF_MAKES_1,  /* the second argument has O_CREAT or O_TMPFILE */
	SECCOMP_IF_MAKES_2,  /* the third */
	SECCOMP_IF_LOCKS_0,  /* the first is RLIMIT_LOCKS */
	SECCOMP_IF_LOCKS_1,  /* the second */
	SECCOMP_IF_PEER_2,   /* the third is SO_PEERCRED */
};
struct seccomp_watch {
	int number;
	enum seccomp_when when;
};

/* For a box with these capabilities, some of which open further calls. */
int seccomp_compile(uint64_t caps, struct seccomp **out, struct err *err);
/* The same, with watched calls.  Of other architectures than the native one the calls that change owners and
 * ids do nothing and succeed.  is_open: all other calls are allowed. */
int seccomp_compile_watched(uint64_t caps, bool is_open, const struct seccomp_watch *watches,
	size_t count, struct seccomp **out, struct err *err);
void seccomp_free(struct seccomp *s);
void auto_seccomp(struct seccomp **s);
uint64_t seccomp_caps(const struct seccomp *s); /* what it was compiled for */
bool seccomp_is_watched(const struct seccomp *s);
unsigned seccomp_size(const struct seccomp *s); /* instructions */

/* Binds this process for good.  It has CAP_SYS_ADMIN in its namespace, or no_new_privs.
 * -1 with errno. */
int seccomp_load_filter(const struct seccomp *s);
/* The same with watched calls: the descriptor from which notifications are read. */
int seccomp_listen(const struct seccomp *s);
/* Whether this process could have one: EBUSY where somebody watches it already.  Binds this process to a
 * filter that allows everything. */
int seccomp_try_listening(void);

#endif
