/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* --- asking ----------------------------------------------------------------------------------- */

int64_t
call_getuid(struct call *c)
{
	return call_identity(c)->user.real;
}

int64_t
call_geteuid(struct call *c)
{
	return call_identity(c)->user.effective;
}

int64_t
call_getgid(struct call *c)
{
	return call_identity(c)->group.real;
}

int64_t
call_getegid(struct call *c)
{
	return call_identity(c)->group.effective;
}

static int64_t
tell_three(const struct call *c, const struct identity_ids *ids)
{
	if (call_write(c, c->args[0], &ids->real, sizeof ids->real) < 0 ||
		call_write(c, c->args[1], &ids->effective, sizeof ids->effective) < 0 ||
		call_write(c, c->args[2], &ids->saved, sizeof ids->saved) < 0)
		return -EFAULT;
	return 0;
}

int64_t
call_getresuid(struct call *c)
{
	return tell_three(c, &call_identity(c)->user);
}

int64_t
call_getresgid(struct call *c)
{
	return tell_three(c, &call_identity(c)->group);
}

int64_t
call_getgroups(struct call *c)
{
	const struct identity *who = call_identity(c);
	int room = (int)c->args[0];

	if (room < 0 || (room > 0 && (size_t)room < who->group_count))
		return -EINVAL;
	if (room > 0 && who->group_count > 0 &&
		call_write(c, c->args[1], who->groups, who->group_count * sizeof *who->groups) < 0)
		return -EFAULT;
	return (int64_t)who->group_count;
}

/* --- setting ---------------------------------------------------------------------------------- */

static int64_t
set_ids(struct call *c, enum identity_set how, bool is_user)
{
	struct identity who = *call_identity(c);
	struct identity_ids *ids = is_user ? &who.user : &who.group;
	const uint32_t args[3] = { (uint32_t)c->args[0], (uint32_t)c->args[1],
		(uint32_t)c->args[2] };
	const struct identities *all = &c->s->identities;
	uint32_t fs = ids->fs;
	int error = identity_set(how, args,
		who.user.effective == 0 && (is_user ? all->may_set_user : all->may_set_group), ids);

	if (error == 0)
		error = call_become(c, &who);
	return how == IDENTITY_FS ? (int64_t)fs : -(int64_t)error;
}

int64_t
call_setuid(struct call *c)
{
	return set_ids(c, IDENTITY_ID, true);
}

int64_t
call_setreuid(struct call *c)
{
	return set_ids(c, IDENTITY_REAL_EFF, true);
}

int64_t
call_setresuid(struct call *c)
{
	return set_ids(c, IDENTITY_ALL, true);
}

int64_t
call_setfsuid(struct call *c)
{
	return set_ids(c, IDENTITY_FS, true);
}

int64_t
call_setgid(struct call *c)
{
	return set_ids(c, IDENTITY_ID, false);
}

int64_t
call_setregid(struct call *c)
{
	return set_ids(c, IDENTITY_REAL_EFF, false);
}

int64_t
call_setresgid(struct call *c)
{
	return set_ids(c, IDENTITY_ALL, false);
}

int64_t
call_setfsgid(struct call *c)
{
	return set_ids(c, IDENTITY_FS, false);
}

int64_t
call_setgroups(struct call *c)
{
	struct identity who = *call_identity(c);
	size_t count = (uint32_t)c->args[0];
	AUTO(free) uint32_t *groups = NULL;

	if (who.user.effective != 0 || !c->s->identities.may_set_group)
		return -EPERM;
	if (count > IDENTITY_GROUPS_MAX)
		return -EINVAL;
	groups = xcalloc(count + 1, sizeof *groups);
	if (count > 0 && call_read(c, c->args[1], groups, count * sizeof *groups) < 0)
		return -EFAULT;
	who.groups = groups;
	who.group_count = count;
	return -call_become(c, &who);
}

/* --- exec ------------------------------------------------------------------------------------- */

