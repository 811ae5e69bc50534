/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_EDIT_H
#define LAYERS_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "base/strv.h"
#include "layers/descriptor.h"
#include "layers/digest.h"
#include "layers/platform.h"

/* edit - changes to the manifest and the config of an image, made in their JSON, so that members
 * which are not known here stay as they are.  (image-spec manifest.md, config.md)
 *
 * A list of edits has "name=value", which sets, and "name-", which removes and is fine where there is
 * nothing to remove.  ERR_USAGE for all else.  On failure a document may be half changed. */

/* Member "annotations" of a manifest, index or descriptor; it goes with its last row. */
int edit_annotations(json_t *doc, const struct strv *edits, struct err *err);

/* What is changed in a config.  Texts: NULL leaves it, "" removes it. */
struct edit {
	struct strv env, labels;            /* edits */
	struct strv exposed_ports, volumes; /* "80/tcp" or "/data" adds, "80/tcp-" removes */
	/* Words; empty: left.  One word that is "": removed.  One that begins with '[': a JSON array of
	 * words. */
	struct strv entrypoint, cmd;
	const char *user, *working_dir, *stop_signal, *author;
	const struct platform *platform; /* NULL: left */
};
/* steps: what was different before, each as a line of a Dockerfile, added.  None: nothing has changed.
 * ERR_INPUT for a config that is none. */
int edit_config(json_t *config, const struct edit *e, struct strv *steps, struct err *err);

/* A row of the history, where the history tells of all layers that are there (else it would tell
 * of others); and the time of the whole.  created: RFC 3339. */
void edit_history(json_t *config, const char *created, const char *created_by, bool empty_layer);
void edit_created(json_t *config, const char *created);

/* "rootfs.diff_ids" and "layers": a layer on top.  layer is taken. */
int edit_layer_add(json_t *manifest, json_t *config, json_t *layer, const struct digest *diff_id,
	struct err *err);

/* All layers but the first `below` ones become this one (taken).  What the history says of them stays, as
 * rows without a layer; one that does not tell of all layers goes. */
int edit_layers_merge(json_t *manifest, json_t *config, size_t below, json_t *layer,
	const struct digest *diff_id, struct err *err);

/* Docker's media types to OCI's, of a manifest or an index itself and of what it names.  ERR_INPUT for
 * one that has no such name. */
int edit_to_oci(json_t *doc, struct err *err);
bool edit_is_docker(const json_t *doc);
/* What a layer is called among Docker's, or OCI's.  ERR_INPUT where they have no name for it. */
int edit_layer_type(struct descriptor *layer, bool docker, struct err *err);

#endif
