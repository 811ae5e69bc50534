/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/trees.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "layers/diff.h"
#include "layers/ownership.h"
#include "layers/tree.h"

TEST(an_attribute_is_two_numbers_and_perhaps_a_device)
{
	static const char *const bad[] = { "", "1", "1:", ":1", "1:2:", "1:2:x:1:2", "1:2:c:1",
		"1:2:c:1:", "4294967296:0", "-1:0", " 1:2", "1:2 ", "1:2:b:1:2:3" };
	const struct ownership device = { 0, 6, S_IFBLK, 8, 1 },
			       plain = { 33, 4294967295, 0, 0, 0 };
	char text[OWNERSHIP_TEXT_SIZE];
	struct ownership got = { 7, 7, 0, 0, 0 };

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		is_true(!ownership_parse(bad[i], strlen(bad[i]), &got));
	same_int(got.uid, 7);
	same_int(ownership_format(&device, text), 9);
	same_str(text, "0:6:b:8:1");
	is_true(ownership_parse(text, strlen(text), &got));
	same_bytes(&got, sizeof got, &device, sizeof device);
	ownership_format(&plain, text);
	same_str(text, "33:4294967295");
	is_true(ownership_parse(text, strlen(text), &got));
	same_bytes(&got, sizeof got, &plain, sizeof plain);
}

TEST(a_table_finds_what_was_put_last_by_inode_and_birth)
{
	AUTO(owners) struct owners o = OWNERS_INIT, again = OWNERS_INIT;
	AUTO(fd) int fd = -1;
	struct ownership_row row = { .dev = 1, .born = 5 };
	struct err err = { 0 };

	is_true(owners_find(&o, &row) == NULL);
	for (uint32_t i = 1; i <= 3000; i++) {
		row.ino = i % 1000 + 1;
		row.born_ns = i % 2;
		row.upper = i % 10 == 0 ? 0 : i + 5000;
		row.owner.uid = i;
		owners_put(&o, &row);
	}
	same_int(o.count, 1000);
	row.ino = 8;
	row.born_ns = 1;
	same_int(owners_find(&o, &row)->owner.uid, 2007);
	row.born_ns = 0;
	is_true(owners_find(&o, &row) == NULL);
	fd = fd_memory("owners", &err);
	works(owners_write(&o, fd, &err));
	works(owners_read_upper(fd, 9, &again, &err));
	same_int(again.count, 900);
	row = (struct ownership_row){ .dev = 9, .ino = 7007, .born = 5, .born_ns = 1 };
	same_int(owners_find(&again, &row)->owner.uid, 2007);
}

static void
note(const struct scratch *s, const char *name, const char *text)
{
	AUTO(fd) int fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC);

	same_int(fsetxattr(fd, OWNERSHIP_ATTRIBUTE, text, strlen(text), 0), 0);
}

static char *
owners_of(int dir, enum tree_kind kind, const struct owners *table)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;
	struct buf text = BUF_INIT;
	struct tree_options o = { .kind = kind, .owners = table };
	struct err err = { 0 };

	works(tree_list(dir, &o, &l, &err));
	for (size_t i = 0; i < l.count; i++) {
		const struct entry *e = listing_at(&l, i, &at);

		same_int(e->xattr_count, 0);
		if (e->uid != getuid() || e->kind == ENTRY_CHAR)
			buf_addf(&text, "%s %d %u:%u %u:%u; ", e->path, (int)e->kind, e->uid,
				e->gid, e->major, e->minor);
	}
	return buf_steal(&text);
}

TEST(an_overlay_is_believed_whose_its_files_are_only_with_owners)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(owners) struct owners table = OWNERS_INIT;
	AUTO(free) char *plain = NULL, *overlay = NULL, *on_disk = NULL;
	struct ownership_row row = { .owner = { .uid = 5001, .gid = 6 } };
	struct statx st;

	plant(s.dir, "d/ d/f=1 d/g==d/f dev bad l->x");
	note(&s, "d", "4001:41");
	note(&s, "d/f", "4002:42");
	note(&s, "dev", "0:6:c:1:3");
	note(&s, "bad", "4003:");
	same_int(statx(s.dir, "l", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &st), 0);
	row.dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	row.ino = st.stx_ino;
	row.born = st.stx_btime.tv_sec;
	row.born_ns = st.stx_btime.tv_nsec;
	owners_put(&table, &row);
	plain = owners_of(s.dir, TREE_PLAIN, &table);
	same_str(plain, "");
	/* whoever may be several users could otherwise make his own file root's */
	on_disk = owners_of(s.dir, TREE_OVERLAY, NULL);
	same_str(on_disk, "");
	overlay = owners_of(s.dir, TREE_OVERLAY, &table);
	same_str(overlay, "d 1 4001:41 0:0; d/f 0 4002:42 0:0; d/g 3 4002:42 0:0; dev 4 0:6 1:3; "
			  "l 2 5001:6 0:0; ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_attribute_is_two_numbers_and_perhaps_a_device),
		CASE(a_table_finds_what_was_put_last_by_inode_and_birth),
		CASE(an_overlay_is_believed_whose_its_files_are_only_with_owners),
	};

	return RUN(tests);
}
