/* SPDX-License-Identifier: Apache-2.0 */
#include "build/ssh_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"

/* An agent makes its own directory and socket, and removes them when it is told to end.  That is for the shell
 * it starts: it waits for the end of our pipe, so that nothing has to be done by us when we are killed. */

#define KEYS_MAX 64
#define WAIT_MS 10000
#define SAID_MAX 65536
#define NOT_FOUND 127 /* the status of a child that could not be another program */

struct agent {
	pid_t pid;
	int held;  /* its stdin */
	int watch; /* a connection to it, which ends when it has ended */
	char *socket;
};

struct ssh_agents {
	struct agent *items;
	size_t count, room;
	struct strv specs;
};

/* --- one agent ----------------------------------------------------------------------------------- */

static void
become_agent(int in, int out)
{
	static const char script[] =
		"printf '%s\\n' \"$SSH_AUTH_SOCK\"; cat >/dev/null; kill \"$SSH_AGENT_PID\"";

	/* what the terminal sends is for us alone */
	setsid();
	proc_default_signals();
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(1);
	execlp("ssh-agent", "ssh-agent", "sh", "-c", script, (char *)NULL);
	_exit(errno == ENOENT ? NOT_FOUND : 1);
}

static int
read_line(int fd, struct buf *out)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	uint64_t end = proc_now_ms() + WAIT_MS;
	char c;

	for (uint64_t now = proc_now_ms(); now < end; now = proc_now_ms()) {
		int ready = poll(&wait, 1, (int)(end - now));

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0 || read(fd, &c, 1) != 1 || out->len > 4096)
			return -1;
		if (c == '\n')
			return 0;
		buf_addc(out, c);
	}
	return -1;
}

static int
connect_to(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	AUTO(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof at.sun_path)
		return -1;
	memcpy(at.sun_path, path, strlen(path) + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
		return -1;
	return fd_steal(&fd);
}

static void
wait_for_end(int watch)
{
	struct pollfd wait = { .fd = watch, .events = POLLIN };
	uint64_t end = proc_now_ms() + WAIT_MS;
	char c;

	for (uint64_t now = proc_now_ms(); now < end; now = proc_now_ms())
		if (poll(&wait, 1, (int)(end - now)) > 0 && read(watch, &c, 1) <= 0)
			return;
}

static void
stop(struct agent *a)
{
	struct err ignored;
	int status;

	auto_fd(&a->held);
	if (a->watch >= 0)
		wait_for_end(a->watch);
	if (a->pid > 0) {
		kill(-a->pid, SIGKILL);
		proc_wait(a->pid, &status, &ignored);
	}
	auto_fd(&a->watch);
	free(a->socket);
	*a = (struct agent){ .held = -1, .watch = -1 };
}

/* Why it did not come to say anything. */
static int
did_not_start(struct agent *a, struct err *err)
{
	struct err ignored;
	int status = 0;

	auto_fd(&a->held);
	proc_wait(a->pid, &status, &ignored);
	a->pid = 0;
	if (proc_exit_status(status) == NOT_FOUND)
		return err_set(err, ERR_NOTFOUND,
			"ssh-agent is not installed, and is needed for keys (the package is called "
			"openssh-client)");
	return err_set(err, ERR_SYSTEM, "ssh-agent did not start");
}

static int
start(struct agent *out, struct err *err)
{
	struct agent a = { .held = -1, .watch = -1 };
	AUTO(buf) struct buf line = BUF_INIT;
	int in[2], said[2];

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	if (pipe2(said, O_CLOEXEC) < 0) {
		close(in[0]);
		close(in[1]);
		return err_sys(err, "pipe");
	}
	a.pid = fork();
	if (a.pid == 0)
		become_agent(in[0], said[1]);
	close(in[0]);
	close(said[1]);
	a.held = in[1];
	if (a.pid > 0 && read_line(said[0], &line) == 0) {
		a.socket = buf_steal(&line);
		a.watch = connect_to(a.socket);
	}
	close(said[0]);
	if (a.watch >= 0) {
		*out = a;
		return 0;
	}
	if (a.pid < 0)
		err_sys(err, "fork");
	else if (a.socket == NULL)
		did_not_start(&a, err);
	else
		err_set(err, ERR_SYSTEM, "ssh-agent does not listen at '%s'", a.socket);
	stop(&a);
	return -1;
}

/* --- its keys ------------------------------------------------------------------------------------ */

/* The line that says what is wrong; ssh-add says nothing of a passphrase that nobody was there to type. */
static int
refused(const char *key, const struct buf *said, struct err *err)
{
	static const char *const starts[] = { "Permissions ", "Error " };

	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		const char *line = strstr(said->data, starts[i]);

		if (line != NULL)
			return err_set(err, ERR_INPUT, "'%s': %.*s", key,
				(int)strcspn(line, "\r\n"), line);
	}
	return err_set(err, ERR_INPUT,
		"'%s' needs a passphrase: load it with ssh-add, and give --ssh that agent", key);
}

