/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_CALL_H
#define BUILD_SANDBOX_CALL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "build/sandbox/identity.h"
#include "build/sandbox/seccomp.h"
#include "layers/ownership.h"

/* call - one system call that a supervised process waits for, and what it takes to answer it.
 *
 * The supervisor's working directory is /proc of its own pid namespace, and its root the box's: so
 * "123/cwd/a" is what process 123 calls "a", and "123/fd/4" its descriptor. */

struct supervisor {
	int notify, proc, root, upper;
	bool roots_differ; /* somebody may have another root */
	uint64_t root_mount, root_ino; /* the one that this process has now */
	uint64_t caps;
	struct identities identities;
	struct owners owners;
};

struct call {
	struct supervisor *s;
	uint64_t id;
	pid_t pid; /* a thread */
	const uint64_t *args;
};

/* Instead of a result, which is 0 or more, or a negative errno. */
#define CALL_CONTINUE INT64_MIN       /* let the kernel do it */
#define CALL_ANSWERED (INT64_MIN + 1) /* it has its answer */

typedef int64_t call_answer(struct call *c);

struct call_row {
	struct seccomp_watch watch;
	call_answer *answer;
};
extern const struct call_row call_table[];
extern const size_t call_table_count;

/* --- the process ------------------------------------------------------------------------------ */

/* Is it still waiting?  Only then its pid is its own; asked before anything is changed. */
bool call_is_alive(const struct call *c);
/* CAP_SYS_PTRACE is used for a process's memory and descriptors, and not while a path is followed: by way of
 * /proc that would lead to what the box's init and other processes of ours hold, and the box must not
 * reach.  A box that has it itself may.  -1 with errno. */
int supervisor_reach(const struct supervisor *s, bool processes);
/* All of it, or -1. */
int call_read(const struct call *c, uint64_t address, void *to, size_t len);
int call_write(const struct call *c, uint64_t address, const void *bytes, size_t len);
/* A '\0'-ended string of less than size bytes, or -1. */
int call_read_text(const struct call *c, uint64_t address, char *to, size_t size);
/* What follows "\nUmask:" in its status file; 0 or -1. */
int call_status_text(const struct call *c, const char *field, char *out, size_t size);
/* A number from there, or -1. */
long call_status(const struct call *c, const char *field, int base);
/* Lent until another identity is made. */
const struct identity *call_identity(const struct call *c);
/* 0, or an errno. */
int call_become(const struct call *c, const struct identity *who);

/* --- where it is ------------------------------------------------------------------------------ */

/* A path for the supervisor's own calls. */
struct where {
	char path[PATH_MAX + 64];
	bool follow; /* the last component, if it is a link */
};

/* dir and path as in openat(2), flags of AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH.  -1: better left to the
 * kernel. */
int call_where(struct call *c, int dir, uint64_t path, int flags, struct where *out);
int where_fd(const struct call *c, int fd, struct where *out);
/* O_PATH, or -1 with errno. */
int where_open(const struct where *w);

/* --- owners ----------------------------------------------------------------------------------- */

/* false: none is noted. */
bool owner_of(const struct supervisor *s, const char *path, bool follow, struct ownership *out);
/* fd: O_PATH or open; its file is in the upper directory.  0, or an errno. */
int owner_note(struct supervisor *s, int fd, const struct ownership *o);

/* --- answers ---------------------------------------------------------------------------------- */

call_answer call_chown, call_lchown, call_fchown, call_fchownat;
call_answer call_stat, call_lstat, call_fstat, call_newfstatat, call_statx;
call_answer call_mkdir, call_mkdirat, call_symlink, call_symlinkat, call_mknod, call_mknodat;
call_answer call_open, call_creat, call_openat, call_openat2;
call_answer call_getuid, call_geteuid, call_getgid, call_getegid;
call_answer call_getresuid, call_getresgid, call_getgroups;
call_answer call_setuid, call_setreuid, call_setresuid, call_setfsuid;
call_answer call_setgid, call_setregid, call_setresgid, call_setfsgid, call_setgroups;
call_answer call_execve, call_execveat, call_chroot;
call_answer call_getrlimit, call_setrlimit, call_prlimit;
call_answer call_getsockopt;
call_answer call_rename, call_renameat, call_link, call_linkat;

#endif
