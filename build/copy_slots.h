/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_COPY_SLOTS_H
#define BUILD_COPY_SLOTS_H

#include <stddef.h>
#include <stdint.h>

/* copy_slots - which items of a list go by some hash, for the many files of one COPY.  Whoever asks compares
 * what they are. */

#define COPY_SLOT_NONE ((size_t)-1)

struct copy_slots {
	struct copy_slot {
		uint32_t hash;
		uint32_t item; /* 1 more than it; 0: free */
	} * rows;
	size_t count, room; /* room is a power of two, or 0 */
};

uint32_t copy_slots_hash(const char *path);
/* The next item of this hash, or COPY_SLOT_NONE; *at is 0 at first. */
size_t copy_slots_next(const struct copy_slots *s, uint32_t hash, size_t *at);
void copy_slots_add(struct copy_slots *s, uint32_t hash, size_t item);
void copy_slots_clear(struct copy_slots *s);
void copy_slots_free(struct copy_slots *s);

#endif
