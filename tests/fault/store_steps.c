/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "tests/fault/store_work.h"

/* One short life of a store, in a traced child: it is killed before its k-th system call that
 * touches files, or that call fails, once or from then on; for k = 1, 2, ... until the life is
 * over.  Afterwards the store is clean, what was promised holds, and the same life lived again
 * succeeds. Usage: store_steps [stride [seed]]: every stride-th call, from a random one; 1 is all
 * of them. */

enum fault { FAULT_KILL, FAULT_ONCE, FAULT_ALWAYS };
struct mode {
	const char *what;
	enum fault fault;
	int number;
	bool on_reads; /* calls that change nothing count as well */
};
static const struct mode modes[] = {
	{ "killed", FAULT_KILL, 0, false },
	{ "EIO once", FAULT_ONCE, EIO, true },
	{ "ENOSPC once", FAULT_ONCE, ENOSPC, false },
	{ "ENOSPC from then on", FAULT_ALWAYS, ENOSPC, false },
	{ "EMFILE once", FAULT_ONCE, EMFILE, true },
};

struct told {
	bool has_new, lost_old;
	unsigned long long call; /* that was disturbed */
};

/* Registers: the only thing here that knows the machine. */
#if defined(__x86_64__)
static bool
skip_call(pid_t pid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		return false;
	regs.orig_rax = (unsigned long long)-1;
	return ptrace(PTRACE_SETREGS, pid, NULL, &regs) == 0;
}

static bool
set_result(pid_t pid, int number)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		return false;
	regs.rax = (unsigned long long)-(long long)number;
	return ptrace(PTRACE_SETREGS, pid, NULL, &regs) == 0;
}
#define CAN_FAIL true
#else
static bool
skip_call(pid_t pid)
{
	(void)pid;
	return false;
}

static bool
set_result(pid_t pid, int number)
{
	(void)pid;
	(void)number;
	return false;
}
#define CAN_FAIL false
#endif

static bool
touches_files(const struct __ptrace_syscall_info *info, bool on_reads)
{
	static const long changes[] = {
		SYS_write,
		SYS_pwrite64,
		SYS_fsync,
		SYS_fdatasync,
		SYS_syncfs,
		SYS_renameat,
		SYS_renameat2,
		SYS_unlinkat,
		SYS_mkdirat,
		SYS_ftruncate,
		SYS_fallocate,
		SYS_fchmod,
#ifdef SYS_rename
		SYS_rename,
		SYS_unlink,
		SYS_mkdir,
#endif
	};
	static const long reads[] = {
		SYS_read,
		SYS_pread64,
		SYS_getdents64,
		SYS_flock,
#ifdef SYS_newfstatat
		SYS_newfstatat,
#endif
#ifdef SYS_open
		SYS_open,
#endif
	};
	long number = (long)info->entry.nr;

	for (size_t i = 0; i < COUNT_OF(changes); i++)
		if (number == changes[i])
			return true;
	if (number == SYS_openat)
		return on_reads || (info->entry.args[2] & O_CREAT) != 0;
	for (size_t i = 0; on_reads && i < COUNT_OF(reads); i++)
		if (number == reads[i])
			return true;
	return false;
}

static void
start_life(struct work *w, const char *root)
{
	struct descriptor image;

	work_need(store_open(root, &w->store, &w->err), w);
	work_image(w, &image);
	work_need(store_name_set(w->store, "kept", &image, &w->err), w);
	work_image(w, &image);
	work_need(store_name_set(w->store, "old", &image, &w->err), w);
	for (int i = 0; i < 5; i++)
		work_step(w);
	work_partial(w);
	auto_store(&w->store);
}

static void
live(struct work *w, const char *root, struct told *told)
{
	struct gc_options o = { .max_size = 3000, .drop_partials = true };
	struct gc_result r = { 0 };
	struct descriptor image;

	work_need(store_open(root, &w->store, &w->err), w);
	work_image(w, &image);
	work_need(store_name_set(w->store, "new", &image, &w->err), w);
	told->has_new = true;
	work_step(w);
	told->lost_old = true; /* from before the call: a failure may still have done it */
	work_need(store_name_remove(w->store, "old", &w->err), w);
	work_partial(w);
	auto_store(&w->store);
	work_need(store_open(root, &w->store, &w->err), w);
	work_need(store_gc(w->store, &o, &r, &w->err), w);
	work_lookup(w);
	work_need(store_sync(w->store, &w->err), w);
	auto_store(&w->store);
}

