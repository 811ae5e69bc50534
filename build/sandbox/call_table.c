/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/call.h"

#include <sys/syscall.h>

#include "base/mem.h"

/* Younger architectures have only the *at form of some. */
const struct call_row call_table[] = {
#ifdef SYS_chown
	{ { SYS_chown, SECCOMP_ALWAYS }, call_chown },
	{ { SYS_lchown, SECCOMP_ALWAYS }, call_lchown },
#endif
	{ { SYS_fchown, SECCOMP_ALWAYS }, call_fchown },
	{ { SYS_fchownat, SECCOMP_ALWAYS }, call_fchownat },
#ifdef SYS_stat
	{ { SYS_stat, SECCOMP_ALWAYS }, call_stat },
	{ { SYS_lstat, SECCOMP_ALWAYS }, call_lstat },
#endif
	{ { SYS_fstat, SECCOMP_ALWAYS }, call_fstat },
#ifdef SYS_newfstatat
	{ { SYS_newfstatat, SECCOMP_ALWAYS }, call_newfstatat },
#endif
	{ { SYS_statx, SECCOMP_ALWAYS }, call_statx },
#ifdef SYS_mkdir
	{ { SYS_mkdir, SECCOMP_ALWAYS }, call_mkdir },
	{ { SYS_symlink, SECCOMP_ALWAYS }, call_symlink },
	{ { SYS_mknod, SECCOMP_ALWAYS }, call_mknod },
	{ { SYS_open, SECCOMP_IF_MAKES_1 }, call_open },
	{ { SYS_creat, SECCOMP_ALWAYS }, call_creat },
#endif
#ifdef SYS_rename
	{ { SYS_rename, SECCOMP_ALWAYS }, call_rename },
	{ { SYS_link, SECCOMP_ALWAYS }, call_link },
#endif
#ifdef SYS_renameat
	{ { SYS_renameat, SECCOMP_ALWAYS }, call_renameat },
#endif
	{ { SYS_renameat2, SECCOMP_ALWAYS }, call_renameat },
	{ { SYS_linkat, SECCOMP_ALWAYS }, call_linkat },
	{ { SYS_mkdirat, SECCOMP_ALWAYS }, call_mkdirat },
	{ { SYS_symlinkat, SECCOMP_ALWAYS }, call_symlinkat },
	{ { SYS_mknodat, SECCOMP_ALWAYS }, call_mknodat },
	{ { SYS_openat, SECCOMP_IF_MAKES_2 }, call_openat },
#ifdef SYS_openat2
	{ { SYS_openat2, SECCOMP_ALWAYS }, call_openat2 },
#endif
	{ { SYS_getuid, SECCOMP_ALWAYS }, call_getuid },
	{ { SYS_geteuid, SECCOMP_ALWAYS }, call_geteuid },
	{ { SYS_getgid, SECCOMP_ALWAYS }, call_getgid },
	{ { SYS_getegid, SECCOMP_ALWAYS }, call_getegid },
	{ { SYS_getresuid, SECCOMP_ALWAYS }, call_getresuid },
	{ { SYS_getresgid, SECCOMP_ALWAYS }, call_getresgid },
	{ { SYS_getgroups, SECCOMP_ALWAYS }, call_getgroups },
	{ { SYS_setuid, SECCOMP_ALWAYS }, call_setuid },
	{ { SYS_setreuid, SECCOMP_ALWAYS }, call_setreuid },
	{ { SYS_setresuid, SECCOMP_ALWAYS }, call_setresuid },
	{ { SYS_setfsuid, SECCOMP_ALWAYS }, call_setfsuid },
	{ { SYS_setgid, SECCOMP_ALWAYS }, call_setgid },
	{ { SYS_setregid, SECCOMP_ALWAYS }, call_setregid },
	{ { SYS_setresgid, SECCOMP_ALWAYS }, call_setresgid },
	{ { SYS_setfsgid, SECCOMP_ALWAYS }, call_setfsgid },
	{ { SYS_setgroups, SECCOMP_ALWAYS }, call_setgroups },
	{ { SYS_execve, SECCOMP_ALWAYS }, call_execve },
	{ { SYS_execveat, SECCOMP_ALWAYS }, call_execveat },
	{ { SYS_chroot, SECCOMP_ALWAYS }, call_chroot },
#ifdef SYS_getrlimit
	{ { SYS_getrlimit, SECCOMP_IF_LOCKS_0 }, call_getrlimit },
	{ { SYS_setrlimit, SECCOMP_IF_LOCKS_0 }, call_setrlimit },
#endif
	{ { SYS_prlimit64, SECCOMP_IF_LOCKS_1 }, call_prlimit },
	{ { SYS_getsockopt, SECCOMP_IF_PEER_2 }, call_getsockopt },
};

const size_t call_table_count = COUNT_OF(call_table);
