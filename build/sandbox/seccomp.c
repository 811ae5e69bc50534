/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "build/sandbox/seccomp_table.h"

/* No architecture has a number past this; ARM's private ones (0xf0000 and up) are not for programs
 * that a box needs to hold back. */
#define NUMBERS 1024
#define X32_BIT 0x40000000u
/* set on calls whose namespace flags decide */
#define CLONE_NAMESPACES                                                               \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
		CLONE_NEWPID | CLONE_NEWNET)

enum verdict {
	UNKNOWN,
	REFUSE,
	ALLOW,
	CHECK_CLONE,
	CHECK_SOCKET,
	CHECK_PERSONALITY,
	CHECK_IOCTL,
	PRETEND,
	WATCH, /* and one more for each enum seccomp_when */
};

/* O_TMPFILE without O_DIRECTORY, which is part of it */
#define TMPFILE_BIT 020000000u

struct seccomp {
	uint64_t caps;
	bool is_open;
	const struct seccomp_watch *watches; /* lent, while it is compiled */
	size_t watch_count;
	struct sock_filter *code; /* owned */
	size_t count, room;
};

struct span {
	uint32_t first;
	enum verdict verdict;
};

struct arch {
	uint32_t native, token;
};

/* native: the processor's own; token: one that it runs */
static const struct arch arches[] = {
	{ SCMP_ARCH_X86_64, SCMP_ARCH_X86_64 },
	{ SCMP_ARCH_X86_64, SCMP_ARCH_X86 },
	{ SCMP_ARCH_AARCH64, SCMP_ARCH_AARCH64 },
	{ SCMP_ARCH_AARCH64, SCMP_ARCH_ARM },
	{ SCMP_ARCH_X86, SCMP_ARCH_X86 },
	{ SCMP_ARCH_ARM, SCMP_ARCH_ARM },
	{ SCMP_ARCH_RISCV64, SCMP_ARCH_RISCV64 },
	{ SCMP_ARCH_PPC64LE, SCMP_ARCH_PPC64LE },
	{ SCMP_ARCH_S390X, SCMP_ARCH_S390X },
};

static void
emit(struct seccomp *s, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	s->code = grow(s->code, s->count, &s->room, sizeof *s->code);
	s->code[s->count++] = (struct sock_filter){ code, jt, jf, k };
}

static void
emit_return(struct seccomp *s, uint32_t action)
{
	emit(s, BPF_RET | BPF_K, action, 0, 0);
}

static void
emit_refuse_if(struct seccomp *s, uint16_t test, uint32_t value)
{
	emit(s, BPF_JMP | test | BPF_K, value, 0, 1);
	emit_return(s, SECCOMP_RET_ERRNO | EPERM);
}

/* The kernel looks at the low 32 bits of these arguments only, so the high ones must not matter. */
static void
emit_argument(struct seccomp *s, unsigned index)
{
	size_t low = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4;

	emit(s, BPF_LD | BPF_W | BPF_ABS,
		(uint32_t)(offsetof(struct seccomp_data, args) + index * sizeof(uint64_t) + low), 0,
		0);
}

static void
emit_personality(struct seccomp *s)
{
	/* Linux, 32-bit addresses, no randomisation of them (gdb), both, and asking */
	static const uint32_t known[] = { 0, 8, 0x20000, 0x20008, 0xffffffff };

	emit_argument(s, 0);
	for (size_t i = 0; i < COUNT_OF(known); i++)
		emit(s, BPF_JMP | BPF_JEQ | BPF_K, known[i], (uint8_t)(COUNT_OF(known) - i), 0);
	emit_return(s, SECCOMP_RET_ERRNO | EPERM);
	emit_return(s, SECCOMP_RET_ALLOW);
}

/* Which argument decides whether a watched call is told of, and how. */
static const struct {
	unsigned argument;
	uint16_t test;
	uint32_t value;
} conditions[] = {
	[SECCOMP_IF_MAKES_1] = { 1, BPF_JSET, O_CREAT | TMPFILE_BIT },
	[SECCOMP_IF_MAKES_2] = { 2, BPF_JSET, O_CREAT | TMPFILE_BIT },
	[SECCOMP_IF_LOCKS_0] = { 0, BPF_JEQ, RLIMIT_LOCKS },
	[SECCOMP_IF_LOCKS_1] = { 1, BPF_JEQ, RLIMIT_LOCKS },
	[SECCOMP_IF_PEER_2] = { 2, BPF_JEQ, SO_PEERCRED },
};

static void
emit_watch(struct seccomp *s, enum seccomp_when when)
{
	if (when != SECCOMP_ALWAYS) {
		emit_argument(s, conditions[when].argument);
		emit(s, (uint16_t)(BPF_JMP | conditions[when].test | BPF_K), conditions[when].value,
			1, 0);
		emit_return(s, SECCOMP_RET_ALLOW);
	}
	emit_return(s, SECCOMP_RET_USER_NOTIF);
}

