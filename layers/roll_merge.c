/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/roll_merge.h"

#include <string.h>

#include "base/mem.h"

void
auto_roll_merge(struct roll_merge *m)
{
	roll_item_free(&m->item);
	roll_item_free(&m->last);
}

static void
item_read(const void *record, size_t layer, struct roll_item *out)
{
	struct roll_record head;

	memcpy(&head, record, sizeof head);
	roll_item_free(out);
	out->layer = layer;
	out->entry = (struct entry){ .kind = (enum entry_kind)head.kind,
		.mode = head.mode,
		.uid = head.uid,
		.gid = head.gid,
		.mtime = head.mtime,
		.mtime_ns = head.mtime_ns,
		.size = head.size,
		.major = head.major,
		.minor = head.minor };
	if (head.has_link)
		out->entry.link = xstrdup(roll_record_link(record));
	if (head.has_digest > 0)
		digest_from_raw(
			(enum digest_algorithm)head.algorithm, head.digest, &out->entry.digest);
	if (head.has_xattrs)
		digest_from_raw(DIGEST_SHA256, head.xattrs, &out->xattrs);
}

void
roll_merge_begin(struct roll_merge *m, size_t floor)
{
	m->floor = floor;
}

static void
become(struct roll_merge *m, enum roll_merge_found found, enum entry_kind kind, bool is_implied)
{
	bool is_opaque = m->item.is_opaque;

	roll_item_free(&m->item);
	m->found = found;
	m->item.entry.kind = kind;
	m->item.entry.mode = kind == ENTRY_DIR ? 0755 : 0;
	m->item.layer = m->layer;
	m->item.is_implied = is_implied;
	m->item.is_opaque = is_opaque;
}

static void
close_below(struct roll_merge *m)
{
	m->floor = m->layer;
	m->item.is_opaque = true;
}

/* A layer's words are laid over those of the layers below.  A whiteout beside a directory says that it
 * has nothing from below, wherever in the archive it stands. */
static void
layer_end(struct roll_merge *m)
{
	bool is_dir = m->has_last && m->last.entry.kind == ENTRY_DIR;
	bool is_opaque;

	if (!m->has_layer || m->layer < m->floor)
		return;
	if (m->has_last) {
		if (!is_dir || m->opaque || m->whiteout)
			close_below(m);
		is_opaque = m->item.is_opaque;
		roll_item_free(&m->item);
		m->item = m->last;
		m->item.is_opaque = is_opaque;
		m->last = (struct roll_item)ROLL_ITEM_INIT;
		m->found = ROLL_MERGE_FOUND;
	} else if (m->opaque) {
		close_below(m);
		if (m->found != ROLL_MERGE_FOUND || m->item.entry.kind != ENTRY_DIR)
			become(m, ROLL_MERGE_FOUND, ENTRY_DIR, true);
	} else if (m->whiteout) {
		close_below(m);
		become(m, ROLL_MERGE_GONE, ENTRY_WHITEOUT, false);
	}
}

void
roll_merge_add(struct roll_merge *m, const void *record, size_t layer)
{
	struct roll_record head;

	memcpy(&head, record, sizeof head);
	if (!m->has_layer || m->layer != layer) {
		layer_end(m);
		m->has_layer = true;
		m->has_last = m->opaque = m->whiteout = false;
		m->layer = layer;
	}
	/* nothing can stand in for the root */
	if (roll_record_path(record)[0] == '\0' && head.kind != ENTRY_DIR &&
		head.kind != ENTRY_OPAQUE)
		return;
	if (head.kind == ENTRY_OPAQUE) {
		m->opaque = true;
	} else if (head.kind == ENTRY_WHITEOUT) {
		m->whiteout = true;
	} else {
		item_read(record, layer, &m->last);
		m->has_last = true;
	}
}

void
roll_merge_end(struct roll_merge *m, bool is_root)
{
	layer_end(m);
	if (is_root && m->found != ROLL_MERGE_FOUND) {
		m->layer = 0;
		become(m, ROLL_MERGE_FOUND, ENTRY_DIR, true);
	}
}
