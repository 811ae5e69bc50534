/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_SPOT_H
#define CMD_SPOT_H

#include <stdbool.h>

#include "base/archive_file.h"
#include "base/err.h"
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
 *
 * A path of "-" is stdin or stdout. */

enum spot_kind { SPOT_REGISTRY, SPOT_LAYOUT, SPOT_DIR, SPOT_OCI_ARCHIVE, SPOT_DOCKER_ARCHIVE };

struct spot {
	enum spot_kind kind;
	struct ref ref;           /* REGISTRY */
	char *path, *name;        /* others; name NULL: none was said */
	struct archive_file file; /* an archive that is written */
	struct sink *sink;
	struct place *place; /* once it is open */
};
#define SPOT_INIT                         \
	{                                 \
		.file = ARCHIVE_FILE_INIT \
	}
void auto_spot(struct spot *s);

bool spot_has_scheme(const char *text);
/* ERR_USAGE, ERR_INPUT */
int spot_parse(const char *text, struct spot *out, struct err *err);

/* A target, first and last, in the process that removes what was not finished: workers are killed. */
int spot_begin(struct spot *s, struct err *err);
int spot_finish(struct spot *s, struct err *err);

/* Only a registry needs the session (lent). */
int spot_open_source(struct spot *s, struct session *session, struct err *err);
int spot_open_target(struct spot *s, struct session *session, struct err *err);
/* What is copied from it, or what the copy is called; NULL: the only one, or nothing. */
const char *spot_name(const struct spot *s);
/* The target has all that it will get. */
int spot_written(struct spot *s, struct err *err);

#endif
