/* SPDX-License-Identifier: Apache-2.0 */
/* boxrun - one box from the command line, for the tests of the sandbox.
 *
 *	boxrun [OPTION]... [--] PROGRAM [ARGUMENT]...
 *
 * Exit status: the program's; 125 when there was no box, with the reason on stderr. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strv.h"
#include "build/sandbox/box.h"
#include "build/sandbox/ids.h"

#define MANY 64

struct options {
	struct box box;
	struct strv env, argv;
	struct limits limits;
	int lowers[MANY];
	struct box_mount mounts[MANY];
	const char *scratch; /* its upper/ and work/ are made here */
	const char *chown;   /* only: give this tree to the box's root */
	char *without;       /* system calls that do not exist, as on an older kernel */
	bool is_one, shows_left, leaks;
};

static struct ids ids;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "boxrun: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(125);
}

static int
open_path(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static int
give(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return lchown(path, ids.root_uid, ids.root_gid);
}

static int
make_dir(int scratch, const char *name)
{
	if (mkdirat(scratch, name, 0755) < 0 && errno != EEXIST)
		die("mkdir %s: %s", name, strerror(errno));
	if (fchownat(scratch, name, ids.root_uid, ids.root_gid, 0) < 0)
		die("chown %s: %s", name, strerror(errno));
	return openat(scratch, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* KIND:TARGET[:WHAT[:ro]] */
static void
add_mount(struct options *o, char *text)
{
	char *kind = strsep(&text, ":"), *target = strsep(&text, ":"), *what = strsep(&text, ":");
	struct box_mount m = { .target = target, .fd = -1, .mode = 01777 };

	m.is_read_only = text != NULL && streq(text, "ro");
	if (streq(kind, "bind")) {
		m.kind = BOX_BIND;
		m.fd = open_path(what);
	} else if (streq(kind, "tmpfs")) {
		m.kind = BOX_TMPFS;
		m.size = what != NULL ? strtoull(what, NULL, 10) : 0;
	} else if (streq(kind, "file")) {
		m.kind = BOX_FILE;
		m.bytes = what;
		m.len = strlen(what);
		m.mode = 0400;
	} else {
		die("mount '%s'?", kind);
	}
	o->mounts[o->box.mount_count++] = m;
}

enum row {
	LOWER = 256,
	SCRATCH,
	MOUNT,
	USER,
	CWD,
	ENV,
	NET,
	CAP_ADD,
	CAP_DROP,
	NNP,
	INSECURE,
	ALLOW,
	ULIMIT,
	HOST,
	RESOLV,
	HOSTS,
	INIT,
	ONE,
	LEFT,
	CHOWN,
	LEAK,
	WITHOUT,
	STDIN,
	TTY,
	SUPERVISE,
};

static const struct option rows[] = {
	{ "lower", 1, NULL, LOWER },
	{ "scratch", 1, NULL, SCRATCH },
	{ "mount", 1, NULL, MOUNT },
	{ "user", 1, NULL, USER },
	{ "cwd", 1, NULL, CWD },
	{ "env", 1, NULL, ENV },
	{ "net", 1, NULL, NET },
	{ "cap-add", 1, NULL, CAP_ADD },
	{ "cap-drop", 1, NULL, CAP_DROP },
	{ "nnp", 0, NULL, NNP },
	{ "insecure", 0, NULL, INSECURE },
	{ "allow", 0, NULL, ALLOW },
	{ "ulimit", 1, NULL, ULIMIT },
	{ "hostname", 1, NULL, HOST },
	{ "resolv", 1, NULL, RESOLV },
	{ "hosts", 1, NULL, HOSTS },
	{ "init", 0, NULL, INIT },
	{ "one", 0, NULL, ONE },
	{ "left", 0, NULL, LEFT },
	{ "chown", 1, NULL, CHOWN },
	{ "leak", 0, NULL, LEAK },
	{ "without", 1, NULL, WITHOUT },
	{ "stdin", 0, NULL, STDIN },
	{ "tty", 0, NULL, TTY },
	{ "supervise", 0, NULL, SUPERVISE },
	{ NULL, 0, NULL, 0 },
};

static int
set_box(struct options *o, int row, char *value, struct err *err)
{
	switch (row) {
	case NET:
		o->box.network = streq(value, "host") ? BOX_NETWORK_HOST : BOX_NETWORK_NONE;
		return 0;
	case CAP_ADD:
		return caps_add(value, &o->box.caps, err);
	case CAP_DROP:
		return caps_drop(value, &o->box.caps, err);
	case ULIMIT:
		return limits_add(&o->limits, value, err);
	case HOST:
		o->box.hostname = value;
		return 0;
	case RESOLV:
		o->box.resolv_conf = value;
		return 0;
	case HOSTS:
		o->box.hosts = value;
		return 0;
	case USER:
		o->box.user = value;
		return 0;
	case CWD:
		o->box.cwd = value;
		return 0;
	default:
		exit(125);
	}
}

static void
set(struct options *o, int row, char *value)
{
	struct err err;
	bool *flag = row == NNP         ? &o->box.has_no_new_privs
		     : row == INSECURE  ? &o->box.is_insecure
		     : row == ALLOW     ? &o->box.allow_insecure
		     : row == INIT      ? &o->box.has_init
		     : row == TTY       ? &o->box.has_tty
		     : row == SUPERVISE ? &o->box.is_supervised
		     : row == ONE       ? &o->is_one
		     : row == LEFT      ? &o->shows_left
		     : row == LEAK      ? &o->leaks
					: NULL;

	if (flag != NULL)
		*flag = true;
	else if (row == LOWER)
		o->lowers[o->box.root.lower_count++] = open_path(value);
	else if (row == SCRATCH)
		o->scratch = value;
	else if (row == MOUNT)
		add_mount(o, value);
	else if (row == ENV)
		strv_add(&o->env, value);
	else if (row == CHOWN)
		o->chown = value;
	else if (row == WITHOUT)
		o->without = value;
	else if (row == STDIN)
		o->box.stdin_fd = 0;
	else if (set_box(o, row, value, &err) < 0)
		die("%s", err.msg);
}

/* What a careless caller would hand to every child. */
static void
leak(void)
{
	for (int i = 0; i < 50; i++)
		(void)!open(i % 2 != 0 ? "/" : "/etc/passwd", O_RDONLY);
}

static void
forget_calls(char *names)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	char *name;

	if (geteuid() == 0)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	while ((name = strsep(&names, ",")) != NULL) {
		/* before Linux 6.13 overlay took no layers by descriptor */
		if (streq(name, "layer-fds")) {
			if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(fsconfig), 1,
				    SCMP_A1(SCMP_CMP_EQ, FSCONFIG_SET_FD)) < 0)
				_exit(125);
			continue;
		}
		if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
			    seccomp_syscall_resolve_name(name), 0) < 0)
			_exit(125);
	}
	if (seccomp_load(filter) < 0)
		_exit(125);
	seccomp_release(filter);
}

