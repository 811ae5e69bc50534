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

/* Drops all others from the bounding set; then permitted and effective become the mask (or nothing,
 * for a user other than 0, as exec would), inheritable and ambient become empty.  For a process
 * about to exec; -1 with errno. */
int caps_bound(uint64_t mask);
int caps_keep(uint64_t mask);

#endif
