/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "layers/codec.h"

/* Text that compresses as binaries do, and differently at each place. */
static void
make_bytes(size_t len, struct buf *out)
{
	uint64_t x = 88172645463325252ull;
	size_t n;

	buf_reserve(out, len); /* it adds from itself */
	while (out->len < len) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		n = len - out->len < 8 ? len - out->len : 8;
		if (x % 3 != 0 && out->len > 4096)
			buf_add(out, out->data + out->len - x % 4096 - 8 * (x % 3), n);
		else
			buf_add(out, &x, n);
	}
}

static void
encode(enum codec_kind kind, int level, unsigned threads, size_t step, const struct buf *in,
	struct buf *out)
{
	AUTO(sink) struct sink *s = NULL;
	struct err err = { 0 };
	size_t at, n;

	works(codec_encode(kind, level, threads, sink_buf(out), &s, &err));
	for (at = 0; at < in->len; at += n) {
		n = in->len - at < step ? in->len - at : step;
		works(sink_write(s, in->data + at, n, &err));
	}
	works(sink_finish(s, &err));
}

/* Gives step bytes a time. */
struct drip {
	struct stream stream;
	struct stream *next;
	size_t step;
};

static ssize_t
drip_read(struct stream *s, void *bytes, size_t len, struct err *err)
{
	struct drip *d = (struct drip *)s;

	return stream_read(d->next, bytes, len < d->step ? len : d->step, err);
}

static void
drip_free(struct stream *s)
{
	stream_free(((struct drip *)s)->next);
	free(s);
}

static int
decode(enum codec_kind kind, const void *bytes, size_t len, size_t step, size_t out_step,
	struct buf *out, struct err *err)
{
	static const struct stream_ops ops = { drip_read, drip_free };
	AUTO(stream) struct stream *s = NULL;
	struct drip *d = xzalloc(sizeof *d);
	ssize_t n;

	d->stream.ops = &ops;
	d->next = stream_bytes(bytes, len);
	d->step = step;
	if (codec_decode(kind, &d->stream, &s, err) < 0)
		return -1;
	do {
		n = stream_read(s, buf_reserve(out, out_step), out_step, err);
		if (n > 0)
			out->len += (size_t)n;
	} while (n > 0);
	buf_add(out, "", 1);
	buf_truncate(out, out->len - 1);
	return (int)n;
}

static const enum codec_kind kinds[] = { CODEC_NONE, CODEC_GZIP, CODEC_ZSTD };

TEST(what_is_encoded_is_decoded_again)
{
	static const size_t sizes[] = { 0, 1, 100, 65536, 1048575, 1048576, 1048577, 5000000 };
	static const int levels[] = { CODEC_FAST, CODEC_DEFAULT, CODEC_BEST, 0 };
	struct err err = { 0 };
	size_t i, k, l;

	for (i = 0; i < COUNT_OF(sizes); i++) {
		AUTO(buf) struct buf in = BUF_INIT;

		make_bytes(sizes[i], &in);
		for (k = 0; k < COUNT_OF(kinds); k++) {
			for (l = 0; l < (sizes[i] > 2000000 ? 1 : COUNT_OF(levels)); l++) {
				AUTO(buf) struct buf packed = BUF_INIT;
				AUTO(buf) struct buf got = BUF_INIT;

				encode(kinds[k], levels[l], 2, 70000, &in, &packed);
				same_int(codec_sniff(packed.data, packed.len), kinds[k]);
				works(decode(kinds[k], packed.data, packed.len, 100000, 200000,
					&got, &err));
				same_bytes(got.data, got.len, in.data, in.len);
			}
		}
	}
}

TEST(the_bytes_do_not_depend_on_threads_or_on_how_they_are_written)
{
	static const size_t steps[] = { 1 << 20, 4321, 999983, 6000000, 65536 };
	static const int levels[] = { CODEC_FAST, CODEC_DEFAULT };
	AUTO(buf) struct buf in = BUF_INIT;
	size_t k, l;
	unsigned threads;

	make_bytes(13000000, &in);
	for (k = 0; k < COUNT_OF(kinds); k++) {
		for (l = 0; l < COUNT_OF(levels); l++) {
			AUTO(buf) struct buf one = BUF_INIT;

			encode(kinds[k], levels[l], 1, 1 << 20, &in, &one);
			for (threads = 1; threads <= 4; threads++) {
				AUTO(buf) struct buf many = BUF_INIT;

				encode(kinds[k], levels[l], threads, steps[threads], &in, &many);
				same_bytes(many.data, many.len, one.data, one.len);
			}
		}
	}
}

