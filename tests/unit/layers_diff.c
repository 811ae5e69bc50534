/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/trees.h"

#include <sys/mount.h>
#include <sys/xattr.h>

#include "layers/diff.h"
#include "layers/tree.h"

/* What a program does in a root that is stacked by the kernel, and the diff of it. */
struct story {
	struct scratch *s;
	void (*act)(int merged);
	const char *leave_out;
};

static void
write_answer(int dir, const struct listing *l, const struct err *err)
{
	AUTO(free) char *text = err->kind != ERR_NONE ? xstrdup(err->msg) : shown(l);

	make_file(dir, "answer", text);
}

static void
play(void *arg)
{
	const struct story *story = arg;
	AUTO(listing) struct listing below = LISTING_INIT;
	AUTO(listing) struct listing changes = LISTING_INIT;
	AUTO(strv) struct strv stubs = STRV_INIT;
	AUTO(view) struct view *lower = NULL;
	const struct listing *layers[] = { &below };
	struct tree_options o = { .kind = TREE_OVERLAY };
	int lower_fd, upper_fd, merged_fd;
	struct err err = { 0 };

	if (chdir(story->s->path) < 0 ||
		mount("overlay", "merged", "overlay", 0,
			"userxattr,lowerdir=lower,upperdir=upper,workdir=work") < 0)
		_exit(2);
	lower_fd = make_dir(AT_FDCWD, "lower");
	upper_fd = make_dir(AT_FDCWD, "upper");
	merged_fd = make_dir(AT_FDCWD, "merged");
	story->act(merged_fd);
	if (tree_list(lower_fd, &o, &below, &err) < 0)
		_exit(3);
	lower = view_new(layers, 1);
	if (story->leave_out != NULL)
		strv_split(&stubs, story->leave_out, " ");
	diff_upper(upper_fd, lower, &stubs, NULL, &changes, &err);
	write_answer(story->s->dir, &changes, &err);
	close(merged_fd);
	close(upper_fd);
	close(lower_fd);
	umount2("merged", MNT_DETACH);
	/* overlay leaves a directory there that only its maker may remove */
	path_remove(story->s->dir, "work", &err);
}

/* The diff, or NULL where the kernel cannot do it. */
static char *
diff_of(const char *lower, void (*act)(int merged), const char *leave_out)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(fd) int lower_fd = make_dir(s.dir, "lower");
	AUTO(buf) struct buf answer = BUF_INIT;
	AUTO(fd) int fd = -1;
	struct story story = { &s, act, leave_out };
	struct err err = { 0 };
	int status;

	plant(s.dir, "upper/ work/ merged/");
	plant(lower_fd, lower);
	status = inside(play, &story);
	if (status == 2)
		return NULL;
	same_int(status, 0);
	fd = openat(s.dir, "answer", O_RDONLY | O_CLOEXEC);
	works(buf_read(&answer, fd, 65536, &err));
	return buf_steal(&answer);
}

#define changes(lower, act, leave_out, wanted)                          \
	do {                                                            \
		AUTO(free) char *got_ = diff_of(lower, act, leave_out); \
		if (got_ == NULL)                                       \
			skip();                                         \
		same_str(got_, wanted);                                 \
	} while (0)

static void
nothing(int merged)
{
	(void)merged;
}

static void
change_files(int merged)
{
	make_file(merged, "d/a", "changed");
	make_file(merged, "new", "xy");
	unlinkat(merged, "d/b", 0);
	unlinkat(merged, "c", 0);
	make_file(merged, "came", "");
	unlinkat(merged, "came", 0);
}

TEST(files_come_change_and_go)
{
	changes("d/ d/a d/b c", nothing, NULL, "");
	changes("d/ d/a d/b c d/keep", change_files, NULL, "-c d/ d/a=7 -d/b new=2");
}

static void
change_directories(int merged)
{
	plant(merged, "fresh/ fresh/x");
	unlinkat(merged, "old/x", 0);
	unlinkat(merged, "old", AT_REMOVEDIR);
	plant(merged, "old/ old/y");
	unlinkat(merged, "gone/x", 0);
	unlinkat(merged, "gone", AT_REMOVEDIR);
	unlinkat(merged, "file", 0);
	plant(merged, "file/");
	unlinkat(merged, "was/", AT_REMOVEDIR);
	plant(merged, "was=1");
}

TEST(a_directory_is_opaque_only_where_there_was_one)
{
	changes("old/ old/x gone/ gone/x file was/", change_directories, NULL,
		"file/ fresh/ fresh/x=0 -gone old/ old* old/y=0 was=1");
}

static void
link_files(int merged)
{
	assert_int_equal(linkat(merged, "a", merged, "b", 0), 0);
	plant(merged, "x=12 y==x");
}

TEST(names_of_one_file_stay_together)
{
	changes("a=123", link_files, NULL, "a=3 b==a x=2 y==x");
}

static void
make_stubs(int merged)
{
	plant(merged, "etc/hosts run/secrets/ run/secrets/k dev/ proc/ opt/tool/ opt/tool/socket "
		      "opt/mine");
}

static void
touch_mode(int merged)
{
	make_stubs(merged);
	assert_int_equal(fchmodat(merged, "etc", 0700, 0), 0);
}

static void
replace_etc(int merged)
{
	unlinkat(merged, "etc", AT_REMOVEDIR);
	plant(merged, "etc/ etc/hosts");
}

#define STUBS "etc/hosts run/secrets/k dev proc opt/tool/socket"

TEST(mount_stubs_are_left_out_and_what_was_made_for_them)
{
	changes("etc/ run/ opt/", make_stubs, STUBS, "opt/ opt/mine=0");
	changes("etc/ run/ opt/", touch_mode, STUBS, "etc/ opt/ opt/mine=0");
	changes("etc/", replace_etc, STUBS, "etc/ etc*");
}

static void
write_beside(int merged)
{
	plant(merged, "run/ run/secrets/ run/secrets/k run/pid dev/ dev/shm");
}

TEST(what_was_written_beside_a_stub_stays)
{
	changes("", write_beside, "run/secrets/k dev", "dev/ dev/shm=0 run/ run/pid=0");
}

TEST(the_root_is_part_of_a_change_only_when_it_changed)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;
	struct err err = { 0 };

	fchmod(s.dir, 0755);
	plant(s.dir, "a");
	works(diff_upper(s.dir, NULL, NULL, NULL, &l, &err));
	if (getuid() == 0)
		same_int(l.count, 1);
	fchmod(s.dir, 0700);
	listing_free(&l);
	works(diff_upper(s.dir, NULL, NULL, NULL, &l, &err));
	same_int(l.count, 2);
	same_str(listing_at(&l, 0, &at)->path, "");
}

TEST(a_redirect_is_refused)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(free) char *path = xasprintf("%s/d", s.path);
	AUTO(listing) struct listing l = LISTING_INIT;
	struct err err = { 0 };

	plant(s.dir, "d/");
	if (setxattr(path, "user.overlay.redirect", "/x", 2, 0) < 0)
		skip();
	fails(diff_upper(s.dir, NULL, NULL, NULL, &l, &err),
		"'d' is a redirect or metacopy of overlay, not a whole file");
	same_int(err.kind, ERR_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(files_come_change_and_go),
		CASE(a_directory_is_opaque_only_where_there_was_one),
		CASE(names_of_one_file_stay_together),
		CASE(mount_stubs_are_left_out_and_what_was_made_for_them),
		CASE(what_was_written_beside_a_stub_stays),
		CASE(the_root_is_part_of_a_change_only_when_it_changed),
		CASE(a_redirect_is_refused),
	};

	return RUN(tests);
}
