/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/box.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/event.h"
#include "base/mem.h"
#include "base/proc.h"
#include "build/sandbox/box_inside.h"
#include "build/sandbox/ids.h"
#include "build/sandbox/stack.h"

static int
check(const struct box *b, struct err *err)
{
	if (b->argv == NULL || b->argv->count == 0)
		return err_set(err, ERR_INPUT, "there is no program to run");
	if (b->is_insecure && !b->allow_insecure)
		return err_set(err, ERR_DENIED,
			"security mode 'insecure' was not allowed on the command line");
	return 0;
}

static void
auto_inside(struct inside *in)
{
	for (size_t i = 0; in->lowers != NULL && i < in->box->root.lower_count; i++)
		auto_carry(&in->lowers[i]);
	for (size_t i = 0; in->mounted != NULL && i < in->box->mount_count; i++) {
		for (size_t k = 0; k < in->mounted[i].count; k++)
			auto_carry(&in->mounted[i].items[k]);
		free(in->mounted[i].items);
	}
	free(in->lowers);
	free(in->mounted);
	auto_carry(&in->upper);
	auto_carry(&in->work);
	auto_carry(&in->terminal);
	auto_fd(&in->worker);
	auto_mounts(&in->mounts);
	auto_points(&in->points);
	auto_user(&in->user);
	auto_supervision(&in->supervision);
}

static int
take_mount(const struct box_mount *m, struct carried *out, struct err *err)
{
	const int *fds = m->kind == BOX_STACK ? m->lowers : &m->fd;
	size_t count = m->kind == BOX_STACK ? m->lower_count : m->kind == BOX_BIND ? 1 : 0;

	out->items = xcalloc(count + 1, sizeof *out->items);
	for (size_t i = 0; i < count; i++) {
		out->items[out->count] = (struct carry)CARRY_INIT;
		if (carry_take(fds[i], &out->items[out->count++], err) < 0)
			return -1;
	}
	return 0;
}

static int
take_all(struct inside *in, struct err *err)
{
	const struct box *b = in->box;

	in->lowers = xcalloc(b->root.lower_count + 1, sizeof *in->lowers);
	in->mounted = xcalloc(b->mount_count + 1, sizeof *in->mounted);
	for (size_t i = 0; i < b->root.lower_count; i++)
		in->lowers[i] = (struct carry)CARRY_INIT;
	for (size_t i = 0; i < b->root.lower_count; i++)
		if (carry_take(b->root.lowers[i], &in->lowers[i], err) < 0)
			return -1;
	for (size_t i = 0; i < b->mount_count; i++)
		if (take_mount(&b->mounts[i], &in->mounted[i], err) < 0)
			return err_in(err, "mount '%s'", b->mounts[i].target);
	if (b->has_tty && carry_take(b->stdin_fd, &in->terminal, err) < 0)
		return err_in(err, "terminal");
	return carry_take_pair(b->root.upper, b->root.work, &in->upper, &in->work, err);
}

static int
lift_all(struct inside *in, struct err *err)
{
	for (size_t i = 0; i < in->box->root.lower_count; i++)
		if (carry_lift(&in->lowers[i], err) < 0)
			return -1;
	for (size_t i = 0; i < in->box->mount_count; i++)
		for (size_t k = 0; k < in->mounted[i].count; k++)
			if (carry_lift(&in->mounted[i].items[k], err) < 0)
				return err_in(err, "mount '%s'", in->box->mounts[i].target);
	return carry_lift_pair(&in->upper, &in->work, err);
}

static int
start_guard(struct inside *in, void *stack, pid_t *pid, struct err *err)
{
	int flags = CLONE_VM | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS |
		    CLONE_NEWCGROUP;
	char *top = (char *)stack + STACK_SIZE;

	if (in->box->network == BOX_NETWORK_NONE)
		flags |= CLONE_NEWNET;
	*pid = clone(box_guard, top, flags | SIGCHLD, in);
	/* a kernel built without them */
	if (*pid < 0 && errno == EINVAL)
		*pid = clone(box_guard, top, (flags & ~CLONE_NEWCGROUP) | SIGCHLD, in);
	return *pid < 0 ? err_sys(err, "make the namespaces of a box") : 0;
}

