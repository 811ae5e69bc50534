/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define UNSET UINT32_MAX

void
auto_identities(struct identities *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->items[i].groups);
	free(all->items);
	*all = (struct identities)IDENTITIES_INIT;
}

static bool
same(const struct identity *a, const struct identity *b)
{
	return memcmp(&a->user, &b->user, sizeof a->user) == 0 &&
	       memcmp(&a->group, &b->group, sizeof a->group) == 0 &&
	       a->group_count == b->group_count &&
	       (a->group_count == 0 ||
		       memcmp(a->groups, b->groups, a->group_count * sizeof *a->groups) == 0);
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int
identities_number(struct identities *all, const struct identity *wanted)
{
	AUTO(free) uint32_t *groups = xcalloc(wanted->group_count + 1, sizeof *groups);
	struct identity sorted = *wanted;

	if (wanted->group_count > 0)
		memcpy(groups, wanted->groups, wanted->group_count * sizeof *groups);
	qsort(groups, wanted->group_count, sizeof *groups, by_number);
	sorted.groups = groups;
	/* what was made last is what is asked for most */
	for (size_t i = all->count; i > 0; i--)
		if (same(&all->items[i - 1], &sorted))
			return (int)(i - 1);
	if (all->count >= IDENTITIES_MAX)
		return -1;
	all->items = grow(all->items, all->count, &all->room, sizeof *all->items);
	sorted.groups = steal(&groups);
	all->items[all->count] = sorted;
	return (int)all->count++;
}

static bool
is_one_of(const struct identity_ids *ids, uint32_t id)
{
	return id == ids->real || id == ids->effective || id == ids->saved;
}

static int
set_one(uint32_t id, bool is_privileged, struct identity_ids *ids)
{
	if (id == UNSET)
		return EINVAL;
	if (is_privileged)
		ids->real = ids->saved = id;
	else if (id != ids->real && id != ids->saved)
		return EPERM;
	ids->effective = ids->fs = id;
	return 0;
}

static int
set_two(uint32_t real, uint32_t effective, bool is_privileged, struct identity_ids *ids)
{
	const struct identity_ids old = *ids;

	if (!is_privileged && real != UNSET && real != old.real && real != old.effective)
		return EPERM;
	if (!is_privileged && effective != UNSET && !is_one_of(&old, effective))
		return EPERM;
	if (real != UNSET)
		ids->real = real;
	if (effective != UNSET)
		ids->effective = effective;
	if (real != UNSET || (effective != UNSET && effective != old.real))
		ids->saved = ids->effective;
	ids->fs = ids->effective;
	return 0;
}

static int
set_three(const uint32_t args[3], bool is_privileged, struct identity_ids *ids)
{
	const struct identity_ids old = *ids;
	uint32_t *const to[3] = { &ids->real, &ids->effective, &ids->saved };

	for (int i = 0; i < 3; i++)
		if (!is_privileged && args[i] != UNSET && !is_one_of(&old, args[i]))
			return EPERM;
	for (int i = 0; i < 3; i++)
		if (args[i] != UNSET)
			*to[i] = args[i];
	ids->fs = ids->effective;
	return 0;
}

int
identity_set(
	enum identity_set how, const uint32_t args[3], bool is_privileged, struct identity_ids *ids)
{
	switch (how) {
	case IDENTITY_ID:
		return set_one(args[0], is_privileged, ids);
	case IDENTITY_REAL_EFF:
		return set_two(args[0], args[1], is_privileged, ids);
	case IDENTITY_ALL:
		return set_three(args, is_privileged, ids);
	case IDENTITY_FS:
		if (args[0] != UNSET &&
			(is_privileged || is_one_of(ids, args[0]) || args[0] == ids->fs))
			ids->fs = args[0];
		return 0;
	}
	return EINVAL;
}

void
identity_exec(uint32_t owner, uint32_t group, struct identity *who)
{
	if (owner != UNSET)
		who->user.effective = owner;
	if (group != UNSET)
		who->group.effective = group;
	who->user.saved = who->user.fs = who->user.effective;
	who->group.saved = who->group.fs = who->group.effective;
}

bool
identity_has_group(const struct identity *who, uint32_t gid)
{
	if (gid == who->group.fs)
		return true;
	for (size_t i = 0; i < who->group_count; i++)
		if (who->groups[i] == gid)
			return true;
	return false;
}
