/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/utf8.h"

static bool
continues(const char *s, size_t len, size_t count)
{
	if (len <= count)
		return false;
	for (size_t i = 1; i <= count; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return false;
	return true;
}

uint32_t
utf8_next(const char *s, size_t len, size_t *width)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)s[0];
	size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	uint32_t c;

	*width = 1;
	if (first < 0x80)
		return first;
	if (first < 0xc2 || first > 0xf4 || !continues(s, len, more))
		return UTF8_STRAY + first;
	c = first & (0x3fu >> more);
	for (size_t i = 1; i <= more; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3fu);
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return UTF8_STRAY + first;
	*width = more + 1;
	return c;
}

size_t
utf8_width(const char *s, size_t len)
{
	size_t width;

	utf8_next(s, len, &width);
	return width;
}

void
utf8_add(struct buf *out, uint32_t c)
{
	if (c < UTF8_STRAY)
		buf_add_utf8(out, c);
	else
		buf_addc(out, (char)(c - UTF8_STRAY));
}

bool
utf8_is_space(uint32_t c)
{
	if (c < 0x80)
		return c == ' ' || (c >= '\t' && c <= '\r');
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

void
utf8_trim(const char *s, size_t len, size_t *start, size_t *end)
{
	size_t from = 0, to = 0, width;

	while (from < len && utf8_is_space(utf8_next(s + from, len - from, &width)))
		from += width;
	to = len;
	while (to > from) {
		size_t last = to - 1;

		/* back to the start of the last character */
		while (last > from && to - last < 4 && ((unsigned char)s[last] & 0xc0) == 0x80)
			last--;
		if (!utf8_is_space(utf8_next(s + last, to - last, &width)) || last + width != to)
			break;
		to = last;
	}
	*start = from;
	*end = to;
}
