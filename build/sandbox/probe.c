/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/worker.h"
#include "build/sandbox/mounts.h"
#include "build/sandbox/rootfs.h"
#include "build/sandbox/seccomp.h"

/* Landlock that can hide abstract sockets: Linux 6.12 */
#define LANDLOCK_SCOPES 6

/* What is tried in a process of its own. */
typedef int attempt(int userns_fd, int dir_fd, struct err *err);

static struct probe_fact *
add(struct probe *p, const char *name, enum probe_answer answer)
{
	struct probe_fact *f = &p->facts[p->count++];

	*f = (struct probe_fact){ .name = name, .answer = answer };
	return f;
}

static void __attribute__((format(printf, 2, 3))) detail(struct probe_fact *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)!vsnprintf(f->detail, sizeof f->detail, fmt, ap);
	va_end(ap);
}

static void
advise(struct probe_fact *f, const char *text)
{
	snprintf(f->advice, sizeof f->advice, "%.*s", (int)sizeof f->advice - 1, text);
}

struct trial {
	attempt *body;
	int userns_fd, dir_fd;
};

static int
try_inside(void *arg, json_t **result __attribute__((unused)), struct err *err)
{
	const struct trial *t = arg;

	return t->body(t->userns_fd, t->dir_fd, err);
}

static int
try(attempt *body, int userns_fd, int dir_fd, struct err *err)
{
	struct trial t = { body, userns_fd, dir_fd };

	return worker_call(
		&(struct worker_job){ .name = "probe", .run = try_inside, .arg = &t }, NULL, err);
}