static int
perform(struct options *o)
{
	AUTO(strv) struct strv left = STRV_INIT;
	struct box_result result;
	struct err err;

	if (o->leaks)
		leak();
	if (o->without != NULL)
		forget_calls(o->without);
	if (box_run(&o->box, &result, &left, &err) < 0) {
		fprintf(stderr, "boxrun: %s\n", err.msg);
		return err.status != 0 ? err.status : 125;
	}
	for (size_t i = 0; o->shows_left && i < left.count; i++)
		printf("left %s\n", left.items[i]);
	fflush(stdout);
	return result.status;
}

static void
prepare(struct options *o)
{
	struct err err;
	int dir;

	if (o->is_one)
		ids_find_one(&ids);
	if (o->is_one ? ids_open(&ids, &o->box.userns_fd, &err) < 0
		      : ids_setup(&ids, &o->box.userns_fd, &err) < 0)
		die("%s", err.msg);
	if (o->scratch != NULL) {
		dir = open_path(o->scratch);
		o->box.root.upper = make_dir(dir, "upper");
		o->box.root.work = make_dir(dir, "work");
	}
	o->box.root.lowers = o->lowers;
	o->box.mounts = o->mounts;
	o->box.env = &o->env;
	o->box.argv = &o->argv;
	o->box.limits = &o->limits;
	o->box.stdout_fd = 1;
	o->box.stderr_fd = 2;
}

static int
run(struct options *o)
{
	int status;
	pid_t pid;

	prepare(o);
	if (o->chown != NULL)
		return nftw(o->chown, give, 16, FTW_PHYS) == 0 ? 0 : 125;
	pid = fork();
	if (pid == 0)
		_exit(perform(o));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
main(int argc, char **argv)
{
	struct options o = { .box = BOX_INIT };
	int row, status;

	while ((row = getopt_long(argc, argv, "+", rows, NULL)) != -1)
		set(&o, row, optarg);
	for (; optind < argc; optind++)
		strv_add(&o.argv, argv[optind]);
	status = run(&o);
	strv_free(&o.argv);
	strv_free(&o.env);
	return status;
}
