/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* without - runs a command as on a kernel that lacks some system calls:
 *
 *	without openat2 clone3 -- make check          they fail with ENOSYS
 *	without openat2=EPERM -- tests/unit/base_path as an old container filter has it
 *
 * Ends with 125 when that cannot be done, else as the command does. */

enum { CANNOT = 125 };

static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "ENOSYS", ENOSYS },
	{ "EPERM", EPERM },
	{ "EACCES", EACCES },
	{ "EINVAL", EINVAL },
	{ "ENOSPC", ENOSPC },
	{ "EMFILE", EMFILE },
	{ "EAGAIN", EAGAIN },
};

static void
auto_filter(scmp_filter_ctx *filter)
{
	seccomp_release(*filter);
}

static int
cannot(const char *what, const char *why)
{
	fprintf(stderr, "without: %s: %s\n", what, why);
	return CANNOT;
}

/* "name" or "name=ERROR" */
static bool
take_away(scmp_filter_ctx filter, const char *text)
{
	char name[64];
	size_t len = strcspn(text, "=");
	int number = text[len] == '\0' ? ENOSYS : 0, call;

	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (text[len] == '=' && strcmp(text + len + 1, errors[i].name) == 0)
			number = errors[i].number;
	if (len >= sizeof name || number == 0)
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	call = seccomp_syscall_resolve_name(name);
	return call != __NR_SCMP_ERROR &&
	       seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)number), call, 0) == 0;
}

int
main(int argc, char **argv)
{
	scmp_filter_ctx filter __attribute__((cleanup(auto_filter))) = seccomp_init(SCMP_ACT_ALLOW);
	int at;

	if (filter == NULL)
		return cannot("seccomp", "no filter");
	for (at = 1; at < argc && strcmp(argv[at], "--") != 0; at++)
		if (!take_away(filter, argv[at]))
			return cannot(argv[at], "no such system call or error");
	if (at + 1 >= argc)
		return cannot("usage", "without <call>[=<error>]... -- <command>...");
	/* who may keeps setuid programs working */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, geteuid() != 0);
	if (seccomp_load(filter) < 0) {
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
		if (seccomp_load(filter) < 0)
			return cannot("seccomp", "the filter is refused");
	}
	execvp(argv[at + 1], argv + at + 1);
	return cannot(argv[at + 1], strerror(errno));
}
