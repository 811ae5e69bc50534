/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_HELPER_H
#define REGISTRY_HELPER_H

#include "base/err.h"
#include "registry/credentials.h"

/* helper - docker-credential-NAME programs, which keep secrets elsewhere.  NAME is letters, digits,
 * '.',
 * '_' and '-'; found in PATH's absolute directories only. (docker-credential-helpers' protocol) */

/* from: the file that names the helper, for messages.  1: found, 0: it has none for this server,
 * -1. */
int helper_get(const char *name, const char *from, const char *server, struct credential *out,
	struct err *err);
int helper_store(const char *name, const char *from, const char *server, const struct credential *c,
	struct err *err);
int helper_erase(const char *name, const char *from, const char *server, struct err *err);

#endif
