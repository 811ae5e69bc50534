/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define TICK_MS 10 /* how often a child is asked about where there are no pidfds */

void
auto_proc_result(struct proc_result *r)
{
	buf_free(&r->out);
	buf_free(&r->err);
}

int
proc_wait(pid_t pid, int *wait_status, struct err *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, "wait for process %d", (int)pid);
	*wait_status = status;
	return 0;
}

int
proc_exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

bool
proc_die_with_parent(pid_t parent)
{
	pid_t now;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return false;
	now = getppid();
	return now == parent || now == 0; /* 0: it lives outside our pid namespace */
}

void
proc_default_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		if (number != SIGKILL && number != SIGSTOP)
			signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int
proc_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool
proc_has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid != 0;
}

uint64_t
proc_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* A running program and what we hold of it. */
struct child {
	pid_t pid; /* 0: reaped */
	int pidfd; /* -1 where the kernel has none */
	int pipes[2];
	struct buf bytes[2];
};

static void
reap(struct child *c, int *wait_status)
{
	struct err ignored;

	proc_wait(c->pid, wait_status, &ignored);
	c->pid = 0;
}

static void
auto_child(struct child *c)
{
	int wait_status;

	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		reap(c, &wait_status);
	}
	auto_fd(&c->pidfd);
	for (int i = 0; i < 2; i++) {
		auto_fd(&c->pipes[i]);
		buf_free(&c->bytes[i]);
	}
}

/* The descriptors that become 0, 1 and 2, and the pipe that carries errno should exec fail. */
struct ends {
	int standard[3];
	int failed[2];
};

static void
auto_ends(struct ends *e)
{
	for (int i = 0; i < 3; i++)
		auto_fd(&e->standard[i]);
	auto_fd(&e->failed[0]);
	auto_fd(&e->failed[1]);
}

static int
make_input(const struct proc_options *o, struct err *err)
{
	AUTO(fd) int fd = -1;

	if (o->input == NULL) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd < 0 ? err_sys(err, "open /dev/null") : fd_steal(&fd);
	}
	/* not a pipe: nobody has to feed it, and a program that does not read it cannot hurt us */
	fd = fd_memory("input", err);
	if (fd < 0)
		return -1;
	if (fd_write(fd, o->input, o->input_len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "write the input");
	return fd_steal(&fd);
}