static int
mount_proc(int userns_fd, int dir_fd, struct err *err)
{
	AUTO(mounts) struct mounts m = MOUNTS_INIT;
	AUTO(fd) int top = -1;
	int status;
	pid_t pid;

	(void)dir_fd;
	if (ids_join(userns_fd, err) < 0)
		return -1;
	if (unshare(CLONE_NEWNS | CLONE_NEWPID) < 0)
		return err_sys(err, "make namespaces");
	pid = fork();
	if (pid == 0)
		_exit(mounts_begin(&m, err) < 0 || mounts_new(&m, "proc", NULL, 0, &top, err) < 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return err_sys(err, "make a process");
	return status == 0 ? 0 : err_set(err, ERR_DENIED, "mount proc: Operation not permitted");
}

static int
make_network(int userns_fd, int dir_fd, struct err *err)
{
	(void)dir_fd;
	if (ids_join(userns_fd, err) < 0)
		return -1;
	return unshare(CLONE_NEWNET) < 0 ? err_sys(err, "make a network namespace") : 0;
}

static int
watch(int userns_fd, int dir_fd, struct err *err)
{
	(void)dir_fd;
	if (ids_join(userns_fd, err) < 0)
		return -1;
	return seccomp_try_listening() < 0 ? err_sys(err, "watch system calls") : 0;
}

static void
ask_supervisor(struct probe *p, int userns_fd)
{
	struct err err;
	bool works = try(watch, userns_fd, -1, &err) == 0;
	struct probe_fact *f = add(p, "supervisor", works ? PROBE_YES : PROBE_NO);

	detail(f, "%s",
		works ? "owners and users of a box are noted, and layers have them" : err.msg);
	if (works)
		p->rung = PROBE_RUNG_SUPERVISED;
	else
		advise(f, "Linux 5.14 and nothing around this program that watches system calls "
			  "itself; or give this user ids in /etc/subuid and /etc/subgid");
}

static void
ask_ids(struct probe *p, int *userns_fd)
{
	struct probe_fact *f;
	struct err err;

	if (ids_setup(&p->ids, userns_fd, &err) < 0) {
		f = add(p, "user-namespace", PROBE_NO);
		detail(f, "%s", err.msg);
		advise(f, "allow user namespaces to this user, or run as root with CAP_SYS_ADMIN; "
			  "COPY and metadata need none");
		return;
	}
	p->rung = p->ids.is_single ? PROBE_RUNG_ONE_ID : PROBE_RUNG_RANGE;
	f = add(p, "user-namespace", PROBE_YES);
	detail(f, "root in a box is host id %u", (unsigned)p->ids.root_uid);
	f = add(p, "id-range", p->ids.is_single ? PROBE_PARTLY : PROBE_YES);
	if (p->ids.is_single) {
		detail(f, "one id: to the kernel all files and programs of a box are root's");
	} else {
		const struct ids_row *row = &p->ids.uids.rows[p->ids.uids.count - 1];

		detail(f, "%u ids from %u%s", row->count, row->outside,
			p->ids.needs_helper ? ", through newuidmap" : "");
	}
	advise(f, p->ids.reason);
	if (p->ids.is_single)
		ask_supervisor(p, *userns_fd);
}

static void
ask_overlay(struct probe *p, int userns_fd, int dir_fd)
{
	char name[32];
	AUTO(fd) int dir = -1;
	struct probe_fact *f;
	struct err err, ignored;
	int r;

	snprintf(name, sizeof name, ".probe-%d", (int)getpid());
	if (mkdirat(dir_fd, name, 0700) < 0 ||
		fchownat(dir_fd, name, p->ids.root_uid, p->ids.root_gid, 0) < 0 ||
		(dir = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		r = err_sys(&err, "make a directory in the store");
	else
		r = try(rootfs_probe, userns_fd, dir, &err);
	(void)path_remove(dir_fd, name, &ignored);
	f = add(p, "overlay", r == 0 ? PROBE_YES : PROBE_NO);
	detail(f, "%s", r == 0 ? "the store can hold what a RUN changes" : err.msg);
	if (r < 0)
		advise(f, "put the store on a file system that is not itself an overlay: a volume, "
			  "or a "
			  "tmpfs, with --store");
}

static void
ask_proc(struct probe *p, int userns_fd)
{
	struct probe_fact *f;
	struct err err;
	bool has_own = try(mount_proc, userns_fd, -1, &err) == 0;

	f = add(p, "proc", has_own ? PROBE_YES : PROBE_PARTLY);
	detail(f, "%s",
		has_own ? "a box has its own"
			: "the outer /proc is shown: a box sees processes outside");
	if (!has_own)
		advise(f, "this container covers parts of /proc: start it with "
			  "--security-opt unmask=ALL (podman), systempaths=unconfined (docker)");
}

static void
ask_network(struct probe *p, int userns_fd)
{
	struct probe_fact *f;
	struct err err;

	f = add(p, "network-none",
		try(make_network, userns_fd, -1, &err) == 0 ? PROBE_YES : PROBE_NO);
	detail(f, "%s",
		f->answer == PROBE_YES ? "RUN --network=none has a loopback interface" : err.msg);
}

static void
ask_kernel(struct probe *p)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	bool has_api = fs >= 0 || errno == EPERM, is_set;
	struct probe_fact *f;

	auto_fd(&fs);
	f = add(p, "mount-api", has_api ? PROBE_YES : PROBE_PARTLY);
	detail(f, "%s",
		has_api ? "mounts are made by descriptor"
			: "old kernel: mounts are made by mount(2)");
	f = add(p, "landlock", abi >= LANDLOCK_SCOPES ? PROBE_YES : PROBE_PARTLY);
	detail(f, abi > 0 ? "version %ld%s" : "not there%.0ld%s", abi > 0 ? abi : 0,
		abi >= LANDLOCK_SCOPES
			? ""
			: ": with the host's network, its abstract sockets can be reached");
	is_set = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	f = add(p, "no-new-privileges", is_set ? PROBE_PARTLY : PROBE_YES);
	detail(f, "%s", is_set ? "set: sudo and su do not work in a RUN" : "not set");
}

void
probe_run(int dir_fd, struct probe *out)
{
	AUTO(fd) int userns_fd = -1;
	struct probe p = { .rung = PROBE_RUNG_NONE };

	ask_ids(&p, &userns_fd);
	if (userns_fd >= 0) {
		if (dir_fd >= 0)
			ask_overlay(&p, userns_fd, dir_fd);
		ask_proc(&p, userns_fd);
		ask_network(&p, userns_fd);
	}
	ask_kernel(&p);
	*out = p;
}
