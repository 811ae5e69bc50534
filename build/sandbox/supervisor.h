/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_SUPERVISOR_H
#define BUILD_SANDBOX_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "build/sandbox/seccomp.h"
#include "build/sandbox/user.h"
#include "layers/ownership.h"
#include "layers/view.h"

/* supervisor - owners and users for a box that has one id.
 *
 * A process outside of the box's pid namespaces answers the system calls that would fail or lie in it
 * (seccomp_unotify(2)): chown and mknod note what they were asked for (layers/ownership.h), stat shows it, files
 * that are made belong to who made them, and setuid, setgroups and exec of a set-id file change what getuid
 * says.  Whom a process takes itself for goes to its children and through its execs by itself, because
 * the kernel keeps its number: as the soft RLIMIT_LOCKS, which limits nothing since Linux 2.4.
 *
 * Not so: permissions are those of root, whoever a process takes itself for; /proc/PID/status and
 * files of /proc show the kernel's truth, SCM_CREDENTIALS too; programs of another architecture than the
 * machine's see neither owners nor users, but succeed in setting them; a signal whose action has no SA_RESTART
 * may end any of these calls with EINTR; a socket that is bound belongs to root, and so does a link that
 * was made by way of a dangling link.
 *
 * Paths are resolved by the kernel in a process whose root is the box's (or, for who called chroot, his), so no
 * link leads out.  What a process says of its memory may change while it is looked at: nothing but a box's own
 * affairs depend on it.
 *
 *	supervisor_start()   in the worker, in the user namespace; before the box's processes
 *	supervisor_report()  in the program, after seccomp_listen()
 *	supervisor_finish()  in the worker, after the box has ended
 *
 * It ends with the worker or when no process of the box is left; when it ends before, the calls fail, and so
 * does the box. */

struct supervision {
	pid_t pid; /* 0: none */
	int socket; /* the program's end */
	int table;
};
#define SUPERVISION_INIT { .socket = -1, .table = -1 }
void auto_supervision(struct supervision *v);

struct supervisor_options {
	uint64_t caps;           /* the box's */
	bool is_open;            /* its filter refuses nothing, so its processes may have other roots */
	int upper;               /* where links are looked up by their paths; -1: nowhere */
	const struct view *below; /* the root's lower layers; NULL: nothing is known of them */
};

/* ERR_DENIED where this kernel or somebody around us does not allow it, with the reason; then a box can still be had,
 * without. */
int supervisor_start(const struct supervisor_options *o, struct supervision *out, struct err *err);

/* The filter of such a box, as seccomp_compile() makes that of others; is_open: it refuses nothing. */
int supervisor_filter(uint64_t caps, bool is_open, struct seccomp **out, struct err *err);

/* notify: from seccomp_listen(); root: the box's.  -1 with errno. */
int supervisor_report(int socket, int notify, int root, const struct user *user);

/* out (may be NULL): of the upper directory's files without attributes. */
int supervisor_finish(struct supervision *v, int upper, struct owners *out, struct err *err);

#endif
