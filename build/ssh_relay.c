/* SPDX-License-Identifier: Apache-2.0 */
#include "build/ssh_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"

#define SOCKET_NAME "agent"
#define BYTES 65536
#define TICK_MS 1000 /* how often the worker is looked for where there are no pidfds */

/* --- which agent ------------------------------------------------------------------------------ */

static int
check_agent(const char *id, const char *path, struct err *err)
{
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, 0) < 0)
		return err_sys(err, "--ssh %s: '%s'", id, path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_INPUT, "--ssh %s: '%s' is no socket of an agent", id, path);
	if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
		return err_set(err, ERR_INPUT, "--ssh %s: '%s' is too long for a socket", id, path);
	return 0;
}

int
ssh_relay_find(const struct strv *specs, const char *id, char **out, struct err *err)
{
	for (size_t i = 0; i < specs->count; i++) {
		const char *spec = specs->items[i], *equals = strchr(spec, '=');
		size_t len = equals != NULL ? (size_t)(equals - spec) : strlen(spec);
		const char *path = equals != NULL ? equals + 1 : getenv("SSH_AUTH_SOCK");

		if (strlen(id) != len || strncmp(spec, id, len) != 0)
			continue;
		if (path == NULL || *path == '\0')
			return err_set(err, ERR_NOTFOUND,
				"--ssh %s: SSH_AUTH_SOCK is not set: is an agent running?", id);
		if (check_agent(id, path, err) < 0)
			return -1;
		*out = xstrdup(path);
		return 1;
	}
	return 0;
}

/* --- the child -------------------------------------------------------------------------------- */

struct pair { /* one connection */
	int box, agent;
};

static int
connect_agent(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(at.sun_path, path, strlen(path) + 1);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&at, sizeof at) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void
accept_one(int listener, const char *agent, struct pair *pairs, size_t *count)
{
	struct pair p = { .box = accept4(listener, NULL, NULL, SOCK_CLOEXEC), .agent = -1 };

	if (p.box >= 0)
		p.agent = connect_agent(agent);
	if (p.agent >= 0) {
		pairs[(*count)++] = p;
		return;
	}
	auto_fd(&p.box);
}

/* false: this connection is over. */
static bool
pass_on(int from, int to)
{
	char bytes[BYTES];
	ssize_t n = read(from, bytes, sizeof bytes);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	return n > 0 && fd_write(to, bytes, (size_t)n) == 0;
}

/* To the end of the worker, which the kernel does not tell by a signal: it may be another user then
 * than it was when it forked. */
static void
serve(int listener, int worker, pid_t worker_pid, const char *agent)
{
	struct pair pairs[SSH_RELAY_CONNECTIONS_MAX];
	size_t count = 0;

	for (;;) {
		struct pollfd polls[2 * SSH_RELAY_CONNECTIONS_MAX + 2];
		size_t open = count;

		for (size_t i = 0; i < open; i++) {
			polls[2 * i] = (struct pollfd){ .fd = pairs[i].box, .events = POLLIN };
			polls[2 * i + 1] =
				(struct pollfd){ .fd = pairs[i].agent, .events = POLLIN };
		}
		polls[2 * open] =
			(struct pollfd){ .fd = open < SSH_RELAY_CONNECTIONS_MAX ? listener : -1,
				.events = POLLIN };
		polls[2 * open + 1] = (struct pollfd){ .fd = worker, .events = POLLIN };
		if (poll(polls, 2 * open + 2, worker >= 0 ? -1 : TICK_MS) < 0 && errno != EINTR)
			return;
		if (polls[2 * open + 1].revents != 0 || getppid() != worker_pid)
			return;
		for (size_t i = open; i-- > 0;) {
			bool alive = (polls[2 * i].revents == 0 ||
					     pass_on(pairs[i].box, pairs[i].agent)) &&
				     (polls[2 * i + 1].revents == 0 ||
					     pass_on(pairs[i].agent, pairs[i].box));

			if (alive)
				continue;
			close(pairs[i].box);
			close(pairs[i].agent);
			pairs[i] = pairs[--count];
		}
		if (polls[2 * open].revents != 0)
			accept_one(listener, agent, pairs, &count);
	}
}

/* Nothing of the worker's stays open, so that nobody waits for this process. */
static void
be_relay(int listener, const char *agent, pid_t parent)
{
	int worker = proc_pidfd(parent);

	if (!proc_die_with_parent(parent) || dup2(listener, 0) < 0 ||
		(worker >= 0 && dup2(worker, 1) < 0))
		_exit(1);
	syscall(SYS_close_range, worker >= 0 ? 2u : 1u, ~0u, 0u);
	serve(0, worker >= 0 ? 1 : -1, parent, agent);
	_exit(1);
}

/* --- the worker ------------------------------------------------------------------------------- */

static int
listen_at(int dir, struct err *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	AUTO(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* by descriptor: a store's path may be longer than an address */
	snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/" SOCKET_NAME, dir);
	if (fd < 0 || bind(fd, (const struct sockaddr *)(const void *)&at, sizeof at) < 0 ||
		listen(fd, SSH_RELAY_CONNECTIONS_MAX) < 0)
		return err_sys(err, "socket for the ssh agent");
	return fd_steal(&fd);
}

int
ssh_relay_start(const char *agent, int dir, uid_t uid, gid_t gid, mode_t mode, struct err *err)
{
	AUTO(fd) int listener = listen_at(dir, err);
	pid_t parent = getpid(), pid;

	if (listener < 0)
		return -1;
	if (fchownat(dir, SOCKET_NAME, uid, gid, 0) < 0)
		mode = 0666;
	if (fchmodat(dir, SOCKET_NAME, mode, 0) < 0)
		return err_sys(err, "socket for the ssh agent");
	pid = fork();
	if (pid < 0)
		return err_sys(err, "fork");
	if (pid == 0)
		be_relay(listener, agent, parent);
	return 0;
}
