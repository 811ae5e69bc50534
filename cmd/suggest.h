/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_SUGGEST_H
#define CMD_SUGGEST_H

#include <stddef.h>

/* suggest - which word was meant.
 *
 * 1. struct suggest s = SUGGEST_INIT(typed)
 * 2. suggest_offer(&s, word) for each word there is
 * 3. s.best is the nearest (lent), or NULL when none is near enough */

#define SUGGEST_MAX 64 /* longer words are never near */

struct suggest {
	const char *typed;
	const char *best;
	size_t distance;
};
#define SUGGEST_INIT(word) { .typed = (word), .best = NULL, .distance = 0 }

void suggest_offer(struct suggest *s, const char *word);

#endif
