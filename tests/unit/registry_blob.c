/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake.h"

#include "registry/remote_blob.h"

static void
is_found(struct fake *f)
{
	struct descriptor d = { .size = 0 };
	struct err err = { 0 };

	works(push(f, &err));
	works(remote_blob(f->pull, &f->layer.digest, &d, &err));
	same_str(d.digest.text, f->layer.digest.text);
	same_int(d.size, f->layer.size);
}

TEST(how_large_a_blob_is_can_be_asked_by_its_digest)
{
	AUTO(fake) struct fake f;
	struct descriptor d = { .size = 7 };
	struct err err = { 0 };

	START(&f, NULL);
	is_found(&f);
	digest_of("nothing", 7, &d.digest);
	same_int(remote_blob(f.pull, &d.digest, &d, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
	same_int(d.size, 7);
}

TEST(where_HEAD_is_refused_one_byte_says_it)
{
	AUTO(fake) struct fake f;

	START(&f, "--rule", "HEAD /blobs/ status=405");
	is_found(&f);
	is_true(asked(&f, "GET", "bytes=0-0") == 1);
}

TEST(a_registry_that_does_not_say_is_told_so)
{
	AUTO(fake) struct fake f;
	struct descriptor d = { .size = 0 };
	struct err err = { 0 };

	START(&f, "--rule", "HEAD /blobs/ status=405", "--rule",
		"GET /blobs/ noheader=Content-Range");
	works(push(&f, &err));
	same_int(remote_blob(f.pull, &f.layer.digest, &d, &err), -1);
	same_int(err.kind, ERR_REMOTE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(how_large_a_blob_is_can_be_asked_by_its_digest),
		CASE(where_HEAD_is_refused_one_byte_says_it),
		CASE(a_registry_that_does_not_say_is_told_so),
	};

	return RUN(tests);
}
