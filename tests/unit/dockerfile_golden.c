/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>

#include "build/dockerfile/lint.h"
#include "build/dockerfile/parse.h"
#include "tests/unit/dockerfile_dump.h"
#include "tests/unit/dockerfile_table.h"

/* Whole files: testdata/dockerfile/cases/<name>/Dockerfile becomes the text in `want` beside it: what
 * was parsed, then the warnings or errors as they are printed.  `dockerfile_golden write` writes what
 * is wanted anew, for a look at the difference. */

#define CASES TESTDATA "/dockerfile/cases"

static bool writing;

static void
describe(const char *name, struct buf *out)
{
	AUTO(free) char *path = xasprintf("%s/%s/Dockerfile", CASES, name);
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	AUTO(lint) struct lint lint = LINT_INIT;
	struct err err;

	works(file_read(AT_FDCWD, path, DOCKERFILE_SIZE_MAX, &text, &err));
	if (dockerfile_parse(text.data, text.len, "Dockerfile", &d, &list, &err) < 0) {
		buf_addf(out, "%s\n", err.msg);
	} else {
		dump_dockerfile(d, out);
		works(lint_start(&lint, d, NULL, &list, &err));
		lint_file(&lint);
		diagnostics_sort(&list);
	}
	for (size_t i = 0; i < list.count; i++) {
		buf_addc(out, '\n');
		diagnostic_format(&list, &list.items[i], out);
	}
}

static int
check_case(const char *name)
{
	AUTO(free) char *path = xasprintf("%s/%s/want", CASES, name);
	AUTO(buf) struct buf want = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { .kind = ERR_NONE };
	size_t line = 1, at = 0;

	describe(name, &got);
	if (writing) {
		works(file_write(AT_FDCWD, path, got.data, got.len, 0644, FILE_NO_SYNC, &err));
		return 0;
	}
	works(file_read(AT_FDCWD, path, DOCKERFILE_SIZE_MAX, &want, &err));
	if (got.len == want.len && memcmp(got.data, want.data, got.len) == 0)
		return 0;
	while (got.data[at] != '\0' && got.data[at] == want.data[at])
		line += got.data[at++] == '\n';
	while (at > 0 && got.data[at - 1] != '\n')
		at--;
	print_error("# %s: line %zu\n#    got: %.*s\n# wanted: %.*s\n", path, line,
		(int)strcspn(got.data + at, "\n"), got.data + at,
		(int)strcspn(want.data + at, "\n"), want.data + at);
	return 1;
}

TEST(every_case_is_parsed_as_wanted)
{
	struct dirent **names = NULL;
	int count = scandir(CASES, &names, NULL, alphasort), cases = 0, bad = 0;

	for (int i = 0; i < count; i++) {
		if (names[i]->d_name[0] != '.') {
			cases++;
			bad += check_case(names[i]->d_name);
		}
		free(names[i]);
	}
	free(names);
	is_true(cases > 0);
	same_int(bad, 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(every_case_is_parsed_as_wanted),
	};

	writing = argc > 1 && streq(argv[1], "write");
	return RUN(tests);
}
