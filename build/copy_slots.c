/* SPDX-License-Identifier: Apache-2.0 */
#include "build/copy_slots.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

uint32_t
copy_slots_hash(const char *path)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *path != '\0'; path++)
		h = (h ^ (unsigned char)*path) * 1099511628211u;
	return (uint32_t)(h ^ (h >> 32));
}

size_t
copy_slots_next(const struct copy_slots *s, uint32_t hash, size_t *at)
{
	while (s->count > 0) {
		const struct copy_slot *row = &s->rows[(hash + (*at)++) & (s->room - 1)];

		if (row->item == 0)
			break;
		if (row->hash == hash)
			return row->item - 1;
	}
	return COPY_SLOT_NONE;
}

static void
place(struct copy_slots *s, const struct copy_slot *row)
{
	size_t at = row->hash;

	while (s->rows[at & (s->room - 1)].item != 0)
		at++;
	s->rows[at & (s->room - 1)] = *row;
}

static void
widen(struct copy_slots *s)
{
	struct copy_slots wide = { .room = s->room > 0 ? s->room * 2 : 64, .count = s->count };

	wide.rows = xcalloc(wide.room, sizeof *wide.rows);
	for (size_t i = 0; i < s->room; i++)
		if (s->rows[i].item != 0)
			place(&wide, &s->rows[i]);
	free(s->rows);
	*s = wide;
}

void
copy_slots_add(struct copy_slots *s, uint32_t hash, size_t item)
{
	struct copy_slot row = { .hash = hash, .item = (uint32_t)item + 1 };

	if ((s->count + 1) * 4 > s->room * 3)
		widen(s);
	if (item >= UINT32_MAX - 1)
		out_of_memory();
	place(s, &row);
	s->count++;
}

void
copy_slots_clear(struct copy_slots *s)
{
	if (s->count > 0)
		memset(s->rows, 0, s->room * sizeof *s->rows);
	s->count = 0;
}

void
copy_slots_free(struct copy_slots *s)
{
	free(s->rows);
	*s = (struct copy_slots){ .rows = NULL };
}
