/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/instruction_parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "build/dockerfile/utf8.h"

/* blanks as the grammar of lines has them: no newline, no Unicode */
#define BLANKS "\t\v\f\r "

void
words_split(const char *text, struct strv *out)
{
	while (*text != '\0') {
		size_t len = strcspn(text, BLANKS);

		strv_addn(out, text, len);
		text += len;
		text += strspn(text, BLANKS);
	}
}

struct quoted_reader {
	const char *text;
	size_t len, at;
	char escape;
	struct buf word;
};

static size_t
width_at(const struct quoted_reader *r)
{
	return utf8_width(r->text + r->at, r->len - r->at);
}

static void
take(struct quoted_reader *r)
{
	size_t width = width_at(r);

	buf_add(&r->word, r->text + r->at, width);
	r->at += width;
}

/* An escape and what it escapes; at the very end it is dropped. */
static void
take_escape(struct quoted_reader *r)
{
	if (r->at + 1 == r->len) {
		r->at++;
		return;
	}
	take(r);
	take(r);
}

/* A quoted part with both of its quotes; it may lack the second.  Nothing escapes within '. */
static void
take_quoted(struct quoted_reader *r)
{
	char quote = r->text[r->at];

	take(r);
	while (r->at < r->len) {
		char c = r->text[r->at];

		if (c == r->escape && quote != '\'') {
			take_escape(r);
			continue;
		}
		take(r);
		if (c == quote)
			return;
	}
}

static bool
take_word(struct quoted_reader *r)
{
	bool quoted = false;
	size_t width;

	while (r->at < r->len) {
		char c = r->text[r->at];

		if (utf8_is_space(utf8_next(r->text + r->at, r->len - r->at, &width)))
			break;
		if (c == '\'' || c == '"') {
			quoted = true;
			take_quoted(r);
		} else if (c == r->escape) {
			take_escape(r);
		} else {
			take(r);
		}
	}
	return quoted || r->word.len > 0;
}

void
words_split_quoted(const char *text, char escape, struct strv *out, size_t **offsets)
{
	struct quoted_reader r = {
		.text = text, .len = strlen(text), .escape = escape, .word = BUF_INIT
	};
	size_t *starts = NULL;
	size_t count = 0, room = 0, width;

	while (r.at < r.len) {
		if (utf8_is_space(utf8_next(text + r.at, r.len - r.at, &width))) {
			r.at += width;
			continue;
		}
		starts = grow(starts, count, &room, sizeof *starts);
		starts[count] = r.at;
		buf_clear(&r.word);
		if (take_word(&r)) {
			strv_addn(out, r.word.data, r.word.len);
			count++;
		}
	}
	buf_free(&r.word);
	if (offsets != NULL)
		*offsets = starts;
	else
		free(starts);
}
