/* SPDX-License-Identifier: Apache-2.0 */
/* boxcase - does one thing that a box must not allow, and prints what the kernel said.  Linked
 * statically: it runs in a root that has nothing else.
 *
 *	boxcase call NAME | call32 NAME | cling | listen NAME | connect NAME | landlock | crash */
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define ANY_ADDRESS ((uint64_t)1 << 32)

static const struct call {
	const char *name;
	long number;
	long a[5];
} calls[] = {
	{ "socket-alg", SYS_socket, { 38, SOCK_SEQPACKET } },
	{ "socket-alg-high-bits", SYS_socket, { (long)(ANY_ADDRESS | 38), SOCK_SEQPACKET } },
	{ "socket-vsock", SYS_socket, { 40, SOCK_STREAM } },
	{ "socket-inet", SYS_socket, { AF_INET, SOCK_STREAM } },
	{ "socket-unix", SYS_socket, { AF_UNIX, SOCK_STREAM } },
	{ "tiocsti", SYS_ioctl, { 0, TIOCSTI, (long)"x" } },
	{ "tiocsti-high-bits", SYS_ioctl, { 0, (long)(ANY_ADDRESS | TIOCSTI), (long)"x" } },
	{ "mount", SYS_mount, { (long)"none", (long)"/tmp", (long)"tmpfs" } },
	{ "umount", SYS_umount2, { (long)"/proc", MNT_DETACH } },
	{ "unshare-user", SYS_unshare, { CLONE_NEWUSER } },
	{ "unshare-mount", SYS_unshare, { CLONE_NEWNS } },
	{ "clone-user", SYS_clone, { CLONE_NEWUSER | SIGCHLD } },
	{ "clone3", SYS_clone3, { 0, 0 } },
	{ "setns", SYS_setns, { 0, 0 } },
	{ "open_tree", SYS_open_tree, { 0 } },
	{ "fsopen", SYS_fsopen, { (long)"tmpfs", 0 } },
	{ "io_uring", SYS_io_uring_setup, { 1, 0 } },
	{ "userfaultfd", SYS_userfaultfd, { 1 } },
	{ "keyctl", SYS_keyctl, { 0 } },
	{ "add_key", SYS_add_key, { (long)"user", (long)"x", (long)"y", 1, -3 } },
	{ "bpf", SYS_bpf, { BPF_MAP_CREATE, 0, 0 } },
	{ "perf_event_open", SYS_perf_event_open, { 0 } },
	{ "kexec_load", SYS_kexec_load, { 0 } },
	{ "open_by_handle_at", SYS_open_by_handle_at, { 0 } },
	{ "swapon", SYS_swapon, { 0 } },
	{ "unknown", 999, { 0 } },
	{ "x32-getpid", (long)(0x40000000u | SYS_getpid), { 0 } },
	{ "personality-odd", SYS_personality, { 0x0400000 } },
	{ "personality-ask", SYS_personality, { 0xffffffff } },
	{ "getppid", SYS_getppid, { 0 } },
	{ NULL },
};

/* numbers of the 32-bit table, which a 64-bit program reaches through int 0x80 */
static const struct call calls32[] = {
	{ "mount", 21, { 0 } },
	{ "umount2", 52, { 0 } },
	{ "unshare", 310, { 0x10000000 } },
	{ "clone", 120, { 0x10000000 | SIGCHLD } },
	{ "keyctl", 288, { 0 } },
	{ "clone3", 435, { 0 } },
	{ "socket-alg", 359, { 38, SOCK_SEQPACKET } },
	{ "unknown", 999, { 0 } },
	{ "getppid", 64, { 0 } },
	{ NULL },
};

static int
print(long result, int error)
{
	if (result >= 0)
		puts("ok");
	else
		puts(error == EPERM ? "EPERM" : error == ENOSYS ? "ENOSYS" : strerror(error));
	return 0;
}

static int
call(const char *name)
{
	for (const struct call *c = calls; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0) {
			long r = syscall(c->number, c->a[0], c->a[1], c->a[2], c->a[3], c->a[4]);

			return print(r, errno);
		}
	return 2;
}

static int
call32(const char *name)
{
#ifdef __x86_64__
	for (const struct call *c = calls32; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0) {
			long r = c->number;

			__asm__ volatile("int $0x80"
					 : "+a"(r)
					 : "b"(c->a[0]), "c"(c->a[1]), "d"(c->a[2])
					 : "memory", "r8", "r9", "r10", "r11");
			return print((int)r, -(int)r);
		}
#endif
	(void)calls32;
	(void)name;
	puts("no 32-bit calls here");
	return 2;
}

/* Does what it can to outlive its parents. */
static int
cling(void)
{
	(void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	if (fork() == 0) {
		(void)setsid();
		(void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
		for (int i = 1; i < NSIG; i++)
			(void)signal(i, SIG_IGN);
		for (;;)
			pause();
	}
	puts("clinging");
	fflush(stdout);
	for (;;)
		pause();
	return 0;
}

static int
speak(const char *name, int is_listener)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* an abstract name begins with a zero */
	memcpy(a.sun_path + 1, name, strlen(name));
	if (!is_listener) {
		int r = connect(fd, (struct sockaddr *)&a, len);

		return print(r, errno);
	}
	if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 8) < 0)
		return 1;
	puts("listening");
	fflush(stdout);
	for (;;)
		pause();
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *name = argc > 2 ? argv[2] : "";

	if (strcmp(what, "call") == 0)
		return call(name);
	if (strcmp(what, "call32") == 0)
		return call32(name);
	if (strcmp(what, "cling") == 0)
		return cling();
	if (strcmp(what, "listen") == 0 || strcmp(what, "connect") == 0)
		return speak(name, *what == 'l');
	if (strcmp(what, "landlock") == 0)
		return printf("%ld\n", syscall(SYS_landlock_create_ruleset, NULL, 0, 1)) < 0;
	if (strcmp(what, "crash") == 0)
		abort();
	return 2;
}
