/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/tar_pax.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "layers/tar.h"

#define XATTR_PREFIX "SCHILY.xattr."

void
tar_map_free(struct tar_map *m)
{
	free(m->rows);
	*m = (struct tar_map){ .rows = NULL };
}

int
tar_map_add(struct tar_map *m, uint64_t offset, uint64_t size, struct err *err)
{
	if (m->count == TAR_SPARSE_MAX)
		return err_set(
			err, ERR_INPUT, "a sparse file of more than %d fragments", TAR_SPARSE_MAX);
	if (offset < m->end || offset > TAR_SPARSE_SIZE_MAX || size > TAR_SPARSE_SIZE_MAX - offset)
		return err_set(err, ERR_CORRUPT, "the fragments of a sparse file are out of order");
	m->rows = grow(m->rows, m->count, &m->room, sizeof *m->rows);
	m->rows[m->count++] = (struct tar_extent){ offset, size };
	m->end = offset + size;
	m->bytes += size;
	return 0;
}

int
tar_map_check(const struct tar_map *m, uint64_t real_size, uint64_t bytes, struct err *err)
{
	if (real_size > TAR_SPARSE_SIZE_MAX)
		return err_set(err, ERR_INPUT, "a sparse file of more than %llu bytes",
			TAR_SPARSE_SIZE_MAX);
	if (m->end > real_size)
		return err_set(err, ERR_CORRUPT, "a sparse file has bytes beyond its size");
	if (m->bytes != bytes)
		return err_set(err, ERR_CORRUPT,
			"a sparse file has %" PRIu64 " bytes where its map says %" PRIu64, bytes,
			m->bytes);
	return 0;
}

void
tar_pax_free(struct tar_pax *p)
{
	free(p->path);
	free(p->link);
	entry_free(&p->attributes);
	tar_map_free(&p->map);
	*p = (struct tar_pax){ .keys = 0 };
}

void
auto_tar_pax(struct tar_pax *p)
{
	tar_pax_free(p);
}

int
tar_decimal_parse(const char *text, size_t len, uint64_t *out)
{
	uint64_t number = 0;
	size_t i;

	if (len == 0)
		return -1;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		if (__builtin_mul_overflow(number, (uint64_t)10, &number) ||
			__builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number))
			return -1;
	}
	*out = number;
	return 0;
}

/* "[-]seconds[.fraction]", of which nine digits count; towards the past, as files have it. */
static int
time_parse(const char *text, size_t len, int64_t *out, uint32_t *out_ns)
{
	bool negative = len > 0 && text[0] == '-';
	const char *dot = memchr(text, '.', len);
	size_t whole = dot != NULL ? (size_t)(dot - text) : len;
	uint64_t seconds;
	uint32_t ns = 0, unit = 100000000;
	bool rest = false;
	size_t i;

	if (tar_decimal_parse(text + negative, whole - negative, &seconds) < 0 ||
		seconds >= (uint64_t)INT64_MAX)
		return -1;
	for (i = whole + 1; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		ns += (uint32_t)(text[i] - '0') * unit;
		rest = rest || (unit == 0 && text[i] != '0');
		unit /= 10;
	}
	*out = negative ? -(int64_t)seconds : (int64_t)seconds;
	if (negative && rest)
		ns++;
	if (negative && ns > 0) {
		*out -= 1;
		ns = 1000000000 - ns;
	}
	*out_ns = ns;
	return 0;
}

/* What a record's value is, and where it goes: offsets into struct tar_pax. */
enum value_kind { VALUE_TEXT, VALUE_NUMBER, VALUE_TIME, VALUE_MAP, VALUE_OFFSET, VALUE_BYTES };

struct record_row {
	const char *key;
	enum tar_pax_key bit;
	enum value_kind kind;
	size_t at;
};

