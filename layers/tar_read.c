/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/tar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "layers/tar_header.h"
#include "layers/tar_pax.h"
#include "layers/tar_read.h"

/* From here on a read goes to the caller's memory directly. */
#define DIRECT_MIN (64u << 10)

struct tar_reader *
tar_reader_new(struct stream *in, enum tar_dialect dialect)
{
	struct tar_reader *r = xmalloc(sizeof *r);

	memset(r, 0, offsetof(struct tar_reader, bytes));
	r->in = in;
	r->dialect = dialect;
	r->name = (struct buf)BUF_INIT;
	r->long_name = (struct buf)BUF_INIT;
	r->long_link = (struct buf)BUF_INIT;
	return r;
}

void
tar_reader_free(struct tar_reader *r)
{
	if (r == NULL)
		return;
	tar_pax_free(&r->pax);
	tar_map_free(&r->map);
	buf_free(&r->name);
	buf_free(&r->long_name);
	buf_free(&r->long_link);
	free(r);
}

void
auto_tar_reader(struct tar_reader **r)
{
	tar_reader_free(*r);
	*r = NULL;
}

/* More bytes behind those that wait: 1, 0 at the end of the stream, -1. */
static int
refill(struct tar_reader *r, struct err *err)
{
	size_t waiting = r->len - r->at;
	ssize_t n;

	if (r->at > 0 && waiting > 0)
		memmove(r->bytes, r->bytes + r->at, waiting);
	r->at = 0;
	r->len = waiting;
	n = stream_read(r->in, r->bytes + r->len, sizeof r->bytes - r->len, err);
	if (n > 0)
		r->len += (size_t)n;
	return n > 0 ? 1 : (int)n;
}

/* The next block, lent until the next call: 1, 0 where the stream ends before it, -1. */
static int
read_block(struct tar_reader *r, const char **out, struct err *err)
{
	int n;

	while (r->len - r->at < TAR_BLOCK) {
		n = refill(r, err);
		if (n < 0)
			return -1;
		if (n == 0 && r->len == r->at)
			return 0;
		if (n == 0)
			return err_set(
				err, ERR_CORRUPT, "the archive ends in the middle of a header");
	}
	*out = r->bytes + r->at;
	r->at += TAR_BLOCK;
	return 1;
}

static int
cut_short(struct err *err)
{
	return err_set(err, ERR_CORRUPT, "the archive ends in the middle of a file");
}

/* Up to len of the bytes on tape; 0 never, for an end there is an error. */
static ssize_t
read_raw(struct tar_reader *r, void *bytes, size_t len, struct err *err)
{
	size_t waiting = r->len - r->at;
	ssize_t n;

	if (waiting == 0 && len >= DIRECT_MIN) {
		n = stream_read(r->in, bytes, len, err);
		return n != 0 ? n : cut_short(err);
	}
	if (waiting == 0) {
		n = refill(r, err);
		if (n <= 0)
			return n < 0 ? -1 : cut_short(err);
		waiting = r->len - r->at;
	}
	if (len > waiting)
		len = waiting;
	memcpy(bytes, r->bytes + r->at, len);
	r->at += len;
	return (ssize_t)len;
}

static int
skip_raw(struct tar_reader *r, uint64_t size, struct err *err)
{
	size_t waiting;
	int n;

	while (size > 0) {
		waiting = r->len - r->at;
		if (waiting == 0) {
			n = refill(r, err);
			if (n <= 0)
				return n < 0 ? -1 : cut_short(err);
			continue;
		}
		if (waiting > size)
			waiting = (size_t)size;
		r->at += waiting;
		size -= waiting;
	}
	return 0;
}

/* All of a small body and its padding. */
static int
read_body(struct tar_reader *r, uint64_t size, size_t limit, struct buf *out, struct err *err)
{
	size_t left = (size_t)size;
	ssize_t n;
	char *at;

	if (size > limit)
		return err_set(err, ERR_INPUT, "an extended header of more than %zu bytes", limit);
	buf_clear(out);
	at = buf_reserve(out, left);
	while (left > 0) {
		n = read_raw(r, at, left, err);
		if (n < 0)
			return -1;
		at += n;
		left -= (size_t)n;
	}
	out->len = (size_t)size;
	out->data[out->len] = '\0';
	return skip_raw(r, -size & (TAR_BLOCK - 1), err);
}

static int
header_size(const struct tar_header *h, uint64_t *out, struct err *err)
{
	int64_t size;

	if (tar_number_parse(h->size, sizeof h->size, &size) < 0 || size < 0 ||
		size > INT64_MAX - TAR_BLOCK)
		return err_set(err, ERR_CORRUPT, "the size is not a number");
	*out = (uint64_t)size;
	return 0;
}

