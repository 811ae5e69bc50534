/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/stack.h"

#include <stddef.h>
#include <sys/mman.h>

#define GUARD_PAGE 65536

int
stack_make(void **out, struct err *err)
{
	char *p = mmap(NULL, STACK_SIZE + GUARD_PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (p == MAP_FAILED)
		return err_sys(err, "make a stack");
	(void)mprotect(p, GUARD_PAGE, PROT_NONE);
	*out = p + GUARD_PAGE;
	return 0;
}

void
auto_stack(void **stack)
{
	if (*stack != NULL)
		(void)munmap((char *)*stack - GUARD_PAGE, STACK_SIZE + GUARD_PAGE);
	*stack = NULL;
}
