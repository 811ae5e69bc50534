/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "layers/archive.h"
#include "layers/codec.h"
#include "layers/tar.h"

#define ARCHIVE_SIZE 3000000

/* An archive that is larger than one block of any compressor. */
static void
make_archive(struct buf *out)
{
	AUTO(sink) struct sink *sink = sink_buf(out);
	AUTO(tar_writer) struct tar_writer *w = tar_writer_new(sink, TAR_PLAIN);
	AUTO(free) uint32_t *bytes = xmalloc(ARCHIVE_SIZE);
	struct entry e = { .path = (char *)"f", .kind = ENTRY_FILE, .size = ARCHIVE_SIZE };
	struct err err = { 0 };
	uint32_t i, x = 1;

	for (i = 0; i < ARCHIVE_SIZE / 4; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = x;
	}
	works(tar_writer_entry(w, &e, &err));
	works(tar_writer_data(w, bytes, ARCHIVE_SIZE, &err));
	works(tar_writer_finish(w, &err));
}

static void
pack(enum codec_kind kind, const struct buf *in, struct buf *out)
{
	AUTO(sink) struct sink *s = NULL;
	struct err err = { 0 };

	works(codec_encode(kind, CODEC_FAST, 2, sink_buf(out), &s, &err));
	works(sink_write(s, in->data, in->len, &err));
	works(sink_finish(s, &err));
}

/* By a program; false where it is not installed. */
static bool
pack_by(const char *program, const struct buf *in, struct buf *out)
{
	char path[] = "/tmp/cooper-archive-XXXXXX";
	AUTO(fd) int fd = mkostemp(path, 0);
	AUTO(free)
	char *command = xasprintf(
		"command -v %s >/dev/null && %s -c1 < %s || true", program, program, path);
	struct err err = { 0 };
	FILE *from;

	same_int(write(fd, in->data, in->len), in->len);
	from = popen(command, "re");
	works(buf_read(out, fileno(from), 1u << 24, &err));
	same_int(pclose(from), 0);
	unlink(path);
	return out->len > 0;
}

static int
decode(const struct buf *in, struct buf *out, struct err *err)
{
	AUTO(stream) struct stream *s = NULL;

	if (archive_decode(stream_bytes(in->data, in->len), &s, err) < 0)
		return -1;
	return stream_read_all(s, 1u << 24, out, err);
}

static void
is_decoded(const struct buf *packed, const struct buf *wanted)
{
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };

	is_true(archive_sniff(
		packed->data, packed->len < ARCHIVE_SNIFF_SIZE ? packed->len : ARCHIVE_SNIFF_SIZE));
	works(decode(packed, &got, &err));
	same_bytes(got.data, got.len, wanted->data, wanted->len);
}

TEST(archives_are_known_by_their_bytes)
{
	static const enum codec_kind kinds[] = { CODEC_NONE, CODEC_GZIP, CODEC_ZSTD };
	static const char *const programs[] = { "bzip2", "xz" };
	AUTO(buf) struct buf plain = BUF_INIT;
	size_t i;

	make_archive(&plain);
	for (i = 0; i < COUNT_OF(kinds); i++) {
		AUTO(buf) struct buf packed = BUF_INIT;

		pack(kinds[i], &plain, &packed);
		is_decoded(&packed, &plain);
	}
	for (i = 0; i < COUNT_OF(programs); i++) {
		AUTO(buf) struct buf packed = BUF_INIT;

		if (pack_by(programs[i], &plain, &packed))
			is_decoded(&packed, &plain);
		else
			print_message("# %s is not installed\n", programs[i]);
	}
}

TEST(what_is_no_archive_is_not_taken_for_one)
{
	static const enum codec_kind kinds[] = { CODEC_NONE, CODEC_GZIP, CODEC_ZSTD };
	static const char *const magics[] = { "BZh91AY&SY", "\xfd\x37zXZ", "\x1f\x8b\x08",
		"\x28\xb5\x2f\xfd", "hello", "" };
	AUTO(buf) struct buf zeros = BUF_INIT;
	size_t i;

	memset(buf_reserve(&zeros, 10240), 0, 10240);
	zeros.len = 10240;
	for (i = 0; i < COUNT_OF(kinds); i++) {
		AUTO(buf) struct buf packed = BUF_INIT;

		pack(kinds[i], &zeros, &packed);
		is_true(!archive_sniff(packed.data, packed.len));
	}
	for (i = 0; i < COUNT_OF(magics); i++)
		is_true(!archive_sniff(magics[i], strlen(magics[i])));
}

TEST(damage_and_packing_twice_are_told)
{
	static const char *const programs[] = { "bzip2", "xz" };
	AUTO(buf) struct buf plain = BUF_INIT;
	struct err err = { 0 };
	size_t i;

	make_archive(&plain);
	for (i = 0; i < COUNT_OF(programs); i++) {
		AUTO(buf) struct buf packed = BUF_INIT;
		AUTO(buf) struct buf twice = BUF_INIT;
		AUTO(buf) struct buf got = BUF_INIT;

		if (!pack_by(programs[i], &plain, &packed))
			continue;
		is_true(pack_by(programs[i], &packed, &twice));
		same_int(decode(&twice, &got, &err), -1);
		same_int(err.kind, ERR_CORRUPT);
		packed.data[packed.len / 2] ^= 4;
		same_int(decode(&packed, &got, &err), -1);
		same_int(err.kind, ERR_CORRUPT);
		packed.data[packed.len / 2] ^= 4;
		buf_truncate(&packed, packed.len - 20);
		same_int(decode(&packed, &got, &err), -1);
		same_int(err.kind, ERR_CORRUPT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(archives_are_known_by_their_bytes),
		CASE(what_is_no_archive_is_not_taken_for_one),
		CASE(damage_and_packing_twice_are_told),
	};

	return RUN(tests);
}
