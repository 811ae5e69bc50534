/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/ownership.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

size_t
ownership_format(const struct ownership *o, char text[OWNERSHIP_TEXT_SIZE])
{
	int len;

	if (o->device == 0)
		len = snprintf(text, OWNERSHIP_TEXT_SIZE, "%u:%u", o->uid, o->gid);
	else
		len = snprintf(text, OWNERSHIP_TEXT_SIZE, "%u:%u:%c:%u:%u", o->uid, o->gid,
			o->device == S_IFBLK ? 'b' : 'c', o->major, o->minor);
	return (size_t)len;
}

static bool
read_number(const char **at, const char *end, uint32_t *out)
{
	uint64_t n = 0;
	const char *start = *at;

	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		n = n * 10 + (uint64_t)(**at - '0');
		if (n > UINT32_MAX)
			return false;
	}
	*out = (uint32_t)n;
	return *at > start;
}

static bool
read_colon(const char **at, const char *end)
{
	if (*at >= end || **at != ':')
		return false;
	(*at)++;
	return true;
}

bool
ownership_parse(const char *text, size_t len, struct ownership *out)
{
	const char *at = text, *end = text + len;
	struct ownership o = { .device = 0 };

	if (!read_number(&at, end, &o.uid) || !read_colon(&at, end) ||
		!read_number(&at, end, &o.gid))
		return false;
	if (at < end) {
		if (!read_colon(&at, end) || at >= end || (*at != 'b' && *at != 'c'))
			return false;
		o.device = *at++ == 'b' ? S_IFBLK : S_IFCHR;
		if (!read_colon(&at, end) || !read_number(&at, end, &o.major) ||
			!read_colon(&at, end) || !read_number(&at, end, &o.minor) || at != end)
			return false;
	}
	*out = o;
	return true;
}

int
ownership_set(int fd, const struct ownership *o)
{
	char text[OWNERSHIP_TEXT_SIZE];
	size_t len = ownership_format(o, text);

	return fsetxattr(fd, OWNERSHIP_ATTRIBUTE, text, len, 0);
}

void
auto_owners(struct owners *o)
{
	free(o->rows);
	*o = (struct owners)OWNERS_INIT;
}

static bool
same_file(const struct ownership_row *a, const struct ownership_row *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->born == b->born &&
	       a->born_ns == b->born_ns;
}

/* The row of this file, or the free one where it belongs. */
static struct ownership_row *
find(const struct owners *o, const struct ownership_row *key)
{
	uint64_t hash =
		((uint64_t)key->ino ^ (uint64_t)key->born_ns << 32) * UINT64_C(0x9e3779b97f4a7c15);
	size_t at = (size_t)(hash >> 20) & (o->slots - 1);

	while (o->rows[at].ino != 0 && !same_file(&o->rows[at], key))
		at = (at + 1) & (o->slots - 1);
	return &o->rows[at];
}

static void
enlarge(struct owners *o)
{
	struct owners larger = { .count = o->count, .slots = o->slots > 0 ? o->slots * 2 : 64 };

	larger.rows = xcalloc(larger.slots, sizeof *larger.rows);
	for (size_t i = 0; i < o->slots; i++)
		if (o->rows[i].ino != 0)
			*find(&larger, &o->rows[i]) = o->rows[i];
	free(o->rows);
	*o = larger;
}

void
owners_put(struct owners *o, const struct ownership_row *row)
{
	struct ownership_row *at;

	if (row->ino == 0)
		return;
	if (o->count * 2 >= o->slots)
		enlarge(o);
	at = find(o, row);
	if (at->ino == 0)
		o->count++;
	*at = *row;
}

const struct ownership_row *
owners_find(const struct owners *o, const struct ownership_row *key)
{
	const struct ownership_row *row;

	if (o->count == 0)
		return NULL;
	row = find(o, key);
	return row->ino != 0 ? row : NULL;
}

int
owners_write(const struct owners *o, int fd, struct err *err)
{
	if (o->slots > 0 && fd_write(fd, o->rows, o->slots * sizeof *o->rows) < 0)
		return err_sys(err, "write owners");
	return 0;
}

int
owners_read_upper(int fd, dev_t dev, struct owners *out, struct err *err)
{
	struct ownership_row row;
	size_t count = 0;
	ssize_t len;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "read owners");
	while ((len = fd_read(fd, &row, sizeof row)) == sizeof row) {
		if (row.ino == 0 || row.upper == 0)
			continue;
		if (++count > OWNERS_MAX)
			return err_set(err, ERR_INPUT, "more than %d owners", OWNERS_MAX);
		row.dev = dev;
		row.ino = row.upper;
		owners_put(out, &row);
	}
	return len < 0 ? err_sys(err, "read owners") : 0;
}
