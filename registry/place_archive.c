/* SPDX-License-Identifier: Apache-2.0 */
/* place_archive - reading.  The archive is walked once for the offsets of its members; from then on
 * it is read by offset, by any number of threads.  How docker's own archives become manifests is in
 * archive_docker.c. */
#include "registry/place_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/spool.h"
#include "base/path.h"
#include "layers/archive.h"
#include "layers/tar.h"
#include "registry/archive_member.h"

#define LINKS_MAX 8
#define JUMP_MIN (1u << 20)

struct archive {
	struct place place;
	struct members members;
	struct catalog catalog;
	struct archive_blobs blobs; /* of a docker archive */
	bool is_docker;
};

/* A stream over a file that tells how far it was read. */
struct stream_counted {
	struct stream stream;
	int fd;
	uint64_t offset;
};

static ssize_t
counted_read(struct stream *stream, void *bytes, size_t len, struct err *err)
{
	struct stream_counted *s = (struct stream_counted *)stream;
	ssize_t n = fd_pread(s->fd, bytes, len, s->offset);

	if (n < 0)
		return err_sys(err, "read the archive");
	s->offset += (uint64_t)n;
	return n;
}

static const struct stream_ops counted_ops = { .read = counted_read };

void
members_free(struct members *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->rows[i].path);
		free(m->rows[i].link);
	}
	free(m->rows);
	auto_fd(&m->fd);
	*m = (struct members)MEMBERS_INIT;
}

