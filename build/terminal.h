/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_TERMINAL_H
#define BUILD_TERMINAL_H

#include <stdbool.h>

#include "base/err.h"
#include "base/worker.h"

/* terminal - a pseudo-terminal for a program in a box, joined to the caller's own: keys go in raw,
 * what it writes comes out, the window's size follows.  The caller's settings come back in every
 * case. */

struct terminal;
int terminal_open(struct terminal **out, struct err *err);
int terminal_peer(const struct terminal *t); /* lent: the program's three standard streams */
void terminal_leave(struct terminal *t);     /* in the worker: it keeps the peer only */
/* Until every program on the peer, or the worker that runs them, has ended; ERR_INTERRUPTED as
 * worker_wait_for() has it.  takes_input: stdin is passed on. */
int terminal_relay(struct terminal *t, struct worker *program, bool takes_input, struct err *err);
void terminal_free(struct terminal *t);
void auto_terminal(struct terminal **t);

#endif