/* The kernel gives set-id bits of a script no meaning, and none to anything after no_new_privs. */
static bool
obeys_bits(const struct call *c, const struct where *w)
{
	AUTO(fd) int fd = open(w->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char head[2];

	return fd >= 0 && read(fd, head, sizeof head) == sizeof head &&
	       !(head[0] == '#' && head[1] == '!') && call_status(c, "\nNoNewPrivs:", 10) == 0;
}

static int64_t
exec(struct call *c, const struct where *w)
{
	struct identity who = *call_identity(c);
	uint32_t owner = UINT32_MAX, group = UINT32_MAX;
	struct ownership o = { .uid = 0 };
	struct stat st;

	if (fstatat(AT_FDCWD, w->path, &st, w->follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
		return CALL_CONTINUE;
	if ((st.st_mode & (S_ISUID | S_ISGID)) != 0 && obeys_bits(c, w)) {
		(void)owner_of(c->s, w->path, w->follow, &o);
		if ((st.st_mode & S_ISUID) != 0)
			owner = o.uid;
		if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
			group = o.gid;
	}
	identity_exec(owner, group, &who);
	(void)call_become(c, &who);
	return CALL_CONTINUE;
}

int64_t
call_execve(struct call *c)
{
	struct where w;

	return call_where(c, AT_FDCWD, c->args[0], 0, &w) < 0 ? CALL_CONTINUE : exec(c, &w);
}

int64_t
call_execveat(struct call *c)
{
	struct where w;

	if (call_where(c, (int)c->args[0], c->args[1], (int)c->args[4], &w) < 0)
		return CALL_CONTINUE;
	return exec(c, &w);
}

int64_t
call_chroot(struct call *c)
{
	c->s->roots_differ = true;
	return CALL_CONTINUE;
}

/* --- where the kernel keeps the number -------------------------------------------------------- */

static int64_t
tell_no_limit(const struct call *c, uint64_t to)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	return to == 0 || call_write(c, to, &none, sizeof none) == 0 ? 0 : -EFAULT;
}

int64_t
call_getrlimit(struct call *c)
{
	return tell_no_limit(c, c->args[1]);
}

int64_t
call_setrlimit(struct call *c)
{
	(void)c;
	return 0;
}

int64_t
call_prlimit(struct call *c)
{
	return tell_no_limit(c, c->args[3]);
}

/* --- whom a socket leads to ------------------------------------------------------------------- */

/* Linux 5.6; one number everywhere. */
enum { CALL_PIDFD_OPEN = 434, CALL_PIDFD_GETFD = 438 };

static int
open_socket(const struct call *c, int fd)
{
	long leader = call_status(c, "\nTgid:", 10);
	AUTO(fd) int process = -1;
	int socket;

	process = leader > 0 ? (int)syscall(CALL_PIDFD_OPEN, (pid_t)leader, 0) : -1;
	if (process < 0)
		return -1;
	(void)supervisor_reach(c->s, true);
	socket = (int)syscall(CALL_PIDFD_GETFD, process, fd, 0);
	(void)supervisor_reach(c->s, false);
	return socket;
}

/* As the program counts processes, which is in the innermost namespace; who is outside of it has no number, as in the
 * kernel's own answer. */
static pid_t
inner_pid(const struct call *peer)
{
	char line[256];
	const char *last;

	if (call_status_text(peer, "\nNSpid:", line, sizeof line) < 0)
		return 0;
	last = strrchr(line, '\t');
	return last != NULL && last != strchr(line, '\t') ? (pid_t)strtol(last, NULL, 10) : 0;
}

int64_t
call_getsockopt(struct call *c)
{
	const struct identity *who;
	struct call peer = { .s = c->s, .id = c->id };
	struct ucred cred;
	socklen_t size = sizeof cred, room;
	AUTO(fd) int fd = -1;

	if ((int)c->args[1] != SOL_SOCKET || call_read(c, c->args[4], &room, sizeof room) < 0 ||
		room < sizeof cred)
		return CALL_CONTINUE;
	fd = open_socket(c, (int)c->args[0]);
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0 || cred.pid <= 0)
		return CALL_CONTINUE;
	peer.pid = cred.pid;
	who = call_identity(&peer);
	cred.pid = inner_pid(&peer);
	cred.uid = who->user.effective;
	cred.gid = who->group.effective;
	room = sizeof cred;
	if (call_write(c, c->args[3], &cred, sizeof cred) < 0 ||
		call_write(c, c->args[4], &room, sizeof room) < 0)
		return -EFAULT;
	return 0;
}
