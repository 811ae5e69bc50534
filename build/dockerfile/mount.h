/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_MOUNT_H
#define DOCKERFILE_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "build/dockerfile/expand.h"

/* mount - the value of RUN --mount=type=cache,target=/root/.cache,...: a line of CSV
 * (csv.h). */

enum mount_kind { MOUNT_BIND, MOUNT_CACHE, MOUNT_TMPFS, MOUNT_SECRET, MOUNT_SSH };
enum mount_sharing { MOUNT_SHARED, MOUNT_PRIVATE, MOUNT_LOCKED };

struct mount {
	enum mount_kind kind;
	char *from;   /* NULL: not given */
	char *source; /* NULL: not given */
	char *target; /* NULL: not given; not yet joined to WORKDIR */
	char *id;     /* NULL: not given */
	char *env;    /* secret: name of the variable; NULL: not given */
	bool read_only; /* by default true for bind, secret and ssh */
	bool required;
	bool sharing_given;
	enum mount_sharing sharing;
	int64_t size; /* tmpfs, bytes; 0: no limit */
	bool mode_given, uid_given, gid_given;
	uint32_t mode, uid, gid;
};
void mount_free(struct mount *m); /* its fields */
const char *mount_kind_name(enum mount_kind kind);

/* While the file is read: only what needs no variables (the CSV, and that `from` has none). */
int mount_check(const char *text, struct err *err);
/* With the values of variables: every value is expanded.  Fills *out (for mount_free()). */
int mount_parse(const char *text, char escape, const struct expand_vars *vars, struct mount *out,
	struct strv *undefined, struct err *err);

/* "64m", "1.5GiB", "100": bytes, with binary units. */
int size_parse(const char *text, int64_t *out, struct err *err);
/* Go's strconv.ParseBool: 1 t T TRUE true True 0 f F FALSE false False.  -1 otherwise, err unset. */
int bool_parse(const char *text, bool *out);

#endif
