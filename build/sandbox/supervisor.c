/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "build/sandbox/call.h"

/* Linux 6.6: the two change places on one processor instead of waking another one. */
#define SET_FLAGS _IOW('!', 4, uint64_t)
#define SYNC_WAKE_UP UINT64_C(1)
/* The kernel's structures may have grown. */
#define NOTICE_SIZE 512
#define NUMBERS 1024

union notice {
	struct seccomp_notif notif;
	struct seccomp_notif_resp resp;
	char room[NOTICE_SIZE];
};

/* First on the socket, with the two descriptors; then the groups. */
struct greeting {
	uint32_t uid, gid;
	uint64_t group_count;
};

void
auto_supervision(struct supervision *v)
{
	int status;

	auto_fd(&v->socket);
	auto_fd(&v->table);
	if (v->pid <= 0)
		return;
	kill(v->pid, SIGKILL);
	while (waitpid(v->pid, &status, 0) < 0 && errno == EINTR)
		;
	v->pid = 0;
}

/* --- in the program --------------------------------------------------------------------------- */

int
supervisor_report(int socket, int notify, int root, const struct user *user)
{
	struct greeting g = { user->uid, user->gid, user->group_count };
	struct iovec bytes = { &g, sizeof g };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = { 0 };
	struct msghdr m = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control,
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&m);
	const int fds[2] = { notify, root };

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof fds);
	memcpy(CMSG_DATA(head), fds, sizeof fds);
	if (sendmsg(socket, &m, MSG_NOSIGNAL) != (ssize_t)sizeof g)
		return -1;
	return fd_write(socket, user->groups, user->group_count * sizeof *user->groups);
}

/* --- in the supervisor ------------------------------------------------------------------------ */

static bool
receive(int socket, struct greeting *g, int fds[2])
{
	struct iovec bytes = { g, sizeof *g };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
	struct msghdr m = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control,
	};
	struct cmsghdr *head;

	if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC | MSG_WAITALL) != (ssize_t)sizeof *g)
		return false;
	head = CMSG_FIRSTHDR(&m);
	if (head == NULL || head->cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return false;
	memcpy(fds, CMSG_DATA(head), 2 * sizeof(int));
	return g->group_count <= IDENTITY_GROUPS_MAX;
}

static bool
greet(struct supervisor *s, int socket)
{
	struct greeting g;
	struct identity who;
	AUTO(free) uint32_t *groups = NULL;
	int fds[2];

	if (!receive(socket, &g, fds))
		return false;
	s->notify = fds[0];
	s->root = fds[1];
	groups = xcalloc(g.group_count + 1, sizeof *groups);
	if (fd_read(socket, groups, g.group_count * sizeof *groups) !=
		(ssize_t)(g.group_count * sizeof *groups))
		return false;
	who = (struct identity){
		.user = { g.uid, g.uid, g.uid, g.uid },
		.group = { g.gid, g.gid, g.gid, g.gid },
		.groups = groups,
		.group_count = g.group_count,
	};
	s->identities.may_set_user = (s->caps & (UINT64_C(1) << CAP_SETUID)) != 0;
	s->identities.may_set_group = (s->caps & (UINT64_C(1) << CAP_SETGID)) != 0;
	return identities_number(&s->identities, &who) == 0;
}

/* Links of the lower layers: nothing on disk says whose they are. */
static int
note_lower(const struct view_hit *hit, void *arg, struct err *err)
{
	struct supervisor *s = arg;
	const struct entry *e = &hit->file.entry;
	struct ownership o = { .uid = e->uid, .gid = e->gid };
	AUTO(fd) int fd = -1;

	(void)err;
	if ((e->uid == 0 && e->gid == 0) || (e->kind != ENTRY_SYMLINK && e->kind != ENTRY_FIFO) ||
		s->owners.count >= OWNERS_MAX)
		return 0;
	fd = path_open(s->root, hit->path, O_PATH | O_NOFOLLOW, 0);
	if (fd >= 0)
		(void)owner_note(s, fd, &o);
	return 0;
}

static void
answer(struct supervisor *s, call_answer *const *answers, const struct seccomp_notif *n,
	union notice *reply)
{
	struct call c = {
		.s = s, .id = n->id, .pid = (pid_t)n->pid, .args = (const uint64_t *)n->data.args
	};
	int64_t said = CALL_CONTINUE;

	if (n->data.nr >= 0 && n->data.nr < NUMBERS && answers[n->data.nr] != NULL)
		said = answers[n->data.nr](&c);
	if (said == CALL_ANSWERED)
		return;
	memset(reply, 0, sizeof *reply);
	reply->resp.id = n->id;
	if (said == CALL_CONTINUE)
		reply->resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (said < 0)
		reply->resp.error = (int32_t)said;
	else
		reply->resp.val = said;
	/* fails for who was killed meanwhile */
	(void)ioctl(s->notify, SECCOMP_IOCTL_NOTIF_SEND, &reply->resp);
}

