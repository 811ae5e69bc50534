/* SPDX-License-Identifier: Apache-2.0 */
#include "build/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

struct terminal {
	int master, peer;
	int resized; /* signalfd */
	bool is_raw;
	struct termios before;
};

static void
follow_size(struct terminal *t)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 ||
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(t->master, TIOCSWINSZ, &size);
}

int
terminal_open(struct terminal **out, struct err *err)
{
	AUTO(terminal) struct terminal *t = xzalloc(sizeof *t);

	t->master = t->peer = t->resized = -1;
	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->master < 0 || grantpt(t->master) < 0 || unlockpt(t->master) < 0)
		return err_sys(err, "make a pseudo-terminal");
	/* by descriptor: the name need not lead to it in this mount namespace */
	t->peer = ioctl(t->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->peer < 0)
		return err_sys(err, "open the pseudo-terminal");
	follow_size(t);
	*out = steal(&t);
	return 0;
}

int
terminal_peer(const struct terminal *t)
{
	return t->peer;
}

void
terminal_leave(struct terminal *t)
{
	auto_fd(&t->master);
}

static void
make_raw(struct terminal *t)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &t->before) < 0)
		return;
	raw = t->before;
	cfmakeraw(&raw);
	t->is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static int
watch_size(struct terminal *t, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	t->resized = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return t->resized < 0 ? err_sys(err, "signalfd") : 0;
}

/* 1: more may come, 0: the end. */
static int
pass(int from, int to)
{
	char bytes[4096];
	ssize_t n = read(from, bytes, sizeof bytes);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	/* EIO: nobody holds the other end any more */
	if (n <= 0)
		return 0;
	return fd_write(to, bytes, (size_t)n) == 0;
}

/* The size first and the output last: a program that writes without end does not keep ^C away. */
enum { SIZE, KEYS, OUTPUT, PLACES };

int
terminal_relay(struct terminal *t, struct worker *program, bool takes_input, struct err *err)
{
	struct signalfd_siginfo info;
	int fds[PLACES];
	size_t ready;

	auto_fd(&t->peer);
	if (watch_size(t, err) < 0)
		return -1;
	make_raw(t);
	fds[SIZE] = t->resized;
	fds[KEYS] = takes_input ? STDIN_FILENO : -1;
	fds[OUTPUT] = t->master;
	for (;;) {
		if (worker_wait_for(&program, 1, fds, PLACES, &ready, err) < 0)
			return -1;
		if (ready == 0)
			break;
		if (ready == 1 + SIZE && read(t->resized, &info, sizeof info) > 0)
			follow_size(t);
		if (ready == 1 + KEYS && !pass(STDIN_FILENO, t->master))
			fds[KEYS] = -1;
		if (ready == 1 + OUTPUT && !pass(t->master, STDOUT_FILENO))
			return 0;
	}
	while (pass(t->master, STDOUT_FILENO))
		;
	return 0;
}

void
terminal_free(struct terminal *t)
{
	if (t == NULL)
		return;
	if (t->is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
	auto_fd(&t->master);
	auto_fd(&t->peer);
	auto_fd(&t->resized);
	free(t);
}

void
auto_terminal(struct terminal **t)
{
	terminal_free(*t);
	*t = NULL;
}
