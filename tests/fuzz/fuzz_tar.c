/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "layers/tar.h"
#include "layers/tar_header.h"

/* A few MiB of a sparse file say as much as all its holes. */
#define DATA_MAX (4u << 20)

static void
check_entry(const struct entry *e, enum tar_dialect dialect)
{
	AUTO(buf) struct buf again = BUF_INIT;
	struct err err = { .kind = ERR_NONE };

	if (entry_path_clean(e->path, &again, &err) < 0 || !streq(again.data, e->path))
		abort();
	if (e->mode > 07777 ||
		(e->path[0] == '\0' && e->kind != ENTRY_DIR && e->kind != ENTRY_OPAQUE))
		abort();
	if ((e->kind == ENTRY_SYMLINK || e->kind == ENTRY_HARDLINK) != (e->link != NULL))
		abort();
	if (dialect == TAR_PLAIN && (e->kind == ENTRY_WHITEOUT || e->kind == ENTRY_OPAQUE))
		abort();
}

/* What was read is written; what is written then is read to the same. */
static int
copy(const void *bytes, size_t len, enum tar_dialect dialect, struct buf *out)
{
	AUTO(stream) struct stream *in = stream_bytes(bytes, len);
	AUTO(sink) struct sink *sink = sink_buf(out);
	AUTO(tar_reader) struct tar_reader *r = tar_reader_new(in, dialect);
	AUTO(tar_writer) struct tar_writer *w = tar_writer_new(sink, dialect);
	AUTO(entry) struct entry e = { .path = NULL };
	AUTO(free) char *data = xmalloc(65536);
	struct err err = { .kind = ERR_NONE };
	int more;
	ssize_t n;

	for (more = tar_reader_next(r, &e, &err); more > 0; more = tar_reader_next(r, &e, &err)) {
		check_entry(&e, dialect);
		if (e.size > DATA_MAX)
			return -1;
		if (tar_writer_entry(w, &e, &err) < 0)
			return -1;
		do {
			n = tar_reader_data(r, data, 65536, &err);
			if (n > 0 && tar_writer_data(w, data, (size_t)n, &err) < 0)
				abort();
		} while (n > 0);
		if (n < 0)
			return -1;
	}
	if (more < 0)
		return -1;
	return tar_writer_finish(w, &err);
}

/* No change of a header would come further than its checksum. */
static void
mend_checksums(char *bytes, size_t len)
{
	struct tar_header h;
	size_t at;

	for (at = 0; at + sizeof h <= len; at += sizeof h) {
		memcpy(&h, bytes + at, sizeof h);
		if (memcmp(h.magic, "ustar", 5) != 0)
			continue;
		tar_checksum_set(&h);
		memcpy(bytes + at, &h, sizeof h);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static const enum tar_dialect dialects[] = { TAR_LAYER, TAR_PLAIN };
	AUTO(free) char *bytes = xmemdup(input, len);
	size_t i;

	mend_checksums(bytes, len);
	for (i = 0; i < COUNT_OF(dialects); i++) {
		AUTO(buf) struct buf once = BUF_INIT;
		AUTO(buf) struct buf twice = BUF_INIT;

		if (copy(bytes, len, dialects[i], &once) < 0)
			continue;
		if (copy(once.data, once.len, dialects[i], &twice) < 0 || once.len != twice.len ||
			memcmp(once.data, twice.data, once.len) != 0)
			abort();
	}
	return 0;
}