/* Follows the child to its end; *reached: the k-th call came. */
static int
follow(pid_t pid, const struct mode *mode, unsigned long k, struct told *told, bool *reached)
{
	unsigned long seen = 0;
	bool fail_this = false;
	int status = 0;

	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		struct __ptrace_syscall_info info = { 0 };
		int pass_on = 0;

		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			pass_on = WSTOPSIG(status) == SIGSTOP || WSTOPSIG(status) == SIGTRAP
					  ? 0
					  : WSTOPSIG(status);
		} else if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0) {
			return -1;
		} else if (info.op == PTRACE_SYSCALL_INFO_ENTRY &&
			   touches_files(&info, mode->on_reads)) {
			seen++;
			if (seen == k)
				told->call = info.entry.nr;
			*reached = *reached || seen == k;
			fail_this = seen == k || (seen > k && mode->fault == FAULT_ALWAYS);
			/* messages may always be printed */
			if (info.entry.nr == SYS_write && info.entry.args[0] <= 2)
				fail_this = false;
			if (fail_this && mode->fault == FAULT_KILL)
				kill(pid, SIGKILL);
			else if (fail_this)
				skip_call(pid);
		} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && fail_this) {
			set_result(pid, mode->number);
			fail_this = false;
		}
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)pass_on);
	}
	return status;
}

static int
trace(const char *root, const struct mode *mode, unsigned long k, struct told *told, bool *reached)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct work w = { .random = 77 };
		int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(quiet, 1);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		live(&w, root, told);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
		ptrace(PTRACE_SETOPTIONS, pid, NULL,
			(void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) < 0)
		return -1;
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	return follow(pid, mode, k, told, reached);
}

static int
check_after(const char *root, const struct told *told)
{
	struct work w = { .random = 99 };
	struct told again = { 0 };
	int bad = 0;

	work_need(store_open(root, &w.store, &w.err), &w);
	bad = work_check(&w);
	bad += store_name_get(w.store, "kept", NULL, &w.err) != 1;
	bad += told->has_new && store_name_get(w.store, "new", NULL, &w.err) != 1;
	bad += !told->lost_old && store_name_get(w.store, "old", NULL, &w.err) != 1;
	auto_store(&w.store);
	live(&w, root, &again);
	return bad;
}

/* 1: the k-th call was reached, 0: not, -1: something is wrong. */
static int
one_fault(const char *dir, const struct mode *mode, unsigned long k, struct told *told)
{
	char template[64];
	char root[64];
	char command[160];
	bool reached = false;
	int status = 0;
	int bad = 0;
	struct err err = { 0 };

	snprintf(template, sizeof template, "%s/template", dir);
	snprintf(root, sizeof root, "%s/store", dir);
	snprintf(command, sizeof command, "cp -a %s %s", template, root);
	if (system(command) != 0)
		return -1;
	*told = (struct told){ 0 };
	status = trace(root, mode, k, told, &reached);
	if (WIFSIGNALED(status) && !(mode->fault == FAULT_KILL && WTERMSIG(status) == SIGKILL)) {
		printf("# signal %d\n", WTERMSIG(status));
		bad++;
	}
	bad += check_after(root, told);
	if (bad != 0) {
		printf("# %s at call %lu, which was number %llu\n", mode->what, k, told->call);
		return -1;
	}
	return path_remove(AT_FDCWD, root, &err) < 0 ? -1 : reached;
}

static int
run_mode(const char *dir, const struct mode *mode, unsigned long first, unsigned long stride,
	struct told *told)
{
	unsigned long k = first;
	int reached = 1;

	for (; reached > 0; k += stride)
		reached = one_fault(dir, mode, k, told);
	printf("# %s: up to call %lu\n", mode->what, k - stride);
	return reached < 0;
}

int
main(int argc, char **argv)
{
	unsigned long stride = argc > 1 ? strtoul(argv[1], NULL, 10) : 17;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : (unsigned long)time(NULL);
	struct told *told =
		mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char dir[32] = "/dev/shm/store-steps-XXXXXX"; /* where a sync costs nothing */
	char template[64];
	struct work w = { .random = 11 };
	int bad = 0;

	if (told == MAP_FAILED || stride == 0)
		return 1;
	if (mkdtemp(dir) == NULL) {
		strcpy(dir, "/tmp/store-steps-XXXXXX");
		if (mkdtemp(dir) == NULL)
			return 1;
	}
	printf("# seed %lu, stride %lu\n1..%zu\n", seed, stride, COUNT_OF(modes));
	snprintf(template, sizeof template, "%s/template", dir);
	start_life(&w, template);
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		int failed = 0;

		if (modes[i].fault == FAULT_KILL || CAN_FAIL)
			failed = run_mode(dir, &modes[i], 1 + (seed + i) % stride, stride, told);
		printf("%sok %zu - %s%s\n", failed ? "not " : "", i + 1, modes[i].what,
			modes[i].fault == FAULT_KILL || CAN_FAIL ? ""
								 : " # SKIP not on this machine");
		fflush(stdout);
		bad += failed;
	}
	if (bad == 0 && path_remove(AT_FDCWD, dir, &w.err) < 0)
		printf("# %s\n", w.err.msg);
	return bad != 0;
}
