/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/box_inside.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "build/sandbox/stack.h"

static int
live_as_program(void *arg)
{
	struct inside *in = arg;
	struct err err = { .kind = ERR_NONE };

	/* memory is shared with the guard, the table of signals is not */
	proc_default_signals();
	if (box_mounts(in, &err) == 0)
		(void)box_start(in, &err);
	in->error = err;
	return 127;
}

static int
follow_worker(const struct inside *in)
{
	struct pollfd worker = { .fd = in->worker, .events = POLLIN };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* gone already, before it could be followed? */
	return in->worker >= 0 && poll(&worker, 1, 0) != 0 ? -1 : 0;
}

int
box_guard(void *inside)
{
	struct inside *in = inside;
	AUTO(stack) void *stack = NULL;
	int status = 0, flags = CLONE_VM | CLONE_VFORK | (in->box->has_init ? 0 : CLONE_NEWPID);
	pid_t pid, ended;

	/* by return, not _exit: a sanitizer does not know this stack */
	if (follow_worker(in) < 0 || stack_make(&stack, &in->error) < 0)
		return 1;
	pid = clone(live_as_program, (char *)stack + STACK_SIZE, flags | SIGCHLD, in);
	if (pid < 0) {
		err_sys(&in->error, "make a process");
		return 1;
	}
	do
		ended = waitpid(-1, &status, 0);
	while (ended != pid && (ended >= 0 || errno == EINTR));
	if (ended == pid)
		in->status = status;
	return 0;
}
