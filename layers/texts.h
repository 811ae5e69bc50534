/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_TEXTS_H
#define LAYERS_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

/* texts - a set of texts, each with a value (a pointer, NULL at first; never freed here). */

struct texts_slot {
	char *text; /* owned; NULL: free */
	void *value;
};
struct texts {
	struct texts_slot *slots;
	size_t count;
	size_t room; /* a power of two, or 0 */
};
#define TEXTS_INIT { .slots = NULL }

void texts_free(struct texts *t);
void auto_texts(struct texts *t);
bool texts_has(const struct texts *t, const char *text);
bool texts_add(struct texts *t, const char *text); /* false: it was there */
/* Of a text that is there (else NULL); lent until the next texts_add. */
void **texts_value(const struct texts *t, const char *text);

#endif
