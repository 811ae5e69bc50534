/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/strv.h"
#include "build/sandbox/unchroot.h"

/* The process that makes the namespace and waits in it until its maps are written. */
struct holder {
	pid_t pid;
	int ready;   /* it writes its errno here once it has the namespace */
	int release; /* closed: it ends */
};

static void
holder_end(struct holder *h)
{
	auto_fd(&h->ready);
	auto_fd(&h->release);
	while (h->pid > 0 && waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
	h->pid = 0;
}

static void
auto_holder(struct holder *h)
{
	holder_end(h);
}

static int
write_text(const char *path, const char *text)
{
	AUTO(fd) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : fd_write(fd, text, strlen(text));
}

static void
format_map(const struct ids_map *map, struct buf *out)
{
	for (size_t i = 0; i < map->count; i++)
		buf_addf(out, "%u %u %u\n", map->rows[i].inside, map->rows[i].outside,
			map->rows[i].count);
}

/* Only the process itself may write a map of one id without privilege, and only once it has given
 * up setgroups: a group that denies access could be dropped. */
static int
map_itself(const struct ids *ids)
{
	char text[64];

	if (write_text("/proc/self/setgroups", "deny") < 0)
		return -1;
	snprintf(text, sizeof text, "0 %u 1", ids->gids.rows[0].outside);
	if (write_text("/proc/self/gid_map", text) < 0)
		return -1;
	snprintf(text, sizeof text, "0 %u 1", ids->uids.rows[0].outside);
	return write_text("/proc/self/uid_map", text);
}

static void __attribute__((noreturn)) hold(const struct ids *ids, int ready, int release)
{
	int error = 0;
	char byte;

	/* newuidmap and our parent look at /proc/<pid>, which belongs to root while not dumpable */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (unshare(CLONE_NEWUSER) < 0 || (ids->is_single && map_itself(ids) < 0))
		error = errno;
	if (fd_write(ready, &error, sizeof error) == 0)
		(void)!fd_read(release, &byte, 1);
	_exit(0);
}

static int
why_denied(int error, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct err ignored;

	if (error == ENOSPC || error == EUSERS)
		return err_set(err, ERR_DENIED,
			"make a user namespace: none are allowed here "
			"(sysctl user.max_user_namespaces is 0 or used up)");
	if (error != EPERM && error != EACCES) {
		errno = error;
		return err_sys(err, "make a user namespace");
	}
	if (file_read(AT_FDCWD, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 64, &text,
		    &ignored) == 0 &&
		starts_with(text.data, "1"))
		return err_set(err, ERR_DENIED,
			"make a user namespace: AppArmor forbids it to programs without a profile "
			"(sysctl kernel.apparmor_restrict_unprivileged_userns=0, or install a "
			"profile "
			"with 'userns,' for this program)");
	buf_clear(&text);
	if (file_read(AT_FDCWD, "/proc/sys/kernel/unprivileged_userns_clone", 64, &text,
		    &ignored) == 0 &&
		starts_with(text.data, "0"))
		return err_set(err, ERR_DENIED,
			"make a user namespace: they are switched off "
			"(sysctl kernel.unprivileged_userns_clone=1)");
	return err_set(err, ERR_DENIED,
		"make a user namespace: not permitted (a container's seccomp profile, a missing "
		"CAP_SETFCAP, or a chroot)");
}

static int
hold_start(const struct ids *ids, struct holder *out, struct err *err)
{
	AUTO(holder) struct holder h = { .ready = -1, .release = -1 };
	AUTO(fd) int ready = -1;
	AUTO(fd) int release = -1;
	int pair[2], error;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	h.ready = pair[0];
	ready = pair[1];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	release = pair[0];
	h.release = pair[1];
	h.pid = fork();
	if (h.pid < 0)
		return err_sys(err, "fork");
	if (h.pid == 0) {
		auto_fd(&h.ready);
		auto_fd(&h.release);
		hold(ids, ready, release);
	}
	auto_fd(&ready);
	if (fd_read(h.ready, &error, sizeof error) != sizeof error)
		return err_set(err, ERR_SYSTEM, "make a user namespace: its process died");
	if (error != 0)
		return why_denied(error, err);
	*out = h;
	h = (struct holder){ .ready = -1, .release = -1 };
	return 0;
}

static int
run_helper(const char *program, pid_t pid, const struct ids_map *map, struct err *err)
{
	AUTO(strv) struct strv argv = STRV_INIT;
	AUTO(proc_result) struct proc_result result = PROC_RESULT_INIT;
	struct proc_options options = PROC_OPTIONS_INIT;

	strv_add(&argv, program);
	strv_addf(&argv, "%d", (int)pid);
	for (size_t i = 0; i < map->count; i++) {
		strv_addf(&argv, "%u", map->rows[i].inside);
		strv_addf(&argv, "%u", map->rows[i].outside);
		strv_addf(&argv, "%u", map->rows[i].count);
	}
	options.limit = 4096;
	options.timeout_ms = 10000;
	if (proc_run((const char *const *)argv.items, &options, &result, err) < 0)
		return err_in(err, "%s", program);
	if (result.status == 0)
		return 0;
	while (result.err.len > 0 && result.err.data[result.err.len - 1] == '\n')
		buf_truncate(&result.err, result.err.len - 1);
	return err_set(err, ERR_DENIED, "%s: %s", program,
		result.err.len > 0 ? result.err.data : "it failed without a word");
}

static int
write_map(pid_t pid, const char *name, const struct ids_map *map, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(free) char *path = xasprintf("/proc/%d/%s", (int)pid, name);

	format_map(map, &text);
	if (write_text(path, text.data) < 0)
		return err_sys(err, "write %s of the user namespace", name);
	return 0;
}

int
ids_open(const struct ids *ids, int *userns_fd, struct err *err)
{
	AUTO(holder) struct holder h = { .ready = -1, .release = -1 };
	AUTO(free) char *path = NULL;
	int fd;

	if (hold_start(ids, &h, err) < 0)
		return -1;
	if (ids->needs_helper) {
		if (run_helper("newuidmap", h.pid, &ids->uids, err) < 0 ||
			run_helper("newgidmap", h.pid, &ids->gids, err) < 0)
			return -1;
	} else if (!ids->is_single) {
		if (write_map(h.pid, "uid_map", &ids->uids, err) < 0 ||
			write_map(h.pid, "gid_map", &ids->gids, err) < 0)
			return -1;
	}
	path = xasprintf("/proc/%d/ns/user", (int)h.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open the user namespace");
	*userns_fd = fd;
	return 0;
}

int
ids_setup(struct ids *ids, int *userns_fd, struct err *err)
{
	char why[sizeof ids->reason];
	bool has_moved = false;

	if (ids_find(ids, err) < 0)
		return -1;
	if (ids_open(ids, userns_fd, err) == 0)
		return 0;
	if (err->kind == ERR_DENIED && unchroot() == 0) {
		ids->has_moved = has_moved = true;
		if (ids_open(ids, userns_fd, err) == 0)
			return 0;
	}
	if (ids->is_single)
		return -1;
	/* helpers without privilege in a container, maps refused: one id may still be had */
	snprintf(why, sizeof why, "%.*s", (int)sizeof why - 1, err->msg);
	ids_find_one(ids);
	ids->has_moved = has_moved;
	snprintf(ids->reason, sizeof ids->reason, "%s", why);
	return ids_open(ids, userns_fd, err);
}

static bool
is_inside(int userns_fd)
{
	struct stat theirs, ours;

	return fstat(userns_fd, &theirs) == 0 && stat("/proc/self/ns/user", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

int
ids_join(int userns_fd, struct err *err)
{
	int death = 0;
	pid_t parent = getppid();

	if (!is_inside(userns_fd) && setns(userns_fd, CLONE_NEWUSER) < 0)
		return err_sys(err, "join the user namespace");
	/* a change of ids makes the kernel forget this one */
	(void)prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(err, "become 0:0 in the user namespace");
	if (death != 0) {
		(void)prctl(PR_SET_PDEATHSIG, death, 0, 0, 0);
		if (getppid() != parent)
			_exit(1);
	}
	/* the namespace's other processes have every capability over us but for this */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(err, "hide from the box");
	return 0;
}

int
ids_enter(int userns_fd, struct err *err)
{
	if (ids_join(userns_fd, err) < 0)
		return -1;
	/* EPERM: one id only, where groups can neither be used nor dropped */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return err_sys(err, "drop groups");
	return 0;
}