static void
emit_verdict(struct seccomp *s, enum verdict v, uint32_t token)
{
	switch (v) {
	case UNKNOWN:
		emit_return(s, SECCOMP_RET_ERRNO | ENOSYS);
		return;
	case REFUSE:
		emit_return(s, SECCOMP_RET_ERRNO | EPERM);
		return;
	case CHECK_PERSONALITY:
		emit_personality(s);
		return;
	case CHECK_CLONE:
		emit_argument(s, token == SCMP_ARCH_S390X ? 1 : 0);
		emit_refuse_if(s, BPF_JSET, CLONE_NAMESPACES);
		break;
	case CHECK_SOCKET:
		emit_argument(s, 0);
		emit_refuse_if(s, BPF_JEQ, AF_ALG);
		emit_refuse_if(s, BPF_JEQ, AF_VSOCK);
		break;
	case CHECK_IOCTL:
		/* typing into, and pasting into, somebody's terminal */
		emit_argument(s, 1);
		emit_refuse_if(s, BPF_JEQ, TIOCSTI);
		emit_refuse_if(s, BPF_JEQ, TIOCLINUX);
		break;
	case PRETEND:
		emit_return(s, SECCOMP_RET_ERRNO);
		return;
	case ALLOW:
		break;
	case WATCH:
	default:
		emit_watch(s, (enum seccomp_when)(v - WATCH));
		return;
	}
	emit_return(s, SECCOMP_RET_ALLOW);
}

/* Conditional jumps reach 255 instructions; where the right half is further away, a long jump goes
 * between the test and the left half (jumps are relative, so that one can be moved). */
static void
emit_search(struct seccomp *s, const struct span *spans, size_t count, uint32_t token)
{
	size_t half = count / 2, test, left;

	if (count == 1) {
		emit_verdict(s, spans[0].verdict, token);
		return;
	}
	test = s->count;
	emit(s, BPF_JMP | BPF_JGE | BPF_K, spans[half].first, 0, 0);
	emit_search(s, spans, half, token);
	left = s->count - test - 1;
	if (left <= 255) {
		s->code[test].jt = (uint8_t)left;
	} else {
		emit(s, BPF_JMP | BPF_JA, 0, 0, 0);
		memmove(s->code + test + 2, s->code + test + 1, left * sizeof *s->code);
		s->code[test + 1] = (struct sock_filter){ BPF_JMP | BPF_JA, 0, 0, (uint32_t)left };
		s->code[test].jf = 1;
	}
	emit_search(s, spans + half, count - half, token);
}

static void
put(uint8_t *verdicts, uint32_t token, const char *name, enum verdict v)
{
	int nr = seccomp_syscall_resolve_name_arch(token, name);

	if (nr >= 0 && nr < NUMBERS)
		verdicts[nr] = (uint8_t)v;
}

static void
fill(uint8_t *verdicts, uint32_t token, uint64_t caps)
{
	bool is_admin = (caps & (UINT64_C(1) << CAP_SYS_ADMIN)) != 0;

	for (int nr = 0; nr < NUMBERS; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(token, nr);

		verdicts[nr] = name != NULL ? REFUSE : UNKNOWN;
		free(name);
	}
	for (const char *const *name = seccomp_always; *name != NULL; name++)
		put(verdicts, token, *name, ALLOW);
	for (const struct seccomp_number *n = seccomp_numbers; n->name != NULL; n++)
		verdicts[n->number] = n->is_allowed || is_admin ? ALLOW : REFUSE;
	for (const struct seccomp_capable *c = seccomp_capable; c->name != NULL; c++)
		if ((caps & c->caps) != 0)
			put(verdicts, token, c->name, ALLOW);
	put(verdicts, token, "socket", CHECK_SOCKET);
	put(verdicts, token, "personality", CHECK_PERSONALITY);
	put(verdicts, token, "ioctl", CHECK_IOCTL);
	put(verdicts, token, "clone", is_admin ? ALLOW : CHECK_CLONE);
	/* its flags are out of a filter's sight; told that it does not exist, C libraries use clone
	 */
	put(verdicts, token, "clone3", is_admin ? ALLOW : UNKNOWN);
}

/* What would fail with one id, and is not told of: the compatible architectures have structures of their
 * own. */
static const char *const pretended[] = {
	"chown",
	"chown32",
	"fchown",
	"fchown32",
	"fchownat",
	"lchown",
	"lchown32",
	"setfsgid",
	"setfsgid32",
	"setfsuid",
	"setfsuid32",
	"setgid",
	"setgid32",
	"setgroups",
	"setgroups32",
	"setregid",
	"setregid32",
	"setresgid",
	"setresgid32",
	"setresuid",
	"setresuid32",
	"setreuid",
	"setreuid32",
	"setuid",
	"setuid32",
};

