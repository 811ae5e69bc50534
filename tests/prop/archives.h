/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PROP_ARCHIVES_H
#define TESTS_PROP_ARCHIVES_H

#include "layers/apply.h"
#include "tests/prop/random.h"
#include "tests/unit/trees.h"

/* archives - made-up archives: few names, so that entries meet, and all that goes wrong when they do. */

static inline void
random_path(struct random *r, struct buf *out)
{
	static const char *const names[] = { "a", "b", "c", "a-b", "\xc3\xa4", "x y" };
	unsigned depth = 1 + random_below(r, 3);

	for (unsigned i = 0; i < depth; i++)
		buf_addf(out, "%s%s", i > 0 ? "/" : "", names[random_below(r, 3 + 3 * (random_below(r, 4) == 0))]);
}

static inline void
random_target(struct random *r, struct buf *out)
{
	static const char *const before[] = { "", "", "/", "../", "../../", "../../../..", "./", "a/../" };

	buf_adds(out, before[random_below(r, COUNT_OF(before))]);
	if (random_below(r, 8) == 0)
		buf_adds(out, "canary");
	else
		random_path(r, out);
}

static inline void
random_details(struct random *r, struct entry *e)
{
	e->mode = random_below(r, 8) == 0 ? random_below(r, 010000) : e->kind == ENTRY_DIR ? 0755 : 0644;
	e->uid = getuid();
	e->gid = getgid();
	if (has_many_ids() && random_below(r, 4) == 0) {
		e->uid = random_below(r, 1000);
		e->gid = random_below(r, 1000);
	}
	e->mtime = (int64_t)random_below(r, 2000000000) - 1000;
	if (random_below(r, 6) == 0 && (e->kind == ENTRY_FILE || e->kind == ENTRY_DIR))
		entry_xattr_add(e, "user.x", "1", 1);
	if (random_below(r, 6) == 0)
		entry_xattr_add(e, "user.overlay.opaque", "y", 1);
}

/* whiteouts: also those. */
static inline void
random_entry(struct random *r, bool whiteouts, struct entry *out)
{
	static const enum entry_kind kinds[] = { ENTRY_FILE, ENTRY_FILE, ENTRY_FILE, ENTRY_DIR, ENTRY_DIR,
		ENTRY_DIR, ENTRY_SYMLINK, ENTRY_HARDLINK, ENTRY_HARDLINK, ENTRY_FIFO, ENTRY_WHITEOUT,
		ENTRY_OPAQUE };
	struct entry e = { .kind = kinds[random_below(r, COUNT_OF(kinds) - (whiteouts ? 0 : 2))] };
	struct buf path = BUF_INIT, link = BUF_INIT;

	random_path(r, &path);
	e.path = buf_steal(&path);
	if (e.kind == ENTRY_SYMLINK)
		random_target(r, &link);
	else if (e.kind == ENTRY_HARDLINK)
		random_path(r, &link);
	e.link = link.len > 0 ? buf_steal(&link) : NULL;
	if (e.kind != ENTRY_WHITEOUT && e.kind != ENTRY_OPAQUE)
		random_details(r, &e);
	if (e.kind == ENTRY_FILE)
		e.size = random_below(r, 40);
	*out = e;
}

/* One entry and its bytes; what is refused (a link to nothing, a file as a directory) is no failure of the
 * law. */
static inline bool
random_apply(struct random *r, struct apply *a, bool whiteouts)
{
	AUTO(entry) struct entry e = { .path = NULL };
	char bytes[40];
	struct err err = { 0 };

	random_entry(r, whiteouts, &e);
	if (getenv("SHOW") != NULL)
		print_message("#  %c '%s' %s\n", "FDLHCBPWO"[e.kind], e.path, e.link != NULL ? e.link : "");
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)random_number(r);
	if (apply_entry(a, &e, &err) < 0) {
		if (err.kind != ERR_INPUT)
			print_error("# %s\n", err.msg);
		assert_int_equal(err.kind, ERR_INPUT);
		return false;
	}
	if (e.kind == ENTRY_FILE && e.size > 0 && apply_data(a, bytes, e.size, &err) < 0)
		fail_msg("%s", err.msg);
	return true;
}

#endif
