/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_INPUT_H
#define BUILD_INPUT_H

#include "base/buf.h"
#include "base/err.h"
#include "build/build.h"
#include "build/dockerfile/ignore.h"

/* input - what a build starts from: the Dockerfile's text, the context's directory, its ignore
 * file. */

struct input {
	struct buf text;          /* of the Dockerfile */
	char *name;               /* for messages: "Dockerfile", "docker/app.Dockerfile" */
	int context;              /* -1: none */
	struct ignore *ignore;    /* NULL: nothing is ignored */
	char tree[STORE_ID_SIZE]; /* of a context that came as a tar on stdin; "": none */
	bool is_remote;           /* it was fetched */
	bool is_beside;           /* the Dockerfile is a file of the caller's, outside of the context */
};
#define INPUT_INIT                              \
	{                                       \
		.text = BUF_INIT, .context = -1 \
	}
void input_free(struct store *store, struct input *in);

/* The context is a directory, a repository, an archive or a Dockerfile at a URL (see fetch.h), or stdin.
 * The Dockerfile is found as docker and podman do: -f (a path of the caller's; in a context that came from
 * elsewhere a path in it, unless it is absolute; or an http(s) address), else Dockerfile or Containerfile in
 * the context; "-" as the context is a Dockerfile or a tar on stdin, "-" as -f a Dockerfile there. */
int input_open(
	struct store *store, const struct build_options *o, struct input *out, struct err *err);

/* The ignore file of a named context directory: its own .dockerignore. */
int input_ignore(int dir, struct ignore **out, struct err *err);

#endif