#define AT(member) offsetof(struct tar_pax, member)
static const struct record_row records[] = {
	{ "gid", PAX_GID, VALUE_NUMBER, AT(gid) },
	{ "linkpath", PAX_LINKPATH, VALUE_TEXT, AT(link) },
	{ "mtime", PAX_MTIME, VALUE_TIME, 0 },
	{ "path", PAX_PATH, VALUE_TEXT, AT(path) },
	{ "size", PAX_SIZE, VALUE_NUMBER, AT(size) },
	{ "uid", PAX_UID, VALUE_NUMBER, AT(uid) },
	{ "GNU.sparse.major", PAX_SPARSE_MAJOR, VALUE_NUMBER, AT(sparse_major) },
	{ "GNU.sparse.minor", PAX_SPARSE_MINOR, VALUE_NUMBER, AT(sparse_minor) },
	{ "GNU.sparse.name", PAX_SPARSE_NAME, VALUE_TEXT, AT(path) },
	{ "GNU.sparse.realsize", PAX_SPARSE_REALSIZE, VALUE_NUMBER, AT(sparse_size) },
	{ "GNU.sparse.size", PAX_SPARSE_SIZE, VALUE_NUMBER, AT(sparse_size) },
	{ "GNU.sparse.numblocks", PAX_SPARSE_COUNT, VALUE_NUMBER, AT(sparse_count) },
	{ "GNU.sparse.map", PAX_SPARSE_MAP, VALUE_MAP, 0 },
	{ "GNU.sparse.offset", PAX_SPARSE_PAIRS, VALUE_OFFSET, 0 },
	{ "GNU.sparse.numbytes", PAX_SPARSE_PAIRS, VALUE_BYTES, 0 },
};

/* "offset,size,offset,size" */
static int
map_parse(const char *text, size_t len, struct tar_map *map, struct err *err)
{
	const char *end = text + len, *comma;
	uint64_t numbers[2] = { 0 };
	size_t i = 0;

	while (len > 0 && text <= end) {
		comma = memchr(text, ',', (size_t)(end - text));
		if (comma == NULL)
			comma = end;
		if (tar_decimal_parse(text, (size_t)(comma - text), &numbers[i % 2]) < 0)
			return err_set(err, ERR_CORRUPT, "the map of a sparse file is not numbers");
		if (i++ % 2 == 1 && tar_map_add(map, numbers[0], numbers[1], err) < 0)
			return -1;
		text = comma + 1;
	}
	if (i % 2 != 0)
		return err_set(err, ERR_CORRUPT, "the map of a sparse file has half a pair");
	return 0;
}

static int
pair_parse(struct tar_pax *p, enum value_kind kind, uint64_t number, struct err *err)
{
	if (p->sparse_offset_waits != (kind == VALUE_BYTES))
		return err_set(err, ERR_CORRUPT, "the map of a sparse file has half a pair");
	p->sparse_offset_waits = kind == VALUE_OFFSET;
	if (kind == VALUE_BYTES)
		return tar_map_add(&p->map, p->sparse_offset, number, err);
	p->sparse_offset = number;
	return 0;
}

static int
number_parse(struct tar_pax *p, const struct record_row *row, const char *value, size_t len,
	struct err *err)
{
	uint64_t number;

	if (tar_decimal_parse(value, len, &number) < 0)
		return err_set(err, ERR_CORRUPT, "%s is not a number", row->key);
	if (row->kind != VALUE_NUMBER)
		return pair_parse(p, row->kind, number, err);
	*(uint64_t *)((char *)p + row->at) = number;
	return 0;
}

static int
text_parse(struct tar_pax *p, const struct record_row *row, const char *value, size_t len,
	struct err *err)
{
	char **text = (char **)((char *)p + row->at);

	if (len == 0 || memchr(value, '\0', len) != NULL)
		return err_set(err, ERR_CORRUPT, "%s is empty or holds a zero byte", row->key);
	/* GNU.sparse.name comes beside a path that is made up, and wins */
	if (row->bit == PAX_PATH && (p->keys & PAX_SPARSE_NAME) != 0)
		return 0;
	free(*text);
	*text = xstrndup(value, len);
	return 0;
}

