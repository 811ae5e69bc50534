/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/tar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layers/tar_header.h"

/* Small files are gathered, so that the sink sees few and large writes. */
#define GATHER_SIZE (256u << 10)
#define READ_MIN (64u << 10)

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"

struct tar_writer {
	struct sink *out; /* lent */
	enum tar_dialect dialect;
	uint64_t left;  /* of the entry's bytes */
	size_t padding; /* behind them */
	struct buf name;
	struct buf pax;
	size_t len;
	char bytes[GATHER_SIZE];
};

struct tar_writer *
tar_writer_new(struct sink *out, enum tar_dialect dialect)
{
	struct tar_writer *w = xmalloc(sizeof *w);

	memset(w, 0, offsetof(struct tar_writer, bytes));
	w->out = out;
	w->dialect = dialect;
	w->name = (struct buf)BUF_INIT;
	w->pax = (struct buf)BUF_INIT;
	return w;
}

void
tar_writer_free(struct tar_writer *w)
{
	if (w == NULL)
		return;
	buf_free(&w->name);
	buf_free(&w->pax);
	free(w);
}

void
auto_tar_writer(struct tar_writer **w)
{
	tar_writer_free(*w);
	*w = NULL;
}

static int
flush(struct tar_writer *w, struct err *err)
{
	size_t len = w->len;

	w->len = 0;
	return len > 0 ? sink_write(w->out, w->bytes, len, err) : 0;
}

static int
gather(struct tar_writer *w, const void *bytes, size_t len, struct err *err)
{
	if (len > sizeof w->bytes - w->len && flush(w, err) < 0)
		return -1;
	if (len >= sizeof w->bytes)
		return sink_write(w->out, bytes, len, err);
	if (len > 0)
		memcpy(w->bytes + w->len, bytes, len);
	w->len += len;
	return 0;
}

static int
gather_zeros(struct tar_writer *w, size_t len, struct err *err)
{
	static const char zeros[2 * TAR_BLOCK];

	return gather(w, zeros, len, err);
}

static size_t
padding_of(uint64_t size)
{
	return (size_t)(-size & (TAR_BLOCK - 1));
}

/* "<length> <key>=<value>\n", where the length counts itself. */
static void
pax_add(struct buf *pax, const char *key, const void *value, size_t len)
{
	size_t bare = 1 + strlen(key) + 1 + len + 1, total = bare + 1, limit = 10;

	while (total >= limit) {
		total++;
		limit *= 10;
	}
	buf_addf(pax, "%zu %s=", total, key);
	buf_add(pax, value, len);
	buf_addc(pax, '\n');
}

static void
pax_add_number(struct buf *pax, const char *key, int64_t number)
{
	char text[24];

	pax_add(pax, key, text, (size_t)snprintf(text, sizeof text, "%" PRId64, number));
}

/* Whether a reader of layers would see a whiteout in some part of the path. */
static bool
names_a_whiteout(const char *path)
{
	const char *part = path;

	while (part != NULL) {
		if (starts_with(part, WHITEOUT))
			return true;
		part = strchr(part, '/');
		if (part != NULL)
			part++;
	}
	return false;
}

/* The entry's name on tape. */
static int
name_entry(struct tar_writer *w, const struct entry *e, struct err *err)
{
	struct buf *name = &w->name;
	const char *slash = strrchr(e->path, '/');
	size_t dir_len = slash != NULL ? (size_t)(slash - e->path) + 1 : 0;
	bool removes = e->kind == ENTRY_WHITEOUT || e->kind == ENTRY_OPAQUE;

	buf_clear(name);
	if (removes && w->dialect == TAR_PLAIN)
		return err_set(
			err, ERR_INPUT, "'%s': a plain archive cannot hold a removal", e->path);
	if (w->dialect == TAR_LAYER && names_a_whiteout(e->path))
		return err_set(err, ERR_INPUT,
			"'%s': a name with '" WHITEOUT "' would be read as a removal in a layer",
			e->path);
	if (e->path[0] == '\0' && e->kind != ENTRY_DIR && e->kind != ENTRY_OPAQUE)
		return err_set(err, ERR_INPUT, "the root can only be a directory");
	if (e->kind == ENTRY_WHITEOUT) {
		buf_add(name, e->path, dir_len);
		buf_adds(name, WHITEOUT);
		buf_adds(name, e->path + dir_len);
		return 0;
	}
	buf_adds(name, e->path);
	if (e->kind == ENTRY_OPAQUE)
		buf_adds(name, e->path[0] != '\0' ? "/" OPAQUE : OPAQUE);
	if (e->kind == ENTRY_DIR)
		buf_adds(name, e->path[0] != '\0' ? "/" : "./");
	return 0;
}