static int
add_key(const struct agent *a, const char *key, struct err *err)
{
	const char *const argv[] = { "ssh-add", "-q", "--", key, NULL };
	struct proc_options options = PROC_OPTIONS_INIT;
	AUTO(proc_result) struct proc_result r = PROC_RESULT_INIT;
	AUTO(strv) struct strv env = STRV_INIT;
	struct stat st;

	if (fstatat(AT_FDCWD, key, &st, 0) < 0)
		return err_sys(err, "'%s'", key);
	if (!S_ISREG(st.st_mode))
		return err_set(
			err, ERR_INPUT, "'%s' is neither a key nor the socket of an agent", key);
	strv_env_set(&env, "PATH", getenv("PATH") != NULL ? getenv("PATH") : "/usr/bin:/bin");
	strv_env_set(&env, "SSH_AUTH_SOCK", a->socket);
	/* nobody is asked, neither at a terminal nor in a window */
	strv_env_set(&env, "SSH_ASKPASS_REQUIRE", "force");
	strv_env_set(&env, "SSH_ASKPASS", "/bin/false");
	strv_env_set(&env, "LC_ALL", "C");
	options.env = (const char *const *)env.items;
	options.limit = SAID_MAX;
	options.timeout_ms = WAIT_MS;
	if (proc_run(argv, &options, &r, err) < 0)
		return -1;
	return r.status == 0 ? 0 : refused(key, &r.err, err);
}

/* Whether a value of --ssh is a list of keys rather than one socket. */
static bool
is_keys(const char *value)
{
	struct stat st;

	if (fstatat(AT_FDCWD, value, &st, 0) == 0)
		return !S_ISSOCK(st.st_mode);
	return strchr(value, ',') != NULL;
}

static int
start_for(struct ssh_agents *all, const char *id, const char *value, struct err *err)
{
	AUTO(strv) struct strv keys = STRV_INIT;
	struct agent *a;
	struct stat st;

	if (fstatat(AT_FDCWD, value, &st, 0) == 0)
		strv_add(&keys, value);
	else
		strv_split(&keys, value, ",");
	if (keys.count > KEYS_MAX)
		return err_set(err, ERR_INPUT, "more than %d keys", KEYS_MAX);
	all->items = grow(all->items, all->count, &all->room, sizeof *all->items);
	a = &all->items[all->count];
	if (start(a, err) < 0)
		return -1;
	all->count++;
	for (size_t i = 0; i < keys.count; i++)
		if (add_key(a, keys.items[i], err) < 0)
			return -1;
	strv_addf(&all->specs, "%s=%s", id, a->socket);
	return 0;
}

/* --- all ----------------------------------------------------------------------------------------- */

int
ssh_agents_start(const struct strv *specs, struct ssh_agents **out, struct err *err)
{
	AUTO(ssh_agents) struct ssh_agents *all = xzalloc(sizeof *all);

	for (size_t i = 0; i < specs->count; i++) {
		const char *spec = specs->items[i], *equals = strchr(spec, '=');
		AUTO(free) char *id = xstrndup(spec, strcspn(spec, "="));

		if (equals == NULL || !is_keys(equals + 1))
			strv_add(&all->specs, spec);
		else if (start_for(all, id, equals + 1, err) < 0)
			return err_in(err, "--ssh %s", id);
	}
	*out = steal(&all);
	return 0;
}

const struct strv *
ssh_agents_specs(const struct ssh_agents *a)
{
	return &a->specs;
}

void
ssh_agents_stop(struct ssh_agents *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->count; i++)
		stop(&a->items[i]);
	free(a->items);
	strv_free(&a->specs);
	free(a);
}

void
auto_ssh_agents(struct ssh_agents **a)
{
	ssh_agents_stop(*a);
	*a = NULL;
}
