/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REPOSITORY_H
#define REGISTRY_REPOSITORY_H

#include "base/buf.h"
#include "registry/host.h"
#include "registry/request.h"
#include "registry/session.h"

/* repository - whom requests about one repository go to, and what their tokens are for. */

struct repository {
	struct session *session;
	struct host *host;
	const char *name;  /* "library/alpine" */
	const char *scope; /* "repository:library/alpine:pull" */
};

#endif
