/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "build/sandbox/ids.h"
#include "build/sandbox/user.h"

/* The first line is the USER; the rest is /etc/passwd up to a line "--", then /etc/group; and all
 * of it is /etc/subuid as well. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct ids_owner who = { "user", 1001, 1001 };
	const char *text = (const char *)bytes, *end = len > 0 ? memchr(text, '\n', len) : NULL;
	size_t spec_len = end != NULL ? (size_t)(end - text) : len;
	AUTO(free) char *spec = len > 0 ? xstrndup(text, spec_len) : xstrdup("");
	const char *passwd = end != NULL ? end + 1 : text + len;
	size_t passwd_len = (size_t)(text + len - passwd);
	const char *cut = passwd_len > 0 ? memmem(passwd, passwd_len, "\n--\n", 4) : NULL;
	AUTO(user) struct user u = USER_INIT;
	struct ids_map map = { .count = 0 };
	struct err err = { .kind = ERR_NONE };
	const char *group = cut != NULL ? cut + 4 : passwd + passwd_len;

	if (user_find_in(passwd, cut != NULL ? (size_t)(cut - passwd) : passwd_len, group,
		    (size_t)(text + len - group), spec, &u, &err) < 0) {
		if (err.kind != ERR_INPUT || u.home != NULL)
			abort();
	} else if (u.uid > USER_ID_MAX || u.gid > USER_ID_MAX || u.group_count > USER_GROUPS_MAX ||
		   u.home == NULL) {
		abort();
	}
	if (ids_parse(text, len, &who, 1, &map, &err) < 0)
		return 0;
	for (size_t i = 0; i < map.count; i++)
		if (map.rows[i].outside == 0 || map.rows[i].count == 0 ||
			map.rows[i].outside > UINT32_MAX - map.rows[i].count ||
			ids_outside(&map, map.rows[i].inside) != map.rows[i].outside)
			abort();
	return 0;
}
