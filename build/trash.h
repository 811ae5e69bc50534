/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_TRASH_H
#define BUILD_TRASH_H

#include "base/err.h"
#include "layers/store.h"

/* trash - removes what the store has condemned: trees whose files belong to ids that only a worker in the user
 * namespace may remove.  Several may do it at once; what stays is for the next one. */

/* userns_fd: from ids_open(); -1: one is made, if there is anything to remove. */
int trash_empty(struct store *store, int userns_fd, struct err *err);

#endif
