/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_FUZZ_DOCKERFILE_H
#define TESTS_FUZZ_FUZZ_DOCKERFILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/fuzz/fuzz.h"

/* A law that does not hold ends the process, so that the input is kept. */
#define law(condition)                                                             \
	do {                                                                       \
		if (!(condition)) {                                                \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__,    \
				__LINE__, #condition);                             \
			abort();                                                   \
		}                                                                  \
	} while (0)

/* The input as a string, which ends at its first zero byte; for free(). */
static inline char *
fuzz_text(const uint8_t *bytes, size_t len)
{
	char *text = xmalloc(len + 1);

	if (len > 0)
		memcpy(text, bytes, len);
	text[len] = '\0';
	return text;
}

#endif
