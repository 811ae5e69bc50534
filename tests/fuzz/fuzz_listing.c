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
	AUTO(listed) struct listed e = LISTED_INIT;

	(void)err;
	if (hit->file.entry.kind == ENTRY_HARDLINK || view_entry(v, hit->path, &e) == NULL ||
		entry_compare(&e.entry, &hit->file.entry) != 0)
		abort();
	if (view_find(v, hit->path, false, &again, err) < 0 || strcmp(again.path, hit->path) != 0 ||
		again.number != hit->number)
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
	AUTO(listed) struct listed before = LISTED_INIT, at = LISTED_INIT;
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
		if (entry_compare(listing_at(&again, i - 1, &before), listing_at(&again, i, &at)) >=
			0)
			abort();
	return 0;
}