TEST(small_steps_come_to_the_same)
{
	AUTO(buf) struct buf in = BUF_INIT;
	struct err err = { 0 };
	size_t k;

	make_bytes(1300000, &in);
	for (k = 0; k < COUNT_OF(kinds); k++) {
		AUTO(buf) struct buf packed = BUF_INIT;
		AUTO(buf) struct buf got = BUF_INIT;

		encode(kinds[k], CODEC_FAST, 2, 1 << 20, &in, &packed);
		works(decode(kinds[k], packed.data, packed.len, 7, 1000, &got, &err));
		same_bytes(got.data, got.len, in.data, in.len);
	}
}

TEST(every_cut_is_noticed)
{
	AUTO(buf) struct buf in = BUF_INIT;
	struct err err = { 0 };
	size_t k, cut;

	buf_adds(&in, "some text, some text, and some other text");
	for (k = 1; k < COUNT_OF(kinds); k++) {
		AUTO(buf) struct buf packed = BUF_INIT;

		encode(kinds[k], CODEC_DEFAULT, 1, 100, &in, &packed);
		for (cut = 0; cut < packed.len; cut++) {
			AUTO(buf) struct buf got = BUF_INIT;

			same_int(decode(kinds[k], packed.data, cut, 3, 1000, &got, &err), -1);
			same_int(err.kind, ERR_CORRUPT);
		}
	}
}

TEST(every_flipped_bit_behind_the_header_is_noticed)
{
	AUTO(buf) struct buf in = BUF_INIT;
	struct err err = { 0 };
	size_t k, bit;

	buf_adds(&in, "some text, some text, and some other text");
	for (k = 1; k < COUNT_OF(kinds); k++) {
		AUTO(buf) struct buf packed = BUF_INIT;

		encode(kinds[k], CODEC_DEFAULT, 1, 100, &in, &packed);
		for (bit = 8 * 10; bit < 8 * packed.len; bit++) {
			AUTO(buf) struct buf got = BUF_INIT;

			packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ 1 << bit % 8);
			/* deflate has bits that nobody reads; then the bytes are right */
			if (decode(kinds[k], packed.data, packed.len, 100, 1000, &got, &err) == 0)
				same_bytes(got.data, got.len, in.data, in.len);
			packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ 1 << bit % 8);
		}
	}
}

TEST(gzip_headers_may_have_all_their_fields)
{
	/* extra, name, comment and the header's checksum; then a bare one */
	static const unsigned char bytes[] = { 0x1f, 0x8b, 8, 0x1e, 1, 2, 3, 4, 0, 3, 2, 0, 'x',
		'y', 'n', 0, 'c', 0, 0, 0, 0x4b, 0x04, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0, 0x1f,
		0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	unsigned char whole[sizeof bytes];
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };
	uint32_t crc = ~0u;
	size_t i, k;

	memcpy(whole, bytes, sizeof bytes);
	for (i = 0; i < 18; i++) {
		crc ^= whole[i];
		for (k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	crc = ~crc;
	whole[18] = (unsigned char)crc;
	whole[19] = (unsigned char)(crc >> 8);
	works(decode(CODEC_GZIP, whole, sizeof whole, 1, 100, &got, &err));
	same_str(got.data, "a");
	whole[18] ^= 1;
	fails(decode(CODEC_GZIP, whole, sizeof whole, 1, 100, &got, &err),
		"gzip: the checksum of a header is wrong");
}

TEST(gzip_that_is_none_or_odd_is_told)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *message;
	} rows[] = {
		{ "", 0, "gzip: it is empty" },
		{ "hello", 5, "gzip: it is none" },
		{ "\x1f\x8b\x07\0\0\0\0\0\0\xff", 10, "gzip: the header is of an unknown kind" },
		{ "\x1f\x8b\x08\x20\0\0\0\0\0\xff", 10, "gzip: the header is of an unknown kind" },
		{ "\x1f\x8b\x08\0\0\0\0\0\0\xff\3\0\0\0\0\0\0\0\0\0x", 21,
			"gzip: something follows its end" },
		{ "\x1f\x8b\x08\0\0\0\0\0\0\xff\3\0\0\0\0\0\0\0\0\0\0", 21,
			"gzip: something follows its end" },
		{ "\x1f\x8b\x08\0\0\0\0\0\0\xff\3\0\1\0\0\0\0\0\0\0", 20,
			"gzip: the bytes are damaged" },
		{ "\x1f\x8b\x08\0\0\0\0\0\0\xff\3\0\0\0\0\0\1\0\0\0", 20,
			"gzip: the bytes are damaged" },
		{ "\x1f\x8b\x08\0\0\0\0\0\0\xff\7\0\0\0\0\0\0\0\0\0", 20,
			"gzip: the bytes are damaged" },
	};
	AUTO(free) char *name = xmalloc(CODEC_GZIP_HEADER_MAX + 11);
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };
	size_t i;

	for (i = 0; i < COUNT_OF(rows); i++)
		fails(decode(CODEC_GZIP, rows[i].bytes, rows[i].len, 100, 100, &got, &err),
			rows[i].message);
	memset(name, 'n', CODEC_GZIP_HEADER_MAX + 11);
	memcpy(name, "\x1f\x8b\x08\x08\0\0\0\0\0\xff", 10);
	fails(decode(CODEC_GZIP, name, CODEC_GZIP_HEADER_MAX + 11, 100, 100, &got, &err),
		"gzip: a name or comment is too long");
}

