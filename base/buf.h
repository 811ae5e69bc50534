/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* buf - bytes that grow.  data is never NULL; data[len] is always '\0'; len may count zero bytes.
 * The empty value is usable as it is, and costs nothing. */
struct buf {
	char *data;
	size_t len;
	size_t room; /* allocated; 0: not ours to free */
};
#define BUF_INIT { .data = (char *)"" } /* never written while room is 0 */

void buf_free(struct buf *b); /* back to the empty value */
void auto_buf(struct buf *b);

void buf_clear(struct buf *b);                    /* len 0, memory kept */
void buf_truncate(struct buf *b, size_t len);     /* len must not be larger than b->len */
char *buf_reserve(struct buf *b, size_t extra);   /* room for extra bytes after len; where they go */
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_add_utf8(struct buf *b, uint32_t c); /* c below 0x110000 */
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
char *buf_steal(struct buf *b); /* the text, for free(); b is empty again */

/* Appends what fd has until its end.  ERR_INPUT "larger than <limit> bytes" past the limit: the
 * only way in for bytes from outside. */
int buf_read(struct buf *b, int fd, size_t limit, struct err *err);

#endif
