/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "build/sandbox/caps.h"

/* --- the process ------------------------------------------------------------------------------ */

bool
call_is_alive(const struct call *c)
{
	return ioctl(c->s->notify, SECCOMP_IOCTL_NOTIF_ID_VALID, &c->id) == 0;
}

int
supervisor_reach(const struct supervisor *s, bool processes)
{
	const uint64_t trace = UINT64_C(1) << CAP_SYS_PTRACE;

	return caps_use(processes || (s->caps & trace) != 0 ? CAPS_ALL : CAPS_ALL & ~trace);
}

typedef ssize_t transfer(pid_t pid, const struct iovec *here, unsigned long here_count,
	const struct iovec *there, unsigned long there_count, unsigned long flags);

static int
move(const struct call *c, transfer *how, uint64_t address, void *bytes, size_t len)
{
	struct iovec here = { bytes, len }, there = { (void *)(uintptr_t)address, len };
	ssize_t moved = how(c->pid, &here, 1, &there, 1, 0);

	/* who may not be traced, or where only parents may */
	if (moved < 0 && errno == EPERM) {
		(void)supervisor_reach(c->s, true);
		moved = how(c->pid, &here, 1, &there, 1, 0);
		(void)supervisor_reach(c->s, false);
	}
	return moved == (ssize_t)len ? 0 : -1;
}

int
call_read(const struct call *c, uint64_t address, void *to, size_t len)
{
	return move(c, process_vm_readv, address, to, len);
}

int
call_write(const struct call *c, uint64_t address, const void *bytes, size_t len)
{
	if (!call_is_alive(c))
		return -1;
	return move(c, process_vm_writev, address, (void *)(uintptr_t)bytes, len);
}

/* A page is there or not as a whole, and the string may end right before one that is not. */
#define PAGE_SIZE 4096
#define FIRST_READ 256

int
call_read_text(const struct call *c, uint64_t address, char *to, size_t size)
{
	size_t have = 0;

	while (have < size) {
		size_t rest = PAGE_SIZE - (size_t)((address + have) % PAGE_SIZE);
		size_t len = have == 0 && rest > FIRST_READ ? FIRST_READ : rest;

		if (len > size - have)
			len = size - have;
		if (call_read(c, address + have, to + have, len) < 0)
			return -1;
		if (memchr(to + have, '\0', len) != NULL)
			return 0;
		have += len;
	}
	return -1;
}

int
call_status_text(const struct call *c, const char *field, char *out, size_t size)
{
	char path[32], text[4096];
	const char *at;
	ssize_t len;
	AUTO(fd) int fd = -1;

	snprintf(path, sizeof path, "%d/status", (int)c->pid);
	fd = openat(c->s->proc, path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	at = strstr(text, field);
	if (at == NULL)
		return -1;
	at += strlen(field);
	snprintf(out, size, "%.*s", (int)strcspn(at, "\n"), at);
	return 0;
}

long
call_status(const struct call *c, const char *field, int base)
{
	char text[32];

	return call_status_text(c, field, text, sizeof text) < 0 ? -1 : strtol(text, NULL, base);
}

static int
number_of(const struct call *c, struct rlimit *limit)
{
	const struct identities *all = &c->s->identities;

	if (prlimit(c->pid, RLIMIT_LOCKS, NULL, limit) < 0)
		return -1;
	return limit->rlim_cur < all->count ? (int)limit->rlim_cur : 0;
}

const struct identity *
call_identity(const struct call *c)
{
	struct rlimit limit;
	int number = number_of(c, &limit);

	return &c->s->identities.items[number < 0 ? 0 : number];
}

int
call_become(const struct call *c, const struct identity *who)
{
	struct rlimit limit;
	int old = number_of(c, &limit), number = identities_number(&c->s->identities, who);

	if (old < 0)
		return ESRCH;
	if (number < 0)
		return EAGAIN;
	if (number == old)
		return 0;
	if (!call_is_alive(c))
		return ESRCH;
	/* 0 is also what a box begins with: no limit */
	limit.rlim_cur = number == 0 ? limit.rlim_max : (rlim_t)number;
	return prlimit(c->pid, RLIMIT_LOCKS, &limit, NULL) < 0 ? errno : 0;
}

/* --- where it is ------------------------------------------------------------------------------ */

/* What leads to the process that looks, and so not to the one that asked. */
static const struct {
	const char *prefix, *instead;
} selves[] = {
	{ "/proc/self/", "" },
	{ "/proc/thread-self/", "" },
	{ "/dev/fd/", "fd/" },
	{ "/dev/stdin", "fd/0" },
	{ "/dev/stdout", "fd/1" },
	{ "/dev/stderr", "fd/2" },
};

static bool
is_self(const char *path, size_t row)
{
	size_t len = strlen(selves[row].prefix);

	return strncmp(path, selves[row].prefix, len) == 0 &&
	       (selves[row].prefix[len - 1] == '/' || path[len] == '\0');
}

/* In front of a link to another place, ".." would leave the process for those beside it. */
static bool
climbs(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")) != NULL; at++)
		if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
			return true;
	return false;
}

/* A chroot of this process to where that one has its root. */
static int
follow_root(struct call *c)
{
	struct supervisor *s = c->s;
	struct statx st;
	char path[32];
	AUTO(fd) int fd = -1;

	if (!s->roots_differ)
		return 0;
	snprintf(path, sizeof path, "%d/root", (int)c->pid);
	fd = openat(s->proc, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &st) < 0)
		return -1;
	if (st.stx_mnt_id == s->root_mount && st.stx_ino == s->root_ino)
		return 0;
	if (fchdir(fd) < 0 || chroot(".") < 0 || fchdir(s->proc) < 0)
		return -1;
	s->root_mount = st.stx_mnt_id;
	s->root_ino = st.stx_ino;
	return 0;
}

int
where_fd(const struct call *c, int fd, struct where *out)
{
	out->follow = true;
	snprintf(out->path, sizeof out->path, "%d/fd/%d", (int)c->pid, fd);
	return fd < 0 ? -1 : 0;
}

static int
put(struct where *out, int len)
{
	return len > 0 && (size_t)len < sizeof out->path ? 0 : -1;
}

int
call_where(struct call *c, int dir, uint64_t address, int flags, struct where *out)
{
	char path[PATH_MAX];
	int pid = (int)c->pid;

	out->follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
	if (call_read_text(c, address, path, sizeof path) < 0 || follow_root(c) < 0)
		return -1;
	if (path[0] == '\0') {
		if ((flags & AT_EMPTY_PATH) == 0)
			return -1;
		if (dir != AT_FDCWD)
			return where_fd(c, dir, out);
		out->follow = true;
		return put(out, snprintf(out->path, sizeof out->path, "%d/cwd", pid));
	}
	if (path[0] != '/' && dir == AT_FDCWD)
		return put(out, snprintf(out->path, sizeof out->path, "%d/cwd/%s", pid, path));
	if (path[0] != '/')
		return put(
			out, snprintf(out->path, sizeof out->path, "%d/fd/%d/%s", pid, dir, path));
	for (size_t i = 0; i < COUNT_OF(selves); i++) {
		const char *rest = path + strlen(selves[i].prefix);

		if (is_self(path, i))
			return climbs(rest)
				       ? -1
				       : put(out, snprintf(out->path, sizeof out->path, "%d/%s%s",
							  pid, selves[i].instead, rest));
	}
	memcpy(out->path, path, strlen(path) + 1);
	return 0;
}

int
where_open(const struct where *w)
{
	return open(w->path, O_PATH | O_CLOEXEC | (w->follow ? 0 : O_NOFOLLOW));
}
