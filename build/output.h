/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_OUTPUT_H
#define BUILD_OUTPUT_H

#include "base/err.h"
#include "build/build.h"
#include "build/solve.h"

/* output - what was built goes where it was asked for. */

/* The image into the store under the tags, and with push on to their registries. */
int output_image(struct store *store, const struct build_options *o, const struct descriptor *image,
	bool push, struct err *err);
/* An archive or a layout with the image. */
int output_archive(struct store *store, const struct build_options *o,
	const struct build_output *to, const struct descriptor *image, struct err *err);
/* The files: a tar, or a directory of the caller's. */
int output_files(
	struct solve *s, const struct build_output *to, const char *subdir, struct err *err);

/* The tags as the store names them; ERR_INPUT "-t 'x': ...". */
int output_names(const struct strv *tags, struct strv *out, struct err *err);

#endif
