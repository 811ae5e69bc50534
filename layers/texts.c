/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/texts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static uint64_t
hash(const char *text)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211u;
	return h;
}

static struct texts_slot *
find(struct texts_slot *slots, size_t room, const char *text)
{
	size_t at = (size_t)hash(text) & (room - 1);

	while (slots[at].text != NULL && strcmp(slots[at].text, text) != 0)
		at = (at + 1) & (room - 1);
	return &slots[at];
}

static void
widen(struct texts *t)
{
	size_t room = t->room == 0 ? 64 : t->room * 2;
	struct texts_slot *slots = xcalloc(room, sizeof *slots);

	for (size_t i = 0; i < t->room; i++)
		if (t->slots[i].text != NULL)
			*find(slots, room, t->slots[i].text) = t->slots[i];
	free(t->slots);
	t->slots = slots;
	t->room = room;
}

void
texts_free(struct texts *t)
{
	for (size_t i = 0; i < t->room; i++)
		free(t->slots[i].text);
	free(t->slots);
	*t = (struct texts)TEXTS_INIT;
}

void
auto_texts(struct texts *t)
{
	texts_free(t);
}

bool
texts_has(const struct texts *t, const char *text)
{
	return t->room > 0 && find(t->slots, t->room, text)->text != NULL;
}

bool
texts_add(struct texts *t, const char *text)
{
	struct texts_slot *slot = NULL;

	if (2 * t->count >= t->room)
		widen(t);
	slot = find(t->slots, t->room, text);
	if (slot->text != NULL)
		return false;
	slot->text = xstrdup(text);
	slot->value = NULL;
	t->count++;
	return true;
}

void **
texts_value(const struct texts *t, const char *text)
{
	struct texts_slot *slot = t->room > 0 ? find(t->slots, t->room, text) : NULL;

	return slot == NULL || slot->text == NULL ? NULL : &slot->value;
}
