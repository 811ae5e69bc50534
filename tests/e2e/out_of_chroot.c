/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build/sandbox/unchroot.h"

/* out_of_chroot COMMAND...: runs it with "/" as the root of a mount namespace, when this is a chroot: the tests
 * of the sandbox make user namespaces by themselves, which the kernel refuses in one. */

static int
can_make_namespaces(void)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) < 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int
main(int argc, char **argv)
{
	(void)argc;
	if (!can_make_namespaces() && unchroot() < 0)
		perror("out_of_chroot: user namespaces are refused, and this is no chroot that "
		       "root could leave");
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