TEST(many_small_members_are_one_file)
{
	AUTO(buf) struct buf in = BUF_INIT;
	AUTO(buf) struct buf one = BUF_INIT;
	AUTO(buf) struct buf many = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };
	int i;

	buf_adds(&in, "x");
	encode(CODEC_GZIP, CODEC_DEFAULT, 1, 1, &in, &one);
	for (i = 0; i < 10000; i++)
		buf_add(&many, one.data, one.len);
	works(decode(CODEC_GZIP, many.data, many.len, 4096, 4096, &got, &err));
	same_int(got.len, 10000);
}

TEST(zstd_that_asks_for_too_much_is_refused)
{
	/* window log 31, single segment off; then skippable frames that say they are large */
	static const char wide[] = "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00";
	static const char skip[] = "\x50\x2a\x4d\x18\xff\xff\xff\xff";
	static const char small[] = "\x5f\x2a\x4d\x18\x02\x00\x00\x00xy";
	AUTO(buf) struct buf in = BUF_INIT;
	AUTO(buf) struct buf packed = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };

	fails(decode(CODEC_ZSTD, wide, 9, 100, 100, &got, &err),
		"zstd: it needs a window of more than 128 MiB");
	same_int(err.kind, ERR_INPUT);
	fails(decode(CODEC_ZSTD, skip, 8, 100, 100, &got, &err),
		"zstd: more than 67108864 bytes of skippable frames");
	fails(decode(CODEC_ZSTD, "hello", 5, 100, 100, &got, &err), "zstd: it is none");
	fails(decode(CODEC_ZSTD, small, 10, 3, 100, &got, &err), "zstd: it is empty");
	buf_adds(&in, "hello");
	buf_add(&packed, small, 10);
	encode(CODEC_ZSTD, CODEC_DEFAULT, 1, 100, &in, &packed);
	encode(CODEC_ZSTD, CODEC_DEFAULT, 1, 100, &in, &packed);
	buf_add(&packed, small, 10);
	same_int(codec_sniff(packed.data, packed.len), CODEC_ZSTD);
	works(decode(CODEC_ZSTD, packed.data, packed.len, 1, 2, &got, &err));
	same_str(got.data, "hellohello");
	buf_addc(&packed, 'x');
	fails(decode(CODEC_ZSTD, packed.data, packed.len, 100, 100, &got, &err),
		"zstd: it ends too early");
	buf_adds(&packed, "xxx");
	fails(decode(CODEC_ZSTD, packed.data, packed.len, 100, 100, &got, &err),
		"zstd: something follows its end");
}