static void
serve(struct supervisor *s)
{
	call_answer *answers[NUMBERS] = { NULL };
	struct pollfd p = { .fd = s->notify, .events = POLLIN };
	union notice notice, reply;

	for (size_t i = 0; i < call_table_count; i++)
		answers[call_table[i].watch.number] = call_table[i].answer;
	(void)ioctl(s->notify, SET_FLAGS, SYNC_WAKE_UP);
	for (;;) {
		p.revents = 0;
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return;
		if ((p.revents & POLLIN) == 0) {
			/* nobody is left */
			if ((p.revents & (POLLHUP | POLLERR)) != 0)
				return;
			continue;
		}
		memset(&notice, 0, sizeof notice);
		if (ioctl(s->notify, SECCOMP_IOCTL_NOTIF_RECV, &notice.notif) == 0)
			answer(s, answers, &notice.notif, &reply);
	}
}

static bool
enter(struct supervisor *s)
{
	return supervisor_reach(s, false) == 0 && fchdir(s->root) == 0 && chroot(".") == 0 &&
	       fchdir(s->proc) == 0;
}

/* Exit status: 0 is that it did all it was asked to. */
static int
supervise(struct supervisor *s, const struct supervisor_options *o, int socket, int table)
{
	struct err err;

	/* the worker's end is what ends it */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (!greet(s, socket))
		return 0; /* the program was not started, and the worker knows why */
	if (!enter(s))
		return 1;
	umask(0);
	if (o->below != NULL)
		(void)view_walk(o->below, "", note_lower, s, &err);
	serve(s);
	return owners_write(&s->owners, table, &err) < 0;
}

/* --- in the worker ---------------------------------------------------------------------------- */

int
supervisor_filter(uint64_t caps, bool is_open, struct seccomp **out, struct err *err)
{
	AUTO(free) struct seccomp_watch *watches = xcalloc(call_table_count, sizeof *watches);

	for (size_t i = 0; i < call_table_count; i++)
		watches[i] = call_table[i].watch;
	return seccomp_compile_watched(caps, is_open, watches, call_table_count, out, err);
}

/* Whether this process can be one; in it. */
static int
prepare(const struct supervisor *s)
{
	struct rlimit locks;

	if (s->proc < 0)
		return errno;
	if (getrlimit(RLIMIT_LOCKS, &locks) < 0 || locks.rlim_max < IDENTITIES_MAX)
		return ERANGE;
	return seccomp_try_listening() < 0 ? errno : 0;
}

static void __attribute__((noreturn))
live(const struct supervisor_options *o, int socket, int table, pid_t parent)
{
	struct supervisor s = {
		.notify = -1,
		.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.root = -1,
		.upper = o->upper,
		.caps = o->caps,
		.roots_differ = o->is_open,
		.identities = IDENTITIES_INIT,
		.owners = OWNERS_INIT,
	};
	int error = prepare(&s), status = 1;

	if (!proc_die_with_parent(parent))
		_exit(1);
	if (fd_write(socket, &error, sizeof error) == 0 && error == 0)
		status = supervise(&s, o, socket, table);
	auto_owners(&s.owners);
	auto_identities(&s.identities);
	_exit(status);
}

static int
refused(int error, struct err *err)
{
	if (error == EBUSY)
		return err_set(err, ERR_DENIED,
			"something around this program watches system calls already");
	if (error == ERANGE)
		return err_set(err, ERR_DENIED, "RLIMIT_LOCKS is set too low");
	errno = error;
	err_sys(err, "watch system calls");
	err->kind = ERR_DENIED;
	return -1;
}

int
supervisor_start(const struct supervisor_options *o, struct supervision *out, struct err *err)
{
	AUTO(supervision) struct supervision v = SUPERVISION_INIT;
	AUTO(fd) int theirs = -1;
	pid_t parent = getpid();
	int ends[2], error;

	v.table = fd_memory("owners", err);
	if (v.table < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(err, "make a socket");
	v.socket = ends[0];
	theirs = ends[1];
	v.pid = fork();
	if (v.pid < 0)
		return err_sys(err, "make a process");
	if (v.pid == 0) {
		close(ends[0]);
		live(o, theirs, v.table, parent);
	}
	if (fd_read(v.socket, &error, sizeof error) != sizeof error)
		return err_set(err, ERR_SYSTEM, "the supervisor of the box died");
	if (error != 0)
		return refused(error, err);
	*out = v;
	v = (struct supervision)SUPERVISION_INIT;
	return 0;
}

int
supervisor_finish(struct supervision *v, int upper, struct owners *out, struct err *err)
{
	struct stat st;
	int status;
	pid_t pid = v->pid;

	auto_fd(&v->socket);
	if (proc_wait(pid, &status, err) < 0)
		return -1;
	v->pid = 0;
	if (status != 0)
		return err_set(err, ERR_SYSTEM,
			"the supervisor of the box ended before it, and with it the owners of "
			"files");
	if (out == NULL || upper < 0)
		return 0;
	if (fstat(upper, &st) < 0)
		return err_sys(err, "look at the upper directory");
	return owners_read_upper(v->table, st.st_dev, out, err);
}
