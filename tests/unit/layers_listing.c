/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/file.h"
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
	AUTO(listed) struct listed at = LISTED_INIT;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < l->count; i++)
		buf_addf(&b, "%s%s:%c", i > 0 ? " " : "", listing_at(l, i, &at)->path,
			letters[listing_kind(l, i)]);
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
	AUTO(listed) struct listed at = LISTED_INIT;
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
	same_str(listing_at(&l, 0, &at)->link, "x");
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
	same_int(listing_find(&l, "d"), 0);
	same_int(listing_find(&l, "d/x"), 2);
	same_int(listing_find(&l, "e"), 3);
	is_true(listing_find(&l, "") == LISTING_NONE);
	is_true(listing_find(&l, "dx") == LISTING_NONE);
	is_true(listing_find(&l, "d/") == LISTING_NONE);
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
	AUTO(listed) struct listed at = LISTED_INIT, before = LISTED_INIT;
	const struct entry *e;
	struct err err = { 0 };

	fill(&l);
	listing_format(&l, &a);
	works(listing_parse(a.data, a.len, &again, &err));
	listing_format(&again, &b);
	same_bytes(b.data, b.len, a.data, a.len);
	e = listing_at(&again, listing_find(&again, "bin/tool"), &at);
	same_int(e->mode, 04755);
	same_int(e->mtime, INT64_MIN);
	is_true(e->size == UINT64_MAX && e->uid == UINT32_MAX);
	same_int(e->xattr_count, 2);
	same_bytes(e->xattrs[0].value, e->xattrs[0].len, "\1\0\0\2", 4);
	is_true(digest_same(
		&e->digest, &listing_at(&l, listing_find(&l, "bin/tool"), &before)->digest));
	e = listing_at(&again, listing_find(&again, "dev"), &at);
	same_int(e->minor, 300);
	same_int(e->mtime, INT64_MAX);
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

/* Sets one field of entry i. */
#define change(listing, i, field, value)                        \
	do {                                                    \
		AUTO(listed) struct listed at_ = LISTED_INIT;   \
		AUTO(entry) struct entry e_ = { .path = NULL }; \
		entry_copy(listing_at(listing, i, &at_), &e_);  \
		e_.field = value;                               \
		listing_set(listing, i, &e_);                   \
	} while (0)

TEST(the_content_digest_does_not_see_times)
{
	AUTO(listing) struct listing a = LISTING_INIT;
	AUTO(listing) struct listing b = LISTING_INIT;
	struct digest of_a, of_b;

	fill(&a);
	fill(&b);
	change(&b, 0, mtime, 99);
	listing_content_digest(&a, &of_a);
	listing_content_digest(&b, &of_b);
	is_true(!digest_is_empty(&of_a) && digest_same(&of_a, &of_b));
	change(&b, 0, mode, 0700);
	listing_content_digest(&b, &of_b);
	is_true(!digest_same(&of_a, &of_b));
	add(&b, "zz", ENTRY_FILE, NULL);
	listing_content_digest(&b, &of_b);
	is_true(digest_is_empty(&of_b));
}

/* What the hash is over must never change: stores have it in their records. */
TEST(the_content_digest_is_what_it_always_was)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listing) struct listing long_one = LISTING_INIT;
	AUTO(free) char *large = xmalloc(5000);
	struct entry e = { .path = (char *)"f", .kind = ENTRY_FILE };
	struct digest d;

	fill(&l);
	listing_content_digest(&l, &d);
	same_str(d.text, "sha256:b1e114c578d43db65d0f65ed4b36c813488d0a92f7aab4bee736616e7dbc8ddf");
	memset(large, 'v', 5000);
	digest_of("", 0, &e.digest);
	entry_xattr_add(&e, "user.large", large, 5000);
	listing_add(&long_one, &e);
	e.path = NULL;
	entry_free(&e);
	listing_content_digest(&long_one, &d);
	same_str(d.text, "sha256:fb8d31b4ba1d1775c8da95ae812a74f9c16a5cd065ed1b2eda1b70852cc25630");
}

static void
same_entry(const struct entry *a, const struct entry *b)
{
	same_str(a->path, b->path);
	same_int(a->kind, b->kind);
	same_int(a->mode, b->mode);
	is_true(a->uid == b->uid && a->gid == b->gid && a->size == b->size);
	is_true(a->mtime == b->mtime && a->mtime_ns == b->mtime_ns);
	is_true(a->major == b->major && a->minor == b->minor);
	is_true(streq(a->link, b->link));
	same_str(a->digest.text, b->digest.text);
	same_int(a->xattr_count, b->xattr_count);
	for (size_t i = 0; i < a->xattr_count; i++) {
		same_str(a->xattrs[i].name, b->xattrs[i].name);
		same_bytes(
			a->xattrs[i].value, a->xattrs[i].len, b->xattrs[i].value, b->xattrs[i].len);
	}
}

