/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "layers/listing.h"

static void
add(struct listing *l, const char *path, enum entry_kind kind, const char *link)
{
	struct entry e = { .path = (char *)(uintptr_t)path,
		.kind = kind,
		.mode = 0644,
		.uid = 1,
		.gid = 2,
		.mtime = -5,
		.mtime_ns = 7,
		.link = (char *)(uintptr_t)link };

	listing_add(l, &e);
}

/* "dir:D a:F ..." */
static char *
shape(const struct listing *l)
{
	static const char letters[] = "FDLHCBPWO";
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < l->count; i++)
		buf_addf(&b, "%s%s:%c", i > 0 ? " " : "", l->entries[i].path,
			letters[l->entries[i].kind]);
	return buf_steal(&b);
}

TEST(sorting_puts_a_directory_before_what_it_holds)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(free) char *got = NULL;

	add(&l, "a-b", ENTRY_FILE, NULL);
	add(&l, "a/c", ENTRY_FILE, NULL);
	add(&l, "a", ENTRY_DIR, NULL);
	add(&l, "", ENTRY_DIR, NULL);
	listing_sort(&l);
	got = shape(&l);
	same_str(got, ":D a:D a/c:F a-b:F");
}

TEST(of_several_entries_the_last_wins)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(free) char *got = NULL;

	add(&l, "a", ENTRY_DIR, NULL);
	add(&l, "a", ENTRY_FILE, NULL);
	add(&l, "a", ENTRY_SYMLINK, "x");
	add(&l, "b", ENTRY_OPAQUE, NULL);
	add(&l, "b", ENTRY_DIR, NULL);
	add(&l, "c", ENTRY_OPAQUE, NULL);
	add(&l, "c", ENTRY_DIR, NULL);
	add(&l, "c", ENTRY_FILE, NULL);
	listing_sort(&l);
	got = shape(&l);
	same_str(got, "a:L b:D b:O c:F");
	same_str(l.entries[0].link, "x");
}

TEST(a_whiteout_never_takes_what_its_own_layer_has)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(free) char *got = NULL;

	add(&l, "c", ENTRY_WHITEOUT, NULL);
	add(&l, "c", ENTRY_WHITEOUT, NULL);
	add(&l, "b", ENTRY_WHITEOUT, NULL);
	add(&l, "b", ENTRY_DIR, NULL);
	add(&l, "a", ENTRY_FILE, NULL);
	add(&l, "a", ENTRY_WHITEOUT, NULL);
	listing_sort(&l);
	got = shape(&l);
	same_str(got, "a:F b:D b:O c:W");
}

TEST(find_passes_by_opaque)
{
	AUTO(listing) struct listing l = LISTING_INIT;

	add(&l, "d", ENTRY_DIR, NULL);
	add(&l, "d", ENTRY_OPAQUE, NULL);
	add(&l, "d/x", ENTRY_FILE, NULL);
	add(&l, "e", ENTRY_FILE, NULL);
	listing_sort(&l);
	same_int(listing_find(&l, "d")->kind, ENTRY_DIR);
	same_int(listing_find(&l, "e")->kind, ENTRY_FILE);
	same_str(listing_find(&l, "d/x")->path, "d/x");
	is_true(listing_find(&l, "") == NULL);
	is_true(listing_find(&l, "dx") == NULL);
}

static void
fill(struct listing *l)
{
	struct entry e = { .path = xstrdup("bin/tool"),
		.kind = ENTRY_FILE,
		.mode = 04755,
		.uid = UINT32_MAX,
		.size = UINT64_MAX,
		.mtime = INT64_MIN };

	digest_of("x", 1, &e.digest);
	entry_xattr_add(&e, "security.capability", "\1\0\0\2", 4);
	entry_xattr_add(&e, "user.a", "", 0);
	listing_take(l, &e);
	add(l, "bin", ENTRY_DIR, NULL);
	add(l, "bin/other", ENTRY_HARDLINK, "bin/tool");
	add(l, "bin/sh", ENTRY_SYMLINK, "");
	add(l, "bin", ENTRY_OPAQUE, NULL);
	add(l, "gone\n\xff", ENTRY_WHITEOUT, NULL);
	add(l, "pipe", ENTRY_FIFO, NULL);
	e = (struct entry){ .path = xstrdup("dev"),
		.kind = ENTRY_BLOCK,
		.major = 8,
		.minor = 300,
		.mtime = INT64_MAX };
	listing_take(l, &e);
	listing_sort(l);
}

TEST(the_binary_form_keeps_everything)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listing) struct listing again = LISTING_INIT;
	AUTO(buf) struct buf a = BUF_INIT;
	AUTO(buf) struct buf b = BUF_INIT;
	const struct entry *e;
	struct err err = { 0 };

	fill(&l);
	listing_format(&l, &a);
	works(listing_parse(a.data, a.len, &again, &err));
	listing_format(&again, &b);
	same_bytes(b.data, b.len, a.data, a.len);
	e = listing_find(&again, "bin/tool");
	same_int(e->mode, 04755);
	same_int(e->mtime, INT64_MIN);
	is_true(e->size == UINT64_MAX && e->uid == UINT32_MAX);
	same_int(e->xattr_count, 2);
	same_bytes(e->xattrs[0].value, e->xattrs[0].len, "\1\0\0\2", 4);
	is_true(digest_same(&e->digest, &listing_find(&l, "bin/tool")->digest));
	same_int(listing_find(&again, "dev")->minor, 300);
	same_int(listing_find(&again, "dev")->mtime, INT64_MAX);
}

TEST(a_damaged_form_is_refused_or_reads_as_another_listing)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(buf) struct buf good = BUF_INIT;
	struct err err = { 0 };

	fill(&l);
	listing_format(&l, &good);
	for (size_t len = 0; len < good.len; len++) {
		AUTO(listing) struct listing out = LISTING_INIT;
		AUTO(free) char *cut = xmemdup(good.data, len + 1);

		fails(listing_parse(cut, len, &out, &err), "the listing of a layer is damaged");
	}
	for (size_t i = 0; i < good.len * 8; i++) {
		AUTO(listing) struct listing out = LISTING_INIT;
		AUTO(free) char *flipped = xmemdup(good.data, good.len);

		flipped[i / 8] = (char)(flipped[i / 8] ^ 1 << i % 8);
		if (listing_parse(flipped, good.len, &out, &err) < 0)
			same_int(err.kind, ERR_CORRUPT);
	}
}

TEST(the_content_digest_does_not_see_times)
{
	AUTO(listing) struct listing a = LISTING_INIT;
	AUTO(listing) struct listing b = LISTING_INIT;
	struct digest of_a, of_b;

	fill(&a);
	fill(&b);
	b.entries[0].mtime = 99;
	listing_content_digest(&a, &of_a);
	listing_content_digest(&b, &of_b);
	is_true(!digest_is_empty(&of_a) && digest_same(&of_a, &of_b));
	b.entries[0].mode = 0700;
	listing_content_digest(&b, &of_b);
	is_true(!digest_same(&of_a, &of_b));
	add(&b, "zz", ENTRY_FILE, NULL);
	listing_content_digest(&b, &of_b);
	is_true(digest_is_empty(&of_b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(sorting_puts_a_directory_before_what_it_holds),
		CASE(of_several_entries_the_last_wins),
		CASE(a_whiteout_never_takes_what_its_own_layer_has),
		CASE(find_passes_by_opaque),
		CASE(the_binary_form_keeps_everything),
		CASE(a_damaged_form_is_refused_or_reads_as_another_listing),
		CASE(the_content_digest_does_not_see_times),
	};

	return RUN(tests);
}
