/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_APPLY_H
#define LAYERS_APPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "layers/listing.h"
#include "layers/stream.h"
#include "layers/tar.h"
#include "layers/view.h"

/* apply - an archive's entries become files beneath a directory, and nowhere else.
 *
 * Archives are strangers'.  Each parent directory is resolved beneath the tree, links in it as in a chroot,
 * and missing ones are made; the last component is never followed and is replaced by what comes later.
 * Hard links are to files of this tree only.  Owner, then mode, then attributes, then time; times of
 * directories at the end.  Device nodes are made where that is allowed; elsewhere they are kept in the
 * listing alone, with one warning.  Attributes of overlays and char 0:0 devices, which overlay would obey,
 * are dropped.  Sockets do not exist in archives.
 *
 * Run it as 0:0 inside the user namespace, with the tree's top directory owned by that 0:0. */

enum apply_form {
	/* A layer by itself, for use as a lower directory of overlay with userxattr: whiteouts become char 0:0
	 * devices (else empty files with user.overlay.whiteout), opaque directories user.overlay.opaque=y. */
	APPLY_OVERLAY,
	/* Onto the tree as it is: whiteouts remove, but never what this archive brought. */
	APPLY_ROOT,
};

enum apply_owner {
	APPLY_OWNER_KEEP,   /* ids as in the archive; one that is not mapped is an error */
	APPLY_OWNER_TRY,    /* likewise, but where only one id is mapped files stay ours; the listing keeps the ids,
	                     * and so does an attribute of files and directories (ownership.h) */
	APPLY_OWNER_CALLER, /* everything is ours, no set-id bits: for output to a user's directory */
};

struct apply_options {
	enum apply_form form;
	enum apply_owner owner;
	enum tar_dialect dialect; /* TAR_PLAIN for ADD: names of whiteouts are names */
	bool digests;             /* of files, into the listing */
	bool no_devices;          /* never try mknod */
	/* What is below, for APPLY_OVERLAY, where it is known: a parent that the archive does not name looks
	 * as it does there, a link there leads on, and whiteouts of nothing are left out.  NULL: such parents
	 * are 0755, 0:0. */
	const struct view *lower;
	uint64_t max_entries; /* 0: TAR_ENTRIES_MAX */
	uint64_t max_size;    /* bytes of files together; 0: no cap but the stream's */
};
#define APPLY_OPTIONS_INIT { .form = APPLY_OVERLAY, .dialect = TAR_LAYER }

#define APPLY_DEPTH_MAX 4096 /* components of a path */

/* Reads the archive to its end, and what follows it (which counts for digests).  out (may be NULL) gets
 * what the layer holds, sorted: ids, modes and devices as the archive says, also where the tree could not
 * have them; parents that were made are in it.  On failure the tree is left half made. */
int apply_layer(struct stream *tar, int tree, const struct apply_options *o, struct listing *out,
	struct err *err);

/* The same, entry by entry, for who makes entries from something else than an archive. */
struct apply;
struct apply *apply_new(int tree /* lent */, const struct apply_options *o, struct listing *out);
void apply_free(struct apply *a);
void auto_apply(struct apply **a);
/* Everything about e but its bytes, which come next: apply_data() until all are there. */
int apply_entry(struct apply *a, const struct entry *e, struct err *err);
int apply_data(struct apply *a, const void *bytes, size_t len, struct err *err);
/* len bytes that are zero, as a hole. */
int apply_hole(struct apply *a, uint64_t len, struct err *err);
int apply_finish(struct apply *a, struct err *err);

#endif