static int
by_path(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order != 0 ? order : x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int
member_add(struct members *m, const struct entry *e, uint64_t offset, struct err *err)
{
	AUTO(buf) struct buf link = BUF_INIT;
	struct err ignored = { 0 };

	if (m->count == PLACE_ARCHIVE_MEMBERS_MAX)
		return err_set(err, ERR_INPUT, "more than %d members", PLACE_ARCHIVE_MEMBERS_MAX);
	if (e->kind == ENTRY_SYMLINK) {
		AUTO(free) char *dir = xstrndup(e->path, path_dir_len(e->path));
		AUTO(buf) struct buf joined = BUF_INIT;

		path_join(dir, e->link, &joined);
		/* out of the archive: it leads nowhere */
		if (entry_path_clean(joined.data, &link, &ignored) < 0)
			return 0;
	} else if (e->kind == ENTRY_HARDLINK) {
		buf_adds(&link, e->link);
	} else if (e->kind != ENTRY_FILE) {
		return 0;
	}
	m->rows = grow(m->rows, m->count, &m->room, sizeof *m->rows);
	m->rows[m->count++] = (struct member){
		.path = xstrdup(e->path),
		.link = e->kind == ENTRY_FILE ? NULL : buf_steal(&link),
		.offset = offset,
		.size = e->size,
	};
	return 0;
}

/* Members until the archive's end, or until one whose bytes are worth a jump: then *next is where
 * it ends. */
static int
read_some(struct members *m, uint64_t from, uint64_t *next, struct err *err)
{
	struct stream_counted in = { { &counted_ops }, m->fd, from };
	AUTO(tar_reader) struct tar_reader *r = tar_reader_new(&in.stream, TAR_PLAIN);
	AUTO(entry) struct entry e = { .path = NULL };
	int n;

	while ((n = tar_reader_next(r, &e, err)) == 1) {
		uint64_t offset = in.offset - tar_reader_ahead(r);

		if (tar_reader_is_sparse(r))
			return err_set(err, ERR_INPUT, "'%s' is a sparse file", e.path);
		if (member_add(m, &e, offset, err) < 0)
			return -1;
		if (e.size < JUMP_MIN)
			continue;
		*next = offset + (e.size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
		return 1;
	}
	return n;
}

static int
members_read(struct members *m, struct err *err)
{
	uint64_t offset = 0;
	int n;

	do
		n = read_some(m, offset, &offset, err);
	while (n == 1);
	if (n < 0)
		return -1;
	if (m->count > 0)
		qsort(m->rows, m->count, sizeof *m->rows, by_path);
	return 0;
}

const struct member *
members_find(const struct members *m, const char *path)
{
	for (int links = 0; links <= LINKS_MAX; links++) {
		size_t low = 0, high = m->count;

		/* the last of several with one name, as tar would leave it */
		while (low < high) {
			size_t middle = (low + high) / 2;

			if (strcmp(m->rows[middle].path, path) <= 0)
				low = middle + 1;
			else
				high = middle;
		}
		if (low == 0 || !streq(m->rows[low - 1].path, path))
			return NULL;
		if (m->rows[low - 1].link == NULL)
			return &m->rows[low - 1];
		path = m->rows[low - 1].link;
	}
	return NULL;
}

int
member_send(const struct members *m, const struct member *row, uint64_t offset, struct sink *out,
	struct err *err)
{
	AUTO(free) char *what = xasprintf("'%s' in the archive", row->path);

	return sink_send(out, m->fd, row->offset + offset, row->offset + row->size, what, err);
}

int
member_read(
	const struct members *m, const char *path, size_t limit, struct buf *out, struct err *err)
{
	const struct member *row = members_find(m, path);
	AUTO(sink) struct sink *to = NULL;

	if (row == NULL)
		return err_set(err, ERR_NOTFOUND, "'%s' is not in the archive", path);
	if (row->size > limit)
		return err_set(err, ERR_INPUT, "'%s' is larger than %zu bytes", path, limit);
	to = sink_buf(out);
	if (member_send(m, row, 0, to, err) < 0)
		return -1;
	return sink_finish(to, err);
}

/* Where the bytes are: a member, or made here. */
static int
find_blob(struct archive *a, const struct digest *d, const struct member **out_member,
	const struct archive_blob **out_blob)
{
	AUTO(buf) struct buf path = BUF_INIT;

	*out_member = NULL;
	*out_blob = NULL;
	for (size_t i = 0; i < a->blobs.count; i++) {
		if (!digest_same(&a->blobs.rows[i].digest, d))
			continue;
		*out_blob = &a->blobs.rows[i];
		*out_member = a->blobs.rows[i].member;
		return 1;
	}
	if (a->is_docker)
		return 0;
	buf_addf(&path, "blobs/%s/%s", digest_algorithm_name(d), digest_hex(d));
	*out_member = members_find(&a->members, path.data);
	return *out_member != NULL;
}

static int
archive_has(struct place *p, const struct descriptor *d, struct err *err)
{
	const struct member *member;
	const struct archive_blob *blob;

	(void)err;
	return find_blob((struct archive *)p, &d->digest, &member, &blob);
}

static int
archive_get(struct place *p, const struct descriptor *d, uint64_t offset, struct sink *out,
	struct err *err)
{
	struct archive *a = (struct archive *)p;
	const struct member *member;
	const struct archive_blob *blob;
	uint64_t size;

	if (!find_blob(a, &d->digest, &member, &blob))
		return err_set(err, ERR_NOTFOUND, "%s is not in the archive", d->digest.text);
	size = member != NULL ? member->size : blob->len;
	if (size != d->size)
		return err_set(err, ERR_CORRUPT,
			"%s has %" PRIu64 " bytes in the archive, and should have %" PRIu64,
			d->digest.text, size, d->size);
	if (member != NULL)
		return member_send(&a->members, member, offset, out, err);
	return sink_write(out, blob->bytes + offset, (size_t)(blob->len - offset), err);
}

static int
archive_resolve(struct place *p, const char *name, struct descriptor *out, struct err *err)
{
	const struct descriptor *d = NULL;

	if (catalog_find(&((struct archive *)p)->catalog, name, &d, err) < 0)
		return -1;
	descriptor_copy(d, out);
	return 0;
}

static int
archive_tag(struct place *p, const char *name, const struct descriptor *d, struct err *err)
{
	(void)p;
	(void)name;
	(void)d;
	return err_set(err, ERR_USAGE, "an archive that is read cannot be written");
}

static int
archive_put(struct place *p, const struct descriptor *d, struct source *from, struct err *err)
{
	(void)from;
	return archive_tag(p, NULL, d, err);
}

static void
archive_free(struct place *p)
{
	struct archive *a = (struct archive *)p;

	archive_blobs_free(&a->blobs);
	catalog_free(&a->catalog);
	members_free(&a->members);
	free(a);
}

static const struct place_ops ops = {
	.scheme = "archive",
	.resolve = archive_resolve,
	.tag = archive_tag,
	.has = archive_has,
	.get = archive_get,
	.put = archive_put,
	.free = archive_free,
};

const struct catalog *
place_archive_catalog(const struct place *p)
{
	return &((const struct archive *)p)->catalog;
}

/* A plain tar that can be read by offset stays where it is. */
static bool
is_plain(int fd)
{
	char block[TAR_BLOCK];
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0 &&
	       fd_pread(fd, block, sizeof block, 0) == (ssize_t)sizeof block &&
	       tar_sniff(block, sizeof block);
}

static int
to_spool(int *fd, int dir, struct err *err)
{
	AUTO(fd) int file = spool_file(dir, err);
	AUTO(stream) struct stream *in = NULL;
	AUTO(sink) struct sink *to = NULL;
	uint64_t size = 0;

	if (file < 0)
		return -1;
	if (archive_decode(stream_fd(fd_steal(fd)), &in, err) < 0)
		return err_in(err, "the archive");
	in = stream_limit(steal(&in), PLACE_ARCHIVE_MAX);
	to = sink_fd(file);
	if (stream_copy(in, to, &size, err) < 0 || sink_finish(to, err) < 0)
		return err_in(err, "the archive");
	*fd = fd_steal(&file);
	return 0;
}

int
place_archive_open(int fd, int spool, struct place **out, struct err *err)
{
	AUTO(place) struct place *p = xzalloc(sizeof(struct archive));
	struct archive *a = (struct archive *)p;
	AUTO(buf) struct buf index = BUF_INIT;

	p->ops = &ops;
	a->members.fd = fd;
	if (!is_plain(fd) && to_spool(&a->members.fd, spool, err) < 0)
		return -1;
	if (members_read(&a->members, err) < 0)
		return err_in(err, "the archive");
	if (members_find(&a->members, "index.json") != NULL &&
		members_find(&a->members, "oci-layout") != NULL) {
		if (member_read(&a->members, "index.json", PLACE_ARCHIVE_DOCUMENT_MAX, &index,
			    err) < 0 ||
			catalog_parse(index.data, index.len, &a->catalog, err) < 0)
			return -1;
	} else {
		a->is_docker = true;
		if (archive_docker_read(&a->members, &a->catalog, &a->blobs, err) < 0)
			return -1;
	}
	*out = steal(&p);
	return 0;
}