/* GNU's long name or link: a text, ended by a zero byte. */
static int
read_long(struct tar_reader *r, const struct tar_header *h, struct buf *out, struct err *err)
{
	uint64_t size;

	if (out->len > 0 || r->has_pax)
		return err_set(err, ERR_CORRUPT, "two extended headers for one file");
	if (header_size(h, &size, err) < 0 || read_body(r, size, TAR_NAME_MAX + 1, out, err) < 0)
		return -1;
	while (out->len > 0 && out->data[out->len - 1] == '\0')
		out->len--;
	if (out->len == 0 || strlen(out->data) != out->len)
		return err_set(err, ERR_CORRUPT, "a long name is empty or holds a zero byte");
	return 0;
}

static int
read_pax(struct tar_reader *r, const struct tar_header *h, struct err *err)
{
	AUTO(tar_pax) struct tar_pax ignored = { .keys = 0 };
	bool global = h->type == TAR_TYPE_PAX_GLOBAL;
	uint64_t size;

	if (r->has_pax || r->long_name.len > 0 || r->long_link.len > 0)
		return err_set(err, ERR_CORRUPT, "two extended headers for one file");
	if (header_size(h, &size, err) < 0 || read_body(r, size, TAR_PAX_MAX, &r->name, err) < 0)
		return -1;
	/* What a global header could say of the files behind it, Docker does not listen to. */
	if (global)
		return tar_pax_parse(r->name.data, r->name.len, &ignored, err);
	r->has_pax = true;
	return tar_pax_parse(r->name.data, r->name.len, &r->pax, err);
}

static void
forget_extensions(struct tar_reader *r)
{
	tar_pax_free(&r->pax);
	r->has_pax = false;
	buf_clear(&r->long_name);
	buf_clear(&r->long_link);
}

/* The end, if rightly made: two blocks of zeros, of which the second may be missing. */
static int
read_end(struct tar_reader *r, struct err *err)
{
	const char *block;
	int n = read_block(r, &block, err);

	if (n < 0)
		return -1;
	if (n > 0 && !tar_block_is_zero(block))
		return err_set(err, ERR_CORRUPT, "a lone block of zeros");
	r->ended = true;
	return 0;
}

/* A header that is of a file, copied to *out with what stands before it taken in. */
static int
read_header(struct tar_reader *r, struct tar_header *out, struct err *err)
{
	const char *block = NULL;
	int n, result = 0;

	while (result == 0) {
		n = read_block(r, &block, err);
		if (n < 0)
			return -1;
		if ((n == 0 || tar_block_is_zero(block)) &&
			(r->has_pax || r->long_name.len > 0 || r->long_link.len > 0))
			return err_set(
				err, ERR_CORRUPT, "the archive ends behind an extended header");
		if (n == 0)
			r->ended = true;
		if (n == 0)
			return 0;
		if (tar_block_is_zero(block))
			return read_end(r, err);
		memcpy(out, block, sizeof *out);
		if (!tar_checksum_is_right(out))
			return err_set(err, ERR_CORRUPT, "no header where one should be");
		if (out->type == TAR_TYPE_PAX || out->type == TAR_TYPE_PAX_GLOBAL)
			result = read_pax(r, out, err);
		else if (out->type == TAR_TYPE_GNU_NAME)
			result = read_long(r, out, &r->long_name, err);
		else if (out->type == TAR_TYPE_GNU_LINK)
			result = read_long(r, out, &r->long_link, err);
		else
			result = 1;
	}
	return result;
}

static bool
is_gnu(const struct tar_header *h)
{
	return memcmp(h->magic, "ustar  ", 8) == 0;
}

/* The four places of GNU's old sparse map, and as many blocks as it goes on for. */
static int
read_slots(struct tar_reader *r, const struct tar_sparse_slot *slots, size_t count, bool more,
	struct err *err)
{
	int64_t offset, size;
	size_t i;

	for (i = 0; i < count; i++) {
		if (slots[i].offset[0] == '\0' && slots[i].size[0] == '\0')
			break;
		if (slots[i].offset[0] == '\0' || slots[i].size[0] == '\0' ||
			tar_number_parse(slots[i].offset, sizeof slots[i].offset, &offset) < 0 ||
			tar_number_parse(slots[i].size, sizeof slots[i].size, &size) < 0 ||
			offset < 0 || size < 0)
			return err_set(err, ERR_CORRUPT, "the map of a sparse file is not numbers");
		if (tar_map_add(&r->map, (uint64_t)offset, (uint64_t)size, err) < 0)
			return -1;
	}
	if (i < count && more)
		return err_set(err, ERR_CORRUPT, "the map of a sparse file ends and goes on");
	return 0;
}

