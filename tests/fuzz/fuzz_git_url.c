/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "build/git_url.h"

/* Whatever it says yes to: no part of it may be an option of git's, and the subdir stays inside. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(free) char *text = xstrndup((const char *)bytes, len);

	for (int place = GIT_URL_SOURCE; place <= GIT_URL_CONTEXT; place++) {
		struct git_url g = { .remote = NULL };
		struct err err = { .kind = ERR_NONE };
		int found = git_url_parse(text, (enum git_url_place)place, &g, &err);

		if (found < 0 && (err.kind != ERR_INPUT || g.remote != NULL))
			abort();
		if (found <= 0)
			continue;
		if (g.remote[0] == '-' || strstr(g.remote, "://-") != NULL ||
			(g.ref != NULL && (g.ref[0] == '-' || strchr(g.ref, ':') != NULL)) ||
			(g.subdir != NULL && (g.subdir[0] == '/' || starts_with(g.subdir, "..") ||
						     strstr(g.subdir, "/../") != NULL)) ||
			(g.commit != NULL && !git_url_is_commit(g.commit)))
			if (g.subdir == NULL || !starts_with(g.subdir, "..") ||
				starts_with(g.subdir, "../") || streq(g.subdir, ".."))
				abort();
		git_url_free(&g);
	}
	return 0;
}
