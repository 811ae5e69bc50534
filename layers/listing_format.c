/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/listing.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "layers/listing_format.h"
#include "layers/listing_record.h"

/* The form: a magic with the version, the count, and the records, sorted; each of an entry that is not at
 * the top has the last RECORD_DIR before it. */

static const char magic[8] = { 'c', 'p', 'r', 'l', 'i', 's', 't', '2' };

/* --- writing ---------------------------------------------------------------------------------- */

#define WRITER_BLOCK 65536

void
auto_listing_writer(struct listing_writer *w)
{
	buf_free(&w->out);
	buf_free(&w->dir_text);
}

void
listing_writer_begin(struct listing_writer *w, uint64_t count)
{
	w->written = 0;
	w->dir = 0;
	buf_add(&w->out, magic, sizeof magic);
	record_put_number(&w->out, count);
}

static int
flush(struct listing_writer *w, size_t least, struct err *err)
{
	if (w->fd < 0 || w->out.len < least)
		return 0;
	if (fd_write(w->fd, w->out.data, w->out.len) < 0)
		return err_sys(err, "write a listing");
	w->written += w->out.len;
	buf_clear(&w->out);
	return 0;
}

int
listing_writer_end(struct listing_writer *w, struct err *err)
{
	return flush(w, 0, err);
}

/* How far back the text of this directory is, once it is there; NULL: 0. */
static uint64_t
place_dir(struct listing_writer *w, const char *dir, size_t len)
{
	uint64_t at = w->written + w->out.len;

	if (dir == NULL)
		return 0;
	if (w->dir == 0 || w->dir_text.len != len || memcmp(w->dir_text.data, dir, len) != 0) {
		w->dir = at;
		buf_clear(&w->dir_text);
		buf_add(&w->dir_text, dir, len);
		record_put_dir(&w->out, dir, len);
	}
	return w->written + w->out.len - w->dir;
}

int
listing_writer_add(struct listing_writer *w, const struct entry *e, struct err *err)
{
	struct record record;

	record_of_path(e->path, &record);
	record_put(&w->out, e, record.name, place_dir(w, record.dir, record.dir_len));
	return flush(w, WRITER_BLOCK, err);
}

static int
write_all(struct listing_writer *w, const struct listing *l, struct err *err)
{
	listing_writer_begin(w, l->count);
	for (size_t i = 0; i < l->count; i++) {
		struct record_reader r;
		struct record record;

		record_open(&l->bytes, l->places[i], &r, &record);
		record_copy(&w->out, &r, &record, place_dir(w, record.dir, record.dir_len));
		if (flush(w, WRITER_BLOCK, err) < 0)
			return -1;
	}
	return listing_writer_end(w, err);
}

void
listing_format(const struct listing *l, struct buf *out)
{
	AUTO(listing_writer) struct listing_writer w = LISTING_WRITER_INIT;
	struct err ignored;

	write_all(&w, l, &ignored);
	buf_add(out, w.out.data, w.out.len);
}

