/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_ENTRY_H
#define LAYERS_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "layers/digest.h"

/* entry - one file of a layer, without its bytes.
 *
 * path is relative to the root, without leading or trailing '/', without empty, "." or ".."
 * components; "" is the root itself.  Any other byte but 0 may occur.  Whiteouts are kinds of their
 * own: only tar knows the names ".wh.x" and ".wh..wh..opq", only trees know device 0:0 and xattrs.
 * (image-spec layer.md, Whiteouts) */

enum entry_kind {
	ENTRY_FILE,
	ENTRY_DIR,
	ENTRY_SYMLINK,  /* link: target, any text */
	ENTRY_HARDLINK, /* link: path of an entry in the same layer (or below it) */
	ENTRY_CHAR,
	ENTRY_BLOCK,
	ENTRY_FIFO,
	ENTRY_WHITEOUT, /* path is removed from the layers below */
	ENTRY_OPAQUE,   /* what the layers below have in directory path is removed */
};

struct xattr {
	char *name;
	void *value;
	size_t len;
};

struct entry {
	char *path;
	enum entry_kind kind;
	uint32_t mode; /* permission, set-id and sticky bits only: 07777 */
	uint32_t uid, gid;
	int64_t mtime; /* seconds */
	uint32_t mtime_ns;
	uint64_t size;         /* FILE: bytes; else 0 */
	char *link;            /* SYMLINK, HARDLINK; else NULL */
	uint32_t major, minor; /* CHAR, BLOCK */
	struct xattr *xattrs;  /* sorted by name */
	size_t xattr_count;
	struct digest digest; /* FILE: of its bytes, where known; else empty */
};

void entry_free(struct entry *e); /* its members; it is empty afterwards */
void auto_entry(struct entry *e);
void entry_copy(const struct entry *e, struct entry *out);
void entry_xattr_add(struct entry *e, const char *name, const void *value, size_t len);

/* The order of layers: a directory before what it holds, siblings by bytes ('/' sorts first); at
 * one path OPAQUE after the DIR, WHITEOUT alone. */
int entry_compare(const struct entry *a, const struct entry *b);
int entry_path_compare(const char *a, const char *b);

/* Turns a name from an archive into a path: leading '/' and "./" and trailing '/' dropped, "//" and
 * "/./" joined.  ERR_INPUT for "..", and over ENTRY_PATH_MAX bytes.  Appends to out ("" is the
 * root). */
#define ENTRY_PATH_MAX 1048576
int entry_path_clean(const char *name, struct buf *out, struct err *err);

#endif