static int
read_gnu_sparse(struct tar_reader *r, const struct tar_header *h, struct entry *e, struct err *err)
{
	struct tar_gnu_header gnu;
	struct tar_gnu_extension extension;
	const char *block = NULL;
	int64_t real_size;
	bool more;
	int n;

	memcpy(&gnu, h, sizeof gnu);
	if (!is_gnu(h) || r->has_pax)
		return err_set(err, ERR_INPUT, "a sparse file of an unknown kind");
	if (tar_number_parse(gnu.real_size, sizeof gnu.real_size, &real_size) < 0 || real_size < 0)
		return err_set(err, ERR_CORRUPT, "the size is not a number");
	more = gnu.extended != 0;
	if (read_slots(r, gnu.slots, COUNT_OF(gnu.slots), more, err) < 0)
		return -1;
	while (more) {
		n = read_block(r, &block, err);
		if (n <= 0)
			return n < 0 ? -1 : cut_short(err);
		memcpy(&extension, block, sizeof extension);
		more = extension.extended != 0;
		if (read_slots(r, extension.slots, COUNT_OF(extension.slots), more, err) < 0)
			return -1;
	}
	r->sparse = true;
	e->size = (uint64_t)real_size;
	return tar_map_check(&r->map, e->size, r->left, err);
}

/* A line of the map that pax sparse 1.0 has before the bytes. */
static int
map_number(struct tar_reader *r, const char **block, size_t *at, uint64_t *out, struct err *err)
{
	char digits[24];
	size_t len = 0;

	for (;;) {
		if (*at == TAR_BLOCK) {
			if (r->left < TAR_BLOCK)
				return err_set(
					err, ERR_CORRUPT, "the map of a sparse file is cut short");
			if (read_block(r, block, err) <= 0)
				return cut_short(err);
			r->left -= TAR_BLOCK;
			*at = 0;
		}
		digits[len] = (*block)[(*at)++];
		if (digits[len] == '\n')
			break;
		if (++len == sizeof digits)
			break;
	}
	if (len == sizeof digits || tar_decimal_parse(digits, len, out) < 0)
		return err_set(err, ERR_CORRUPT, "the map of a sparse file is not numbers");
	return 0;
}

static int
read_pax_map(struct tar_reader *r, struct err *err)
{
	const char *block = NULL;
	size_t at = TAR_BLOCK;
	uint64_t count, offset, size, i;

	if (map_number(r, &block, &at, &count, err) < 0)
		return -1;
	if (count > TAR_SPARSE_MAX)
		return err_set(
			err, ERR_INPUT, "a sparse file of more than %d fragments", TAR_SPARSE_MAX);
	for (i = 0; i < count; i++)
		if (map_number(r, &block, &at, &offset, err) < 0 ||
			map_number(r, &block, &at, &size, err) < 0 ||
			tar_map_add(&r->map, offset, size, err) < 0)
			return -1;
	return 0;
}

static int
read_pax_sparse(struct tar_reader *r, struct entry *e, struct err *err)
{
	static const unsigned version = PAX_SPARSE_MAJOR | PAX_SPARSE_MINOR;
	struct tar_pax *p = &r->pax;
	unsigned keys = p->keys & (unsigned)PAX_SPARSE_ANY & ~(unsigned)PAX_SPARSE_NAME;
	uint64_t major = p->sparse_major, minor = p->sparse_minor;
	unsigned rest = keys & ~version;

	if ((keys & version) == version && major == 1 && minor == 0 &&
		rest == PAX_SPARSE_REALSIZE) {
		if (read_pax_map(r, err) < 0)
			return -1;
	} else if (major == 0 && minor <= 1 && (rest & PAX_SPARSE_SIZE) != 0 &&
		   (rest & PAX_SPARSE_COUNT) != 0 && (rest & PAX_SPARSE_REALSIZE) == 0 &&
		   (rest & PAX_SPARSE_MAP) * (rest & PAX_SPARSE_PAIRS) == 0 &&
		   p->sparse_count == p->map.count) {
		r->map = p->map;
		p->map = (struct tar_map){ .rows = NULL };
	} else {
		return err_set(err, ERR_INPUT, "a sparse file of an unknown kind");
	}
	r->sparse = true;
	e->size = p->sparse_size;
	return tar_map_check(&r->map, e->size, r->left, err);
}

