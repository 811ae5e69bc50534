/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_UTF8_H
#define DOCKERFILE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* utf8 - characters of a text, and what Unicode says of them.  A byte that does not belong to a
 * well-formed sequence is a character of its own, UTF8_STRAY + its value, so that nothing is lost when
 * it is written again. */

#define UTF8_STRAY 0x110000u

/* The character at s, which has len > 0 bytes; *width: how many it takes. */
uint32_t utf8_next(const char *s, size_t len, size_t *width);
/* The width of the character that starts at s alone; 1 for a stray byte. */
size_t utf8_width(const char *s, size_t len);
void utf8_add(struct buf *out, uint32_t c);

bool utf8_is_space(uint32_t c);  /* White_Space */
bool utf8_is_letter(uint32_t c); /* categories L* */
bool utf8_is_digit(uint32_t c);  /* category Nd */

/* [*start, *end) of s without white space at either end. */
void utf8_trim(const char *s, size_t len, size_t *start, size_t *end);

#endif
