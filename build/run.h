/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_RUN_H
#define BUILD_RUN_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"
#include "build/build.h"
#include "layers/store.h"
#include "registry/session.h"

/* run - a program in an image, in the foreground: the same box as a RUN step, with the caller's
 * standard streams.  What it writes to its root is thrown away. */

struct run_request {
	const char *image;      /* name, or image ID or its prefix */
	struct strv argv;       /* empty: the image's command */
	const char *entrypoint; /* NULL: the image's; "": none */
	struct strv env;        /* NAME=value, or NAME to take it from our environment */
	const char *working_dir;
	const char *user;
	struct strv volumes; /* host:container[:ro] */
	const char *network; /* NULL or "host", "none" */
	const char *hostname;
	bool interactive; /* keep stdin open */
	bool tty;
	bool read_only;
	enum build_pull pull;
	const char *platform;
	struct session_options session;
};

/* *status is the program's own: 128 + n when signal n ended it; 127 not found, 126 not executable.
 */
int run_image(struct store *store, const struct run_request *request, int *status, struct err *err);

#endif