static int
read_sparse(struct tar_reader *r, const struct tar_header *h, struct entry *e, struct err *err)
{
	r->sparse = false;
	r->row = 0;
	r->place = 0;
	tar_map_free(&r->map);
	if (h->type != TAR_TYPE_GNU_SPARSE && (r->pax.keys & (unsigned)PAX_SPARSE_ANY) == 0)
		return 0;
	if (e->kind != ENTRY_FILE)
		return err_set(err, ERR_CORRUPT, "something sparse that is not a file");
	if (h->type == TAR_TYPE_GNU_SPARSE)
		return read_gnu_sparse(r, h, e, err);
	return read_pax_sparse(r, e, err);
}

/* What is left of the entry before: its bytes and their padding. */
static int
skip_rest(struct tar_reader *r, struct err *err)
{
	uint64_t left = r->left + r->padding;

	r->left = 0;
	r->padding = 0;
	return skip_raw(r, left, err);
}

/* 1: *out is an entry, 2: there was one that is not to be seen, 0, -1. */
static int
read_entry(struct tar_reader *r, struct entry *out, struct err *err)
{
	AUTO(entry) struct entry e = { .path = NULL };
	struct tar_header h;
	uint64_t size = 0;
	int n, seen;

	r->entries++;
	if (skip_rest(r, err) < 0)
		return -1;
	n = read_header(r, &h, err);
	if (n <= 0)
		return n;
	if (r->entries > TAR_ENTRIES_MAX)
		return err_set(err, ERR_INPUT, "more than %d entries", TAR_ENTRIES_MAX);
	if (header_size(&h, &size, err) < 0)
		return -1;
	if (r->has_pax && (r->pax.keys & PAX_SIZE) != 0)
		size = r->pax.size;
	if (size > INT64_MAX - TAR_BLOCK)
		return err_set(err, ERR_CORRUPT, "the size is not a number");
	seen = tar_entry_make(r, &h, size, &e, err);
	if (seen < 0)
		return -1;
	r->left = size;
	r->padding = (size_t)(-size & (TAR_BLOCK - 1));
	if (read_sparse(r, &h, &e, err) < 0)
		return -1;
	r->size = e.size;
	forget_extensions(r);
	if (seen == 1) {
		entry_free(out);
		*out = e;
		e = (struct entry){ .path = NULL };
	}
	return seen;
}

int
tar_reader_next(struct tar_reader *r, struct entry *out, struct err *err)
{
	int n = 2;

	while (n == 2 && !r->ended)
		n = read_entry(r, out, err);
	if (n < 0)
		return err_in(err, "entry %" PRIu64 " of the archive", r->entries);
	return n == 1;
}

/* Which bytes come next: of the map's extent (true) or of a hole, and how many. */
static bool
next_run(struct tar_reader *r, uint64_t *size)
{
	const struct tar_extent *x;

	*size = r->size - r->place;
	if (!r->sparse)
		return true;
	while (r->row < r->map.count &&
		r->place >= r->map.rows[r->row].offset + r->map.rows[r->row].size)
		r->row++;
	if (r->row == r->map.count)
		return false;
	x = &r->map.rows[r->row];
	if (r->place < x->offset) {
		*size = x->offset - r->place;
		return false;
	}
	*size = x->offset + x->size - r->place;
	return true;
}

ssize_t
tar_reader_data(struct tar_reader *r, void *bytes, size_t len, struct err *err)
{
	uint64_t run;
	bool real = next_run(r, &run);
	ssize_t n;

	if (len > run)
		len = (size_t)run;
	if (len == 0)
		return 0;
	if (!real) {
		memset(bytes, 0, len);
		r->place += len;
		return (ssize_t)len;
	}
	n = read_raw(r, bytes, len, err);
	if (n < 0)
		return err_in(err, "entry %" PRIu64 " of the archive", r->entries);
	r->place += (uint64_t)n;
	r->left -= (uint64_t)n;
	return n;
}

uint64_t
tar_reader_hole(struct tar_reader *r)
{
	uint64_t run;

	if (next_run(r, &run))
		return 0;
	r->place += run;
	return run;
}

size_t
tar_reader_ahead(const struct tar_reader *r)
{
	return r->len - r->at;
}

bool
tar_reader_is_sparse(const struct tar_reader *r)
{
	return r->sparse;
}

int
tar_reader_drain(struct tar_reader *r, struct err *err)
{
	ssize_t n;

	r->at = r->len = 0;
	do
		n = stream_read(r->in, r->bytes, sizeof r->bytes, err);
	while (n > 0);
	return (int)n;
}
