/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_SWEEP_H
#define CMD_SWEEP_H

#include "base/err.h"
#include "layers/gc.h"

/* sweep - store_gc() of a store that this process does not hold open (what it looked at would be kept), and
 * the removal of trees whose files belong to ids of the user namespace.  out may be NULL. */
int sweep(const char *root, const struct gc_options *o, struct gc_result *out, struct err *err);

#endif
