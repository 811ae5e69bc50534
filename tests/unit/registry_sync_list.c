/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "registry/sync_list.h"

static const struct {
	const char *range, *has, *has_not;
} ranges[] = {
	{ "*", "1 v2.3 0.0.1", "latest 1.2-rc1 1.2.3.4 1. a1 v" },
	{ "1.2", "1.2 1.2.9 v1.2.3", "1.3 1.1.9 1.2.3-rc1 1.3.0-0 1.20" },
	{ "1.x", "1 1.9.9", "2 0.9" },
	{ "=1.2.3", "1.2.3 v1.2.3", "1.2.4 1.2.2 1.2.3-a" },
	{ "!=1.2", "1.1 1.3", "1.2.3" },
	{ ">1.2", "1.3 2", "1.2 1.2.9" },
	{ ">1.2.3", "1.2.4", "1.2.3" },
	{ "<=1.2", "1.2.9 0", "1.3" },
	{ ">=1.2,<2", "1.2 1.99", "2.0 1.1 2.0.0-rc1" },
	{ ">= 1.2 , < 1.4", "1.3", "1.4" },
	{ "^1.2", "1.2 1.9", "2 1.1" },
	{ "^0.2", "0.2.9", "0.3 1" },
	{ "^0.0.3", "0.0.3", "0.0.4" },
	{ "^0", "0.9", "1" },
	{ "~1.2.3", "1.2.3 1.2.9", "1.3 1.2.2" },
	{ "~1", "1.9", "2" },
	{ "1.2||^3", "1.2.1 3.5", "1.3 4 2" },
	{ ">=1,<2||>3", "1.5 4", "2 3.1" },
	{ ">=1.2.3-rc.2", "1.2.3-rc.2 1.2.3-rc.10 1.2.3-rc.2.1 1.2.3 2-a", "1.2.3-rc.1 1.2.3-1" },
	{ ">1.2.3-rc", "1.2.3-rc.1 1.2.3", "1.2.3-rc 1.2.3-a" },
};

TEST(versions_are_in_a_range_or_not)
{
	for (size_t i = 0; i < COUNT_OF(ranges); i++) {
		struct semver_range range = { .count = 0 };
		struct err err = { 0 };
		const char *const lists[] = { ranges[i].has, ranges[i].has_not };

		works(semver_range_parse(ranges[i].range, &range, &err));
		for (size_t l = 0; l < 2; l++) {
			AUTO(strv) struct strv tags = STRV_INIT;

			strv_split(&tags, lists[l], " ");
			for (size_t t = 0; t < tags.count; t++)
				if (semver_range_has(&range, tags.items[t]) != (l == 0))
					fail_msg("%s and %s", ranges[i].range, tags.items[t]);
		}
	}
}

TEST(what_is_no_range_is_refused)
{
	static const char *const texts[] = { "", "1.2,", "1|2", "1,,2", "1||", "||1", "=>1", "a",
		">", ">*x", "1.2.3.4", ">=1.2-", "1234567890123456789" };

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct semver_range range = { .count = 0 };
		struct err err = { 0 };

		if (semver_range_parse(texts[i], &range, &err) == 0)
			fail_msg("'%s' is a range", texts[i]);
		same_int(err.kind, ERR_INPUT);
	}
}

TEST(a_list_has_a_line_for_each_copy)
{
	static const char text[] = "# first\n"
				   "\ta:1  b:1 # remark\r\n"
				   "\n"
				   "a b tags=1*,latest not=*-rc,1.0 referrers\n"
				   "r.example/team/* oci:x semver=>=1,<2 platform=linux/arm64\n";
	AUTO(sync_list) struct sync_list l = SYNC_LIST_INIT;
	struct err err = { 0 };

	works(sync_list_parse(text, strlen(text), &l, &err));
	same_int(l.count, 3);
	same_str(l.rows[0].source, "a:1");
	same_str(l.rows[0].target, "b:1");
	same_int(l.rows[0].line, 2);
	is_true(!sync_row_is_many(&l.rows[0]));
	is_true(l.rows[1].referrers && sync_row_is_many(&l.rows[1]));
	is_true(sync_row_has(&l.rows[1], "1.2") && sync_row_has(&l.rows[1], "latest"));
	is_true(!sync_row_has(&l.rows[1], "1.0") && !sync_row_has(&l.rows[1], "1.2-rc"));
	is_true(!sync_row_has(&l.rows[1], "other"));
	same_str(l.rows[2].source, "r.example/team");
	same_str(l.rows[2].platform, "linux/arm64");
	is_true(l.rows[2].has_all && sync_row_has(&l.rows[2], "v1.5"));
	is_true(!sync_row_has(&l.rows[2], "2.0"));
}

TEST(tags_of_signatures_are_meant_only_where_said)
{
	static const char text[] = "a b tags=*\na b tags=sha256-*\n";
	AUTO(sync_list) struct sync_list l = SYNC_LIST_INIT;
	struct err err = { 0 };

	works(sync_list_parse(text, strlen(text), &l, &err));
	is_true(!sync_row_has(&l.rows[0], "sha256-abc.sig"));
	is_true(sync_row_has(&l.rows[1], "sha256-abc.sig"));
}

TEST(a_line_that_cannot_be_understood_is_named)
{
	AUTO(sync_list) struct sync_list l = SYNC_LIST_INIT;
	struct err err = { 0 };

	fails(sync_list_parse("a b\n\na\n", 7, &l, &err), "line 3: 'a' has no target");
	fails(sync_list_parse("a b c=d", 7, &l, &err),
		"line 1: 'c=d' is none of tags=, not=, semver=, platform=, referrers");
	fails(sync_list_parse("a b semver=x1", 13, &l, &err),
		"line 1: 'x1': 'x1' is not a version, as >=1.2 or 1.x");
	fails(sync_list_parse("a\0b", 3, &l, &err), "the list is no text of at most 4194304 bytes");
	same_int(l.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(versions_are_in_a_range_or_not),
		CASE(what_is_no_range_is_refused),
		CASE(a_list_has_a_line_for_each_copy),
		CASE(tags_of_signatures_are_meant_only_where_said),
		CASE(a_line_that_cannot_be_understood_is_named),
	};

	return RUN(tests);
}
