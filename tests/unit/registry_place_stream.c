/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <signal.h>
#include <stdatomic.h>

#include "registry/place_stream.h"
#include "tests/unit/memory_place.h"

static struct descriptor
described(const char *bytes, size_t len)
{
	struct descriptor d = { .size = len };

	digest_of(bytes, len, &d.digest);
	return d;
}

TEST(what_a_place_sends_can_be_read)
{
	AUTO(place) struct place *p = memory_place();
	AUTO(stream) struct stream *s = NULL;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(buf) struct buf bytes = BUF_INIT;
	struct descriptor d = { .size = 0 };
	struct err err = { 0 };

	for (int i = 0; i < 300000; i++)
		buf_addf(&bytes, "%d ", i);
	works(place_put_bytes(p, bytes.data, bytes.len, &d, &err));
	works(place_stream(p, &d, &s, &err));
	works(stream_read_all(s, bytes.len, &got, &err));
	same_bytes(got.data, got.len, bytes.data, bytes.len);
}

TEST(a_place_that_fails_fails_the_stream)
{
	AUTO(place) struct place *p = memory_place();
	AUTO(stream) struct stream *s = NULL;
	struct descriptor d = described("missing", 7);
	AUTO(free) char *wanted = xasprintf("memory has no %s", d.digest.text);
	char byte;
	struct err err = { 0 };

	works(place_stream(p, &d, &s, &err));
	fails((int)stream_read(s, &byte, 1, &err), wanted);
	same_int(err.kind, ERR_NOTFOUND);
}

TEST(bytes_that_lie_are_found_by_who_verifies)
{
	AUTO(place) struct place *p = memory_place();
	AUTO(stream) struct stream *s = NULL, *raw = NULL;
	AUTO(buf) struct buf got = BUF_INIT;
	struct memory_place *m = (struct memory_place *)(void *)p;
	struct descriptor d = { .size = 0 };
	struct err err = { 0 };

	works(place_put_bytes(p, "truth", 5, &d, &err));
	m->blobs[0].bytes.data[0] = 'T';
	works(place_stream(p, &d, &raw, &err));
	s = stream_verify(steal(&raw), &d.digest, d.size);
	same_int(stream_read_all(s, 100, &got, &err), -1);
	same_int(err.kind, ERR_CORRUPT);
}

/* Sends zeros until nobody wants them any more. */
struct endless_place {
	struct place place;
	atomic_ulong sent;
	atomic_int failed;
};

static int
endless_get(struct place *p, const struct descriptor *d, uint64_t offset, struct sink *out,
	struct err *err)
{
	struct endless_place *e = (struct endless_place *)(void *)p;
	static const char zeros[65536];

	(void)d;
	(void)offset;
	while (sink_write(out, zeros, sizeof zeros, err) == 0)
		atomic_fetch_add(&e->sent, sizeof zeros);
	atomic_store(&e->failed, 1);
	return -1;
}

TEST(a_stream_that_is_freed_cuts_the_transfer_off)
{
	static const struct place_ops ops = { .scheme = "endless", .get = endless_get };
	struct endless_place e = { .place = { .ops = &ops } };
	struct descriptor d = described("", 0);
	struct stream *s = NULL;
	char bytes[1000];
	struct err err = { 0 };

	works(place_stream(&e.place, &d, &s, &err));
	same_int(stream_read_full(s, bytes, sizeof bytes, &err), sizeof bytes);
	stream_free(s);
	same_int(atomic_load(&e.failed), 1);
	is_true(atomic_load(&e.sent) < (8u << 20));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { CASE(what_a_place_sends_can_be_read),
		CASE(a_place_that_fails_fails_the_stream),
		CASE(bytes_that_lie_are_found_by_who_verifies),
		CASE(a_stream_that_is_freed_cuts_the_transfer_off) };

	signal(SIGPIPE, SIG_IGN); /* as main does */
	return RUN(tests);
}
