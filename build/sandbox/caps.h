/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_CAPS_H
#define BUILD_SANDBOX_CAPS_H

#include <stdint.h>

#include "base/err.h"

/* caps - capabilities of what runs in a box, as a mask with bit n for capability n.  They count only
 * against the box's own user namespace. */

/* CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT
 * MKNOD AUDIT_WRITE SETFCAP: what docker gives, which images are tested with */
#define CAPS_DEFAULT UINT64_C(0xa80425fb)
#define CAPS_ALL UINT64_C(0xffffffffffffffff)

/* Adds or removes one name ("NET_ADMIN", "cap_net_admin", "ALL") in *mask.  ERR_INPUT for others. */
int caps_add(const char *name, uint64_t *mask, struct err *err);
int caps_drop(const char *name, uint64_t *mask, struct err *err);

/* For a process about to exec; -1 with errno.
 * caps_bound: takes all others out of the bounding set.
 * caps_keep: permitted and effective become what of the mask is permitted, inheritable and ambient
 * become empty.  With 0 this is what exec does for a user other than 0. */
int caps_bound(uint64_t mask);
int caps_keep(uint64_t mask);

/* Effective becomes what of the mask is permitted, which stays as it is.  -1 with errno. */
int caps_use(uint64_t mask);

#endif
