/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_SERVERS_H
#define TESTS_UNIT_SERVERS_H

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

/* servers - programs that a test talks to: started on a port that the kernel chooses, which they
 * say; stopped and waited for.  They end with the test, however it ends. */

struct server {
	pid_t pid;
	int out; /* what it says; kept open, so that it does not fail to say more */
	unsigned port;
	char dir[64]; /* its own, removed at the end */
};

#define SERVER_START_MS 20000

/* Whether a program is in PATH. */
static inline bool __attribute__((unused)) server_has(const char *program)
{
	char line[256];

	snprintf(line, sizeof line, "command -v %s >/dev/null 2>&1", program);
	return system(line) == 0;
}

/* Reads until a line has `before`; the number behind it is the port.  What it says later goes to a
 * pipe that nobody reads: such servers log little, and the pipe holds 64 KiB. */
static inline int __attribute__((unused)) server_port(struct server *s, const char *before)
{
	AUTO(buf) struct buf said = BUF_INIT;
	struct pollfd p = { .fd = s->out, .events = POLLIN };
	const char *at, *end;
	ssize_t n;

	for (;;) {
		if (poll(&p, 1, SERVER_START_MS) <= 0)
			break;
		n = read(s->out, buf_reserve(&said, 4096), 4096);
		if (n <= 0)
			break;
		said.len += (size_t)n;
		said.data[said.len] = '\0';
		at = strstr(said.data, before);
		if (at == NULL)
			continue;
		at += strlen(before);
		for (end = at; isdigit((unsigned char)*end); end++)
			;
		if (end > at && *end != '\0') {
			s->port = (unsigned)strtoul(at, NULL, 10);
			return 0;
		}
	}
	fprintf(stderr, "# a server did not start: %s\n", said.data);
	return -1;
}

static inline int __attribute__((unused))
server_start(struct server *s, const char *const *argv, const char *before)
{
	int pipes[2];
	pid_t parent = getpid();

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	s->pid = fork();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(127);
		dup2(pipes[1], 1);
		dup2(pipes[1], 2);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(pipes[1]);
	s->out = pipes[0];
	return server_port(s, before);
}

static inline void __attribute__((unused)) server_dir(struct server *s)
{
	strcpy(s->dir, "/tmp/cooper-test-XXXXXX");
	if (mkdtemp(s->dir) == NULL)
		abort();
}

static inline void __attribute__((unused))
server_write(struct server *s, const char *name, const char *text)
{
	AUTO(free) char *path = xasprintf("%s/%s", s->dir, name);
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

static inline void __attribute__((unused)) server_stop(struct server *s)
{
	AUTO(free) char *line = NULL;

	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		close(s->out);
	}
	if (s->dir[0] != '\0') {
		line = xasprintf("rm -rf '%s'", s->dir);
		if (system(line) != 0)
			fprintf(stderr, "# %s is left\n", s->dir);
	}
	memset(s, 0, sizeof *s);
}

/* Debian's registry; http: more lines below "http:", rest: more of the document. */
static inline int __attribute__((unused))
server_registry(struct server *s, const char *storage, const char *http, const char *rest)
{
	AUTO(free) char *config = NULL;
	AUTO(free) char *path = NULL;

	if (s->dir[0] == '\0')
		server_dir(s);
	config = xasprintf(
		"version: 0.1\nlog:\n  level: info\n  accesslog:\n    disabled: true\nstorage:\n"
		"  filesystem:\n    rootdirectory: %s/data\n%s\nhttp:\n  addr: "
		"127.0.0.1:0\n%s\n%s\n",
		s->dir, storage, http, rest);
	server_write(s, "config.yml", config);
	path = xasprintf("%s/config.yml", s->dir);
	return server_start(s, (const char *const[]){ "docker-registry", "serve", path, NULL },
		"listening on 127.0.0.1:");
}

/* Our own, which misbehaves as the arguments say. */
static inline int __attribute__((unused))
server_fake(struct server *s, const char *const *arguments)
{
	const char *argv[24] = { "python3", NULL };
	AUTO(free)
	char *script =
		xasprintf("%s/tests/fake/registry.py", getenv("srcdir") ? getenv("srcdir") : ".");
	size_t n = 2;

	argv[1] = script;
	while (*arguments != NULL && n < COUNT_OF(argv) - 1)
		argv[n++] = *arguments++;
	return server_start(s, argv, "port ");
}

#endif
