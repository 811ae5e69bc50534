/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <unistd.h>

#include "base/file.h"
#include "layers/digest.h"

#define EMPTY_SHA256 "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_SHA256 "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC_SHA512                                                                 \
	"sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2" \
	"192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

TEST(a_digest_of_either_algorithm_is_parsed)
{
	struct digest d = { .text = "" };
	struct err err = { 0 };

	is_true(digest_is_empty(&d));
	works(digest_parse(ABC_SHA256, &d, &err));
	same_str(d.text, ABC_SHA256);
	same_str(digest_algorithm_name(&d), "sha256");
	same_str(digest_hex(&d), ABC_SHA256 + 7);
	works(digest_parse(ABC_SHA512, &d, &err));
	same_int(digest_algorithm(&d), DIGEST_SHA512);
	is_true(!digest_is_empty(&d));
}

TEST(what_could_be_misread_is_refused)
{
	static const char *const bad[] = { "", "sha256", "sha256:", ":abc", "md5:00",
		"SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015adf",
		"sha256:../../../../../../../../../../../../../../../../../../../../../../../../"
		"../",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a/",
		"sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		" " ABC_SHA256, ABC_SHA256 "\n" };
	struct digest d = { .text = "untouched" };
	struct err err = { 0 };
	size_t i;

	for (i = 0; i < COUNT_OF(bad); i++) {
		same_int(digest_parse(bad[i], &d, &err), -1);
		same_int(err.kind, ERR_INPUT);
	}
	same_str(d.text, "untouched");
	fails(digest_parse("md5:00", &d, &err), "digest 'md5:00' is neither sha256 nor sha512");
}

TEST(bytes_have_their_known_digest)
{
	struct digest d, wanted;
	struct err err = { 0 };

	digest_of("", 0, &d);
	same_str(d.text, EMPTY_SHA256);
	digest_of("abc", 3, &d);
	same_str(d.text, ABC_SHA256);
	works(digest_parse(ABC_SHA512, &wanted, &err));
	works(digest_check(&wanted, "abc", 3, &err));
	works(digest_parse(EMPTY_SHA256, &wanted, &err));
	fails(digest_check(&wanted, "abc", 3, &err), "expected " EMPTY_SHA256 ", got " ABC_SHA256);
	same_int(err.kind, ERR_CORRUPT);
}

TEST(a_hasher_tells_its_digest_midway_and_goes_on)
{
	AUTO(hasher) struct hasher *h = hasher_new(DIGEST_SHA256);
	struct digest d;

	hasher_digest(h, &d);
	same_str(d.text, EMPTY_SHA256);
	hasher_add(h, "a", 1);
	hasher_digest(h, &d);
	hasher_add(h, "bc", 2);
	hasher_digest(h, &d);
	same_str(d.text, ABC_SHA256);
	hasher_reset(h);
	hasher_digest(h, &d);
	same_str(d.text, EMPTY_SHA256);
}

TEST(a_file_is_hashed_from_where_it_stands_to_its_end)
{
	AUTO(hasher) struct hasher *h = hasher_new(DIGEST_SHA256);
	AUTO(free) char *bytes = xzalloc(200001);
	struct err err = { 0 };
	AUTO(fd) int fd = fd_memory("bytes", &err);
	struct digest got, wanted;
	uint64_t size = 0;

	memset(bytes, 'x', 200001);
	works(fd_write(fd, bytes, 200001));
	same_int(lseek(fd, 1, SEEK_SET), 1);
	works(hasher_add_fd(h, fd, &size));
	hasher_digest(h, &got);
	digest_of(bytes + 1, 200000, &wanted);
	same_int(size, 200000);
	same_str(got.text, wanted.text);
	works(hasher_add_fd(h, fd, NULL));
	same_int(hasher_add_fd(h, -1, &size), -1);
	same_int(size, 200000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_digest_of_either_algorithm_is_parsed),
		CASE(what_could_be_misread_is_refused),
		CASE(bytes_have_their_known_digest),
		CASE(a_hasher_tells_its_digest_midway_and_goes_on),
		CASE(a_file_is_hashed_from_where_it_stands_to_its_end),
	};

	return RUN(tests);
}
