/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SSH_RELAY_H
#define BUILD_SSH_RELAY_H

#include <sys/types.h>

#include "base/err.h"
#include "base/strv.h"

/* ssh_relay - the caller's ssh agent for a RUN --mount=type=ssh.
 *
 * The agent's socket belongs to the caller, who is nobody inside the namespace; so a process outside
 * listens on a socket of its own, which is bound into the box, and passes bytes on.  Keys never come near
 * the box. */

#define SSH_RELAY_CONNECTIONS_MAX 64 /* at once; others wait */

/* Where the agent of this id listens, by --ssh default, id=socket; *out is for free().  1, 0: --ssh does
 * not name it, -1: ERR_INPUT or ERR_NOTFOUND. */
int ssh_relay_find(const struct strv *specs, const char *id, char **out, struct err *err);

/* In a worker: makes the socket dir/agent, and a child that serves it until this process ends.  The
 * socket gets that owner and mode; where only root could give it away, everybody in the box may use it. */
int ssh_relay_start(const char *agent, int dir, uid_t uid, gid_t gid, mode_t mode, struct err *err);

#endif
