/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "layers/stream.h"

/* Gives one byte a time, so that nobody counts on full reads. */
struct drip {
	struct stream stream;
	struct stream *next;
};

static ssize_t
drip_read(struct stream *s, void *bytes, size_t len, struct err *err)
{
	return stream_read(((struct drip *)s)->next, bytes, len > 0 ? 1 : 0, err);
}

static void
drip_free(struct stream *s)
{
	stream_free(((struct drip *)s)->next);
	free(s);
}

static struct stream *
drip(const char *text)
{
	static const struct stream_ops ops = { drip_read, drip_free };
	struct drip *d = xzalloc(sizeof *d);

	d->stream.ops = &ops;
	d->next = stream_bytes(text, strlen(text));
	return &d->stream;
}

TEST(a_verified_stream_gives_what_was_promised)
{
	AUTO(stream) struct stream *s = NULL;
	AUTO(buf) struct buf b = BUF_INIT;
	struct digest d, seen = { .text = "" };
	struct err err = { 0 };

	digest_of("hello", 5, &d);
	s = stream_digest(stream_verify(drip("hello"), &d, 5), &seen);
	works(stream_read_all(s, 5, &b, &err));
	same_str(b.data, "hello");
	is_true(digest_same(&d, &seen));
}

TEST(an_empty_verified_stream_is_verified_too)
{
	AUTO(stream) struct stream *s = NULL;
	AUTO(buf) struct buf b = BUF_INIT;
	struct err err = { 0 };
	struct digest d;

	digest_of("x", 1, &d);
	s = stream_verify(drip(""), &d, 0);
	same_int(stream_read_all(s, 5, &b, &err), -1);
	same_int(err.kind, ERR_CORRUPT);
}

TEST(a_verified_stream_never_gives_its_last_bytes_when_they_are_wrong)
{
	static const struct {
		const char *bytes, *message;
	} rows[] = { { "hell", "expected 5 bytes, got 4" },
		{ "hello!!", "expected 5 bytes, got at least 6" } };
	struct err err = { 0 };
	struct digest d;
	size_t i;

	digest_of("hello", 5, &d);
	for (i = 0; i < COUNT_OF(rows); i++) {
		AUTO(stream) struct stream *s = stream_verify(drip(rows[i].bytes), &d, 5);
		AUTO(buf) struct buf b = BUF_INIT;

		fails(stream_read_all(s, 100, &b, &err), rows[i].message);
		same_int(b.len, 0);
		fails(stream_read_all(s, 100, &b, &err), rows[i].message);
	}
	{
		AUTO(stream) struct stream *s = stream_verify(stream_bytes("hallo", 5), &d, 5);
		char bytes[8];

		same_int(stream_read(s, bytes, sizeof bytes, &err), -1);
		same_int(err.kind, ERR_CORRUPT);
	}
}

TEST(limits_hold)
{
	AUTO(stream) struct stream *a = stream_limit(drip("12345"), 5);
	AUTO(stream) struct stream *b = stream_limit(drip("123456"), 5);
	AUTO(stream) struct stream *c = drip("123456");
	AUTO(buf) struct buf out = BUF_INIT;
	struct err err = { 0 };

	works(stream_read_all(a, SIZE_MAX, &out, &err));
	fails(stream_read_all(b, SIZE_MAX, &out, &err), "larger than 5 bytes");
	same_int(err.kind, ERR_INPUT);
	fails(stream_read_all(c, 5, &out, &err), "larger than 5 bytes");
	same_str(out.data, "12345");
}

TEST(a_copy_reaches_both_sinks_and_their_digest)
{
	AUTO(buf) struct buf a = BUF_INIT;
	AUTO(buf) struct buf b = BUF_INIT;
	AUTO(stream) struct stream *in = drip("hello");
	AUTO(sink) struct sink *out = NULL;
	struct digest got = { .text = "" }, wanted;
	uint64_t size = 0, copied = 0;
	struct err err = { 0 };

	out = sink_digest(
		sink_both(sink_buf(&a), sink_both(sink_buf(&b), sink_none())), &got, &size);
	works(stream_copy(in, out, &copied, &err));
	works(sink_finish(out, &err));
	digest_of("hello", 5, &wanted);
	is_true(digest_same(&got, &wanted));
	same_int(size, 5);
	same_int(copied, 5);
	same_str(a.data, "hello");
	same_str(b.data, "hello");
}

