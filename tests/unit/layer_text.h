/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_LAYER_TEXT_H
#define TESTS_UNIT_LAYER_TEXT_H

#include "tests/unit/test.h"

#include "base/strv.h"
#include "layers/listing.h"

/* A layer in one line: "d/ f l->target h=file -gone d*", words apart by blanks: directory, file,
 * symlink, hard link, whiteout, opaque. */
static inline void
layer_entries(const char *text, struct listing *out)
{
	AUTO(strv) struct strv words = STRV_INIT;

	strv_split(&words, text, " ");
	for (size_t i = 0; i < words.count; i++) {
		char *word = words.items[i], *arrow = strstr(word, "->"),
		     *equals = strchr(word, '=');
		size_t len = strlen(word);
		struct entry e = { .kind = ENTRY_FILE, .mode = 0644, .size = 1 };

		if (len == 0)
			continue;
		if (word[0] == '-') {
			e.kind = ENTRY_WHITEOUT;
			word++;
		} else if (arrow != NULL) {
			e.kind = ENTRY_SYMLINK;
			*arrow = '\0';
			e.link = xstrdup(arrow + 2);
		} else if (equals != NULL) {
			e.kind = ENTRY_HARDLINK;
			*equals = '\0';
			e.link = xstrdup(equals + 1);
		} else if (ends_with(word, "*")) {
			e.kind = ENTRY_OPAQUE;
			word[len - 1] = '\0';
		} else if (ends_with(word, "/")) {
			e.kind = ENTRY_DIR;
			e.mode = 0700;
			word[len - 1] = '\0';
		}
		e.path = xstrdup(word);
		listing_take(out, &e);
	}
}

#endif
