/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
buf_free(struct buf *b)
{
	if (b->room > 0)
		free(b->data);
	*b = (struct buf)BUF_INIT;
}

void
auto_buf(struct buf *b)
{
	buf_free(b);
}

void
buf_clear(struct buf *b)
{
	buf_truncate(b, 0);
}

void
buf_truncate(struct buf *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->data[len] = '\0';
}

char *
buf_reserve(struct buf *b, size_t extra)
{
	size_t wanted, room;

	if (__builtin_add_overflow(b->len, extra, &wanted) ||
		__builtin_add_overflow(wanted, (size_t)1, &wanted))
		wanted = (size_t)-1; /* the allocator will refuse it and end the process */
	if (wanted > b->room) {
		room = b->room > 0 ? b->room : 64;
		while (room < wanted)
			room = room > (size_t)-1 / 2 ? wanted : room * 2;
		b->data = xrealloc(b->room > 0 ? b->data : NULL, room, 1);
		b->room = room;
		b->data[b->len] = '\0';
	}
	return b->data + b->len;
}

void
buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	memcpy(buf_reserve(b, len), bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_addv(struct buf *b, const char *fmt, va_list ap)
{
	char small[256];
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(small, sizeof small, fmt, ap);
	if (len >= 0 && (size_t)len < sizeof small) {
		buf_add(b, small, (size_t)len);
	} else if (len >= 0) {
		vsnprintf(buf_reserve(b, (size_t)len), (size_t)len + 1, fmt, again);
		b->len += (size_t)len;
	}
	va_end(again);
}

void
buf_add_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_addc(b, (char)c);
	} else if (c < 0x800) {
		buf_addc(b, (char)(0xc0 | c >> 6));
		buf_addc(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_addc(b, (char)(0xe0 | c >> 12));
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_addc(b, (char)(0xf0 | c >> 18));
		buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(b, (char)(0x80 | (c & 0x3f)));
	}
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_addv(b, fmt, ap);
	va_end(ap);
}

char *
buf_steal(struct buf *b)
{
	char *text = b->room > 0 ? b->data : xstrdup("");

	*b = (struct buf)BUF_INIT;
	return text;
}

int
buf_read(struct buf *b, int fd, size_t limit, struct err *err)
{
	size_t start = b->len, step;
	ssize_t n;

	for (;;) {
		step = limit - (b->len - start) + 1; /* one more, to notice what is too large */
		if (step > 65536)
			step = 65536;
		n = read(fd, buf_reserve(b, step), step);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read");
		if (n == 0)
			return 0;
		b->len += (size_t)n;
		b->data[b->len] = '\0';
		if (b->len - start > limit) {
			buf_truncate(b, start);
			return err_set(err, ERR_INPUT, "larger than %zu bytes", limit);
		}
	}
}
