/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <sys/resource.h>

#include "build/sandbox/caps.h"
#include "build/sandbox/limits.h"

#define NOT_ONE                                                                                 \
	"is not NAME=SOFT[:HARD] with SOFT up to HARD and a NAME such as nofile, nproc, core, " \
	"memlock or stack"

TEST(a_ulimit_has_a_name_a_soft_and_a_hard_value)
{
	struct limits l = LIMITS_INIT;
	struct err err;

	works(limits_add(&l, "nofile=1024", &err));
	works(limits_add(&l, "core=unlimited", &err));
	works(limits_add(&l, "memlock=-1:-1", &err));
	works(limits_add(&l, "nofile=10:20", &err));
	same_int(l.count, 3);
	same_int(l.rows[0].resource, RLIMIT_NOFILE);
	same_int(l.rows[0].soft, 10);
	same_int(l.rows[0].hard, 20);
	is_true(l.rows[1].soft == RLIM_INFINITY);
	is_true(l.rows[2].hard == RLIM_INFINITY);
}

TEST(other_ulimits_are_refused)
{
	static const char *const bad[] = {
		"",
		"nofile",
		"nofile=",
		"nofil=1",
		"nofiles=1",
		"=1",
		"nofile=x",
		"nofile=1:",
		"nofile=1:x",
		"nofile=2:1",
		"nofile=1:2:3",
		"nofile= 1",
		"nofile=-2",
		"nofile=18446744073709551616",
		"nofile=unlimited:1",
		"nofile=1k",
	};
	struct limits l = LIMITS_INIT;
	struct err err;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		same_int(limits_add(&l, bad[i], &err), -1);
	same_int(l.count, 0);
	fails(limits_add(&l, "x", &err), "ulimit 'x' " NOT_ONE);
}

TEST(capabilities_have_names_with_and_without_prefix)
{
	uint64_t mask = CAPS_DEFAULT;
	struct err err;

	works(caps_drop("CHOWN", &mask, &err));
	works(caps_add("cap_sys_ptrace", &mask, &err));
	is_true(mask == (CAPS_DEFAULT | 1u << 19) - 1);
	works(caps_drop("all", &mask, &err));
	is_true(mask == 0);
	works(caps_add("CAP_CHECKPOINT_RESTORE", &mask, &err));
	is_true(mask == UINT64_C(1) << 40);
	fails(caps_add("SYS_ADMINS", &mask, &err),
		"there is no capability 'SYS_ADMINS' (see capabilities(7), or say ALL)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_ulimit_has_a_name_a_soft_and_a_hard_value),
		CASE(other_ulimits_are_refused),
		CASE(capabilities_have_names_with_and_without_prefix),
	};

	return RUN(tests);
}
