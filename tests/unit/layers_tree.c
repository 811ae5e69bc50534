/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/trees.h"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "base/event.h"
#include "layers/tree.h"
#include "layers/xattr.h"

static char *
listed(int dir, enum tree_kind kind)
{
	AUTO(listed) struct listed before = LISTED_INIT, at = LISTED_INIT;
	AUTO(listing) struct listing l = LISTING_INIT;
	struct tree_options o = TREE_OPTIONS_INIT;
	struct err err = { 0 };

	o.kind = kind;
	works(tree_list(dir, &o, &l, &err));
	for (size_t i = 1; i < l.count; i++)
		is_true(entry_compare(listing_at(&l, i - 1, &before), listing_at(&l, i, &at)) < 0);
	return shown(&l);
}

TEST(siblings_come_sorted_and_what_they_hold_right_behind)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(free) char *got = NULL;

	plant(s.dir, "b/ b/z b/a=xyz b.c a->b p| b/c/ b/c/d=1");
	got = listed(s.dir, TREE_PLAIN);
	same_str(got, "a->b b/ b/a=3 b/c/ b/c/d=1 b/z=0 b.c=0 p|");
}

TEST(the_first_name_of_a_file_is_the_file)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(free) char *got = NULL;

	plant(s.dir, "z=abc m==z d/ d/e==z l->x k==l p| q==p");
	got = listed(s.dir, TREE_PLAIN);
	same_str(got, "d/ d/e=3 k->x l==k m==d/e p| q==p z==d/e");
}

static void
count_warnings(const struct event *e, void *arg)
{
	if (e->kind == EVENT_WARN)
		++*(int *)arg;
}

TEST(sockets_are_left_out_with_a_warning)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(free) char *got = NULL;
	AUTO(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	event_listener *before;
	void *before_arg;
	int warnings = 0;

	snprintf(name.sun_path, sizeof name.sun_path, "%s/s", s.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	plant(s.dir, "a t");
	event_listen(count_warnings, &warnings, &before, &before_arg);
	got = listed(s.dir, TREE_PLAIN);
	event_listen(before, before_arg, NULL, NULL);
	same_str(got, "a=0 t=0");
	same_int(warnings, 1);
}

TEST(a_tree_may_be_deeper_than_descriptors)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(listing) struct listing l = LISTING_INIT;
	struct tree_options o = TREE_OPTIONS_INIT;
	struct rlimit saved, low;
	struct err err = { 0 };
	int fd = dup(s.dir);

	for (int i = 0; i < 300; i++) {
		int next = make_dir(fd, "a");

		make_file(fd, "z", "");
		close(fd);
		fd = next;
	}
	close(fd);
	getrlimit(RLIMIT_NOFILE, &saved);
	low = saved;
	low.rlim_cur = 100;
	setrlimit(RLIMIT_NOFILE, &low);
	works(tree_list(s.dir, &o, &l, &err));
	setrlimit(RLIMIT_NOFILE, &saved);
	same_int(l.count, 601);
}

TEST(attributes_of_layers_are_read_and_no_others)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(free) char *path = xasprintf("%s/f", s.path);
	struct tree_options o = TREE_OPTIONS_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;
	char large[2000];
	const struct entry *e;
	struct err err = { 0 };

	plant(s.dir, "f");
	if (setxattr(path, "user.b", "", 0, 0) < 0)
		skip();
	memset(large, 'x', sizeof large);
	works(setxattr(path, "user.a", large, sizeof large, 0));
	works(setxattr(path, "user.overlay.origin", "o", 1, 0));
	works(tree_list(s.dir, &o, &l, &err));
	e = listing_at(&l, listing_find(&l, "f"), &at);
	same_int(e->xattr_count, 2);
	same_str(e->xattrs[0].name, "user.a");
	same_bytes(e->xattrs[0].value, e->xattrs[0].len, large, sizeof large);
	same_str(e->xattrs[1].name, "user.b");
	same_int(e->xattrs[1].len, 0);
	is_true(!xattr_is_layers("trusted.overlay.opaque"));
	is_true(!xattr_is_layers("security.selinux"));
	is_true(!xattr_is_layers("system.posix_acl_access"));
	is_true(xattr_is_layers("security.capability"));
}

static void
plant_overlay(void *arg)
{
	const struct scratch *s = arg;
	AUTO(free) char *opaque = xasprintf("%s/d", s->path);
	AUTO(free) char *mark = xasprintf("%s/w", s->path);

	plant(s->dir, "d/ e/ w f");
	if (mknodat(s->dir, "gone", S_IFCHR, makedev(0, 0)) < 0 ||
		linkat(s->dir, "gone", s->dir, "e/gone", 0) < 0 ||
		setxattr(opaque, "user.overlay.opaque", "y", 1, 0) < 0 ||
		setxattr(mark, "user.overlay.whiteout", "", 0, 0) < 0)
		_exit(2);
}

TEST(an_overlays_marks_become_entries)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(free) char *got = NULL;
	int status = inside(plant_overlay, &s);

	if (status == 2)
		skip();
	same_int(status, 0);
	got = listed(s.dir, TREE_OVERLAY);
	same_str(got, "d/ d* e/ -e/gone f=0 -gone -w");
}

static int
leave_d(const struct entry *e, int dir, const char *name, void *arg, struct err *err)
{
	(void)dir;
	(void)name;
	(void)err;
	buf_addf(arg, "%s ", e->path);
	return strcmp(e->path, "d") == 0 ? 1 : strcmp(e->path, "e") == 0 ? -1 : 0;
}

TEST(a_visitor_may_stay_out_or_stop)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(buf) struct buf got = BUF_INIT;
	struct tree_options o = TREE_OPTIONS_INIT;
	struct err err = { 0 };

	plant(s.dir, "c d/ d/x e f");
	same_int(tree_walk(s.dir, &o, leave_d, &got, &err), -1);
	same_str(got.data, " c d e ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(siblings_come_sorted_and_what_they_hold_right_behind),
		CASE(the_first_name_of_a_file_is_the_file),
		CASE(sockets_are_left_out_with_a_warning),
		CASE(a_tree_may_be_deeper_than_descriptors),
		CASE(attributes_of_layers_are_read_and_no_others),
		CASE(an_overlays_marks_become_entries),
		CASE(a_visitor_may_stay_out_or_stop),
	};

	return RUN(tests);
}
