/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/trees.h"

#include <sys/xattr.h>

#include "layers/apply.h"
#include "layers/ownership.h"
#include "layers/tree.h"
#include "layers/xattr.h"

/* One word of an archive, as in trees.h: "d/ f=bytes l->t h==x p| -gone d* c:1,3". */
static void
word_entry(char *word, struct entry *e, const char **content)
{
	char *arrow = strstr(word, "->"), *same = strstr(word, "=="), *equals = strchr(word, '=');
	char *colon = strchr(word, ':');
	size_t len = strlen(word);

	*e = (struct entry){ .kind = ENTRY_FILE,
		.mode = 0644,
		.uid = getuid(),
		.gid = getgid(),
		.mtime = 1000000000 };
	*content = "";
	if (word[0] == '-' && arrow == NULL) {
		e->kind = ENTRY_WHITEOUT;
		word++;
	} else if (arrow != NULL) {
		e->kind = ENTRY_SYMLINK;
		e->link = xstrdup(arrow + 2);
		*arrow = '\0';
	} else if (same != NULL) {
		e->kind = ENTRY_HARDLINK;
		e->link = xstrdup(same + 2);
		*same = '\0';
	} else if (equals != NULL) {
		*content = equals + 1;
		*equals = '\0';
	} else if (colon != NULL) {
		e->kind = ENTRY_CHAR;
		sscanf(colon, ":%u,%u", &e->major, &e->minor);
		*colon = '\0';
	} else if (len > 0 && strchr("/*|", word[len - 1]) != NULL) {
		e->kind = word[len - 1] == '/'   ? ENTRY_DIR
			  : word[len - 1] == '*' ? ENTRY_OPAQUE
						 : ENTRY_FIFO;
		e->mode = e->kind == ENTRY_DIR ? 0755 : 0644;
		word[len - 1] = '\0';
	}
	e->path = xstrdup(word);
	e->size = strlen(*content);
}

/* Only root may give files away. */
static struct apply_options
options(void)
{
	struct apply_options o = APPLY_OPTIONS_INIT;

	o.owner = getuid() == 0 ? APPLY_OWNER_KEEP : APPLY_OWNER_TRY;
	return o;
}

static int
apply_text(int tree, const char *text, const struct apply_options *o, struct listing *out,
	struct err *err)
{
	AUTO(apply) struct apply *a = apply_new(tree, o, out);
	AUTO(strv) struct strv words = STRV_INIT;

	strv_split(&words, text, " ");
	for (size_t i = 0; i < words.count; i++) {
		AUTO(entry) struct entry e = { .path = NULL };
		const char *content;

		if (words.items[i][0] == '\0')
			continue;
		word_entry(words.items[i], &e, &content);
		if (apply_entry(a, &e, err) < 0 ||
			(e.size > 0 && apply_data(a, content, e.size, err) < 0))
			return -1;
	}
	return apply_finish(a, err);
}

static char *
tree_text(int dir, enum tree_kind kind)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	struct tree_options o = { .kind = kind };
	struct err err = { 0 };

	works(tree_list(dir, &o, &l, &err));
	return shown(&l);
}

/* Applies onto a tree of two layers' text, in the form. */
static void
check(const char *before, enum apply_form form, const char *text, const char *wanted,
	const char *in_tree)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(free) char *listed = NULL;
	AUTO(free) char *planted = NULL;
	struct apply_options o = options();
	AUTO(fd) int dir = make_dir(s.dir, "tree");
	struct err err = { 0 };

	o.form = form;
	make_file(s.dir, "canary", "alive");
	plant(dir, before);
	if (apply_text(dir, text, &o, &l, &err) < 0) {
		same_str(err.msg, wanted);
		same_int(err.kind, ERR_INPUT);
	} else {
		listed = shown(&l);
		same_str(listed, wanted);
		planted = tree_text(dir, form == APPLY_OVERLAY ? TREE_OVERLAY : TREE_PLAIN);
		same_str(planted, in_tree != NULL ? in_tree : wanted);
	}
	planted = (free(planted), tree_text(s.dir, TREE_PLAIN));
	is_true(starts_with(planted, "canary=5 tree/"));
}

