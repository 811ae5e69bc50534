/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "base/strv.h"

TEST(setting_a_variable_again_keeps_its_place)
{
	AUTO(strv) struct strv env = STRV_INIT;
	AUTO(free) char *text = NULL;

	strv_env_set(&env, "A", "1");
	strv_env_set(&env, "AB", "2");
	strv_env_set(&env, "A", "3");
	text = strv_join(&env, " ");
	same_str(text, "A=3 AB=2");
	same_str(strv_env_get(&env, "AB"), "2");
	same_str(strv_env_get(&env, "B"), NULL);
}

TEST(splitting_keeps_empty_parts)
{
	AUTO(strv) struct strv v = STRV_INIT;
	AUTO(free) char *text = NULL;

	strv_split(&v, "a::b:", ":");
	text = strv_join(&v, "|");
	same_int(v.count, 4);
	same_str(text, "a||b|");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(setting_a_variable_again_keeps_its_place),
		CASE(splitting_keeps_empty_parts),
	};

	return RUN(tests);
}
