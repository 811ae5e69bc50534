/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "layers/codec.h"
#include "layers/tar.h"

/* libarchive undoes bzip2 and xz, and nothing else of it is let in: no other filter (it would call
 * programs for some), no format but "raw", which is the bytes as they are. */

#define IN_SIZE (128u << 10)

struct filter {
	const char *name, *magic;
	size_t magic_len;
	int (*allow)(struct archive *a);
};

static const struct filter filters[] = {
	{ "bzip2", "BZh", 3, archive_read_support_filter_bzip2 },
	{ "xz", "\xfd\x37zXZ\0", 6, archive_read_support_filter_xz },
};

#define MAGIC_MAX 6
_Static_assert(MAGIC_MAX >= CODEC_SNIFF_SIZE, "both are told by the same bytes");

struct archive_stream {
	struct stream stream;
	struct stream *next;
	const char *name;
	struct archive *archive;
	struct err err; /* of next; libarchive cannot carry it */
	unsigned char in[IN_SIZE];
};

static la_ssize_t
give(struct archive *a, void *arg, const void **out)
{
	struct archive_stream *s = arg;
	ssize_t n = stream_read(s->next, s->in, sizeof s->in, &s->err);

	*out = s->in;
	if (n < 0)
		archive_set_error(a, -1, "%s", s->err.msg);
	return n;
}

static int
tell(struct archive_stream *s, struct err *err)
{
	const char *text = archive_error_string(s->archive);

	if (s->err.kind != ERR_NONE) {
		*err = s->err;
		return -1;
	}
	return err_set(err, ERR_CORRUPT, "%s: %s", s->name, text != NULL ? text : "damaged");
}

static ssize_t
archive_stream_read(struct stream *stream, void *bytes, size_t len, struct err *err)
{
	struct archive_stream *s = (struct archive_stream *)stream;
	la_ssize_t n = archive_read_data(s->archive, bytes, len);

	return n < 0 ? tell(s, err) : (ssize_t)n;
}

static void
archive_stream_free(struct stream *stream)
{
	struct archive_stream *s = (struct archive_stream *)stream;

	archive_read_free(s->archive);
	stream_free(s->next);
	free(s);
}

/* One filter, once: libarchive would unpack what is packed twice. */
static int
open_filter(struct archive_stream *s, const struct filter *f, struct err *err)
{
	struct archive_entry *ignored;
	int n;

	n = f->allow(s->archive);
	if (n != ARCHIVE_OK)
		return err_set(err, ERR_INPUT, "%s is not supported by this libarchive", f->name);
	if (archive_read_support_format_raw(s->archive) != ARCHIVE_OK ||
		archive_read_support_format_empty(s->archive) != ARCHIVE_OK ||
		archive_read_open(s->archive, s, NULL, give, NULL) != ARCHIVE_OK)
		return tell(s, err);
	n = archive_read_next_header(s->archive, &ignored);
	if (n != ARCHIVE_OK && n != ARCHIVE_EOF)
		return tell(s, err);
	if (archive_filter_count(s->archive) != 2)
		return err_set(err, ERR_CORRUPT, "%s: it is compressed more than once", f->name);
	return 0;
}

static int
filter_decode(const struct filter *f, struct stream *next, struct stream **out, struct err *err)
{
	static const struct stream_ops ops = { archive_stream_read, archive_stream_free };
	struct archive_stream *s = xmalloc(sizeof *s);
	AUTO(stream) struct stream *owner = &s->stream;

	memset(s, 0, offsetof(struct archive_stream, in));
	s->stream.ops = &ops;
	s->next = next;
	s->name = f->name;
	s->archive = archive_read_new();
	if (s->archive == NULL)
		return err_set(
			err, ERR_SYSTEM, "%s wants libarchive, which is not installed", f->name);
	if (open_filter(s, f, err) < 0)
		return -1;
	*out = steal(&owner);
	return 0;
}

static int
decode_sniffed(
	const void *magic, size_t len, struct stream *next, struct stream **out, struct err *err)
{
	size_t i;

	for (i = 0; i < COUNT_OF(filters); i++)
		if (len >= filters[i].magic_len &&
			memcmp(magic, filters[i].magic, filters[i].magic_len) == 0)
			return filter_decode(&filters[i], next, out, err);
	return codec_decode(codec_sniff(magic, len), next, out, err);
}

int
archive_decode(struct stream *next, struct stream **out, struct err *err)
{
	AUTO(stream) struct stream *s = next;
	char magic[MAGIC_MAX];
	ssize_t n = stream_read_full(s, magic, sizeof magic, err);

	if (n < 0)
		return -1;
	return decode_sniffed(
		magic, (size_t)n, stream_after(magic, (size_t)n, steal(&s)), out, err);
}

bool
archive_sniff(const void *bytes, size_t len)
{
	AUTO(stream) struct stream *s = NULL;
	struct err ignored = { .kind = ERR_NONE };
	char block[TAR_BLOCK];

	if (archive_decode(stream_bytes(bytes, len), &s, &ignored) < 0)
		return false;
	return stream_read_full(s, block, sizeof block, &ignored) == sizeof block &&
	       tar_sniff(block, sizeof block);
}