static int
make_ends(const struct proc_options *o, struct ends *e, struct child *c, struct err *err)
{
	int ends[2];

	e->standard[0] = make_input(o, err);
	if (e->standard[0] < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		if (o->limit == 0) {
			e->standard[i + 1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
			if (e->standard[i + 1] < 0)
				return err_sys(err, "open /dev/null");
			continue;
		}
		if (pipe2(ends, O_CLOEXEC) < 0)
			return err_sys(err, "make a pipe");
		c->pipes[i] = ends[0];
		e->standard[i + 1] = ends[1];
		if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
			return err_sys(err, "make a pipe");
	}
	if (pipe2(e->failed, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	return 0;
}

/* In the child of what may be a threaded process: system calls only. */
static void
exec_program(const char *const *argv, const struct proc_options *o, struct ends *e, pid_t parent)
{
	char *const *env = o->env != NULL ? (char *const *)(uintptr_t)o->env : environ;

	if (!proc_die_with_parent(parent))
		return;
	proc_default_signals();
	for (int i = 0; i < 3;
		i++) { /* out of the way of 0, 1 and 2, should those have been closed */
		e->standard[i] = fcntl(e->standard[i], F_DUPFD_CLOEXEC, 3);
		if (e->standard[i] < 0)
			return;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(e->standard[i], i) < 0)
			return;
	if (o->dir >= 0 && fchdir(o->dir) < 0)
		return;
	execvpe(argv[0], (char *const *)(uintptr_t)argv, env);
}

static int
start(const char *const *argv, const struct proc_options *o, struct child *c, struct err *err)
{
	AUTO(ends) struct ends e = { { -1, -1, -1 }, { -1, -1 } };
	pid_t parent = getpid();
	int number = 0;

	if (make_ends(o, &e, c, err) < 0)
		return -1;
	c->pid = fork();
	if (c->pid == 0) {
		exec_program(argv, o, &e, parent);
		number = errno;
		(void)!write(e.failed[1], &number, sizeof number);
		_exit(127);
	}
	if (c->pid < 0) {
		c->pid = 0;
		return err_sys(err, "start a process");
	}
	auto_fd(&e.failed[1]);
	if (fd_read(e.failed[0], &number, sizeof number) == sizeof number) {
		errno = number;
		return err_sys(err, "start it");
	}
	c->pidfd = proc_pidfd(c->pid);
	return 0;
}

/* 1 when the pipe is at its end; 0 when there is nothing more for now. */
static int
gather(struct child *c, int i, size_t limit, struct err *err)
{
	enum { STEP = 65536 };
	ssize_t n;

	for (;;) {
		n = read(c->pipes[i], buf_reserve(&c->bytes[i], STEP), STEP);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return err_sys(err, "read its output");
		if (n == 0) {
			auto_fd(&c->pipes[i]);
			return 1;
		}
		c->bytes[i].len += (size_t)n;
		c->bytes[i].data[c->bytes[i].len] = '\0';
		if (c->bytes[i].len > limit)
			return err_set(err, ERR_INPUT, "it wrote more than %zu bytes", limit);
	}
}

/* How long to sleep: to the deadline or the next look at a child without a pidfd; -1: no end. */
static int
sleep_ms(const struct child *c, uint64_t deadline)
{
	uint64_t now = proc_now_ms(), left;

	if (deadline == 0)
		return c->pidfd < 0 ? TICK_MS : -1;
	left = deadline > now ? deadline - now : 0;
	if (c->pidfd < 0 && left > TICK_MS)
		return TICK_MS;
	return left < INT32_MAX ? (int)left : INT32_MAX;
}

/* Until the program itself has ended: who inherited its pipes may keep them open for ever. */
static int
attend(struct child *c, const struct proc_options *o, int *wait_status, struct err *err)
{
	uint64_t deadline = o->timeout_ms > 0 ? proc_now_ms() + o->timeout_ms : 0;
	bool ended = false;

	while (!ended) {
		struct pollfd fds[] = {
			{ .fd = c->pidfd, .events = POLLIN },
			{ .fd = c->pipes[0], .events = POLLIN },
			{ .fd = c->pipes[1], .events = POLLIN },
		};

		if (poll(fds, COUNT_OF(fds), sleep_ms(c, deadline)) < 0 && errno != EINTR)
			return err_sys(err, "wait for it");
		ended = (c->pidfd < 0 || fds[0].revents) && proc_has_ended(c->pid);
		for (int i = 0; i < 2; i++)
			if (c->pipes[i] >= 0 && gather(c, i, o->limit, err) < 0)
				return -1;
		if (!ended && deadline > 0 && proc_now_ms() >= deadline)
			return err_set(
				err, ERR_REMOTE, "it did not end within %u ms", o->timeout_ms);
	}
	reap(c, wait_status);
	return 0;
}

int
proc_run(const char *const *argv, const struct proc_options *o, struct proc_result *out,
	struct err *err)
{
	AUTO(child)
	struct child c = { .pidfd = -1, .pipes = { -1, -1 }, .bytes = { BUF_INIT, BUF_INIT } };
	int wait_status = 0;

	if (start(argv, o, &c, err) < 0 || attend(&c, o, &wait_status, err) < 0)
		return err_in(err, "run '%s'", argv[0]);
	auto_proc_result(out);
	out->status = proc_exit_status(wait_status);
	out->signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
	out->out = c.bytes[0];
	out->err = c.bytes[1];
	c.bytes[0] = c.bytes[1] = (struct buf)BUF_INIT;
	return 0;
}
