/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/strv.h"
#include "build/sandbox/ids.h"

static void
show(const struct ids_map *map, struct buf *out)
{
	for (size_t i = 0; i < map->count; i++)
		buf_addf(out, "%s%u>%u+%u", i > 0 ? " " : "", map->rows[i].inside,
			map->rows[i].outside, map->rows[i].count);
}

/* in a cell, lines end with '|' */
TEST(ranges_are_read_as_the_table_says)
{
	static const struct ids_owner who = { "user", 1001, 1001 };
	AUTO(buf) struct buf table = BUF_INIT;
	AUTO(strv) struct strv rows = STRV_INIT;
	struct err err;

	works(file_read(AT_FDCWD, TESTDATA "/subid.tsv", 65536, &table, &err));
	strv_split(&rows, table.data, "\n");
	for (size_t i = 0; i < rows.count; i++) {
		AUTO(strv) struct strv cells = STRV_INIT;
		AUTO(buf) struct buf got = BUF_INIT;
		struct ids_map map;

		if (rows.items[i][0] == '#' || rows.items[i][0] == '\0')
			continue;
		strv_split(&cells, rows.items[i], "\t");
		same_int(cells.count, 2);
		for (char *s = cells.items[0]; *s != '\0'; s++)
			*s = *s == '|' ? '\n' : *s;
		if (ids_parse(cells.items[0], strlen(cells.items[0]), &who, 1, &map, &err) < 0)
			buf_adds(&got, err.msg);
		else
			show(&map, &got);
		same_str(got.data, cells.items[1]);
	}
}

TEST(ids_are_translated_both_ways)
{
	const struct ids_map map = { .rows = { { 0, 1001, 1 }, { 1, 100000, 65536 } }, .count = 2 };

	same_int(ids_outside(&map, 0), 1001);
	same_int(ids_outside(&map, 33), 100032);
	same_int(ids_outside(&map, 65536), 165535);
	same_int(ids_outside(&map, 65537), UINT32_MAX);
	same_int(ids_inside(&map, 100032), 33);
	same_int(ids_inside(&map, 1001), 0);
	same_int(ids_inside(&map, 1002), UINT32_MAX);
	same_int(ids_inside(&map, 165536), UINT32_MAX);
}

TEST(a_range_may_not_hold_another_users_own_id)
{
	static const char passwd[] =
		"root:x:0:0::/:/bin/sh\nuser:x:1001:100::/:\nother:x:100500:100::/:\n";
	const struct ids_map map = { .rows = { { 1, 100000, 65536 } }, .count = 1 };
	const struct ids_map fine = { .rows = { { 1, 200000, 65536 } }, .count = 1 };
	struct err err;

	works(ids_check_owners(&fine, passwd, sizeof passwd - 1, 1001, &err));
	works(ids_check_owners(&map, passwd, sizeof passwd - 1, 100500, &err));
	fails(ids_check_owners(&map, passwd, sizeof passwd - 1, 1001, &err),
		"a range holds 100500, the own id of 'other': a box would own their files");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(ranges_are_read_as_the_table_says),
		CASE(ids_are_translated_both_ways),
		CASE(a_range_may_not_hold_another_users_own_id),
	};

	return RUN(tests);
}
