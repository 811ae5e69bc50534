/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_COPY_SLOTS_H
#define BUILD_COPY_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

/* copy_slots - a map from paths to indexes, for the many files of one COPY. */

#define COPY_SLOT_NONE ((size_t)-1)

struct copy_slots {
	struct copy_slot {
		char *path; /* NULL: free */
		size_t value;
	} * rows;
	size_t count, room; /* room is a power of two, or 0 */
	bool lends;         /* paths are the caller's, and outlive the map */
};

size_t copy_slots_get(const struct copy_slots *s, const char *path);
void copy_slots_put(struct copy_slots *s, const char *path, size_t value); /* replaces */
void copy_slots_clear(struct copy_slots *s);
void copy_slots_free(struct copy_slots *s);

#endif
