/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/suggest.h"

#include <string.h>

#include "base/mem.h"

#define EDITS_MAX 2  /* further away is another word */
#define WORD_MAX 255 /* longer words get no suggestion */

static unsigned char
letter(char c, bool fold)
{
	return (unsigned char)(fold && c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

size_t
edit_distance(const char *a, const char *b, size_t limit, bool fold)
{
	size_t row[WORD_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return limit;
	if ((a_len > b_len ? a_len - b_len : b_len - a_len) >= limit)
		return limit;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t corner = row[0];
		size_t least = row[0] = i;

		for (size_t j = 1; j <= b_len; j++) {
			size_t replace =
				corner + (letter(a[i - 1], fold) != letter(b[j - 1], fold));
			size_t other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			corner = row[j];
			row[j] = replace < other ? replace : other;
			least = row[j] < least ? row[j] : least;
		}
		if (least >= limit)
			return limit;
	}
	return row[b_len] < limit ? row[b_len] : limit;
}

const char *
suggest(const char *word, const char *const *options, size_t count, bool fold)
{
	const char *nearest = NULL;
	size_t least = EDITS_MAX + 1;

	for (size_t i = 0; i < count; i++) {
		size_t distance = edit_distance(word, options[i], EDITS_MAX + 1, fold);

		if (distance == 0)
			return NULL;
		if (distance > EDITS_MAX || distance > least)
			continue;
		/* of two as near as each other, one that begins alike: first letters are seldom
		 * wrong */
		if (distance == least &&
			(letter(nearest[0], fold) == letter(word[0], fold) ||
				letter(options[i][0], fold) != letter(word[0], fold)))
			continue;
		least = distance;
		nearest = options[i];
	}
	return nearest;
}
