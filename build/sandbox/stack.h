/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_STACK_H
#define BUILD_SANDBOX_STACK_H

#include "base/err.h"

/* stack - of INSIDE_STACK bytes, for a process that shares our memory, with a page below that nobody
 * can touch. */
int stack_make(void **out, struct err *err);
void auto_stack(void **stack);

#endif