static int
conclude(const struct inside *in, int guard_status, struct box_result *out, struct err *err)
{
	if (in->error.kind != ERR_NONE) {
		*err = in->error;
		return -1;
	}
	if (in->status < 0)
		return err_set(err, ERR_SYSTEM, "the box was killed by signal %d",
			WIFSIGNALED(guard_status) ? WTERMSIG(guard_status) : 0);
	*out = (struct box_result){ .status = proc_exit_status(in->status) };
	if (WIFSIGNALED(in->status))
		out->signal = WTERMSIG(in->status);
	/* a shell passes on that its child was killed */
	out->oom = out->status == 128 + SIGKILL && limits_oom_kills() > in->oom_kills;
	return 0;
}

/* Numbers of descriptors that the program's process had, and this one has not. */
static void
forget_descriptors(struct inside *in)
{
	for (size_t i = 0; i < in->box->root.lower_count; i++)
		in->lowers[i].fd = -1;
	for (size_t i = 0; i < in->box->mount_count; i++)
		for (size_t k = 0; k < in->mounted[i].count; k++)
			in->mounted[i].items[k].fd = -1;
	in->upper.fd = in->work.fd = in->terminal.fd = in->root = in->cwd = in->mounts.nest = -1;
}

static int
run_inside(struct inside *in, struct box_result *out, struct strv *stubs, struct err *err)
{
	AUTO(stack) void *stack = NULL;
	int guard_status = 0, result;
	pid_t guard;

	if (stack_make(&stack, err) < 0 || start_guard(in, stack, &guard, err) < 0)
		return -1;
	/* the memory is theirs until then */
	result = proc_wait(guard, &guard_status, err);
	forget_descriptors(in);
	if (result < 0)
		return -1;
	/* they were good for opening paths; one id: cannot be dropped */
	(void)setgroups(0, NULL);
	if (in->supervision.pid > 0 &&
		supervisor_finish(&in->supervision, in->box->root.upper, in->box->owners, err) < 0)
		return -1;
	if (in->box->root.upper >= 0)
		points_remove(&in->points, in->box->root.upper, stubs);
	return conclude(in, guard_status, out, err);
}

/* Without one the box is still good for most of what runs in it. */
static int
take_supervisor(struct inside *in, struct err *err)
{
	const struct box *b = in->box;
	const struct supervisor_options o = { in->caps, b->is_insecure, b->root.upper, b->below };

	if (!b->is_supervised || supervisor_start(&o, &in->supervision, err) == 0)
		return 0;
	if (err->kind != ERR_DENIED)
		return -1;
	event_warn("files of this box belong to root alone, and it has no other users: %s "
		   "(see 'cooper doctor')",
		err->msg);
	return 0;
}

static int
take_filter(struct inside *in, struct seccomp **compiled, struct err *err)
{
	const struct box *b = in->box;
	bool is_watched = in->supervision.pid > 0;

	if (b->is_insecure && !is_watched)
		return 0;
	in->seccomp = b->seccomp;
	if (!b->is_insecure && in->seccomp != NULL && seccomp_caps(in->seccomp) == in->caps &&
		seccomp_is_watched(in->seccomp) == is_watched)
		return 0;
	if ((is_watched ? supervisor_filter(in->caps, b->is_insecure, compiled, err)
			: seccomp_compile(in->caps, compiled, err)) < 0)
		return -1;
	in->seccomp = *compiled;
	return 0;
}

int
box_run(const struct box *box, struct box_result *out, struct strv *stubs, struct err *err)
{
	AUTO(inside)
	struct inside in = {
		.box = box,
		.caps = box->is_insecure ? CAPS_ALL : box->caps,
		.upper = CARRY_INIT,
		.work = CARRY_INIT,
		.terminal = CARRY_INIT,
		.supervision = SUPERVISION_INIT,
		.worker = -1,
		.mounts = MOUNTS_INIT,
		.points = POINTS_INIT,
		.root = -1,
		.cwd = -1,
		.status = -1,
	};
	AUTO(seccomp) struct seccomp *compiled = NULL;

	if (check(box, err) < 0 || take_all(&in, err) < 0)
		return -1;
	if (ids_join(box->userns_fd, err) < 0 || lift_all(&in, err) < 0)
		return -1;
	umask(022);
	if (take_supervisor(&in, err) < 0 || take_filter(&in, &compiled, err) < 0)
		return -1;
	in.oom_kills = limits_oom_kills();
	in.worker = proc_pidfd(getpid());
	return run_inside(&in, out, stubs, err);
}
