/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/suggest.h"

#include <string.h>

#include "base/mem.h"

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters added, dropped, changed, or two neighbours swapped. */
static size_t
distance(const char *a, const char *b)
{
	size_t rows[3][SUGGEST_MAX + 1];
	size_t len_a = strlen(a), len_b = strlen(b);

	if (len_a > SUGGEST_MAX || len_b > SUGGEST_MAX)
		return SUGGEST_MAX;
	for (size_t j = 0; j <= len_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= len_a; i++) {
		size_t *row = rows[i % 3], *above = rows[(i - 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1,
				above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[len_a % 3][len_b];
}

void
suggest_offer(struct suggest *s, const char *word)
{
	size_t d = distance(s->typed, word), len = strlen(word);
	/* "cache" is no guess for "case", "file" is one for "fiel" */
	size_t near = len < 3 ? 0 : len < 6 ? 1 : len / 3;

	/* a word that was not finished */
	if (strlen(s->typed) >= 3 && starts_with(word, s->typed))
		d = 1;
	if (d > near || (s->best != NULL && d >= s->distance))
		return;
	s->best = word;
	s->distance = d;
}