/* What is packed comes back, from memory, from its form and from a file. */
static void
keeps(const struct entry *e)
{
	AUTO(listing) struct listing l = LISTING_INIT, parsed = LISTING_INIT, opened = LISTING_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;
	AUTO(buf) struct buf form = BUF_INIT;
	struct err err = { 0 };
	AUTO(fd) int fd = fd_memory("listing", &err);

	listing_add(&l, e);
	same_entry(listing_at(&l, 0, &at), e);
	listing_format(&l, &form);
	works(listing_parse(form.data, form.len, &parsed, &err));
	same_entry(listing_at(&parsed, 0, &at), e);
	works(listing_write(&l, fd, &err));
	works(listing_open(fd, &opened, &err));
	same_bytes(opened.bytes.data, opened.bytes.len, form.data, form.len);
	same_entry(listing_at(&opened, 0, &at), e);
	/* what is mapped can be changed all the same */
	listing_add(&opened, e);
	same_entry(listing_at(&opened, 0, &at), e);
	same_entry(listing_at(&opened, 1, &at), e);
}

TEST(whatever_is_packed_comes_back)
{
	static const struct entry rows[] = {
		{ .path = (char *)"", .kind = ENTRY_DIR, .mode = 0755 },
		{ .path = (char *)"a", .kind = ENTRY_FILE },
		{ .path = (char *)"a/b", .kind = ENTRY_FILE, .mode = 07777, .size = 1 },
		{ .path = (char *)"a/b\n\x01\xff\x0f/\x0f", .kind = ENTRY_FIFO, .mtime = -1 },
		{ .path = (char *)"...", .kind = ENTRY_SYMLINK, .link = (char *)"" },
		{ .path = (char *)"l", .kind = ENTRY_SYMLINK, .link = (char *)"../\xfe\n" },
		{ .path = (char *)"h/h", .kind = ENTRY_HARDLINK, .link = (char *)"h/f" },
		{ .path = (char *)"c", .kind = ENTRY_CHAR, .major = UINT32_MAX, .minor = 127 },
		{ .path = (char *)"b", .kind = ENTRY_BLOCK, .major = 128, .minor = UINT32_MAX },
		{ .path = (char *)"w/x", .kind = ENTRY_WHITEOUT },
		{ .path = (char *)"w", .kind = ENTRY_OPAQUE },
		{ .path = (char *)"t",
			.kind = ENTRY_FILE,
			.uid = UINT32_MAX,
			.gid = UINT32_MAX,
			.size = UINT64_MAX,
			.mtime = INT64_MIN,
			.mtime_ns = 999999999 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		keeps(&rows[i]);
}

TEST(digests_of_both_lengths_come_back)
{
	struct entry e = { .path = (char *)"d/f", .kind = ENTRY_FILE, .size = 3 };
	AUTO(hasher) struct hasher *h = hasher_new(DIGEST_SHA512);

	digest_of("abc", 3, &e.digest);
	keeps(&e);
	hasher_add(h, "abc", 3);
	hasher_digest(h, &e.digest);
	keeps(&e);
}

TEST(attributes_of_any_size_come_back)
{
	static const size_t sizes[] = { 0, 1, 127, 128, 65536, 300000 };
	struct entry e = { .path = (char *)"d/f", .kind = ENTRY_FILE };
	AUTO(free) char *value = xmalloc(300000);

	for (size_t i = 0; i < 300000; i++)
		value[i] = (char)i;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		AUTO(free) char *name = xasprintf("user.%zu", i);

		entry_xattr_add(&e, name, value, sizes[i]);
		keeps(&e);
	}
	for (size_t i = 0; i < 300; i++) {
		AUTO(free) char *name = xasprintf("user.many.%zu", i);

		entry_xattr_add(&e, name, name, strlen(name));
	}
	keeps(&e);
	e.path = NULL;
	entry_free(&e);
}

TEST(a_digest_may_come_later)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;
	AUTO(hasher) struct hasher *h = hasher_new(DIGEST_SHA512);
	struct digest one, two, long_one;
	size_t len;

	digest_of("1", 1, &one);
	digest_of("2", 1, &two);
	hasher_digest(h, &long_one);
	add(&l, "d/a", ENTRY_FILE, NULL);
	add(&l, "d/b", ENTRY_FILE, NULL);
	listing_set_digest(&l, 0, &one);
	listing_set_digest(&l, 1, &two);
	same_str(listing_at(&l, 0, &at)->digest.text, one.text);
	same_str(listing_at(&l, 1, &at)->digest.text, two.text);
	same_str(at.entry.path, "d/b");
	len = l.bytes.len;
	listing_set_digest(&l, 0, &two);
	same_int(l.bytes.len, len);
	same_str(listing_at(&l, 0, &at)->digest.text, two.text);
	listing_set_digest(&l, 0, &long_one);
	same_str(listing_at(&l, 0, &at)->digest.text, long_one.text);
	same_int(at.entry.mtime, -5);
}