TEST(descriptors_carry_small_and_large_writes_in_order)
{
	AUTO(fd) int fd = memfd_create("bytes", MFD_CLOEXEC);
	AUTO(free) char *large = xmalloc(700000);
	AUTO(sink) struct sink *out = sink_fd(fd);
	AUTO(stream) struct stream *in = NULL;
	AUTO(buf) struct buf wanted = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };
	size_t i, len;

	for (i = 0; i < 700000; i++)
		large[i] = (char)(i * 7 + i / 251);
	for (i = 0; i < 40; i++) {
		len = i * i * 437 % 700001;
		buf_add(&wanted, large, len);
		works(sink_write(out, large, len, &err));
	}
	works(sink_finish(out, &err));
	lseek(fd, 0, SEEK_SET);
	in = stream_fd(fd_steal(&fd));
	works(stream_read_all(in, wanted.len, &got, &err));
	same_bytes(got.data, got.len, wanted.data, wanted.len);
}

TEST(a_full_disk_is_told_at_finish)
{
	AUTO(fd) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	AUTO(sink) struct sink *out = sink_fd(fd);
	struct err err = { 0 };

	works(sink_write(out, "x", 1, &err));
	same_int(sink_finish(out, &err), -1);
	same_int(err.kind, ERR_SYSTEM);
}

TEST(bytes_looked_at_are_given_back)
{
	AUTO(stream) struct stream *s = stream_after("hel", 3, drip("lo"));
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };

	works(stream_read_all(s, 5, &got, &err));
	same_str(got.data, "hello");
}

TEST(reading_ahead_changes_nothing)
{
	enum { LEN = 3000001 };
	AUTO(free) char *large = xmalloc(LEN);
	AUTO(stream) struct stream *s = NULL;
	AUTO(stream) struct stream *unread = stream_ahead(stream_bytes(large, LEN));
	AUTO(stream) struct stream *left = stream_ahead(stream_bytes(large, LEN));
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };
	size_t i;

	for (i = 0; i < LEN; i++)
		large[i] = (char)(i * 7 + i / 251);
	s = stream_ahead(stream_bytes(large, LEN));
	works(stream_read_all(s, LEN, &got, &err));
	same_bytes(got.data, got.len, large, LEN);
	same_int(stream_read(s, large, 1, &err), 0);
	same_int(stream_read(left, large, 1, &err), 1);
}

TEST(reading_ahead_brings_errors_after_the_bytes_before_them)
{
	AUTO(stream) struct stream *s = stream_ahead(stream_limit(drip("123456"), 5));
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };
	char bytes[8];

	same_int(stream_read(s, bytes, sizeof bytes, &err), 1);
	fails(stream_read_all(s, 100, &got, &err), "larger than 5 bytes");
	fails(stream_read_all(s, 100, &got, &err), "larger than 5 bytes");
}

TEST(part_of_a_file_is_sent_and_no_more)
{
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(sink) struct sink *out = sink_buf(&got);
	FILE *f = tmpfile();
	struct err err = { 0 };

	is_true(f != NULL && fputs("0123456789", f) >= 0 && fflush(f) == 0);
	works(sink_send(out, fileno(f), 2, 5, "f", &err));
	same_str(got.data, "234");
	works(sink_send(out, fileno(f), 10, 10, "f", &err));
	fails(sink_send(out, fileno(f), 8, 11, "f", &err), "f ends early");
	same_int(err.kind, ERR_CORRUPT);
	fclose(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_verified_stream_gives_what_was_promised),
		CASE(an_empty_verified_stream_is_verified_too),
		CASE(a_verified_stream_never_gives_its_last_bytes_when_they_are_wrong),
		CASE(limits_hold),
		CASE(a_copy_reaches_both_sinks_and_their_digest),
		CASE(descriptors_carry_small_and_large_writes_in_order),
		CASE(bytes_looked_at_are_given_back),
		CASE(reading_ahead_changes_nothing),
		CASE(reading_ahead_brings_errors_after_the_bytes_before_them),
		CASE(a_full_disk_is_told_at_finish),
		CASE(part_of_a_file_is_sent_and_no_more),
	};

	return RUN(tests);
}
