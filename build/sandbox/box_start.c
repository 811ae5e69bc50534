/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/box_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "build/sandbox/network.h"

/* what programs find when the image sets none */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define DEFAULT_HOSTNAME "buildkitsandbox"
/* a shell's, for "not found" and "found, but" */
#define STATUS_MISSING 127
#define STATUS_BROKEN 126

static int
set_stdio(const struct box *b, struct err *err)
{
	const int wanted[3] = { b->stdin_fd, b->stdout_fd, b->stderr_fd };
	int copies[3];

	/* all out of the way first: one may be where another belongs */
	for (int i = 0; i < 3; i++) {
		copies[i] = wanted[i] >= 0 ? fcntl(wanted[i], F_DUPFD_CLOEXEC, 10)
					   : open("/dev/null", O_RDWR | O_CLOEXEC);
		if (copies[i] < 0)
			return err_sys(err, "stdio of the program");
	}
	for (int i = 0; i < 3; i++) {
		if (copies[i] == i ? fcntl(i, F_SETFD, 0) < 0 : dup2(copies[i], i) < 0)
			return err_sys(err, "stdio of the program");
	}
	return 0;
}

static int
open_cwd(struct inside *in, struct err *err)
{
	const char *cwd = in->box->cwd;
	int fd;

	if (cwd == NULL || *cwd == '\0')
		cwd = "/";
	if (*cwd != '/')
		return err_set(err, ERR_INPUT, "working directory '%s' is not absolute", cwd);
	fd = path_open(in->root, cwd, O_PATH | O_DIRECTORY, 0);
	if (fd < 0 && errno == ENOENT)
		fd = path_mkdirs(in->root, cwd, 0755);
	if (fd < 0)
		return err_sys(err, "working directory '%s'", cwd);
	in->cwd = fd;
	return 0;
}

/* Is nothing mounted on top of the root, which is also the working directory?  There ".." leads to
 * what is on top. */
static bool
is_bare(int root)
{
	struct statx a, b;

	if (statx(root, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &a) < 0 ||
		statx(AT_FDCWD, "..", 0, STATX_INO | STATX_MNT_ID, &b) < 0)
		return false;
	return a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major &&
	       a.stx_dev_minor == b.stx_dev_minor &&
	       (a.stx_mask & STATX_MNT_ID) == (b.stx_mask & STATX_MNT_ID) &&
	       ((a.stx_mask & STATX_MNT_ID) == 0 || a.stx_mnt_id == b.stx_mnt_id);
}

/* The root becomes ours and the old one unreachable; then the working directory, which must be in
 * it. */
