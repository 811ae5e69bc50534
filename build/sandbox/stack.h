/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_STACK_H
#define BUILD_SANDBOX_STACK_H

#include "base/err.h"

/* stack - of STACK_SIZE bytes, for a process that shares our memory, with pages below that nobody can
 * touch. */

#define STACK_SIZE 262144

int stack_make(void **out, struct err *err);
void auto_stack(void **stack);

#endif
