/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_IDENTITY_H
#define BUILD_SANDBOX_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* identity - who a process of a supervised box takes itself for.
 *
 * To the kernel all of them are the one id that there is.  What setuid(2) and its kin would have made of
 * them is worked out here, by the kernel's rules (credentials(7)).  Of each identity there is one, whatever
 * the number of processes that have it; they are known by their numbers, the first, 0, being who the box was
 * started as. */

struct identity_ids {
	uint32_t real, effective, saved, fs;
};

struct identity {
	struct identity_ids user, group;
	uint32_t *groups; /* supplementary; sorted */
	size_t group_count;
};

struct identities {
	struct identity *items;
	size_t count, room;
	bool may_set_user, may_set_group; /* what 0 may: a box can be without these capabilities */
};
#define IDENTITIES_INIT { .items = NULL }

/* More, and a process is refused another one. */
#define IDENTITIES_MAX 65535
#define IDENTITY_GROUPS_MAX 65536

void auto_identities(struct identities *all);
/* The number of such an identity (its groups are copied, sorted), or -1 when there are too many. */
int identities_number(struct identities *all, const struct identity *wanted);

enum identity_set {
	IDENTITY_ID,        /* setuid, setgid: args[0] */
	IDENTITY_REAL_EFF,  /* setreuid, setregid: args[0..1], UINT32_MAX: as it is */
	IDENTITY_ALL,       /* setresuid, setresgid: args[0..2] */
	IDENTITY_FS,        /* setfsuid, setfsgid: args[0] */
};

/* What becomes of these ids.  0, or EPERM and EINVAL; IDENTITY_FS never fails. */
int identity_set(enum identity_set how, const uint32_t args[3], bool is_privileged,
	struct identity_ids *ids);

/* What an exec makes of *who: owner and group are those of a file with set-id bits, UINT32_MAX: none. */
void identity_exec(uint32_t owner, uint32_t group, struct identity *who);

bool identity_has_group(const struct identity *who, uint32_t gid); /* also its own fs */

#endif
