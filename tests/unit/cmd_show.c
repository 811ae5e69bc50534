/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "cmd/show.h"

static void
shows(const char *text, const char *wanted)
{
	AUTO(buf) struct buf b = BUF_INIT;

	show_line(text, &b);
	same_str(b.data, wanted);
}

TEST(words_are_shown_without_controls)
{
	AUTO(buf) struct buf b = BUF_INIT;

	shows("app:1 \xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xb3",
		"app:1 \xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xb3");
	shows("a\x1b[2Jb", "a\\x1b[2Jb");
	shows("a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f");
	shows("\xc2\x9b"
	      "31m",
		"\\x9b31m");
	shows("\xe2\x80\xae"
	      "abc",
		"\\u202eabc");
	shows("\xff\xc3", "\\xff\\xc3");
	shows("\xc0\x80", "\\xc0\\x80");
	show_text("a\nb\r\n", &b);
	same_str(b.data, "a\nb\\x0d\n");
}

static void
sizes(unsigned long long bytes, const char *wanted)
{
	AUTO(buf) struct buf b = BUF_INIT;

	show_size(bytes, &b);
	same_str(b.data, wanted);
}

TEST(sizes_have_three_digits)
{
	sizes(0, "0B");
	sizes(999, "999B");
	sizes(1000, "1.00kB");
	sizes(99940, "99.9kB");
	sizes(999499, "999kB");
	sizes(999500, "1.00MB");
	sizes(123456789, "123MB");
	sizes(UINT64_MAX, "18.4EB");
}

static void
ages(long long seconds, const char *wanted)
{
	AUTO(buf) struct buf b = BUF_INIT;

	show_age(1000000000, 1000000000 - seconds, &b);
	same_str(b.data, wanted);
}

TEST(ages_are_in_words)
{
	ages(0, "now");
	ages(1, "1 second ago");
	ages(119, "119 seconds ago");
	ages(120, "2 minutes ago");
	ages(86400 * 3, "3 days ago");
	ages(86400 * 400LL, "1 year ago");
	ages(1000000000, "N/A");
}

TEST(columns_are_as_wide_as_their_widest_cell)
{
	struct show_table table = { .cells = STRV_INIT, .columns = 2 };
	AUTO(buf) struct buf b = BUF_INIT;

	strv_split(&table.cells, "NAME,SIZE,\xc3\xa4pp,1,x,22", ",");
	show_table(&table, &b);
	strv_free(&table.cells);
	same_str(b.data, "NAME   SIZE\n\xc3\xa4pp    1\nx      22\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(words_are_shown_without_controls),
		CASE(sizes_have_three_digits),
		CASE(ages_are_in_words),
		CASE(columns_are_as_wide_as_their_widest_cell),
	};

	return RUN(tests);
}
