/* SPDX-License-Identifier: Apache-2.0 */
#include "base/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/event.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/worker_wire.h"

/* The coordinator only ever reads from its workers, and every wait attends to all of them, so a
 * worker that says much is slowed down by a full socket and nobody waits in a circle.
 *
 * In one turn a worker's socket is read first, then its log pipes, and only then is what the socket
 * gave delivered: whatever a worker logged before it said "done" is heard before that. */

#define READ_STEP 65536
#define TICK_MS 10 /* how often a worker is asked about where there are no pidfds */

struct worker {
	char *name;
	pid_t pid;   /* 0: reaped */
	int pidfd;   /* -1 where the kernel has none */
	int socket;  /* -1: at its end */
	int logs[2]; /* read ends; -1: none, or at its end */
	uint32_t event;
	struct buf in; /* from the socket, not yet a whole frame */
	bool ended;
	bool spoke; /* result and error mean something */
	json_t *result;
	struct err error; /* kind ERR_NONE: it went well */
	struct worker *next;
};

/* What this process is: coordinator of its workers, and perhaps worker of another.  Known by no
 * caller, so it cannot travel as an argument. */
static struct {
	struct worker *workers;
	int signal_fd; /* -1: none */
	int signal;
	sigset_t mask; /* as it was before signal_fd */
	int socket;    /* to our coordinator; -1: we are no worker */
	int logs[2];   /* write ends */
	pthread_mutex_t speaking;
} self = {
	.signal_fd = -1,
	.socket = -1,
	.logs = { -1, -1 },
	.speaking = PTHREAD_MUTEX_INITIALIZER,
};

/* What start makes before the fork: [0] is the coordinator's end, [1] the worker's. */
struct ends {
	int socket[2];
	int logs[2][2];
};
#define ENDS_INIT                      \
	{                              \
		{ -1, -1 },            \
		{                      \
			{ -1, -1 },    \
			{              \
				-1, -1 \
			}              \
		}                      \
	}

static void
auto_ends(struct ends *e)
{
	for (int i = 0; i < 2; i++) {
		auto_fd(&e->socket[i]);
		auto_fd(&e->logs[0][i]);
		auto_fd(&e->logs[1][i]);
	}
}

static int
make_ends(const struct worker_job *job, struct ends *e)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, e->socket) < 0 ||
		fcntl(e->socket[0], F_SETFL, O_NONBLOCK) < 0)
		return -1;
	for (int i = 0; job->logs && i < 2; i++)
		if (pipe2(e->logs[i], O_CLOEXEC) < 0 ||
			fcntl(e->logs[i][0], F_SETFL, O_NONBLOCK) < 0)
			return -1;
	return 0;
}

/* In a worker: all of it, or the end, for without a coordinator there is no point. */
static void
say(const char *bytes, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(self.socket, bytes, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			_exit(1);
		bytes += n;
		len -= (size_t)n;
	}
}

static void
forward(const struct event *event, void *arg __attribute__((unused)))
{
	AUTO(buf) struct buf frame = BUF_INIT;

	wire_put_event(&frame, event);
	pthread_mutex_lock(&self.speaking);
	say(frame.data, frame.len);
	pthread_mutex_unlock(&self.speaking);
}

static void
close_worker(struct worker *w)
{
	auto_fd(&w->pidfd);
	auto_fd(&w->socket);
	auto_fd(&w->logs[0]);
	auto_fd(&w->logs[1]);
}

