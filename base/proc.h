/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

/* proc - a program run as a child: no shell, argv as given, found in PATH when it has no slash. */

struct proc_result {
	int status;     /* exit status; 128 + n when a signal ended it */
	int signal;     /* 0, or that signal */
	struct buf out; /* what it wrote to stdout, if asked for; for buf_free() */
	struct buf err; /* stderr, likewise */
};
#define PROC_RESULT_INIT { .out = BUF_INIT, .err = BUF_INIT }
void auto_proc_result(struct proc_result *r);

struct proc_options {
	const char *input;      /* what it reads from stdin; NULL: /dev/null */
	size_t input_len;
	const char *const *env; /* NULL: ours */
	int dir;                /* its working directory; -1: ours */
	size_t limit;           /* of out and err each, in bytes; 0: not captured, goes to /dev/null;
	                         * past it the child is killed and ERR_INPUT returned */
	unsigned timeout_ms;    /* 0: none; past it the child is killed and ERR_REMOTE returned */
};
#define PROC_OPTIONS_INIT { .dir = -1 }

/* Runs it to its end, with default signals; it is killed when we end.  What it leaves behind may keep
 * the pipes open, and is not waited for.  A program that is not there: ERR_NOTFOUND.  A status other
 * than 0 is no failure of this call. */
int proc_run(const char *const *argv, const struct proc_options *o, struct proc_result *out,
	struct err *err);

/* Waits for pid across EINTR; the raw wait status. */
int proc_wait(pid_t pid, int *wait_status, struct err *err);
/* As an exit status: 128 + n for a signal. */
int proc_exit_status(int wait_status);
/* This process is killed with SIGKILL when its parent ends; false when the parent is gone already.  The
 * kernel forgets it whenever ids or capabilities change, setns() into a user namespace included: call it
 * again then. */
bool proc_die_with_parent(pid_t parent);
/* Default actions and an empty mask, for before an exec: our workers ignore SIGPIPE. */
void proc_default_signals(void);
/* A pidfd of the child, or -1 with errno (ENOSYS before Linux 5.3: then ask proc_has_ended()). */
int proc_pidfd(pid_t pid);
/* Whether the child has ended; it is not reaped by that. */
bool proc_has_ended(pid_t pid);
/* A clock that only goes forward. */
uint64_t proc_now_ms(void);

#endif
