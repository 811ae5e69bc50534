/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "build/dockerfile/heredoc.h"
#include "build/dockerfile/parse.h"
#include "tests/fuzz/fuzz_dockerfile.h"

/* A line with heredocs, and the same text as a trigger with their bodies. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(free) char *text = fuzz_text(bytes, len);
	AUTO(free) char *line = xstrndup(text, strcspn(text, "\n"));
	AUTO(instruction) struct instruction *in = NULL;
	AUTO(buf) struct buf once = BUF_INIT;
	AUTO(buf) struct buf twice = BUF_INIT;
	struct heredoc *list = NULL;
	size_t count = 0;
	struct err err;

	if (heredoc_find(line, &list, &count, &err) == 0)
		for (size_t i = 0; i < count; i++)
			law(list[i].name[0] != '\0');
	heredoc_list_free(list, count);
	heredoc_chomp(text, len, &once);
	heredoc_chomp(once.data, once.len, &twice);
	law(once.len == twice.len && once.len <= len);
	if (dockerfile_parse_trigger(text, &in, &err) == 0)
		law(in->heredoc_count <= HEREDOCS_MAX);
	return 0;
}
