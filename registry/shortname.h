/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_SHORTNAME_H
#define REGISTRY_SHORTNAME_H

#include "base/err.h"
#include "registry/ref.h"
#include "registry/session.h"

/* shortname - a name without a host, when an image is looked for: what registries.conf makes of it.
 * Docker Hub's where that says nothing; what is sent somewhere always is. */

/* *ref becomes a whole name.  Where several registries may have it they are asked in turn: one that
 * has it not, or does not let us look, is passed over; one that fails is the end, since the next
 * one's image may be somebody else's.  ERR_INPUT where registries.conf wants to be asked which. */
int shortname_find(struct session *s, struct ref *ref, struct err *err);

#endif