int
listing_write(const struct listing *l, int fd, struct err *err)
{
	AUTO(listing_writer) struct listing_writer w = LISTING_WRITER_INIT;

	w.fd = fd;
	return write_all(&w, l, err);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Components that are "", "." or "..": whoever joins this to a directory relies on their absence. */
bool
listing_path_is_clean(const char *path, size_t len)
{
	const char *end = path + len;

	for (const char *p = path; p < end;) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t part = (size_t)((slash != NULL ? slash : end) - p);

		if (part == 0 || (part == 1 && p[0] == '.') ||
			(part == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += part;
		if (p < end && ++p == end)
			return false;
	}
	return memchr(path, '\0', len) == NULL;
}

/* A directory's text that is good to have others behind it; at its end. */
static bool
check_dir(struct record_reader *r)
{
	uint64_t len;
	const char *text;

	r->at++;
	len = record_number(r);
	text = record_bytes(r, len);
	return text != NULL && len > 0 && len < ENTRY_PATH_MAX && listing_path_is_clean(text, len);
}

static bool
check_record(struct record_reader *r, const struct record *record, struct listed *scratch)
{
	bool is_root = record->dir == NULL && record->name_len == 0;

	if (r->is_bad || (record->flags & RECORD_KIND) > ENTRY_OPAQUE ||
		record->dir_len + record->name_len >= ENTRY_PATH_MAX ||
		(record->name_len == 0 && !is_root) ||
		(!is_root && (memchr(record->name, '/', record->name_len) != NULL ||
				     !listing_path_is_clean(record->name, record->name_len))))
		return false;
	record_read(r, record, scratch);
	return !r->is_bad;
}

/* As entry_compare. */
static bool
is_behind(const struct record *a, const struct record *b)
{
	unsigned x = a->flags & RECORD_KIND, y = b->flags & RECORD_KIND;
	int order = record_compare(a, b);

	return order < 0 || (order == 0 && x != y && (x == ENTRY_WHITEOUT || y == ENTRY_OPAQUE));
}

/* Every record of l's bytes from r on is found and looked at. */
static bool
find_places(struct listing *l, struct record_reader r, uint64_t count)
{
	AUTO(listed) struct listed scratch = LISTED_INIT;
	const unsigned char *start = (const unsigned char *)l->bytes.data;
	struct record before = { .dir = NULL }, record;
	size_t dir = 0;

	/* each takes at least three bytes */
	if (r.is_bad || count > (uint64_t)(r.end - r.at) / 3)
		return false;
	l->places = xcalloc(count + 1, sizeof *l->places);
	l->room = count + 1;
	while (r.at < r.end) {
		size_t at = (size_t)(r.at - start);

		if (*r.at == RECORD_DIR) {
			if (!check_dir(&r))
				return false;
			dir = at;
			continue;
		}
		record_open(&l->bytes, at, &r, &record);
		if (l->count == count || (record.back > 0 && at - record.back != dir) ||
			!check_record(&r, &record, &scratch) ||
			(l->count > 0 && !is_behind(&before, &record)))
			return false;
		l->places[l->count++] = (uint32_t)at;
		before = record;
	}
	return l->count == count;
}

/* Takes l, whose bytes are there. */
static int
read_form(struct listing *l, struct listing *out, struct err *err)
{
	struct record_reader r = { (const unsigned char *)l->bytes.data,
		(const unsigned char *)l->bytes.data + l->bytes.len, false };
	const char *first = record_bytes(&r, sizeof magic);
	struct listing old = LISTING_INIT;
	uint64_t count;
	bool is_good = false;

	if (first != NULL && l->bytes.len <= LISTING_MAX &&
		memcmp(first, magic, sizeof magic) == 0) {
		count = record_number(&r);
		is_good = find_places(l, r, count);
	} else if (first != NULL && l->bytes.len <= LISTING_MAX) {
		is_good = listing_parse_old(&l->bytes, &old);
		listing_free(l);
		*l = old;
	}
	if (!is_good) {
		listing_free(l);
		return err_set(err, ERR_CORRUPT, "the listing of a layer is damaged");
	}
	*out = *l;
	return 0;
}

int
listing_parse(const char *bytes, size_t len, struct listing *out, struct err *err)
{
	struct listing l = LISTING_INIT;

	buf_add(&l.bytes, bytes, len);
	return read_form(&l, out, err);
}

int
listing_open(int fd, struct listing *out, struct err *err)
{
	struct listing l = LISTING_INIT;
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "look at a listing");
	if (st.st_size <= 0 || (uint64_t)st.st_size > LISTING_MAX)
		return err_set(err, ERR_CORRUPT, "the listing of a layer is damaged");
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return err_sys(err, "map a listing");
	l.bytes = (struct buf){ .data = map, .len = (size_t)st.st_size };
	return read_form(&l, out, err);
}

void
listing_release(const struct listing *l)
{
	if (l->bytes.room == 0 && l->bytes.len > 0)
		madvise(l->bytes.data, l->bytes.len, MADV_DONTNEED);
}