struct row {
	const char *text, *wanted, *in_tree;
};

TEST(files_of_every_kind_are_made)
{
	static const struct row rows[] = {
		{ "a=1 d/ d/b=22 l->d p| h==a", "a=1 d/ d/b=2 h==a l->d p|", NULL },
		{ "", "", NULL },
		{ "x/y/z=1", "x/ x/y/ x/y/z=1", NULL },
		{ "z=1 a==z m==a", "a=1 m==a z==a", NULL },
		{ "l->x k==l", "k->x l==k", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check("", APPLY_OVERLAY, rows[i].text, rows[i].wanted, rows[i].in_tree);
}

TEST(what_comes_later_takes_the_place)
{
	static const struct row rows[] = {
		{ "a=1 a=22", "a=2", NULL },
		{ "a/ a/b=1 a=22", "a=2", NULL },
		{ "a/ a/b=1 a=22 a/ a/c=1", "a/ a/c=1", NULL },
		{ "a/ a/b=1 a/", "a/ a/b=1", NULL },
		{ "a->/x a=22", "a=2", NULL },
		{ "a=1 a->/x", "a->/x", NULL },
		{ "a->../canary a=22", "a=2", NULL },
		{ "d/ d/e/ d/e/f=1 d->/x", "d->/x", NULL },
		{ "a=1 b==a a=333", "a=3 b=1", NULL },
		{ "a=1 b==a c==b a=333", "a=3 b=1 c==b", NULL },
		{ "d/ d/a=1 b==d/a c==b d=9", "b=1 c==b d=1", NULL },
		{ "l->x k==l l=1", "k->x l=1", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check("", APPLY_OVERLAY, rows[i].text, rows[i].wanted, rows[i].in_tree);
}

TEST(links_on_the_way_stay_in_the_tree)
{
	static const struct row rows[] = {
		{ "d->/tmp d/f=1", "d->/tmp tmp/ tmp/f=1", NULL },
		{ "d->../.. d/canary=22", "canary=2 d->../..", NULL },
		{ "d->.. d/canary=22", "canary=2 d->..", NULL },
		{ "r/ l->r l/f=1 l/g=2", "l->r r/ r/f=1 r/g=1", NULL },
		{ "r/ l->r l/f=1 l->s l/f=1", "l->s r/ r/f=1 s/ s/f=1", NULL },
		{ "a->b b->a a/f=1", "'a' leads through more than 40 links", NULL },
		{ "a=1 a/f=1", "'a' lies in 'a', which is not a directory", NULL },
		{ "d->/proc/self/root/tmp d/f=1",
			"d->/proc/self/root/tmp proc/ proc/self/ proc/self/root/ "
			"proc/self/root/tmp/ proc/self/root/tmp/f=1",
			NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check("", APPLY_OVERLAY, rows[i].text, rows[i].wanted, rows[i].in_tree);
}

TEST(hard_links_are_to_files_of_the_tree)
{
	static const struct row rows[] = {
		{ "h==../canary",
			"'h' is a hard link to '../canary', which this archive does not have",
			NULL },
		{ "h==tmp/canary",
			"'h' is a hard link to 'tmp/canary', which this archive does not have",
			NULL },
		{ "h==h", "'h' is a hard link to 'h', which this archive does not have", NULL },
		{ "h=1 h==h", "'h' is a hard link to itself", NULL },
		{ "d/ h==d", "'h' is a hard link to 'd', which is a directory", NULL },
		{ "-w h==w", "'h' is a hard link to 'w', which this archive does not have", NULL },
		{ "r/ r/f=1 l->/r h==l/f", "h=1 l->/r r/ r/f==h", NULL },
		{ "l->../canary h==l", "h->../canary l==h", NULL },
		{ "l->.. h==l/canary",
			"'h' is a hard link to 'l/canary', which this archive does not have",
			NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check("", APPLY_OVERLAY, rows[i].text, rows[i].wanted, rows[i].in_tree);
}

TEST(the_root_stays)
{
	static const struct row rows[] = {
		{ "->/tmp", "the archive replaces its own root by something else", NULL },
		{ "=x", "the archive replaces its own root by something else", NULL },
		{ "/ a=1", "a=1", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check("", APPLY_OVERLAY, rows[i].text, rows[i].wanted, rows[i].in_tree);
}

TEST(device_zero_is_left_out)
{
	static const struct row rows[] = {
		{ "z:0,0 a=1", "a=1", NULL },
		{ "a=1 a:0,0", "a=1", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check("", APPLY_OVERLAY, rows[i].text, rows[i].wanted, rows[i].in_tree);
}

TEST(a_device_that_cannot_be_made_stays_in_the_listing)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(free) char *listed = NULL;
	AUTO(free) char *planted = NULL;
	struct apply_options o = options();
	struct err err = { 0 };

	o.no_devices = true;
	works(apply_text(s.dir, "dev/ dev/null:1,3 dev/x=1 dev/x:1,5", &o, &l, &err));
	listed = shown(&l);
	planted = tree_text(s.dir, TREE_PLAIN);
	same_str(listed, "dev/ dev/null:c1,3 dev/x:c1,5");
	same_str(planted, "dev/");
}

TEST(one_path_ten_thousand_times)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(free) char *listed = NULL;
	AUTO(buf) struct buf text = BUF_INIT;
	struct apply_options o = options();
	struct err err = { 0 };

	for (int i = 0; i < 2500; i++)
		buf_adds(&text, "b=2 a=1 a/ a/x=1 a->/tmp a==b ");
	buf_adds(&text, "a->end");
	works(apply_text(s.dir, text.data, &o, &l, &err));
	listed = shown(&l);
	same_str(listed, "a->end b=1");
}

static void
whiteouts(void *arg)
{
	static const struct row rows[] = {
		{ "-a d/ -d/b", "-a d/ -d/b", NULL },
		{ "-x/y", "x/ -x/y", NULL },
		{ "a=1 -a", "a=1", NULL },
		{ "-a a=1", "a=1", NULL },
		{ "-d d/ d/f=1", "d/ d* d/f=1", NULL },
		{ "-d d/f=1", "d/ d* d/f=1", NULL },
		{ "d/ d/f=1 -d", "d/ d* d/f=1", NULL },
		{ "d* d/f=1", "d/ d* d/f=1", NULL },
		{ "d/ d/f=1 d*", "d/ d* d/f=1", NULL },
		{ "l->d d/ l*", "d/ d* l->d", NULL },
		{ "l->/tmp -l/x", "l->/tmp tmp/ -tmp/x", NULL },
		{ "-a -a -b", "-a -b", NULL },
	};

	(void)arg;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check("", APPLY_OVERLAY, rows[i].text, rows[i].wanted, rows[i].in_tree);
}

TEST(whiteouts_become_overlays)
{
	int status = inside(whiteouts, NULL);

	if (status == 2)
		skip();
	same_int(status, 0);
}

TEST(onto_a_root_whiteouts_remove)
{
	static const struct {
		const char *before;
		struct row row;
	} rows[] = {
		{ "a=1 b=2", { "-a", "-a", "b=1" } },
		{ "d/ d/x d/y/ d/y/z", { "-d", "-d", "" } },
		{ "d/ d/x d/y/ d/y/z", { "d*", "d*", "d/" } },
		{ "d/ d/x d/y/ d/y/z", { "d/y/new=1 d*", "d/y/new=1 d*", "d/ d/y/ d/y/new=1" } },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(scratch) struct scratch s = scratch();
		AUTO(free) char *got = NULL;
		AUTO(fd) int dir = make_dir(s.dir, "tree");
		struct apply_options o = options();
		struct err err = { 0 };

		o.form = APPLY_ROOT;
		plant(dir, rows[i].before);
		works(apply_text(dir, rows[i].row.text, &o, NULL, &err));
		got = tree_text(dir, TREE_PLAIN);
		same_str(got, rows[i].row.in_tree);
	}
}

TEST(links_of_the_root_are_not_followed_out)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(fd) int dir = make_dir(s.dir, "tree");
	AUTO(free) char *got = NULL;
	struct apply_options o = options();
	struct err err = { 0 };

	o.form = APPLY_ROOT;
	plant(s.dir, "out/ out/keep");
	plant(dir, "d->../out e->../out real/");
	works(apply_text(dir, "-d e/ e/f=1", &o, NULL, &err));
	got = tree_text(s.dir, TREE_PLAIN);
	same_str(got, "out/ out/keep=0 tree/ tree/e/ tree/e/f=1 tree/real/");
}

TEST(times_modes_and_attributes_are_kept)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;
	struct apply_options o = options();
	AUTO(apply) struct apply *a = apply_new(s.dir, &o, &l);
	struct entry d = { .path = (char *)"d",
		.kind = ENTRY_DIR,
		.mode = 0500,
		.mtime = 5,
		.uid = getuid(),
		.gid = getgid() };
	struct entry f = { .path = (char *)"d/f",
		.kind = ENTRY_FILE,
		.mode = 04711,
		.mtime = -7,
		.size = 100000,
		.uid = getuid(),
		.gid = getgid() };
	struct stat st;
	struct err err = { 0 };

	entry_xattr_add(&f, "user.a", "1", 1);
	entry_xattr_add(&f, "user.overlay.opaque", "y", 1);
	entry_xattr_add(&f, "trusted.overlay.redirect", "/x", 2);
	entry_xattr_add(&f, "security.selinux", "x", 1);
	works(apply_entry(a, &d, &err));
	works(apply_entry(a, &f, &err));
	works(apply_hole(a, 99999, &err));
	works(apply_data(a, "x", 1, &err));
	works(apply_finish(a, &err));
	same_int(fstatat(s.dir, "d", &st, 0), 0);
	same_int(st.st_mode & 07777, 0500);
	same_int(st.st_mtime, 5);
	same_int(fstatat(s.dir, "d/f", &st, 0), 0);
	same_int(st.st_mode & 07777, 04711);
	same_int(st.st_mtime, -7);
	same_int(st.st_size, 100000);
	is_true(st.st_blocks < 100);
	same_int(listing_at(&l, 1, &at)->xattr_count, 1);
	same_int(fchmodat(s.dir, "d", 0700, 0), 0);
	free(f.xattrs[0].name);
	f.path = NULL;
	f.xattrs[0].name = xstrdup("x");
	entry_free(&f);
}

TEST(no_layer_says_in_our_attribute_whose_its_files_are)
{
	static const char *const paths[] = { "", "d", "d/f" };
	AUTO(scratch) struct scratch s = scratch();
	AUTO(owners) struct owners none = OWNERS_INIT;
	AUTO(listing) struct listing l = LISTING_INIT, again = LISTING_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;
	AUTO(apply) struct apply *a = NULL;
	struct tree_options read = { .kind = TREE_OVERLAY, .owners = &none };
	struct apply_options o = APPLY_OPTIONS_INIT;
	struct err err = { 0 };

	o.owner = APPLY_OWNER_TRY;
	a = apply_new(s.dir, &o, &l);
	/* the directory comes twice */
	for (size_t i = 0; i < 4; i++) {
		AUTO(entry)
		struct entry e = { .path = xstrdup(paths[i < 3 ? i : 1]),
			.kind = i == 2 ? ENTRY_FILE : ENTRY_DIR,
			.mode = 0755,
			.uid = getuid(),
			.gid = getgid() };

		entry_xattr_add(
			&e, OWNERSHIP_ATTRIBUTE, i == 2 ? "0:6:b:8:0" : "4001:41", i == 2 ? 9 : 7);
		works(apply_entry(a, &e, &err));
	}
	works(apply_finish(a, &err));
	works(tree_list(s.dir, &read, &again, &err));
	same_int(again.count, 3);
	for (size_t i = 0; i < 3; i++) {
		same_int(listing_at(&l, i, &at)->xattr_count, 0);
		same_int(listing_at(&again, i, &at)->uid, getuid());
		same_int(at.entry.kind, i == 2 ? ENTRY_FILE : ENTRY_DIR);
		same_int(xattr_get(s.dir, i == 0 ? "." : paths[i], OWNERSHIP_ATTRIBUTE, NULL, 0),
			-1);
	}
}

TEST(a_parent_looks_as_it_does_below)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(listing) struct listing below = LISTING_INIT;
	const struct listing *layers[] = { &below };
	AUTO(view) struct view *lower = NULL;
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;
	AUTO(free) char *got = NULL;
	struct apply_options o = options();
	struct entry e = { .path = (char *)"tmp",
		.kind = ENTRY_DIR,
		.mode = 01777,
		.mtime = 5,
		.uid = getuid(),
		.gid = getgid() };
	struct entry link = {
		.path = (char *)"lib", .kind = ENTRY_SYMLINK, .link = (char *)"usr/lib"
	};
	struct err err = { 0 };

	listing_add(&below, &e);
	listing_add(&below, &link);
	listing_sort(&below);
	lower = view_new(layers, 1);
	o.lower = lower;
	works(apply_text(s.dir, "tmp/f=1 lib/so=1", &o, &l, &err));
	got = shown(&l);
	same_str(got, "tmp/ tmp/f=1 usr/ usr/lib/ usr/lib/so=1");
	same_int(listing_at(&l, 0, &at)->mode, 01777);
	same_int(at.entry.mtime, 5);
}

TEST(limits_hold)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(buf) struct buf deep = BUF_INIT;
	struct apply_options o = options();
	struct err err = { 0 };

	o.max_entries = 2;
	fails(apply_text(s.dir, "a b c", &o, NULL, &err), "the archive has more than 2 entries");
	o.max_entries = 0;
	o.max_size = 5;
	fails(apply_text(s.dir, "a=123 b=123", &o, NULL, &err),
		"the files of this archive are larger than allowed");
	for (int i = 0; i < APPLY_DEPTH_MAX; i++)
		buf_adds(&deep, "a/");
	buf_adds(&deep, "f");
	same_int(apply_text(s.dir, deep.data, &o, NULL, &err), -1);
	is_true(strstr(err.msg, "more than 4096 components") != NULL);
}

TEST(deep_trees_need_few_descriptors)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listing) struct listing again = LISTING_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(buf) struct buf path = BUF_INIT;
	struct apply_options o = options();
	struct tree_options t = TREE_OPTIONS_INIT;
	struct err err = { 0 };

	for (int i = 0; i < 300; i++) {
		buf_addf(&text, "%sf=1 ", path.data);
		buf_adds(&path, "d/");
	}
	buf_addf(&text, "l->%s../../.. l/l2->%s l/l2/x=1", path.data, path.data);
	works(apply_text(s.dir, text.data, &o, &l, &err));
	works(tree_list(s.dir, &t, &again, &err));
	same_int(again.count, l.count + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(files_of_every_kind_are_made),
		CASE(what_comes_later_takes_the_place),
		CASE(links_on_the_way_stay_in_the_tree),
		CASE(hard_links_are_to_files_of_the_tree),
		CASE(the_root_stays),
		CASE(device_zero_is_left_out),
		CASE(a_device_that_cannot_be_made_stays_in_the_listing),
		CASE(one_path_ten_thousand_times),
		CASE(whiteouts_become_overlays),
		CASE(onto_a_root_whiteouts_remove),
		CASE(links_of_the_root_are_not_followed_out),
		CASE(times_modes_and_attributes_are_kept),
		CASE(no_layer_says_in_our_attribute_whose_its_files_are),
		CASE(a_parent_looks_as_it_does_below),
		CASE(limits_hold),
		CASE(deep_trees_need_few_descriptors),
	};

	return RUN(tests);
}
