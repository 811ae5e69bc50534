/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_NETWORK_H
#define BUILD_SANDBOX_NETWORK_H

#include "base/err.h"

/* network - what a box sees of it. */

/* In a network namespace of its own: brings the loopback interface up. */
int network_loopback(struct err *err);

/* In the caller's network: services that listen on abstract unix sockets outside are out of reach, as
 * they would be in a namespace of its own (CVE-2020-15257).  Needs Landlock of Linux 6.12; does
 * nothing elsewhere. */
void network_hide_sockets(void);

#endif