/* Into name, or split over prefix and name at a '/'; false where ustar has no place for it, and the
 * field holds what fits for readers that know no pax. */
static bool
place_name(struct tar_header *h, const struct buf *name)
{
	size_t at, rest;

	if (name->len <= sizeof h->name) {
		memcpy(h->name, name->data, name->len);
		return true;
	}
	for (at = name->len - 1 - sizeof h->name; at < name->len && at <= sizeof h->prefix; at++) {
		rest = name->len - at - 1;
		if (at == 0 || name->data[at] != '/' || rest == 0)
			continue;
		memcpy(h->prefix, name->data, at);
		memcpy(h->name, name->data + at + 1, rest);
		return true;
	}
	memcpy(h->name, name->data, sizeof h->name);
	return false;
}

static const char types[] = {
	[ENTRY_FILE] = TAR_TYPE_FILE,
	[ENTRY_DIR] = TAR_TYPE_DIR,
	[ENTRY_SYMLINK] = TAR_TYPE_SYMLINK,
	[ENTRY_HARDLINK] = TAR_TYPE_HARDLINK,
	[ENTRY_CHAR] = TAR_TYPE_CHAR,
	[ENTRY_BLOCK] = TAR_TYPE_BLOCK,
	[ENTRY_FIFO] = TAR_TYPE_FIFO,
	[ENTRY_WHITEOUT] = TAR_TYPE_FILE,
	[ENTRY_OPAQUE] = TAR_TYPE_FILE,
};

static void
header_begin(struct tar_header *h, char type)
{
	memset(h, 0, sizeof *h);
	memcpy(h->magic, "ustar", sizeof h->magic);
	memset(h->version, '0', sizeof h->version);
	h->type = type;
	tar_number_format(h->mode, sizeof h->mode, 0);
	tar_number_format(h->uid, sizeof h->uid, 0);
	tar_number_format(h->gid, sizeof h->gid, 0);
	tar_number_format(h->size, sizeof h->size, 0);
	tar_number_format(h->mtime, sizeof h->mtime, 0);
	tar_number_format(h->major, sizeof h->major, 0);
	tar_number_format(h->minor, sizeof h->minor, 0);
}

static int
add_xattrs(struct buf *pax, const struct entry *e, struct err *err)
{
	char key[320];
	size_t i;
	int len;

	for (i = 0; i < e->xattr_count; i++) {
		if (strchr(e->xattrs[i].name, '=') != NULL)
			return err_set(err, ERR_INPUT,
				"'%s': tar cannot hold attribute '%s', whose name has a '='",
				e->path, e->xattrs[i].name);
		len = snprintf(key, sizeof key, "SCHILY.xattr.%s", e->xattrs[i].name);
		if ((size_t)len >= sizeof key)
			return err_set(err, ERR_INPUT, "'%s': the name of an attribute is too long",
				e->path);
		pax_add(pax, key, e->xattrs[i].value, e->xattrs[i].len);
	}
	return 0;
}

/* Fills the header, and the extended header's records in the order of their keys. */
static int
header_fill(struct tar_writer *w, const struct entry *e, struct tar_header *h, struct err *err)
{
	size_t link_len = e->link != NULL ? strlen(e->link) : 0;

	if (add_xattrs(&w->pax, e, err) < 0)
		return -1;
	tar_number_format(h->mode, sizeof h->mode, e->mode & 07777);
	if (!tar_number_format(h->gid, sizeof h->gid, e->gid))
		pax_add_number(&w->pax, "gid", e->gid);
	memcpy(h->link, link_len > 0 ? e->link : "",
		link_len < sizeof h->link ? link_len : sizeof h->link);
	if (link_len > sizeof h->link)
		pax_add(&w->pax, "linkpath", e->link, link_len);
	if (!tar_number_format(h->mtime, sizeof h->mtime, (uint64_t)e->mtime))
		pax_add_number(&w->pax, "mtime", e->mtime);
	if (!place_name(h, &w->name))
		pax_add(&w->pax, "path", w->name.data, w->name.len);
	if (e->kind == ENTRY_FILE && !tar_number_format(h->size, sizeof h->size, e->size))
		pax_add_number(&w->pax, "size", (int64_t)e->size);
	if (!tar_number_format(h->uid, sizeof h->uid, e->uid))
		pax_add_number(&w->pax, "uid", e->uid);
	if (e->kind != ENTRY_CHAR && e->kind != ENTRY_BLOCK)
		return 0;
	if (!tar_number_format(h->major, sizeof h->major, e->major) ||
		!tar_number_format(h->minor, sizeof h->minor, e->minor))
		return err_set(err, ERR_INPUT, "'%s': tar cannot hold device %" PRIu32 ":%" PRIu32,
			e->path, e->major, e->minor);
	return 0;
}

