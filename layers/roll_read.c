/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "layers/roll.h"
#include "layers/tar.h"

#define READ_SIZE (128u << 10)

void
auto_capture(struct capture *c)
{
	auto_free(&c->link);
}

static void
capture_begin(struct capture *c, const struct entry *e)
{
	auto_free(&c->link);
	if (e->kind == ENTRY_FILE) {
		c->found = CAPTURE_FILE;
	} else if (e->kind == ENTRY_HARDLINK) {
		c->found = CAPTURE_LINK;
		c->link = xstrdup(e->link);
	} else {
		c->found = CAPTURE_OTHER;
	}
}

/* What an earlier file of this name left is cut off. */
static int
capture_clear(struct capture *c, struct err *err)
{
	if (ftruncate(c->fd, 0) < 0 || lseek(c->fd, 0, SEEK_SET) < 0)
		return err_sys(err, "write to a temporary file");
	return 0;
}

/* The entry's bytes, for whom they are. */
static int
take_bytes(struct tar_reader *tar, struct hasher *hasher, const struct capture *capture,
	char *bytes, struct err *err)
{
	ssize_t n;

	while ((n = tar_reader_data(tar, bytes, READ_SIZE, err)) > 0) {
		if (hasher != NULL)
			hasher_add(hasher, bytes, (size_t)n);
		if (capture != NULL && fd_write(capture->fd, bytes, (size_t)n) < 0)
			return err_sys(err, "write to a temporary file");
	}
	return (int)n;
}

struct reading {
	struct roll *roll;
	struct tar_reader *tar;
	const struct roll_reading *options;
	struct hasher *hasher;
	char *bytes;
};

/* 1: the capture is complete and nothing else is wanted. */
static int
read_entry(struct reading *r, struct entry *e, struct err *err)
{
	struct capture *c = r->options->capture;
	bool is_file = e->kind == ENTRY_FILE;
	bool is_wanted = c != NULL && streq(c->path, e->path) && e->kind != ENTRY_WHITEOUT &&
			 e->kind != ENTRY_OPAQUE;
	bool is_hashed = is_file && r->options->digests;

	if (is_wanted)
		capture_begin(c, e);
	if (is_wanted && is_file && capture_clear(c, err) < 0)
		return -1;
	if (is_hashed)
		hasher_reset(r->hasher);
	if (((is_wanted && is_file) || is_hashed) &&
		take_bytes(r->tar, is_hashed ? r->hasher : NULL, is_wanted ? c : NULL, r->bytes,
			err) < 0)
		return -1;
	if (is_hashed)
		hasher_digest(r->hasher, &e->digest);
	if (r->roll != NULL && roll_add(r->roll, e, err) < 0)
		return -1;
	return is_wanted && is_file && c->at_once;
}

int
roll_read(struct roll *roll, struct stream *in, const struct roll_reading *o, struct err *err)
{
	AUTO(tar_reader) struct tar_reader *tar = tar_reader_new(in, TAR_LAYER);
	AUTO(hasher) struct hasher *hasher = hasher_new(DIGEST_SHA256);
	AUTO(free) char *bytes = xmalloc(READ_SIZE);
	AUTO(entry) struct entry e = { .path = NULL };
	struct reading r = { roll, tar, o, hasher, bytes };
	int more;

	while ((more = tar_reader_next(tar, &e, err)) == 1) {
		int done = read_entry(&r, &e, err);

		if (done != 0)
			return done < 0 ? -1 : 0;
	}
	return more < 0 ? -1 : tar_reader_drain(tar, err);
}