/* The child is nobody's coordinator yet, and has the signals of the time before. */
static void
become_worker(struct ends *e)
{
	for (struct worker *w = self.workers; w != NULL; w = w->next)
		close_worker(w);
	self.workers = NULL;
	auto_fd(&self.socket);
	auto_fd(&self.logs[0]);
	auto_fd(&self.logs[1]);
	self.socket = fd_steal(&e->socket[1]);
	self.logs[0] = fd_steal(&e->logs[0][1]);
	self.logs[1] = fd_steal(&e->logs[1][1]);
	self.signal = 0;
	pthread_mutex_init(&self.speaking, NULL);
	event_listen(forward, NULL, NULL, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (self.signal_fd >= 0) {
		auto_fd(&self.signal_fd);
		sigprocmask(SIG_SETMASK, &self.mask, NULL);
	}
}

static void __attribute__((noreturn)) do_job(const struct worker_job *job)
{
	AUTO(buf) struct buf frame = BUF_INIT;
	AUTO(json) json_t *result = NULL;
	struct err err = { .kind = ERR_NONE };
	int done = job->run(job->arg, &result, &err);

	if (done < 0 && err.kind == ERR_NONE)
		err_set(&err, ERR_SYSTEM, "%s: failed without a word", job->name);
	if (done == 0 && wire_put_result(&frame, result, &err) < 0)
		done = err_in(&err, "%s", job->name);
	if (done < 0)
		wire_put_error(&frame, &err);
	pthread_mutex_lock(&self.speaking);
	say(frame.data, frame.len);
	_exit(0);
}

int
worker_start(const struct worker_job *job, struct worker **out, struct err *err)
{
	AUTO(ends) struct ends e = ENDS_INIT;
	struct worker *w;
	pid_t parent = getpid(), pid;

	if (make_ends(job, &e) < 0)
		return err_sys(err, "start %s", job->name);
	event_new(); /* from here on ids are counted in memory that both share */
	pid = fork();
	if (pid < 0)
		return err_sys(err, "start %s", job->name);
	if (pid == 0) {
		if (!proc_die_with_parent(parent))
			_exit(1);
		auto_fd(&e.socket[0]);
		auto_fd(&e.logs[0][0]);
		auto_fd(&e.logs[1][0]);
		become_worker(&e);
		do_job(job);
	}
	w = xzalloc(sizeof *w);
	w->name = xstrdup(job->name);
	w->pid = pid;
	w->pidfd = proc_pidfd(pid);
	w->socket = fd_steal(&e.socket[0]);
	w->logs[0] = fd_steal(&e.logs[0][0]);
	w->logs[1] = fd_steal(&e.logs[1][0]);
	w->event = job->event;
	w->in = (struct buf)BUF_INIT;
	w->next = self.workers;
	self.workers = w;
	*out = w;
	return 0;
}

void
worker_log_fds(int *out_fd, int *err_fd)
{
	*out_fd = self.logs[0];
	*err_fd = self.logs[1];
}

/* Only what is in the pipe now: others may go on writing to it for ever. */
static void
drain_log(struct worker *w, int i)
{
	char bytes[READ_STEP];
	int left = 0;
	ssize_t n;

	if (w->logs[i] < 0)
		return;
	if (ioctl(w->logs[i], FIONREAD, &left) < 0)
		left = 0;
	do {
		n = read(w->logs[i], bytes, sizeof bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (n < 0 && errno != EAGAIN))
			auto_fd(&w->logs[i]);
		if (n <= 0)
			return;
		event_log(w->event, i + 1, bytes, (uint32_t)n);
		left -= (int)n;
	} while (left > 0);
}

static void
drain_logs(struct worker *w)
{
	drain_log(w, 0);
	drain_log(w, 1);
}

/* False: nothing came. */
static bool
read_socket(struct worker *w)
{
	ssize_t n;

	if (w->socket < 0)
		return false;
	do
		n = recv(w->socket, buf_reserve(&w->in, READ_STEP), READ_STEP, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		auto_fd(&w->socket);
	if (n <= 0)
		return false;
	w->in.len += (size_t)n;
	w->in.data[w->in.len] = '\0';
	return true;
}

static int
hear_frame(struct worker *w, const struct wire_frame *frame, struct err *err)
{
	if (frame->kind == WIRE_EVENT) {
		event_emit(&frame->event);
		return 0;
	}
	w->spoke = true;
	if (frame->kind == WIRE_ERROR)
		w->error = frame->error;
	else if (frame->result_len > 0)
		return json_parse_own(frame->result, frame->result_len, &w->result, err);
	return 0;
}

/* Delivers the whole frames; what cannot be understood ends the worker. */
static void
hear(struct worker *w)
{
	struct err err = { .kind = ERR_NONE };
	struct wire_frame frame;
	size_t at = 0, used;
	int taken = 0;

	while (!w->spoke) {
		taken = wire_take(w->in.data + at, w->in.len - at, &frame, &used, &err);
		if (taken <= 0)
			break;
		at += used;
		taken = hear_frame(w, &frame, &err);
	}
	if (taken < 0) {
		w->spoke = true;
		err_set(&w->error, ERR_CORRUPT, "%s: %.200s", w->name, err.msg);
		if (w->pid > 0)
			kill(w->pid, SIGKILL);
	}
	if (w->spoke)
		at = w->in.len; /* the rest is nothing we asked for */
	if (at == 0)
		return;
	memmove(w->in.data, w->in.data + at, w->in.len - at);
	buf_truncate(&w->in, w->in.len - at);
}

static void
attend(struct worker *w)
{
	read_socket(w);
	drain_logs(w);
	hear(w);
}

static void
say_how_it_died(struct worker *w, int wait_status)
{
	if (WIFSIGNALED(wait_status))
		err_set(&w->error, ERR_SYSTEM, "%s: killed by signal %d", w->name,
			WTERMSIG(wait_status));
	else
		err_set(&w->error, ERR_SYSTEM, "%s: ended with status %d and no result", w->name,
			WEXITSTATUS(wait_status));
}

/* The process has ended: what it said is all in the socket and the pipes. */
static void
finish(struct worker *w)
{
	struct err ignored;
	int wait_status = 0;

	proc_wait(w->pid, &wait_status, &ignored);
	w->pid = 0; /* the number may be another's now */
	while (read_socket(w))
		;
	drain_logs(w);
	hear(w);
	if (!w->spoke)
		say_how_it_died(w, wait_status);
	close_worker(w);
	buf_free(&w->in);
	w->ended = true;
}

static bool
take_signal(void)
{
	struct signalfd_siginfo info;

	if (self.signal_fd < 0 || read(self.signal_fd, &info, sizeof info) != sizeof info)
		return false;
	self.signal = (int)info.ssi_signo;
	return true;
}

struct turn {
	struct pollfd *fds; /* the signals, the caller's, then four for each running worker */
	size_t count, room;
	bool tick; /* a worker has no pidfd */
};

static void
auto_turn(struct turn *t)
{
	free(t->fds);
}

static void
watch(struct turn *t, int fd)
{
	t->fds = grow(t->fds, t->count, &t->room, sizeof *t->fds);
	t->fds[t->count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

/* Sleeps until something happens, and attends to all workers.  1: a signal came; -1 with errno. */
static int
take_turn(const int *fds, size_t fd_count, size_t *ready, int timeout_ms)
{
	AUTO(turn) struct turn t = { .fds = NULL };
	const struct pollfd *at;
	int woken;

	watch(&t, self.signal_fd);
	for (size_t i = 0; i < fd_count; i++)
		watch(&t, fds[i]);
	for (struct worker *w = self.workers; w != NULL; w = w->next) {
		if (w->ended)
			continue;
		watch(&t, w->pidfd);
		watch(&t, w->socket);
		watch(&t, w->logs[0]);
		watch(&t, w->logs[1]);
		if (w->pidfd < 0)
			t.tick = true;
	}
	if (t.tick && (timeout_ms < 0 || timeout_ms > TICK_MS))
		timeout_ms = TICK_MS;
	woken = poll(t.fds, t.count, timeout_ms);
	if (woken < 0)
		return errno == EINTR ? 0 : -1;
	at = t.fds + 1 + fd_count;
	for (struct worker *w = self.workers; w != NULL; w = w->next) {
		if (w->ended)
			continue;
		if ((w->pidfd < 0 || at->revents) && proc_has_ended(w->pid))
			finish(w);
		else if (at[1].revents || at[2].revents || at[3].revents)
			attend(w);
		at += 4;
	}
	for (size_t i = fd_count; i-- > 0;)
		if (t.fds[1 + i].revents)
			*ready = i;
	/* asked even where poll said nothing: ^C ends the workers too, and we may see that first */
	return take_signal() ? 1 : 0;
}

static int
interrupted(struct err *err)
{
	return err_set(
		err, ERR_INTERRUPTED, "%s", self.signal == SIGINT ? "interrupted" : "terminated");
}

int
worker_wait_for(struct worker **workers, size_t count, const int *fds, size_t fd_count,
	size_t *done, struct err *err)
{
	size_t ready = SIZE_MAX;
	int turn;

	if (count == 0 && fd_count == 0)
		return err_set(err, ERR_SYSTEM, "there is nothing to wait for");
	for (;;) {
		for (size_t i = 0; i < count; i++)
			if (workers[i]->ended) {
				*done = i;
				return 0;
			}
		if (ready < fd_count) {
			*done = count + ready;
			return 0;
		}
		turn = take_turn(fds, fd_count, &ready, -1);
		if (turn < 0)
			return err_sys(err, "wait for workers");
		if (turn > 0)
			return interrupted(err);
	}
}

int
worker_wait_any(struct worker **workers, size_t count, size_t *done, struct err *err)
{
	return worker_wait_for(workers, count, NULL, 0, done, err);
}

int
worker_result(struct worker *w, json_t **result, struct err *err)
{
	if (!w->ended)
		return err_set(err, ERR_SYSTEM, "%s: has not ended yet", w->name);
	if (w->error.kind != ERR_NONE) {
		*err = w->error;
		return -1;
	}
	if (result != NULL)
		*result = steal(&w->result);
	return 0;
}

static void
end_it(struct worker *w, unsigned grace_ms)
{
	uint64_t deadline = proc_now_ms() + grace_ms, now = proc_now_ms();
	size_t ignored;

	if (grace_ms > 0 && !w->ended)
		kill(w->pid, SIGTERM);
	/* another ^C: no more patience */
	while (!w->ended && now < deadline &&
		take_turn(NULL, 0, &ignored, (int)(deadline - now)) == 0)
		now = proc_now_ms();
	if (!w->ended) {
		kill(w->pid, SIGKILL);
		finish(w);
	}
}

void
worker_stop(struct worker *w, unsigned grace_ms)
{
	if (w == NULL)
		return;
	end_it(w, grace_ms);
	for (struct worker **at = &self.workers; *at != NULL; at = &(*at)->next)
		if (*at == w) {
			*at = w->next;
			break;
		}
	json_decref(w->result);
	free(w->name);
	free(w);
}

void
worker_free(struct worker *w)
{
	worker_stop(w, 0);
}

void
auto_worker(struct worker **w)
{
	worker_free(*w);
	*w = NULL;
}

int
worker_call(const struct worker_job *job, json_t **result, struct err *err)
{
	AUTO(worker) struct worker *w = NULL;
	size_t done;

	if (worker_start(job, &w, err) < 0)
		return -1;
	if (worker_wait_any(&w, 1, &done, err) < 0) {
		worker_stop(steal(&w), WORKER_GRACE_MS);
		return -1;
	}
	return worker_result(w, result, err);
}

int
worker_signals(struct err *err)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action;
	sigset_t set;

	if (self.signal_fd >= 0)
		return 0;
	sigemptyset(&set);
	for (size_t i = 0; i < COUNT_OF(numbers); i++) /* what nohup ignores stays ignored */
		if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&set, numbers[i]);
	self.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (self.signal_fd < 0)
		return err_sys(err, "watch for signals");
	sigprocmask(SIG_BLOCK, &set, &self.mask);
	return 0;
}

int
worker_signal(void)
{
	return self.signal;
}