/* The extended header is an entry of its own, and its name means nothing. */
static int
write_pax(struct tar_writer *w, struct err *err)
{
	static const char name[] = "PaxHeaders.0/entry";
	struct tar_header h;

	if (w->pax.len == 0)
		return 0;
	if (w->pax.len > TAR_PAX_MAX)
		return err_set(err, ERR_INPUT,
			"'%s': names and attributes are larger than %u bytes", w->name.data,
			TAR_PAX_MAX);
	header_begin(&h, TAR_TYPE_PAX);
	memcpy(h.name, name, sizeof name);
	tar_number_format(h.mode, sizeof h.mode, 0644);
	tar_number_format(h.size, sizeof h.size, w->pax.len);
	tar_checksum_set(&h);
	if (gather(w, &h, sizeof h, err) < 0 || gather(w, w->pax.data, w->pax.len, err) < 0)
		return -1;
	return gather_zeros(w, padding_of(w->pax.len), err);
}

static int
check_entry(const struct tar_writer *w, const struct entry *e, struct err *err)
{
	bool is_link = e->kind == ENTRY_SYMLINK || e->kind == ENTRY_HARDLINK;

	if (w->left > 0)
		return err_set(err, ERR_INPUT,
			"'%s': %" PRIu64 " bytes of the file before are missing", e->path, w->left);
	if (is_link && (e->link == NULL || e->link[0] == '\0'))
		return err_set(err, ERR_INPUT, "'%s': a link to nothing", e->path);
	if (e->kind == ENTRY_FILE && e->size > INT64_MAX - TAR_BLOCK)
		return err_set(
			err, ERR_INPUT, "'%s': %" PRIu64 " bytes are too many", e->path, e->size);
	return 0;
}

int
tar_writer_entry(struct tar_writer *w, const struct entry *e, struct err *err)
{
	struct tar_header h;

	if (check_entry(w, e, err) < 0 || name_entry(w, e, err) < 0)
		return -1;
	buf_clear(&w->pax);
	header_begin(&h, types[e->kind]);
	if (e->kind == ENTRY_WHITEOUT || e->kind == ENTRY_OPAQUE) {
		if (!place_name(&h, &w->name))
			pax_add(&w->pax, "path", w->name.data, w->name.len);
	} else if (header_fill(w, e, &h, err) < 0) {
		return -1;
	}
	tar_checksum_set(&h);
	if (write_pax(w, err) < 0 || gather(w, &h, sizeof h, err) < 0)
		return -1;
	w->left = e->kind == ENTRY_FILE ? e->size : 0;
	w->padding = padding_of(w->left);
	return 0;
}

static int
pad(struct tar_writer *w, struct err *err)
{
	size_t padding = w->padding;

	if (w->left > 0)
		return 0;
	w->padding = 0;
	return gather_zeros(w, padding, err);
}

int
tar_writer_data(struct tar_writer *w, const void *bytes, size_t len, struct err *err)
{
	if (len > w->left)
		return err_set(err, ERR_INPUT, "'%s': more bytes than its size", w->name.data);
	if (gather(w, bytes, len, err) < 0)
		return -1;
	w->left -= len;
	return pad(w, err);
}

/* Reads straight into what is gathered.  One byte more than is left is asked for: a file that has
 * grown shows itself without another call. */
int
tar_writer_file(struct tar_writer *w, int fd, struct hasher *also, struct err *err)
{
	size_t room, wanted;
	ssize_t n;

	do {
		wanted = w->left < READ_MIN ? (size_t)w->left + 1 : READ_MIN;
		if (sizeof w->bytes - w->len < wanted && flush(w, err) < 0)
			return -1;
		room = sizeof w->bytes - w->len;
		if (w->left < room)
			room = (size_t)w->left + 1;
		n = read(fd, w->bytes + w->len, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read '%s'", w->name.data);
		if ((uint64_t)n > w->left || (n == 0 && w->left > 0))
			return err_set(
				err, ERR_INPUT, "'%s' changed while it was read", w->name.data);
		if (also != NULL)
			hasher_add(also, w->bytes + w->len, (size_t)n);
		w->len += (size_t)n;
		w->left -= (uint64_t)n;
	} while (w->left > 0);
	return pad(w, err);
}

int
tar_writer_finish(struct tar_writer *w, struct err *err)
{
	if (w->left > 0)
		return err_set(err, ERR_INPUT, "%" PRIu64 " bytes of '%s' are missing", w->left,
			w->name.data);
	if (gather_zeros(w, 2 * TAR_BLOCK, err) < 0)
		return -1;
	return flush(w, err);
}
