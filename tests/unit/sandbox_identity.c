/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/mem.h"
#include "build/sandbox/identity.h"
#include "tests/unit/test.h"

#define AS_IS UINT32_MAX

struct row {
	enum identity_set how;
	bool is_privileged;
	struct identity_ids before;
	uint32_t args[3];
	int error;
	struct identity_ids after;
};

/* as Linux has it: credentials(7), setuid(2), setreuid(2), setresuid(2), setfsuid(2) */
static const struct row rows[] = {
	{ IDENTITY_ID, true, { 0, 0, 0, 0 }, { 33 }, 0, { 33, 33, 33, 33 } },
	{ IDENTITY_ID, false, { 33, 33, 33, 33 }, { 0 }, EPERM, { 33, 33, 33, 33 } },
	{ IDENTITY_ID, false, { 33, 33, 0, 33 }, { 0 }, 0, { 33, 0, 0, 0 } },
	{ IDENTITY_ID, false, { 33, 5, 5, 5 }, { 33 }, 0, { 33, 33, 5, 33 } },
	{ IDENTITY_ID, true, { 0, 0, 0, 0 }, { AS_IS }, EINVAL, { 0, 0, 0, 0 } },
	{ IDENTITY_REAL_EFF, true, { 0, 0, 0, 0 }, { AS_IS, 33 }, 0, { 0, 33, 33, 33 } },
	{ IDENTITY_REAL_EFF, true, { 0, 0, 0, 0 }, { 33, AS_IS }, 0, { 33, 0, 0, 0 } },
	{ IDENTITY_REAL_EFF, false, { 33, 44, 44, 44 }, { 44, 33 }, 0, { 44, 33, 33, 33 } },
	{ IDENTITY_REAL_EFF, false, { 33, 44, 55, 44 }, { 55, AS_IS }, EPERM, { 33, 44, 55, 44 } },
	{ IDENTITY_REAL_EFF, false, { 33, 44, 55, 44 }, { AS_IS, 55 }, 0, { 33, 55, 55, 55 } },
	{ IDENTITY_REAL_EFF, false, { 33, 44, 55, 44 }, { AS_IS, 33 }, 0, { 33, 33, 55, 33 } },
	{ IDENTITY_ALL, true, { 0, 0, 0, 0 }, { 1, 2, 3 }, 0, { 1, 2, 3, 2 } },
	{ IDENTITY_ALL, true, { 0, 0, 0, 0 }, { AS_IS, 2, AS_IS }, 0, { 0, 2, 0, 2 } },
	{ IDENTITY_ALL, false, { 1, 2, 3, 2 }, { 3, 1, 2 }, 0, { 3, 1, 2, 1 } },
	{ IDENTITY_ALL, false, { 1, 2, 3, 2 }, { 1, 4, 3 }, EPERM, { 1, 2, 3, 2 } },
	{ IDENTITY_FS, true, { 0, 0, 0, 0 }, { 33 }, 0, { 0, 0, 0, 33 } },
	{ IDENTITY_FS, false, { 1, 2, 3, 2 }, { 3 }, 0, { 1, 2, 3, 3 } },
	{ IDENTITY_FS, false, { 1, 2, 3, 2 }, { 4 }, 0, { 1, 2, 3, 2 } },
	{ IDENTITY_FS, true, { 0, 0, 0, 33 }, { AS_IS }, 0, { 0, 0, 0, 33 } },
};

TEST(ids_become_what_the_kernel_makes_of_them)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct identity_ids ids = rows[i].before;

		print_message("# row %zu\n", i);
		same_int(identity_set(rows[i].how, rows[i].args, rows[i].is_privileged, &ids),
			rows[i].error);
		same_bytes(&ids, sizeof ids, &rows[i].after, sizeof rows[i].after);
	}
}

TEST(of_each_identity_there_is_one)
{
	AUTO(identities) struct identities all = IDENTITIES_INIT;
	uint32_t groups[] = { 9, 1, 5 }, sorted[] = { 1, 5, 9 };
	struct identity root = { .group_count = 0 };
	struct identity user = {
		.user = { 1, 1, 1, 1 }, .groups = groups, .group_count = COUNT_OF(groups)
	};

	same_int(identities_number(&all, &root), 0);
	same_int(identities_number(&all, &user), 1);
	user.groups = sorted;
	same_int(identities_number(&all, &user), 1);
	same_bytes(all.items[1].groups, sizeof sorted, sorted, sizeof sorted);
	user.group_count = 2;
	same_int(identities_number(&all, &user), 2);
	same_int(identities_number(&all, &root), 0);
	is_true(identity_has_group(&all.items[1], 9) && identity_has_group(&all.items[1], 0));
	is_true(!identity_has_group(&all.items[2], 9));
}

TEST(an_exec_saves_the_effective_ids)
{
	struct identity who = { .user = { 33, 33, 33, 33 }, .group = { 34, 35, 34, 34 } };
	const struct identity_ids raised = { 33, 0, 0, 0 }, saved = { 34, 35, 35, 35 };

	identity_exec(0, UINT32_MAX, &who);
	same_bytes(&who.user, sizeof raised, &raised, sizeof raised);
	same_bytes(&who.group, sizeof saved, &saved, sizeof saved);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(ids_become_what_the_kernel_makes_of_them),
		CASE(of_each_identity_there_is_one),
		CASE(an_exec_saves_the_effective_ids),
	};

	return RUN(tests);
}
