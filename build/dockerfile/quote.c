/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/quote.h"

#include <stdint.h>
#include <string.h>

#include "build/dockerfile/utf8.h"

static void
add_character(struct buf *out, uint32_t c)
{
	static const char from[] = "\"\\\a\b\f\n\r\t\v", to[] = "\"\\abfnrtv";
	const char *special = c < 0x80 && c != 0 ? strchr(from, (int)c) : NULL;

	if (special != NULL)
		buf_addf(out, "\\%c", to[special - from]);
	else if (c >= UTF8_STRAY)
		buf_addf(out, "\\x%02x", c - UTF8_STRAY);
	else if (c < 0x20 || c == 0x7f)
		buf_addf(out, "\\x%02x", c);
	else if (c != ' ' && (utf8_is_space(c) || (c >= 0x80 && c < 0xa0) || c == 0xfeff))
		buf_addf(out, "\\u%04x", c);
	else
		utf8_add(out, c);
}

void
quote_add(struct buf *out, const char *text, size_t max)
{
	size_t len = strlen(text), at = 0, width;

	buf_addc(out, '"');
	while (at < len && at < max) {
		add_character(out, utf8_next(text + at, len - at, &width));
		at += width;
	}
	buf_addc(out, '"');
	if (at < len)
		buf_adds(out, "...");
}

char *
quote(const char *text)
{
	AUTO(buf) struct buf out = BUF_INIT;

	quote_add(&out, text, (size_t)-1);
	return buf_steal(&out);
}
