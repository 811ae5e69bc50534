/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/strv.h"
#include "build/sandbox/user.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "app:x:1000:1001::/home/app:/bin/sh\n"
			     "\n"
			     "broken\n"
			     "huge:x:99999999999:0::/:/bin/sh\n"
			     "1000:x:7:8::/seven:/bin/sh\n"
			     "bare:x:5:6::\n";
static const char group[] = "root:x:0:\n"
			    "wheel:x:10:root,app\n"
			    "app:x:1001:app\n"
			    "extra:x:50:other,app\n"
			    "near:x:51:application,ap\n"
			    "60:x:61:\n";

static void
show(const struct user *u, struct buf *out)
{
	buf_addf(out, "%u:%u [", u->uid, u->gid);
	for (size_t i = 0; i < u->group_count; i++)
		buf_addf(out, "%s%u", i > 0 ? " " : "", u->groups[i]);
	buf_addf(out, "] %s", u->home);
}

TEST(a_user_is_found_as_the_table_says)
{
	AUTO(buf) struct buf table = BUF_INIT;
	AUTO(strv) struct strv rows = STRV_INIT;
	struct err err;

	works(file_read(AT_FDCWD, TESTDATA "/user.tsv", 65536, &table, &err));
	strv_split(&rows, table.data, "\n");
	for (size_t i = 0; i < rows.count; i++) {
		AUTO(strv) struct strv cells = STRV_INIT;
		AUTO(user) struct user u = USER_INIT;
		AUTO(buf) struct buf got = BUF_INIT;

		if (rows.items[i][0] == '#' || rows.items[i][0] == '\0')
			continue;
		strv_split(&cells, rows.items[i], "\t");
		same_int(cells.count, 2);
		if (user_find_in(passwd, sizeof passwd - 1, group, sizeof group - 1, cells.items[0],
			    &u, &err) < 0)
			buf_adds(&got, err.msg);
		else
			show(&u, &got);
		same_str(got.data, cells.items[1]);
	}
}

TEST(a_million_groups_are_read_in_good_time)
{
	AUTO(buf) struct buf groups = BUF_INIT;
	AUTO(user) struct user u = USER_INIT;
	struct err err;

	for (unsigned i = 0; i < 400000; i++)
		buf_addf(&groups, "g:x:%u:app\n", i);
	works(user_find_in(passwd, sizeof passwd - 1, groups.data, groups.len, "app", &u, &err));
	same_int(u.group_count, USER_GROUPS_MAX);
}

TEST(a_root_without_files_has_numbers_only)
{
	AUTO(user) struct user u = USER_INIT;
	char dir[] = "/tmp/cooper-user-XXXXXX";
	struct err err;
	int root;

	assert_non_null(mkdtemp(dir));
	root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	works(user_find(root, "12:13", &u, &err));
	same_int(u.uid, 12);
	same_int(u.gid, 13);
	fails(user_find(root, "app", &u, &err), "user 'app' is not in the root's /etc/passwd");
	same_int(u.uid, 12); /* untouched */
	close(root);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_user_is_found_as_the_table_says),
		CASE(a_million_groups_are_read_in_good_time),
		CASE(a_root_without_files_has_numbers_only),
	};

	return RUN(tests);
}
