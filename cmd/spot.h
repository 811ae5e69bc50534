/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_SPOT_H
#define CMD_SPOT_H

#include <stdbool.h>

#include "base/archive_file.h"
#include "base/err.h"
#include "build/absent.h"
#include "layers/store.h"
#include "layers/stream.h"
#include "registry/place.h"
#include "registry/ref.h"
#include "registry/session.h"

/* spot - one end of a copy, as it is named on the command line:
 *
 *	docker://registry.example.com/team/app:1   at a registry; "docker://" may be left out
 *	oci:path[:name]                            an OCI layout
 *	dir:path                                   skopeo's plain files
 *	oci-archive:path[:name]                    such a layout as one tar file
 *	docker-archive:path[:name]                 what 'docker save' writes
 *	store:name                                 the store of this program
 *
 * A path of "-" is stdin or stdout. */

enum spot_kind { SPOT_REGISTRY, SPOT_LAYOUT, SPOT_DIR, SPOT_OCI_ARCHIVE, SPOT_DOCKER_ARCHIVE, SPOT_STORE };

struct spot {
	enum spot_kind kind;
	struct ref ref;           /* REGISTRY */
	char *path, *name;        /* others; name NULL: none was said */
	struct archive_file file; /* an archive that is written */
	struct sink *sink;
	struct store *store; /* STORE, once it was prepared; name is the store's then */
	struct descriptor found; /* what a source of the STORE has */
	struct absent absent;    /* layers of it that are still at their registry */
	struct place *place; /* once it is open */
};
#define SPOT_INIT                         \
	{                                 \
		.file = ARCHIVE_FILE_INIT, .absent = ABSENT_INIT \
	}
void auto_spot(struct spot *s);

bool spot_has_scheme(const char *text);
/* One file, which is written front to back. */
bool spot_is_archive(const struct spot *s);
/* ERR_USAGE, ERR_INPUT */
int spot_parse(const char *text, struct spot *out, struct err *err);

/* A source, first, in the process that owns the store (root: as for store_open).  platform NULL: all. */
int spot_prepare(struct spot *s, const char *root, const struct platform *platform, struct err *err);
/* A target, first and last, in the process that owns the store and removes what was not finished: workers are
 * killed.  copied: what it has now. */
int spot_begin(struct spot *s, const char *root, struct err *err);
int spot_finish(struct spot *s, const struct descriptor *copied, struct err *err);

/* Only a registry needs the session (lent). */
int spot_open_source(struct spot *s, struct session *session, struct err *err);
int spot_open_target(struct spot *s, struct session *session, struct err *err);
/* What the source has under its name. */
int spot_resolve(struct spot *s, struct descriptor *out, struct err *err);
/* A source at a registry is what the policy wants of it.  platform NULL: all. */
int spot_trust(const struct spot *s, struct session *session, const struct descriptor *root,
	const struct platform *platform, struct err *err);
/* Layers of a source in the store that are still at their registry are fetched. */
int spot_complete(struct spot *s, struct session *session, struct err *err);
/* What is copied from it, or what the copy is called; NULL: the only one, or nothing. */
const char *spot_name(const struct spot *s);
/* The target's name means what was copied.  A digest cannot be given: ERR_INPUT where another came out. */
int spot_tag(const struct spot *s, const struct descriptor *copied, struct err *err);
/* How it is called there: by its whole name at a registry, elsewhere by its digest. */
void spot_format(const struct spot *s, const struct digest *copied, struct buf *out);
/* The target has all that it will get. */
int spot_written(struct spot *s, struct err *err);

#endif
