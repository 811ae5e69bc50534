/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/strv.h"
#include "layers/roll_compare.h"

/* Words apart by blanks: "d/" a directory, "-f" a removed file, "f" a file of one byte, "f!" of two. */
static size_t
add_layer(struct roll *r, const char *text)
{
	AUTO(strv) struct strv words = STRV_INIT;
	struct err err = { 0 };
	size_t slot = 0;

	strv_split(&words, text, " ");
	roll_begin(r);
	for (size_t i = 0; i < words.count; i++) {
		char *word = words.items[i];
		char last = word[0] == '\0' ? '\0' : word[strlen(word) - 1];
		struct entry e = { .kind = ENTRY_FILE, .mode = 0644, .size = 1, .path = word };

		if (last == '\0')
			continue;
		if (last == '/' || last == '!')
			word[strlen(word) - 1] = '\0';
		if (last == '/')
			e.kind = ENTRY_DIR;
		else if (last == '!')
			e.size = 2;
		if (word[0] == '-') {
			e.kind = ENTRY_WHITEOUT;
			e.path = word + 1;
		}
		works(roll_add(r, &e, &err));
	}
	works(roll_end(r, &slot, &err));
	return slot;
}

static int
note(enum roll_change change, const struct roll_found *from, const struct roll_found *to, void *arg,
	struct err *err)
{
	struct buf *out = arg;

	(void)err;
	buf_addf(out, " %c%s", "ADCW"[change], (from != NULL ? from : to) -> item -> entry.path);
	if (change == ROLL_CHANGED && roll_differ_in(ROLL_SIZE, from->item, to->item))
		buf_adds(out, ":size");
	return 0;
}

/* Upon the same lowest layer, which is known or not. */
static void
check(const char *lowest, bool is_known, const char *from, const char *to, const char *want)
{
	struct err err = { 0 };
	AUTO(roll) struct roll *r = roll_new(fd_memory("roll", &err));
	AUTO(buf) struct buf got = BUF_INIT;
	size_t below = is_known ? add_layer(r, lowest) : 0;
	size_t a[] = { below, add_layer(r, from) }, b[] = { below, add_layer(r, to) };
	const struct roll_stack stacks[] = { { a, !is_known, 2 }, { b, !is_known, 2 } };

	works(roll_compare(r, &stacks[0], &stacks[1], note, &got, &err));
	same_str(got.len > 0 ? got.data : "", want);
}

TEST(known_layers_tell_all)
{
	check("a b", true, "c", "c", "");
	check("a b", true, "", "c", " Ac");
	check("a b", true, "c", "", " Dc");
	check("a b", true, "", "-a", " Da");
	check("a b", true, "a!", "", " Ca:size");
	check("d/ d/f", true, "-d", "", " Ad Ad/f");
}

TEST(what_only_one_writes_above_unknown_layers_is_written)
{
	check("", false, "c", "c", "");
	check("", false, "", "c", " Wc");
	check("", false, "", "-a", " Da");
	check("", false, "-a", "a", " Aa");
	check("", false, "a", "a!", " Ca:size");
}

static int
refuse(enum roll_change change, const struct roll_found *from, const struct roll_found *to,
	void *arg, struct err *err)
{
	(void)change;
	(void)from;
	(void)to;
	(void)arg;
	return err_set(err, ERR_INPUT, "enough");
}

TEST(who_is_told_can_end_it)
{
	struct err err = { 0 };
	AUTO(roll) struct roll *r = roll_new(fd_memory("roll", &err));
	size_t a[] = { add_layer(r, "a b") }, b[] = { add_layer(r, "") };
	const struct roll_stack stacks[] = { { a, 0, 1 }, { b, 0, 1 } };

	fails(roll_compare(r, &stacks[0], &stacks[1], refuse, NULL, &err), "enough");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { CASE(known_layers_tell_all),
		CASE(what_only_one_writes_above_unknown_layers_is_written),
		CASE(who_is_told_can_end_it) };

	return RUN(tests);
}
