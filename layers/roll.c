/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/roll.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "layers/roll_parts.h"

struct roll *
roll_new(int fd)
{
	struct roll *r = xzalloc(sizeof *r);

	r->fd = fd;
	r->bytes = (struct buf)BUF_INIT;
	r->run_size = ROLL_RUN_SIZE;
	return r;
}

void
roll_free(struct roll *r)
{
	if (r == NULL)
		return;
	auto_fd(&r->fd);
	free(r->blocks);
	free(r->runs);
	free(r->slots);
	free(r->rows);
	buf_free(&r->bytes);
	free(r);
}

void
roll_run_size(struct roll *r, size_t bytes)
{
	r->run_size = bytes;
}

void
auto_roll(struct roll **r)
{
	roll_free(*r);
	*r = NULL;
}

void
roll_item_free(struct roll_item *i)
{
	entry_free(&i->entry);
	*i = (struct roll_item)ROLL_ITEM_INIT;
}

void
auto_roll_item(struct roll_item *i)
{
	roll_item_free(i);
}

const char *
roll_record_path(const void *record)
{
	return (const char *)record + sizeof(struct roll_record);
}

const char *
roll_record_link(const void *record)
{
	struct roll_record head;

	memcpy(&head, record, sizeof head);
	return roll_record_path(record) + head.path_len + 1;
}

static int
by_path(const void *a, const void *b, void *arg)
{
	const struct roll_row *x = a, *y = b;
	const char *bytes = arg;
	int order = entry_path_compare(
		roll_record_path(bytes + x->at), roll_record_path(bytes + y->at));

	return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static void
block_begin(struct roll *r, uint64_t at)
{
	r->blocks = grow(r->blocks, r->block_count, &r->block_room, sizeof *r->blocks);
	r->blocks[r->block_count++] = at;
}

static int
write_out(struct roll *r, struct buf *block, struct err *err)
{
	if (r->size + block->len > ROLL_SIZE_MAX)
		return err_set(err, ERR_INPUT, "the image has too many files");
	if (lseek(r->fd, (off_t)r->size, SEEK_SET) < 0 ||
		fd_write(r->fd, block->data, block->len) < 0)
		return err_sys(err, "write to a temporary file");
	r->size += block->len;
	buf_clear(block);
	return 0;
}

/* Blocks are complete when they begin, so what is behind a run's last one is the next run's first. */
static int
write_rows(struct roll *r, struct buf *block, struct err *err)
{
	for (size_t i = 0; i < r->row_count; i++) {
		const char *record = r->bytes.data + r->rows[i].at;
		struct roll_record head;

		memcpy(&head, record, sizeof head);
		if (block->len > 0 && block->len + head.len > ROLL_BLOCK) {
			if (write_out(r, block, err) < 0)
				return -1;
		}
		if (block->len == 0)
			block_begin(r, r->size);
		buf_add(block, record, head.len);
	}
	return write_out(r, block, err);
}

static int
run_flush(struct roll *r, struct err *err)
{
	AUTO(buf) struct buf block = BUF_INIT;
	struct roll_run run = { .first_block = r->block_count };

	if (r->row_count == 0)
		return 0;
	qsort_r(r->rows, r->row_count, sizeof *r->rows, by_path, r->bytes.data);
	if (write_rows(r, &block, err) < 0)
		return -1;
	run.block_count = r->block_count - run.first_block;
	block_begin(r, r->size);
	r->runs = grow(r->runs, r->run_count, &r->run_room, sizeof *r->runs);
	r->runs[r->run_count++] = run;
	buf_clear(&r->bytes);
	r->row_count = 0;
	return 0;
}

void
roll_begin(struct roll *r)
{
	r->run_count = r->begun;
	buf_clear(&r->bytes);
	r->row_count = 0;
}

/* Overlay's own attributes are not the file's: whoever unpacks a layer leaves them out. */
static bool
is_counted(const struct xattr *x)
{
	return !starts_with(x->name, "user.overlay.") && !starts_with(x->name, "trusted.overlay.");
}

static uint8_t
put_xattrs(const struct entry *e, unsigned char raw[32])
{
	AUTO(hasher) struct hasher *h = NULL;
	struct digest digest;

	for (size_t i = 0; i < e->xattr_count; i++) {
		const struct xattr *x = &e->xattrs[i];
		uint64_t len = x->len;

		if (!is_counted(x))
			continue;
		if (h == NULL)
			h = hasher_new(DIGEST_SHA256);
		hasher_add(h, x->name, strlen(x->name) + 1);
		hasher_add(h, &len, sizeof len);
		hasher_add(h, x->value, x->len);
	}
	if (h == NULL)
		return 0;
	hasher_digest(h, &digest);
	digest_raw(&digest, raw);
	return 1;
}

int
roll_add(struct roll *r, const struct entry *e, struct err *err)
{
	size_t path_len = strlen(e->path), link_len = e->link != NULL ? strlen(e->link) : 0;
	struct roll_record head = { .kind = (uint8_t)e->kind,
		.has_link = e->link != NULL,
		.mode = e->mode,
		.uid = e->uid,
		.gid = e->gid,
		.mtime = e->mtime,
		.mtime_ns = e->mtime_ns,
		.size = e->size,
		.major = e->major,
		.minor = e->minor };
	size_t at = r->bytes.len;

	if (path_len > ROLL_TEXT_MAX || link_len > ROLL_TEXT_MAX)
		return err_set(err, ERR_INPUT, "'%.60s...': a name of more than %d bytes", e->path,
			ROLL_TEXT_MAX);
	head.path_len = (uint32_t)path_len;
	head.link_len = (uint32_t)link_len;
	head.has_digest = (uint8_t)digest_raw(&e->digest, head.digest);
	if (head.has_digest > 0)
		head.algorithm = (uint8_t)digest_algorithm(&e->digest);
	head.has_xattrs = put_xattrs(e, head.xattrs);
	head.len = (uint32_t)((sizeof head + path_len + link_len + 2 + 7) & ~(size_t)7);
	buf_add(&r->bytes, &head, sizeof head);
	buf_add(&r->bytes, e->path, path_len + 1);
	buf_add(&r->bytes, e->link != NULL ? e->link : "", link_len + 1);
	memset(buf_reserve(&r->bytes, 8), 0, 8);
	r->bytes.len = at + head.len;
	r->bytes.data[r->bytes.len] = '\0';
	r->rows = grow(r->rows, r->row_count, &r->row_room, sizeof *r->rows);
	r->rows[r->row_count] = (struct roll_row){ (uint32_t)at, (uint32_t)r->row_count };
	r->row_count++;
	return r->bytes.len >= r->run_size ? run_flush(r, err) : 0;
}

int
roll_end(struct roll *r, size_t *out_slot, struct err *err)
{
	struct roll_slot slot = { .first_run = r->begun };

	if (r->slot_count == ROLL_SLOTS_MAX)
		return err_set(err, ERR_INPUT, "more than %d layers", ROLL_SLOTS_MAX);
	if (run_flush(r, err) < 0)
		return -1;
	slot.run_count = r->run_count - r->begun;
	r->begun = r->run_count;
	r->slots = grow(r->slots, r->slot_count, &r->slot_room, sizeof *r->slots);
	r->slots[r->slot_count] = slot;
	*out_slot = r->slot_count++;
	return 0;
}

int
roll_add_listing(struct roll *r, const struct listing *l, struct err *err)
{
	AUTO(listed) struct listed e = LISTED_INIT;

	for (size_t i = 0; i < l->count; i++)
		if (roll_add(r, listing_at(l, i, &e), err) < 0)
			return -1;
	return 0;
}