static void
fill_watched(const struct seccomp *s, uint8_t *verdicts, uint32_t token)
{
	if (s->is_open)
		memset(verdicts, ALLOW, NUMBERS);
	if (token != seccomp_arch_native()) {
		for (size_t i = 0; i < COUNT_OF(pretended); i++)
			put(verdicts, token, pretended[i], PRETEND);
		return;
	}
	for (size_t i = 0; i < s->watch_count; i++) {
		const struct seccomp_watch *w = &s->watches[i];

		if (w->number < NUMBERS && verdicts[w->number] == ALLOW)
			verdicts[w->number] = (uint8_t)(WATCH + w->when);
	}
}

static void
emit_arch(struct seccomp *s, uint32_t token, uint64_t caps)
{
	uint8_t verdicts[NUMBERS];
	struct span spans[NUMBERS + 1];
	size_t count = 0;

	fill(verdicts, token, caps);
	if (s->watch_count > 0)
		fill_watched(s, verdicts, token);
	for (uint32_t nr = 0; nr < NUMBERS; nr++)
		if (nr == 0 || verdicts[nr] != verdicts[nr - 1])
			spans[count++] = (struct span){ nr, verdicts[nr] };
	/* also what x32 adds its bit to */
	if (spans[count - 1].verdict != UNKNOWN)
		spans[count++] = (struct span){ NUMBERS, UNKNOWN };
	emit(s, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, nr), 0, 0);
	emit_search(s, spans, count, token);
}

int
seccomp_compile(uint64_t caps, struct seccomp **out, struct err *err)
{
	return seccomp_compile_watched(caps, false, NULL, 0, out, err);
}

int
seccomp_compile_watched(uint64_t caps, bool is_open, const struct seccomp_watch *watches,
	size_t count, struct seccomp **out, struct err *err)
{
	AUTO(seccomp) struct seccomp *s = xzalloc(sizeof *s);
	uint32_t native = seccomp_arch_native();

	s->caps = caps;
	s->is_open = is_open;
	s->watches = watches;
	s->watch_count = count;
	emit(s, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, arch), 0, 0);
	for (size_t i = 0; i < COUNT_OF(arches); i++) {
		size_t jump;

		if (arches[i].native != native)
			continue;
		/* one more hop than needed when the architecture is the right one */
		emit(s, BPF_JMP | BPF_JEQ | BPF_K, arches[i].token, 1, 0);
		jump = s->count;
		emit(s, BPF_JMP | BPF_JA, 0, 0, 0);
		emit_arch(s, arches[i].token, caps);
		s->code[jump].k = (uint32_t)(s->count - jump - 1);
	}
	if (s->count == 1)
		return err_set(
			err, ERR_SYSTEM, "there is no list of system calls for this processor");
	emit_return(s, SECCOMP_RET_ERRNO | ENOSYS);
	if (s->count > BPF_MAXINSNS)
		return err_set(err, ERR_SYSTEM, "the system call filter is too large");
	s->watches = NULL;
	*out = steal(&s);
	return 0;
}

void
seccomp_free(struct seccomp *s)
{
	if (s == NULL)
		return;
	free(s->code);
	free(s);
}

void
auto_seccomp(struct seccomp **s)
{
	seccomp_free(*s);
	*s = NULL;
}

uint64_t
seccomp_caps(const struct seccomp *s)
{
	return s->caps;
}

bool
seccomp_is_watched(const struct seccomp *s)
{
	return s->watch_count > 0;
}

unsigned
seccomp_size(const struct seccomp *s)
{
	return (unsigned)s->count;
}

static int
load(const struct sock_fprog *program, unsigned flags)
{
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
}

int
seccomp_load_filter(const struct seccomp *s)
{
	const struct sock_fprog program = { (unsigned short)s->count, s->code };

	return load(&program, 0);
}

/* The second: once a call has been told of, only a signal that kills ends the wait for the answer; what
 * was done already is not done twice (Linux 5.19). */
static int
listen_by(const struct sock_fprog *program)
{
	int fd = load(
		program, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

	return fd < 0 && errno == EINVAL ? load(program, SECCOMP_FILTER_FLAG_NEW_LISTENER) : fd;
}

int
seccomp_listen(const struct seccomp *s)
{
	const struct sock_fprog program = { (unsigned short)s->count, s->code };

	return listen_by(&program);
}

int
seccomp_try_listening(void)
{
	struct sock_filter allow = { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW };
	const struct sock_fprog program = { 1, &allow };
	AUTO(fd) int fd = listen_by(&program);

	return fd < 0 ? -1 : 0;
}
