/* SPDX-License-Identifier: Apache-2.0 */
#include "build/copy_slots.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static size_t
hash(const char *path)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *path != '\0'; path++)
		h = (h ^ (unsigned char)*path) * 1099511628211u;
	return (size_t)(h ^ (h >> 32));
}

static struct copy_slot *
look(const struct copy_slots *s, const char *path)
{
	size_t i = hash(path) & (s->room - 1);

	while (s->rows[i].path != NULL && strcmp(s->rows[i].path, path) != 0)
		i = (i + 1) & (s->room - 1);
	return &s->rows[i];
}

size_t
copy_slots_get(const struct copy_slots *s, const char *path)
{
	const struct copy_slot *row;

	if (s->count == 0)
		return COPY_SLOT_NONE;
	row = look(s, path);
	return row->path != NULL ? row->value : COPY_SLOT_NONE;
}

static void
widen(struct copy_slots *s)
{
	struct copy_slots wide = {
		.room = s->room > 0 ? s->room * 2 : 64, .count = s->count, .lends = s->lends
	};

	wide.rows = xcalloc(wide.room, sizeof *wide.rows);
	for (size_t i = 0; i < s->room; i++)
		if (s->rows[i].path != NULL)
			*look(&wide, s->rows[i].path) = s->rows[i];
	free(s->rows);
	*s = wide;
}

void
copy_slots_put(struct copy_slots *s, const char *path, size_t value)
{
	struct copy_slot *row;

	if ((s->count + 1) * 2 > s->room)
		widen(s);
	row = look(s, path);
	if (row->path == NULL) {
		row->path = s->lends ? (char *)(uintptr_t)path : xstrdup(path);
		s->count++;
	}
	row->value = value;
}

void
copy_slots_clear(struct copy_slots *s)
{
	if (s->count == 0)
		return;
	for (size_t i = 0; i < s->room; i++) {
		if (!s->lends)
			free(s->rows[i].path);
		s->rows[i].path = NULL;
	}
	s->count = 0;
}

void
copy_slots_free(struct copy_slots *s)
{
	copy_slots_clear(s);
	free(s->rows);
	*s = (struct copy_slots){ .lends = s->lends };
}
