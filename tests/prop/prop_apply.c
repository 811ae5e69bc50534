/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/prop/archives.h"

#include "layers/tree.h"

/* Law: no archive, however made, changes what is outside of its tree, and the listing of an archive
 * is what is in the tree afterwards. */

static void
differ(uint64_t seed, const struct entry *a, const struct entry *b, const char *what)
{
	print_error("# SEED=%" PRIu64
		    ": %s differ: listed '%s' of kind %d, on disk '%s' of kind %d\n",
		seed, what, a != NULL ? a->path : "(nothing)", a != NULL ? (int)a->kind : -1,
		b != NULL ? b->path : "(nothing)", b != NULL ? (int)b->kind : -1);
	fail();
}

static const char *
difference(const struct entry *a, const struct entry *b)
{
	if (strcmp(a->path, b->path) != 0 || a->kind != b->kind)
		return "names or kinds";
	if (!streq(a->link, b->link))
		return "links";
	if (a->kind == ENTRY_WHITEOUT || a->kind == ENTRY_OPAQUE || a->kind == ENTRY_HARDLINK)
		return NULL;
	if (a->size != b->size || (a->mode != b->mode && a->kind != ENTRY_SYMLINK))
		return "sizes or modes";
	if (a->uid != b->uid || a->gid != b->gid)
		return "owners";
	if (a->mtime != b->mtime)
		return "times";
	return a->xattr_count != b->xattr_count ? "attributes" : NULL;
}

/* The root is not in the archive. */
static void
same_listing(uint64_t seed, const struct listing *listed, int tree)
{
	struct tree_options o = { .kind = TREE_OVERLAY };
	AUTO(listing) struct listing disk = LISTING_INIT;
	AUTO(listed) struct listed one = LISTED_INIT, other = LISTED_INIT;
	struct err err = { 0 };
	size_t i;

	works(tree_list(tree, &o, &disk, &err));
	for (i = 0; i < listed->count && i + 1 < disk.count; i++) {
		const char *what =
			difference(listing_at(listed, i, &one), listing_at(&disk, i + 1, &other));

		if (what != NULL)
			differ(seed, &one.entry, &other.entry, what);
	}
	if (listed->count + 1 != disk.count)
		differ(seed, i < listed->count ? listing_at(listed, i, &one) : NULL,
			i + 1 < disk.count ? listing_at(&disk, i + 1, &other) : NULL, "counts");
}

static char *
outside(int dir)
{
	struct tree_options o = TREE_OPTIONS_INIT;
	AUTO(listing) struct listing l = LISTING_INIT;
	struct err err = { 0 };
	AUTO(listed) struct listed at = LISTED_INIT;
	AUTO(fd) int canary = make_dir(dir, "canary");
	struct buf text = BUF_INIT;

	works(tree_list(canary, &o, &l, &err));
	for (size_t i = 0; i < l.count; i++) {
		const struct entry *e = listing_at(&l, i, &at);

		buf_addf(&text, "%s %o %" PRId64 " %" PRIu64 "\n", e->path, e->mode, e->mtime,
			e->size);
	}
	return buf_steal(&text);
}

static void
try_one(uint64_t seed, enum apply_form form)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(fd) int tree = make_dir(s.dir, "tree");
	AUTO(free) char *before = NULL;
	AUTO(free) char *after = NULL;
	AUTO(listing) struct listing l = LISTING_INIT;
	struct random r = { seed };
	struct apply_options o = APPLY_OPTIONS_INIT;
	AUTO(apply) struct apply *a = NULL;
	unsigned count = 1 + random_below(&r, 40);
	struct err err = { 0 };
	bool is_whole = true;

	plant(s.dir, "canary/ canary/a=1 canary/b/ canary/b/c=2");
	before = outside(s.dir);
	if (form == APPLY_ROOT)
		plant(tree, "a/ a/b=1 a/c/ a/c/a=2 b->../canary c->/canary");
	o.form = form;
	o.owner = has_many_ids() ? APPLY_OWNER_KEEP : APPLY_OWNER_TRY;
	a = apply_new(tree, &o, &l);
	while (count-- > 0 && is_whole)
		is_whole = random_apply(&r, a, true);
	/* what was refused ends the archive, but not the law about outside */
	if (is_whole) {
		works(apply_finish(a, &err));
		if (form == APPLY_OVERLAY)
			same_listing(seed, &l, tree);
	}
	after = outside(s.dir);
	if (strcmp(before, after) != 0)
		print_error("# SEED=%" PRIu64 "\n", seed);
	same_str(after, before);
}

TEST(no_archive_writes_outside_and_its_listing_is_the_tree)
{
	uint64_t seed = random_seed();
	unsigned runs = random_runs(400);

	print_message("# SEED=%" PRIu64 " RUNS=%u\n", seed, runs);
	for (unsigned i = 0; i < runs; i++) {
		if (getenv("SHOW") != NULL)
			print_message("# SEED=%" PRIu64 "\n", seed + i);
		try_one(seed + i, APPLY_OVERLAY);
		try_one(seed + i, APPLY_ROOT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(no_archive_writes_outside_and_its_listing_is_the_tree),
	};

	become_root();
	return RUN(tests);
}