static int
enter_root(struct inside *in, struct err *err)
{
	char where[PATH_MAX];

	if (fchdir(in->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(err, "enter the root");
	/* the old one lies on top of the new one now, and perhaps the nest on top of that */
	for (int tries = 0; !is_bare(in->root) && tries < 2; tries++)
		if (umount2(".", MNT_DETACH) < 0)
			return err_sys(err, "leave the old root");
	if (!is_bare(in->root))
		return err_set(err, ERR_DENIED, "the old root could not be left");
	if (fchdir(in->cwd) < 0)
		return err_sys(err, "change to the working directory");
	if (syscall(SYS_getcwd, where, sizeof where) < 0 || where[0] != '/')
		return err_set(err, ERR_DENIED, "the working directory is outside of the root");
	return 0;
}

static int
set_terminal(const struct box *b, struct err *err)
{
	(void)setsid(); /* fails for who leads one already */
	if (b->has_tty && ioctl(0, TIOCSCTTY, 0) < 0)
		return err_sys(err, "take the terminal");
	return 0;
}

static int
set_groups(const struct inside *in, struct err *err)
{
	if (setgroups(in->user.group_count, in->user.groups) == 0)
		return 0;
	if (errno == EPERM)
		return 0; /* one id: denied by the kernel for the namespace as a whole */
	return errno == EINVAL
		       ? err_set(err, ERR_INPUT,
				 "a group of the user has no id in this box (see 'cooper doctor')")
		       : err_sys(err, "set the user's groups");
}

/* Keeps all capabilities for now: the filter and the bounding set still need them. */
static int
become(const struct inside *in, struct err *err)
{
	uid_t uid = in->user.uid;
	gid_t gid = in->user.gid;

	/* to the kernel it stays who it is */
	if (in->supervision.pid > 0)
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(err, "keep capabilities");
	if (set_groups(in, err) < 0)
		return -1;
	if (setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0)
		return caps_keep(CAPS_ALL) < 0 ? err_sys(err, "keep capabilities") : 0;
	return errno == EINVAL
		       ? err_set(err, ERR_INPUT,
				 "user %u:%u has no id in this box (see 'cooper doctor')", uid, gid)
		       : err_sys(err, "become user %u:%u", uid, gid);
}

/* From here to the exec nothing may be called that is watched: who would answer waits for the exec. */
static int
load_watched(const struct inside *in, struct err *err)
{
	struct rlimit locks;
	int notify;

	/* where the number of an identity is kept: the first one is no limit */
	if (getrlimit(RLIMIT_LOCKS, &locks) == 0) {
		locks.rlim_cur = locks.rlim_max;
		(void)setrlimit(RLIMIT_LOCKS, &locks);
	}
	notify = seccomp_listen(in->seccomp);
	if (notify < 0)
		return err_sys(err, "load the system call filter");
	return supervisor_report(in->supervision.socket, notify, in->root, &in->user) < 0
		       ? err_sys(err, "reach the supervisor")
		       : 0;
}

/* From here on the process may do less with every line. */
static int
restrict_self(const struct inside *in, struct err *err)
{
	if (in->box->network == BOX_NETWORK_HOST && !in->box->is_insecure)
		network_hide_sockets();
	if (caps_bound(in->caps) < 0)
		return err_sys(err, "drop capabilities");
	if (in->box->has_no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "set no_new_privs");
	if (in->supervision.pid > 0) {
		if (load_watched(in, err) < 0)
			return -1;
	} else if (in->seccomp != NULL && seccomp_load_filter(in->seccomp) < 0) {
		return err_sys(err, "load the system call filter");
	}
	if (caps_keep(in->user.uid == 0 || in->supervision.pid > 0 ? in->caps : 0) < 0)
		return err_sys(err, "drop capabilities");
	return 0;
}

static void
close_later(void)
{
	if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	for (int fd = 3; fd < sysconf(_SC_OPEN_MAX); fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* A script without its interpreter gives the same errno as no script. */
static void
explain(const char *path, int error, struct err *err)
{
	char head[256], *end;
	ssize_t len;
	AUTO(fd) int fd = -1;

	errno = error;
	if (error == ENOEXEC) {
		err_set(err, ERR_STEP, "exec %s: it is not a program for this machine", path);
		return;
	}
	err_sys(err, "exec %s", path);
	err->kind = ERR_STEP;
	if (error != ENOENT || (fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return;
	len = read(fd, head, sizeof head - 1);
	if (len <= 2 || head[0] != '#' || head[1] != '!') {
		err_set(err, ERR_STEP, "exec %s: its loader is not in the root", path);
		return;
	}
	head[len] = '\0';
	end = head + 2 + strspn(head + 2, " \t");
	end[strcspn(end, " \t\r\n")] = '\0';
	err_set(err, ERR_STEP, "exec %s: its interpreter '%s' is not in the root", path, end);
}

static int
run(const char *path, const struct inside *in, char *const *env, struct err *err)
{
	int error;

	execve(path, in->box->argv->items, env);
	error = errno;
	explain(path, error, err);
	err->status = error == ENOENT || error == ENOTDIR ? STATUS_MISSING : STATUS_BROKEN;
	errno = error;
	return -1;
}

static int
run_in_path(const struct inside *in, const struct strv *env, struct err *err)
{
	const char *name = in->box->argv->items[0], *path = strv_env_get(env, "PATH");
	AUTO(strv) struct strv dirs = STRV_INIT;

	if (*name == '\0') {
		err->status = STATUS_MISSING;
		return err_set(err, ERR_STEP, "exec '': a program needs a name");
	}
	if (strchr(name, '/') != NULL)
		return run(name, in, env->items, err);
	strv_split(&dirs, path != NULL ? path : DEFAULT_PATH, ":");
	for (size_t i = 0; i < dirs.count; i++) {
		AUTO(free)
		char *full = xasprintf("%s/%s", *dirs.items[i] ? dirs.items[i] : ".", name);

		if (access(full, F_OK) < 0)
			continue;
		(void)run(full, in, env->items, err);
		if (errno != EACCES)
			return -1;
	}
	if (err->kind == ERR_NONE)
		err_set(err, ERR_STEP,
			"exec %s: it is in none of the directories of PATH, which is %s", name,
			path != NULL ? path : DEFAULT_PATH);
	if (err->status == 0)
		err->status = STATUS_MISSING;
	return -1;
}

int
box_start(struct inside *in, struct err *err)
{
	const struct box *b = in->box;
	const char *hostname = b->hostname != NULL ? b->hostname : DEFAULT_HOSTNAME;
	AUTO(strv) struct strv env = STRV_INIT;

	if (b->env != NULL)
		strv_add_all(&env, b->env);
	/* refused in a container without CAP_SYS_ADMIN; nothing depends on it */
	(void)!sethostname(hostname, strlen(hostname));
	if (b->network == BOX_NETWORK_NONE && network_loopback(err) < 0)
		return -1;
	if (limits_apply(b->limits, err) < 0)
		return -1;
	/* a session keyring of its own; none where keys are used up or not built in */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
	if (user_find(in->root, b->user != NULL ? b->user : "", &in->user, err) < 0 ||
		open_cwd(in, err) < 0 || enter_root(in, err) < 0 || set_stdio(b, err) < 0 ||
		set_terminal(b, err) < 0)
		return -1;
	if (strv_env_get(&env, "HOME") == NULL)
		strv_env_set(&env, "HOME", in->user.home);
	if (become(in, err) < 0 || restrict_self(in, err) < 0)
		return -1;
	close_later();
	*err = (struct err){ .kind = ERR_NONE };
	return run_in_path(in, &env, err);
}