TEST(names_levels_and_media_types)
{
	AUTO(sink) struct sink *s = NULL;
	AUTO(stream) struct stream *in = NULL;
	enum codec_kind kind = CODEC_NONE;
	struct err err = { 0 };
	char bytes[8];

	works(codec_parse("zstd", &kind, &err));
	same_int(kind, CODEC_ZSTD);
	works(codec_parse("none", &kind, &err));
	same_str(codec_name(kind), "uncompressed");
	fails(codec_parse("xz", &kind, &err),
		"'xz' is not a compression: use uncompressed, gzip or zstd");
	same_int(codec_of_media("application/vnd.docker.image.rootfs.diff.tar.gzip"), CODEC_GZIP);
	same_int(codec_of_media("application/vnd.oci.image.layer.v1.tar+zstd"), CODEC_ZSTD);
	same_int(codec_of_media("application/vnd.oci.image.layer.v1.tar"), CODEC_NONE);
	fails(codec_encode(CODEC_GZIP, 13, 1, sink_none(), &s, &err),
		"gzip has no level 13: use 0 to 12");
	is_true(s == NULL);
	works(codec_decode_sniffed(stream_bytes("ab", 2), &in, &kind, &err));
	same_int(kind, CODEC_NONE);
	same_int(stream_read_full(in, bytes, sizeof bytes, &err), 2);
}

/* Fails at the n-th write. */
struct broken {
	struct sink sink;
	int left;
};

static int
broken_write(struct sink *s, const void *bytes __attribute__((unused)),
	size_t len __attribute__((unused)), struct err *err)
{
	return ((struct broken *)s)->left-- > 0 ? 0 : err_set(err, ERR_SYSTEM, "the disk is full");
}

static int
broken_finish(struct sink *s __attribute__((unused)), struct err *err __attribute__((unused)))
{
	return 0;
}

static void
broken_free(struct sink *s)
{
	free(s);
}

TEST(an_error_behind_the_threads_comes_through)
{
	static const struct sink_ops ops = { broken_write, broken_finish, broken_free };
	AUTO(buf) struct buf in = BUF_INIT;
	size_t k, at;
	int result;

	make_bytes(9000000, &in);
	for (k = 1; k < COUNT_OF(kinds); k++) {
		AUTO(sink) struct sink *s = NULL;
		struct broken *b = xzalloc(sizeof *b);
		struct err err = { 0 };

		b->sink.ops = &ops;
		b->left = 2;
		works(codec_encode(kinds[k], CODEC_FAST, 3, &b->sink, &s, &err));
		result = 0;
		for (at = 0; at < in.len && result == 0; at += 1000000)
			result = sink_write(s, in.data + at, 1000000, &err);
		if (result == 0)
			result = sink_finish(s, &err);
		same_int(result, -1);
		same_str(err.msg, "the disk is full");
	}
}

TEST(other_programs_unpack_what_we_packed)
{
	static const char *const programs[] = { "gzip", "zstd" };
	AUTO(buf) struct buf in = BUF_INIT;
	size_t k;

	make_bytes(3000000, &in);
	for (k = 0; k < COUNT_OF(programs); k++) {
		char path[] = "/tmp/cooper-codec-XXXXXX";
		AUTO(buf) struct buf packed = BUF_INIT;
		AUTO(buf) struct buf got = BUF_INIT;
		AUTO(fd) int fd = mkostemp(path, O_CLOEXEC);
		AUTO(free)
		char *command =
			xasprintf("command -v %s >/dev/null || { echo none; exit 0; }; %s -dc < %s",
				programs[k], programs[k], path);
		struct err err = { 0 };
		FILE *out;

		encode(kinds[k + 1], CODEC_DEFAULT, 2, 1 << 20, &in, &packed);
		same_int(write(fd, packed.data, packed.len), packed.len);
		out = popen(command, "re");
		works(buf_read(&got, fileno(out), 1u << 24, &err));
		same_int(pclose(out), 0);
		unlink(path);
		if (!streq(got.data, "none\n"))
			same_bytes(got.data, got.len, in.data, in.len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_encoded_is_decoded_again),
		CASE(the_bytes_do_not_depend_on_threads_or_on_how_they_are_written),
		CASE(small_steps_come_to_the_same),
		CASE(every_cut_is_noticed),
		CASE(every_flipped_bit_behind_the_header_is_noticed),
		CASE(gzip_headers_may_have_all_their_fields),
		CASE(gzip_that_is_none_or_odd_is_told),
		CASE(many_small_members_are_one_file),
		CASE(zstd_that_asks_for_too_much_is_refused),
		CASE(names_levels_and_media_types),
		CASE(an_error_behind_the_threads_comes_through),
		CASE(other_programs_unpack_what_we_packed),
	};

	return RUN(tests);
}
