/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

TEST(an_empty_buffer_is_text_and_costs_nothing)
{
	AUTO(buf) struct buf b = BUF_INIT;
	AUTO(free) char *text = NULL;

	same_str(b.data, "");
	buf_add(&b, NULL, 0);
	buf_clear(&b);
	same_int(b.room, 0);
	text = buf_steal(&b);
	same_str(text, "");
}

TEST(what_is_added_is_there_and_ends_with_a_zero)
{
	AUTO(buf) struct buf b = BUF_INIT;
	AUTO(free) char *text = NULL;

	buf_adds(&b, "a");
	buf_addc(&b, 'b');
	buf_add(&b, "c\0d", 3);
	same_bytes(b.data, b.len + 1, "abc\0d", 6);
	buf_truncate(&b, 3);
	buf_addf(&b, "-%d-%s", 7, "x");
	same_str(b.data, "abc-7-x");
	buf_truncate(&b, 100); /* not longer by that */
	same_int(b.len, 7);
	text = buf_steal(&b);
	same_str(text, "abc-7-x");
	same_str(b.data, "");
}

TEST(a_character_is_added_in_as_many_bytes_as_it_needs)
{
	AUTO(buf) struct buf b = BUF_INIT;

	buf_add_utf8(&b, 0x7f);
	buf_add_utf8(&b, 0x80);
	buf_add_utf8(&b, 0x7ff);
	buf_add_utf8(&b, 0x800);
	buf_add_utf8(&b, 0xffff);
	buf_add_utf8(&b, 0x10000);
	buf_add_utf8(&b, 0x10ffff);
	same_str(b.data, "\x7f"
			 "\xc2\x80\xdf\xbf"
			 "\xe0\xa0\x80\xef\xbf\xbf"
			 "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

TEST(long_text_is_formatted_whole)
{
	AUTO(buf) struct buf b = BUF_INIT;

	for (int width = 254; width < 260; width++) {
		buf_clear(&b);
		buf_addf(&b, "%*d", width, 1);
		same_int(b.len, width);
		same_int(strlen(b.data), width);
	}
}

TEST(reading_stops_at_the_limit)
{
	AUTO(buf) struct buf b = BUF_INIT;
	AUTO(fd) int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct err err = { 0 };

	buf_adds(&b, "before");
	fails(buf_read(&b, fd, 100000, &err), "larger than 100000 bytes");
	same_int(err.kind, ERR_INPUT);
	same_str(b.data, "before");
	fails(buf_read(&b, -1, 10, &err), "read: Bad file descriptor");
}

TEST(reading_takes_exactly_the_limit)
{
	AUTO(buf) struct buf b = BUF_INIT;
	struct err err = { 0 };
	int ends[2];

	same_int(pipe2(ends, O_CLOEXEC), 0);
	same_int(write(ends[1], "12345", 5), 5);
	close(ends[1]);
	works(buf_read(&b, ends[0], 5, &err));
	same_str(b.data, "12345");
	close(ends[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_empty_buffer_is_text_and_costs_nothing),
		CASE(what_is_added_is_there_and_ends_with_a_zero),
		CASE(a_character_is_added_in_as_many_bytes_as_it_needs),
		CASE(long_text_is_formatted_whole),
		CASE(reading_stops_at_the_limit),
		CASE(reading_takes_exactly_the_limit),
	};

	return RUN(tests);
}
