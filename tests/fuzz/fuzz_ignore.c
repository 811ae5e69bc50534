/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "build/dockerfile/ignore.h"
#include "build/dockerfile/match.h"
#include "tests/fuzz/fuzz_dockerfile.h"

/* The first line is a path, the rest an ignore file.  A directory that need not be entered holds
 * nothing that a walk would let in. */

static void
walk(const struct ignore *ig, char *path)
{
	AUTO(free) unsigned char *parent = xcalloc(ignore_count(ig) + 1, 1);
	AUTO(free) unsigned char *own = xcalloc(ignore_count(ig) + 1, 1);
	size_t len = strlen(path);
	bool closed = false, top = true;

	for (size_t i = 1; i <= len; i++) {
		char c = path[i];
		bool excluded;

		if (c != '/' && c != '\0')
			continue;
		path[i] = '\0';
		excluded = ignore_step(ig, path, top ? NULL : parent, own, NULL);
		law(!closed || excluded);
		closed = closed || (excluded && !ignore_may_enter(ig, path));
		law(!top || excluded == ignore_excludes(ig, path, NULL));
		path[i] = c;
		memcpy(parent, own, ignore_count(ig));
		top = false;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(free) char *text = fuzz_text(bytes, len);
	AUTO(free) char *path = xstrndup(text, strcspn(text, "\n"));
	AUTO(ignore) struct ignore *ig = NULL;
	size_t path_len = strlen(path);
	struct err err;

	match_path(text, path);
	if (path_len > 200 || ignore_parse(text + path_len, len - path_len, "f", &ig, &err) < 0)
		return 0;
	if (path_len > 0 && path[0] != '/' && path[path_len - 1] != '/' &&
		strstr(path, "//") == NULL)
		walk(ig, path);
	return 0;
}