static int
value_parse(struct tar_pax *p, const struct record_row *row, const char *value, size_t len,
	struct err *err)
{
	if ((p->keys & row->bit) != 0 && row->bit != PAX_SPARSE_PAIRS)
		return err_set(err, ERR_CORRUPT, "%s is given twice", row->key);
	p->keys |= row->bit;
	switch (row->kind) {
	case VALUE_TEXT:
		return text_parse(p, row, value, len, err);
	case VALUE_TIME:
		if (time_parse(value, len, &p->mtime, &p->mtime_ns) < 0)
			return err_set(err, ERR_CORRUPT, "%s is not a time", row->key);
		return 0;
	case VALUE_MAP:
		return map_parse(value, len, &p->map, err);
	default:
		return number_parse(p, row, value, len, err);
	}
}

static int
xattr_parse(struct tar_pax *p, const char *name, const char *value, size_t len, struct err *err)
{
	if (name[0] == '\0')
		return err_set(err, ERR_CORRUPT, "an attribute without a name");
	if (p->attributes.xattr_count == TAR_XATTRS_MAX)
		return err_set(err, ERR_INPUT, "more than %d attributes", TAR_XATTRS_MAX);
	entry_xattr_add(&p->attributes, name, value, len);
	return 0;
}

static int
record_parse(struct tar_pax *p, const char *key, const char *value, size_t len, struct err *err)
{
	size_t i;

	if (starts_with(key, XATTR_PREFIX))
		return xattr_parse(p, key + strlen(XATTR_PREFIX), value, len, err);
	for (i = 0; i < COUNT_OF(records); i++)
		if (streq(key, records[i].key))
			return value_parse(p, &records[i], value, len, err);
	if (starts_with(key, "GNU.sparse."))
		return err_set(err, ERR_INPUT, "a sparse file of an unknown kind ('%.60s')", key);
	return 0;
}

/* One record at bytes: its length, or -1. */
static ssize_t
record_split(struct tar_pax *p, const char *bytes, size_t len, struct err *err)
{
	const char *blank = memchr(bytes, ' ', len), *equals;
	AUTO(free) char *key = NULL;
	uint64_t total;
	size_t digits;

	digits = blank != NULL ? (size_t)(blank - bytes) : 0;
	if (digits == 0 || bytes[0] == '0' || tar_decimal_parse(bytes, digits, &total) < 0 ||
		total > len || total < digits + 4 || bytes[total - 1] != '\n')
		return err_set(
			err, ERR_CORRUPT, "a record of an extended header has a wrong length");
	equals = memchr(blank + 1, '=', (size_t)total - digits - 2);
	if (equals == NULL || equals == blank + 1)
		return err_set(err, ERR_CORRUPT, "a record of an extended header has no key");
	key = xstrndup(blank + 1, (size_t)(equals - blank) - 1);
	if (strlen(key) != (size_t)(equals - blank) - 1)
		return err_set(err, ERR_CORRUPT, "a record's key holds a zero byte");
	if (record_parse(p, key, equals + 1, (size_t)(bytes + total - 1 - (equals + 1)), err) < 0)
		return -1;
	return (ssize_t)total;
}

int
tar_pax_parse(const char *bytes, size_t len, struct tar_pax *out, struct err *err)
{
	AUTO(tar_pax) struct tar_pax p = { .keys = 0 };
	size_t at = 0;
	ssize_t n;

	while (at < len) {
		n = record_split(&p, bytes + at, len - at, err);
		if (n < 0)
			return -1;
		at += (size_t)n;
	}
	if (p.sparse_offset_waits)
		return err_set(err, ERR_CORRUPT, "the map of a sparse file has half a pair");
	*out = p;
	p = (struct tar_pax){ .keys = 0 };
	return 0;
}
