/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/tar_read.h"

#include <inttypes.h>
#include <string.h>

#define WHITEOUT ".wh."
#define AUFS ".wh..wh."
#define OPAQUE ".wh..wh..opq"

/* A field that ends at its first zero byte, or is full. */
static void
add_field(struct buf *out, const char *field, size_t size)
{
	buf_add(out, field, strnlen(field, size));
}

/* The prefix of a header that has one.  GNU's old format has times there; some writers of old put a
 * prefix there nevertheless, which GNU tar does not see and Go does. */
static int
add_prefix(struct buf *out, const struct tar_header *h, struct err *err)
{
	size_t size = sizeof h->prefix;
	struct tar_gnu_header gnu;
	int64_t ignored;

	if (memcmp(h->magic, "ustar  ", 8) == 0) {
		memcpy(&gnu, h, sizeof gnu);
		if (tar_number_parse(gnu.atime, sizeof gnu.atime, &ignored) < 0 ||
			tar_number_parse(gnu.ctime, sizeof gnu.ctime, &ignored) < 0)
			return err_set(err, ERR_CORRUPT, "a prefix in a header that has none");
		return 0;
	}
	if (memcmp(h->magic, "ustar", 6) != 0)
		return 0;
	if (memcmp(h->pad + 8, "tar", 4) == 0)
		size = 131; /* star keeps times behind a shorter prefix */
	add_field(out, h->prefix, size);
	if (out->len > 0)
		buf_addc(out, '/');
	return 0;
}

/* Into r->name: what the archive calls it. */
static int
raw_name(struct tar_reader *r, const struct tar_header *h, struct err *err)
{
	buf_clear(&r->name);
	if (r->has_pax && r->pax.path != NULL) {
		buf_adds(&r->name, r->pax.path);
	} else if (r->long_name.len > 0) {
		buf_add(&r->name, r->long_name.data, r->long_name.len);
	} else {
		if (add_prefix(&r->name, h, err) < 0)
			return -1;
		add_field(&r->name, h->name, sizeof h->name);
	}
	if (r->name.len == 0)
		return err_set(err, ERR_CORRUPT, "a file without a name");
	return 0;
}

static void
raw_link(struct tar_reader *r, const struct tar_header *h, struct buf *out)
{
	if (r->has_pax && r->pax.link != NULL)
		buf_adds(out, r->pax.link);
	else if (r->long_link.len > 0)
		buf_add(out, r->long_link.data, r->long_link.len);
	else
		add_field(out, h->link, sizeof h->link);
}

static int
kind_of(char type, bool slash, enum entry_kind *out, struct err *err)
{
	switch (type) {
	case TAR_TYPE_OLD_FILE:
		*out = slash ? ENTRY_DIR : ENTRY_FILE;
		return 0;
	case TAR_TYPE_FILE:
	case TAR_TYPE_CONTIGUOUS:
	case TAR_TYPE_GNU_SPARSE:
		*out = ENTRY_FILE;
		return 0;
	case TAR_TYPE_HARDLINK:
		*out = ENTRY_HARDLINK;
		return 0;
	case TAR_TYPE_SYMLINK:
		*out = ENTRY_SYMLINK;
		return 0;
	case TAR_TYPE_CHAR:
		*out = ENTRY_CHAR;
		return 0;
	case TAR_TYPE_BLOCK:
		*out = ENTRY_BLOCK;
		return 0;
	case TAR_TYPE_DIR:
		*out = ENTRY_DIR;
		return 0;
	case TAR_TYPE_FIFO:
		*out = ENTRY_FIFO;
		return 0;
	default:
		return err_set(err, ERR_INPUT, "a file of type 0x%02x is not supported",
			(unsigned char)type);
	}
}

/* Some readers take a file with a '/' at its end for a directory, some for a file. */
static int
check_kind(const struct buf *name, enum entry_kind kind, uint64_t size, struct err *err)
{
	bool slash =
		ends_with(name->data, "/") || ends_with(name->data, "/.") || streq(name->data, ".");

	if (kind != ENTRY_DIR && slash)
		return err_set(err, ERR_CORRUPT, "'%.200s' is named like a directory and is none",
			name->data);
	if (kind != ENTRY_FILE && size > 0)
		return err_set(
			err, ERR_CORRUPT, "'%.200s' has bytes and is not a file", name->data);
	return 0;
}

/* In a layer some names are orders.  1: an entry, 2: nothing that is to be seen, -1. */
static int
make_whiteout(struct entry *e, struct err *err)
{
	char *part = e->path, *slash = strchr(part, '/');

	while (slash != NULL) {
		if (starts_with(part, AUFS))
			return 2;
		if (starts_with(part, WHITEOUT))
			return err_set(
				err, ERR_CORRUPT, "'%.200s' is inside of a removal", e->path);
		part = slash + 1;
		slash = strchr(part, '/');
	}
	if (!starts_with(part, WHITEOUT))
		return 1;
	if (starts_with(part, AUFS) && !streq(part, OPAQUE))
		return 2;
	if (streq(part, OPAQUE)) {
		e->kind = ENTRY_OPAQUE;
		part[part > e->path ? -1 : 0] = '\0';
		return 1;
	}
	e->kind = ENTRY_WHITEOUT;
	memmove(part, part + strlen(WHITEOUT), strlen(part) - strlen(WHITEOUT) + 1);
	if (streq(part, "") || streq(part, ".") || streq(part, ".."))
		return err_set(err, ERR_CORRUPT, "a removal of nothing ('" WHITEOUT "%s')", part);
	return 1;
}