TEST(a_listing_that_is_moved_lies_behind_what_was_there)
{
	AUTO(listing) struct listing a = LISTING_INIT, b = LISTING_INIT;
	AUTO(free) char *got = NULL;
	const bool stays[] = { true, false, true };

	add(&a, "x/a", ENTRY_FILE, NULL);
	listing_move(&a, &b);
	same_int(a.count, 0);
	add(&a, "x/b", ENTRY_SYMLINK, "t");
	add(&a, "y/c", ENTRY_FILE, NULL);
	listing_move(&a, &b);
	listing_filter(&b, stays);
	got = shape(&b);
	same_str(got, "x/a:F y/c:F");
}

TEST(the_first_name_of_a_file_has_it)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;
	struct entry e = { .path = (char *)"z/file", .kind = ENTRY_FILE, .size = 5, .mode = 0600 };
	AUTO(free) char *got = NULL;

	digest_of("12345", 5, &e.digest);
	listing_add(&l, &e);
	add(&l, "a", ENTRY_HARDLINK, "m/link");
	add(&l, "m/link", ENTRY_HARDLINK, "z/file");
	add(&l, "n", ENTRY_HARDLINK, "nowhere");
	add(&l, "o", ENTRY_HARDLINK, "p");
	add(&l, "p", ENTRY_HARDLINK, "o");
	listing_sort(&l);
	listing_order_links(&l);
	got = shape(&l);
	same_str(got, "a:F m/link:H n:H o:H p:H z/file:H");
	same_entry(listing_at(&l, 0, &at), &(struct entry){ .path = (char *)"a",
						   .kind = ENTRY_FILE,
						   .size = 5,
						   .mode = 0600,
						   .digest = e.digest });
	same_str(listing_at(&l, 1, &at)->link, "a");
	same_str(listing_at(&l, 2, &at)->link, "nowhere");
	same_str(listing_at(&l, 5, &at)->link, "a");
	same_int(at.entry.size, 0);
	is_true(digest_is_empty(&at.entry.digest));
}

TEST(the_form_of_earlier_releases_is_read)
{
	AUTO(listing) struct listing l = LISTING_INIT, old = LISTING_INIT;
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(listed) struct listed a = LISTED_INIT, b = LISTED_INIT;
	struct err err = { 0 };

	fill(&l);
	works(file_read(AT_FDCWD, TESTDATA "/layers/listing-1.bin", 4096, &bytes, &err));
	works(listing_parse(bytes.data, bytes.len, &old, &err));
	same_int(old.count, l.count);
	for (size_t i = 0; i < l.count; i++)
		same_entry(listing_at(&old, i, &a), listing_at(&l, i, &b));
	for (size_t len = 0; len < bytes.len; len++) {
		AUTO(listing) struct listing out = LISTING_INIT;
		AUTO(free) char *cut = xmemdup(bytes.data, len + 1);

		fails(listing_parse(cut, len, &out, &err), "the listing of a layer is damaged");
	}
}

TEST(an_empty_file_is_no_listing)
{
	AUTO(listing) struct listing l = LISTING_INIT, none = LISTING_INIT;
	struct err err = { 0 };
	AUTO(fd) int fd = fd_memory("listing", &err);

	fails(listing_open(fd, &l, &err), "the listing of a layer is damaged");
	works(listing_write(&none, fd, &err));
	works(listing_open(fd, &l, &err));
	same_int(l.count, 0);
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
		CASE(the_content_digest_is_what_it_always_was),
		CASE(whatever_is_packed_comes_back),
		CASE(digests_of_both_lengths_come_back),
		CASE(attributes_of_any_size_come_back),
		CASE(a_digest_may_come_later),
		CASE(a_listing_that_is_moved_lies_behind_what_was_there),
		CASE(the_first_name_of_a_file_has_it),
		CASE(the_form_of_earlier_releases_is_read),
		CASE(an_empty_file_is_no_listing),
	};

	return RUN(tests);
}
