/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_FILES_H
#define CMD_FILES_H

#include <stdbool.h>

#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/remote_flags.h"
#include "cmd/spot.h"
#include "layers/oci.h"
#include "layers/roll.h"
#include "layers/store.h"
#include "registry/session.h"

/* files - the files of images wherever they are, for ls, cat, find and diff.
 *
 * An image is named as for `copy` (spot.h); a name without a scheme is looked for in the store first.  What
 * the store knows of a layer is used whatever the image's place: its listing, else its blob.  All else is read
 * from the place, once, and checked to its end; nothing is kept.  Memory does not grow with the image.
 *
 * What strangers wrote is read in a process of its own, files_run()'s.  That uses threads for what places send, so
 * no process may be forked after files_begin(). */

/* Runs a command's body in a worker.  call->status arrives where it did not fail. */
typedef int files_body(struct call *call, void *arg, struct err *err);
int files_run(struct call *call, files_body *body, void *arg, struct err *err);

struct files {
	struct store *store;     /* NULL: there is none, and none was asked for */
	struct session *session;
	struct roll *roll;
	bool digests; /* of files are wanted */
	struct digest *known; /* layers that are in the roll, and their slots */
	size_t *slots;
	size_t count, room;
};
#define FILES_INIT { .store = NULL }
void auto_files(struct files *f);
int files_begin(struct files *f, const struct call *call, const struct remote_flags *remote, bool digests,
	struct err *err);

struct files_image {
	const char *text; /* as it was called; lent */
	struct spot spot;
	struct place *store_place; /* instead of the spot's, for an image of the store */
	struct place *place;       /* lent: one of the two */
	struct manifest manifest;
	size_t *slots;  /* one for each layer; those below first are not there yet */
	size_t first;
};
#define FILES_IMAGE_INIT { .spot = SPOT_INIT }
void auto_files_image(struct files_image *i);

/* Finds it and reads its manifest.  platform NULL: the host's, or the first there is.  ERR_DENIED where policy.json
 * does not let it in from its registry. */
int files_open(struct files *f, const char *text, const char *platform, struct files_image *out,
	struct err *err);

/* The same in two steps: where it is (root is filled for an image of the store), and what its name means. */
int files_place(struct files *f, const char *text, struct files_image *out, struct descriptor *root,
	struct err *err);
int files_resolve(struct files_image *i, struct descriptor *root, struct err *err);

/* The stack as far as it is loaded; lent. */
struct roll_stack files_stack(const struct files_image *i);
/* Whether a layer can be loaded without asking the image's place. */
int files_is_near(struct files *f, const struct files_image *i, size_t layer, struct err *err);
/* The next lower layer.  capture (may be NULL) is filled where the archive is read; where that ends at it, the layer
 * is not loaded: 1. */
int files_load(struct files *f, struct files_image *i, struct capture *capture, struct err *err);
/* Down to layer `first`. */
int files_load_to(struct files *f, struct files_image *i, size_t first, struct err *err);

/* The bytes of the file that layer has at path, by its own hard links, into capture's file.  ERR_CORRUPT when there
 * are none. */
int files_capture(struct files *f, const struct files_image *i, size_t layer, const char *path,
	struct capture *capture, struct err *err);
/* The archive of a layer, checked at its end; read reads it to there. */
typedef int files_reader(struct stream *tar, void *arg, struct err *err);
int files_read(struct files *f, const struct files_image *i, size_t layer, files_reader *read, void *arg,
	struct err *err);
/* A nameless file for a capture. */
int files_spool(struct err *err);

/* As strangers name their files: "/" and the path. */
void files_path(const char *path, struct buf *out);

#endif
