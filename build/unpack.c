/* SPDX-License-Identifier: Apache-2.0 */
#include "build/unpack.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "layers/apply.h"
#include "layers/archive.h"
#include "layers/layer.h"
#include "layers/tar.h"

#define CHUNK 262144

static const struct apply_options ours = { .form = APPLY_ROOT,
	.owner = APPLY_OWNER_CALLER,
	.dialect = TAR_LAYER,
	.digests = true,
	.no_devices = true };

static int
decode(struct stream *in, struct stream **out, struct err *err)
{
	struct stream *tar;

	if (archive_decode(in, &tar, err) < 0)
		return -1;
	*out = stream_limit(tar, LAYER_SIZE_MAX);
	return 0;
}

int
unpack_context(struct stream *in, int dir, struct err *err)
{
	struct apply_options options = ours;
	AUTO(stream) struct stream *tar = NULL;

	options.dialect = TAR_PLAIN;
	options.digests = false;
	if (decode(in, &tar, err) < 0)
		return -1;
	return apply_layer(tar, dir, &options, NULL, err);
}

int
unpack_sniff(int fd, bool *is_archive, struct err *err)
{
	AUTO(free) char *bytes = xmalloc(ARCHIVE_SNIFF_SIZE);
	ssize_t n = fd_read(fd, bytes, ARCHIVE_SNIFF_SIZE);

	if (n < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "look at an archive");
	*is_archive = archive_sniff(bytes, (size_t)n);
	return 0;
}

/* --- for ADD ---------------------------------------------------------------------------------- */

static int
copy_bytes(struct tar_reader *r, struct apply *a, char *bytes, struct err *err)
{
	for (;;) {
		uint64_t hole = tar_reader_hole(r);
		ssize_t n;

		if (hole > 0 && apply_hole(a, hole, err) < 0)
			return -1;
		n = tar_reader_data(r, bytes, CHUNK, err);
		if (n < 0)
			return -1;
		if (n == 0 && hole == 0)
			return 0;
		if (n > 0 && apply_data(a, bytes, (size_t)n, err) < 0)
			return -1;
	}
}

static void
keep_capability(struct entry *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->xattr_count; i++) {
		if (streq(e->xattrs[i].name, "security.capability")) {
			e->xattrs[kept++] = e->xattrs[i];
			continue;
		}
		free(e->xattrs[i].name);
		free(e->xattrs[i].value);
	}
	e->xattr_count = kept;
}

static int
unpack(struct tar_reader *r, struct apply *a, struct listing *named, struct err *err)
{
	AUTO(free) char *bytes = xmalloc(CHUNK);
	AUTO(entry) struct entry e = { .path = NULL };
	int more;

	while ((more = tar_reader_next(r, &e, err)) > 0) {
		struct entry name = { .path = e.path, .kind = e.kind };

		/* they would be files nobody could unpack from a layer again */
		if (e.kind == ENTRY_WHITEOUT || e.kind == ENTRY_OPAQUE)
			continue;
		keep_capability(&e);
		listing_add(named, &name);
		if (apply_entry(a, &e, err) < 0)
			return -1;
		if (e.kind == ENTRY_FILE && copy_bytes(r, a, bytes, err) < 0)
			return err_in(err, "'%s'", e.path);
	}
	return more < 0 ? -1 : apply_finish(a, err);
}

/* Parents come before what they hold, so each can be entered when its turn comes. */
static int
make_readable(int dir, const struct listing *all, struct err *err)
{
	AUTO(listed) struct listed listed = LISTED_INIT;

	for (size_t i = 0; i < all->count; i++) {
		const struct entry *e = listing_at(all, i, &listed);
		mode_t needed = e->kind == ENTRY_DIR ? 0700 : 0400;
		char name[256];
		AUTO(fd) int parent = -1;

		if ((e->kind != ENTRY_DIR && e->kind != ENTRY_FILE) || e->path[0] == '\0' ||
			(e->mode & needed) == needed)
			continue;
		parent = path_open_parent(dir, e->path, name);
		if (parent < 0 || fchmodat(parent, name, (e->mode & 0777) | needed, 0) < 0)
			return err_sys(err, "'%s'", e->path);
	}
	return 0;
}

int
unpack_listed(struct stream *in, int dir, struct listing *out, struct err *err)
{
	AUTO(stream) struct stream *tar = NULL;
	AUTO(listing) struct listing all = LISTING_INIT, named = LISTING_INIT;
	AUTO(apply) struct apply *a = NULL;
	AUTO(tar_reader) struct tar_reader *r = NULL;
	AUTO(listed) struct listed listed = LISTED_INIT;
	AUTO(free) bool *stays = NULL;

	if (decode(in, &tar, err) < 0)
		return -1;
	r = tar_reader_new(tar, TAR_LAYER);
	a = apply_new(dir, &ours, &all);
	if (unpack(r, a, &named, err) < 0 || make_readable(dir, &all, err) < 0)
		return -1;
	listing_sort(&named);
	stays = xcalloc(all.count + 1, sizeof *stays);
	for (size_t i = 0; i < all.count; i++) {
		const struct entry *e = listing_at(&all, i, &listed);

		stays[i] = e->path[0] != '\0' && listing_find(&named, e->path) != LISTING_NONE;
	}
	listing_filter(&all, stays);
	listing_move(&all, out);
	return 0;
}
