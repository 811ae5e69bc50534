/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REMOTE_REPOSITORY_H
#define REGISTRY_REMOTE_REPOSITORY_H

#include "registry/place.h"
#include "registry/repository.h"

/* remote_repository - what stands behind a place that remote_open() made; lent. */
const struct repository *remote_repository(struct place *p);

#endif
