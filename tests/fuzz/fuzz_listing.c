/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "layers/view.h"

static int
look(const struct view_hit *hit, void *arg, struct err *err)
{
	const struct view *v = arg;
	AUTO(view_hit) struct view_hit again = VIEW_HIT_INIT;

	(void)err;
	if (hit->entry->kind == ENTRY_HARDLINK || view_entry(v, hit->path) != hit->entry)
		abort();
	if (view_find(v, hit->path, false, &again, err) < 0 || strcmp(again.path, hit->path) != 0)
		abort();
	return 0;
}

/* What is read is written to the same bytes or to others that read the same; a stack of it can be
 * walked. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listing) struct listing again = LISTING_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(buf) struct buf text_again = BUF_INIT;
	const struct listing *layers[] = { &l, &l };
	AUTO(view) struct view *v = NULL;
	struct digest digest;
	struct err err = { .kind = ERR_NONE };

	if (listing_parse((const char *)bytes, len, &l, &err) < 0)
		return 0;
	listing_format(&l, &text);
	if (listing_parse(text.data, text.len, &again, &err) < 0)
		abort();
	listing_format(&again, &text_again);
	if (text.len != text_again.len || memcmp(text.data, text_again.data, text.len) != 0)
		abort();
	v = view_new(layers, COUNT_OF(layers));
	view_walk(v, "", look, v, &err);
	listing_content_digest(&l, &digest);
	listing_sort(&again);
	listing_order_links(&again);
	for (size_t i = 1; i < again.count; i++)
		if (entry_compare(&again.entries[i - 1], &again.entries[i]) >= 0)
			abort();
	return 0;
}
