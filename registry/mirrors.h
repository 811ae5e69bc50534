/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_MIRRORS_H
#define REGISTRY_MIRRORS_H

#include "base/err.h"
#include "registry/place.h"
#include "registry/registries.h"

/* mirrors - one repository that is in several places: they are asked in turn, and a blob that
 * breaks off at one goes on at the next.  What a mirror served in full and was wrong after all (the
 * reader asks for it again from the start) comes from the next one; from the same one again where
 * no other has it.  Only the last place, the registry itself, is written to. */

struct mirror {
	struct place *place;
	enum registries_pull pull;
	bool no_resolve; /* not asked what a tag means */
	bool no_pull;    /* asked for that only */
	char *name; /* for messages */
};

/* Owns the places.  name: what the image is called, until another is resolved; a
 * mirror for tags only, or for digests only, is asked for no part of an image named otherwise. */
struct place *mirrors_new(const struct mirror *mirrors, size_t count, const char *name);
/* The registry itself, lent; p itself when it is not of this kind. */
struct place *mirrors_primary(struct place *p);

#endif
