/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SSH_AGENT_H
#define BUILD_SSH_AGENT_H

#include "base/err.h"
#include "base/strv.h"

/* ssh_agent - agents of a build's own, for --ssh id=key[,key...]: ssh-agent(1), each with keys of one id.  They
 * end with the build, and where that is killed at once after it, since each waits on a pipe that we hold. */

struct ssh_agents;

/* Starts one for each of specs that names files rather than a socket.  ERR_NOTFOUND: ssh-agent is not
 * installed, or a file is not there; ERR_INPUT: a key that cannot be loaded, as one with a passphrase. */
int ssh_agents_start(const struct strv *specs, struct ssh_agents **out, struct err *err);
/* The same specs, with sockets only; lent. */
const struct strv *ssh_agents_specs(const struct ssh_agents *a);
/* When it returns their processes, sockets and directories are gone.  NULL is fine. */
void ssh_agents_stop(struct ssh_agents *a);
void auto_ssh_agents(struct ssh_agents **a);

#endif
