/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_PLACE_STORE_H
#define REGISTRY_PLACE_STORE_H

#include "layers/store.h"
#include "registry/place.h"

/* place_store - the store as a place.
 *
 * has, get and put may be called in a worker that the store's process forked, from any number of threads.
 * resolve and tag ask the database: in the store's process only.  A put that is broken off leaves what arrived, and
 * the next one asks for the rest.
 *
 * Names are whole ones, "docker.io/library/alpine:latest" (REF_CANONICAL without digest), or digests. */

/* The store is lent. */
struct place *place_store_new(struct store *s);

#endif
