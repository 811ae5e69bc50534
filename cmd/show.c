/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/show.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The code point at text and its length in bytes; 0 for bytes that are not UTF-8. */
static size_t
decode(const unsigned char *text, uint32_t *point)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 } };

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		uint32_t c = text[0] & (unsigned char)~forms[i].mask;

		if ((text[0] & forms[i].mask) != forms[i].lead)
			continue;
		for (size_t k = 1; k <= i; k++) {
			if ((text[k] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (text[k] & 0x3f);
		}
		if (c < forms[i].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		*point = c;
		return i + 1;
	}
	return 0;
}

/* Controls (C0, DEL, C1), and what turns the direction of writing (Unicode TR 36). */
static bool
harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || (c >= 0x200e && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void
show(const char *text, const char *kept, struct buf *out)
{
	const unsigned char *t = (const unsigned char *)text;

	while (*t != '\0') {
		uint32_t c = 0;
		size_t len = decode(t, &c);

		if (len == 0) {
			buf_addf(out, "\\x%02x", *t);
			len = 1;
		} else if (!harmful(c) || (c < 0x80 && strchr(kept, (int)c) != NULL)) {
			buf_add(out, t, len);
		} else {
			buf_addf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
		}
		t += len;
	}
}

void
show_text(const char *text, struct buf *out)
{
	show(text, "\n\t", out);
}

void
show_line(const char *text, struct buf *out)
{
	show(text, "", out);
}

void
show_size(unsigned long long bytes, struct buf *out)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double n = (double)bytes;
	size_t unit = 0;

	while (n >= 999.5 && unit + 1 < COUNT_OF(units)) {
		n /= 1000;
		unit++;
	}
	buf_addf(out, "%.*f%s", unit == 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2, n, units[unit]);
}

void
show_age(long long now, long long then, struct buf *out)
{
	static const struct {
		long long seconds;
		const char *name;
	} units[] = { { 365LL * 86400, "year" }, { 30LL * 86400, "month" }, { 7LL * 86400, "week" },
		{ 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	long long age = now - then;

	if (then <= 0) {
		buf_adds(out, "N/A");
		return;
	}
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		/* "14 days" until 2 weeks are over, like its neighbours */
		if (age < units[i].seconds * (i + 1 < COUNT_OF(units) && i > 0 ? 2 : 1))
			continue;
		age /= units[i].seconds;
		buf_addf(out, "%lld %s%s ago", age, units[i].name, age == 1 ? "" : "s");
		return;
	}
	buf_adds(out, "now");
}

static size_t
width(const char *text)
{
	size_t columns = 0;

	for (; *text != '\0'; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			columns++;
	return columns;
}

void
show_table(const struct show_table *table, struct buf *out)
{
	AUTO(free) size_t *widths = xcalloc(table->columns + 1, sizeof *widths);

	for (size_t i = 0; i < table->cells.count; i++) {
		size_t w = width(table->cells.items[i]);

		if (w > widths[i % table->columns])
			widths[i % table->columns] = w;
	}
	for (size_t i = 0; i < table->cells.count; i++) {
		size_t column = i % table->columns;
		const char *cell = table->cells.items[i];

		buf_adds(out, cell);
		if (column + 1 == table->columns)
			buf_addc(out, '\n');
		else
			buf_addf(out, "%*s", (int)(widths[column] - width(cell) + 3), "");
	}
}

int
show_answer(const struct buf *answer, struct err *err)
{
	size_t done = 0;

	while (done < answer->len) {
		ssize_t n = write(STDOUT_FILENO, answer->data + done, answer->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPIPE)
			return 0;
		if (n < 0)
			return err_sys(err, "write to stdout");
		done += (size_t)n;
	}
	return 0;
}