static int
make_path(struct tar_reader *r, struct entry *e, struct err *err)
{
	AUTO(buf) struct buf path = BUF_INIT;

	if (entry_path_clean(r->name.data, &path, err) < 0)
		return -1;
	if (path.len == 0 && e->kind != ENTRY_DIR)
		return err_set(err, ERR_CORRUPT, "the root can only be a directory");
	e->path = buf_steal(&path);
	return r->dialect == TAR_LAYER ? make_whiteout(e, err) : 1;
}

static int
make_link(struct tar_reader *r, const struct tar_header *h, struct entry *e, struct err *err)
{
	AUTO(buf) struct buf link = BUF_INIT;
	AUTO(buf) struct buf path = BUF_INIT;

	if (e->kind != ENTRY_SYMLINK && e->kind != ENTRY_HARDLINK)
		return 0;
	raw_link(r, h, &link);
	if (link.len > ENTRY_PATH_MAX)
		return err_set(err, ERR_INPUT, "'%.200s': the link is too long", e->path);
	if (e->kind == ENTRY_HARDLINK && entry_path_clean(link.data, &path, err) < 0)
		return err_in(err, "'%.200s'", e->path);
	if (link.len == 0 || (e->kind == ENTRY_HARDLINK && path.len == 0))
		return err_set(err, ERR_CORRUPT, "'%.200s' is a link to nothing", e->path);
	if (e->kind == ENTRY_HARDLINK && streq(path.data, e->path))
		return err_set(err, ERR_CORRUPT, "'%.200s' is a link to itself", e->path);
	e->link = buf_steal(e->kind == ENTRY_HARDLINK ? &path : &link);
	return 0;
}

static int
field_uint32(const char *field, size_t size, const char *what, uint32_t *out, struct err *err)
{
	int64_t number;

	if (tar_number_parse(field, size, &number) < 0 || number < 0 || number > UINT32_MAX)
		return err_set(err, ERR_CORRUPT, "%s is not a number", what);
	*out = (uint32_t)number;
	return 0;
}

/* 0xffffffff means "leave it" to chown(2), and is no owner. */
static int
make_id(const char *field, size_t size, const char *what, const uint64_t *pax, uint32_t *out,
	struct err *err)
{
	if (pax == NULL && field_uint32(field, size, what, out, err) < 0)
		return -1;
	if (pax != NULL)
		*out = *pax < UINT32_MAX ? (uint32_t)*pax : UINT32_MAX;
	if (*out == UINT32_MAX)
		return err_set(err, ERR_CORRUPT, "%s is too large", what);
	return 0;
}

static int
make_numbers(struct tar_reader *r, const struct tar_header *h, struct entry *e, struct err *err)
{
	unsigned keys = r->has_pax ? r->pax.keys : 0;
	const uint64_t *uid = keys & PAX_UID ? &r->pax.uid : NULL;
	const uint64_t *gid = keys & PAX_GID ? &r->pax.gid : NULL;

	if (make_id(h->uid, sizeof h->uid, "the owner", uid, &e->uid, err) < 0 ||
		make_id(h->gid, sizeof h->gid, "the group", gid, &e->gid, err) < 0 ||
		field_uint32(h->mode, sizeof h->mode, "the mode", &e->mode, err) < 0)
		return -1;
	e->mode &= 07777; /* old writers put the kind there too */
	if ((keys & PAX_MTIME) != 0) {
		e->mtime = r->pax.mtime;
		e->mtime_ns = r->pax.mtime_ns;
	} else if (tar_number_parse(h->mtime, sizeof h->mtime, &e->mtime) < 0) {
		return err_set(err, ERR_CORRUPT, "the time is not a number");
	}
	if (e->kind != ENTRY_CHAR && e->kind != ENTRY_BLOCK)
		return 0;
	if (field_uint32(h->major, sizeof h->major, "the device", &e->major, err) < 0)
		return -1;
	return field_uint32(h->minor, sizeof h->minor, "the device", &e->minor, err);
}

/* A removal has no properties, whatever the file that stands for it has. */
static void
only_the_path(struct entry *e)
{
	struct entry bare = { .path = steal(&e->path), .kind = e->kind };

	entry_free(e);
	*e = bare;
}

int
tar_entry_make(struct tar_reader *r, const struct tar_header *h, uint64_t size, struct entry *out,
	struct err *err)
{
	AUTO(entry) struct entry e = { .path = NULL };
	int seen;

	if (raw_name(r, h, err) < 0 ||
		kind_of(h->type, ends_with(r->name.data, "/"), &e.kind, err) < 0 ||
		check_kind(&r->name, e.kind, size, err) < 0)
		return -1;
	seen = make_path(r, &e, err);
	if (seen < 0 || make_numbers(r, h, &e, err) < 0)
		return -1;
	if (seen == 1 && make_link(r, h, &e, err) < 0)
		return -1;
	e.size = e.kind == ENTRY_FILE ? size : 0;
	e.xattrs = r->pax.attributes.xattrs;
	e.xattr_count = r->pax.attributes.xattr_count;
	r->pax.attributes = (struct entry){ .path = NULL };
	if (e.kind == ENTRY_WHITEOUT || e.kind == ENTRY_OPAQUE)
		only_the_path(&e);
	*out = e;
	e = (struct entry){ .path = NULL };
	return seen;
}
