/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "build/dockerfile/mount.h"
#include "tests/fuzz/fuzz_dockerfile.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(free) char *text = fuzz_text(bytes, len);
	AUTO(strv) struct strv env = STRV_INIT;
	struct expand_vars vars = expand_vars_env(&env);
	struct mount m = { .kind = MOUNT_BIND };
	struct err err;

	strv_env_set(&env, "A", "cache");
	strv_env_set(&env, "B", "/b");
	if (mount_parse(text, '\\', &vars, &m, NULL, &err) == 0) {
		law(m.kind <= MOUNT_SSH);
		law(m.kind == MOUNT_CACHE || !m.sharing_given);
		law(m.kind == MOUNT_TMPFS || m.size == 0);
		law(mount_check(text, &err) == 0);
	} else {
		law(err.kind == ERR_INPUT && err.msg[0] != '\0');
		law(m.target == NULL && m.id == NULL);
	}
	mount_free(&m);
	return 0;
}
