/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_BASE_H
#define BUILD_BASE_H

#include "base/err.h"
#include "build/build.h"
#include "build/plan.h"
#include "layers/store.h"

/* base - what the images are that a Dockerfile names: manifest and configuration, never layers.
 *
 * The store is asked first, then the registry (unless told otherwise); several images are looked up
 * side by side.  What a registry said is kept in the store under the image's name, with a note of
 * where its layers can be had. */

/* One image by itself, as `run` needs it. */
int base_resolve(struct store *store, enum build_pull pull, const struct session_options *session,
	struct plan_image **images, size_t count, struct err *err);

/* What people may call an image of the store: a name, an image ID (of the configuration) or its
 * prefix of 4 or more hex digits.  ERR_INPUT for what is neither. */
int base_find_ref(struct store *store, const char *text, struct ref *out, struct err *err);

/* The store's name of an image: "docker.io/library/alpine:3.19", or with "@sha256:..." instead of
 * the tag. */
void base_name(const struct ref *ref, struct buf *out);

#endif
