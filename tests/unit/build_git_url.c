/* SPDX-License-Identifier: Apache-2.0 */
#include "build/git_url.h"
#include "tests/unit/dockerfile_table.h"

static void
show(const struct git_url *g, struct buf *out)
{
	buf_addf(out, "%s|%s|%s|%s|%s%s", g->remote, g->ref != NULL ? g->ref : "",
		g->subdir != NULL ? g->subdir : "", g->commit != NULL ? g->commit : "",
		g->keep_git_dir ? "keep" : "", g->no_submodules ? "flat" : "");
}

static void
check(const char *text, const char *wanted)
{
	struct git_url g = { .remote = NULL };
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { .kind = ERR_NONE };
	int found = git_url_parse(text, GIT_URL_SOURCE, &g, &err);

	if (found < 0 && starts_with(wanted, "error: ")) {
		if (strstr(err.msg, wanted + 7) == NULL)
			same_str(err.msg, wanted);
		return;
	}
	if (found > 0)
		show(&g, &got);
	else
		buf_adds(&got, found == 0 ? "no" : err.msg);
	same_str(got.data, wanted);
	git_url_free(&g);
}

static void
addresses_are_told_from_paths(void **state)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(strv) struct strv lines = STRV_INIT;
	struct err err;
	size_t rows = 0;

	(void)state;
	works(file_read(AT_FDCWD, TESTDATA "/build/git_url.tsv", TABLE_SIZE_MAX, &text, &err));
	strv_split(&lines, text.data, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		AUTO(strv) struct strv fields = STRV_INIT;

		if (lines.items[i][0] == '#' || lines.items[i][0] == '\0')
			continue;
		strv_split(&fields, lines.items[i], "\t");
		same_int(fields.count, 3);
		check(fields.items[0], fields.items[1]);
		rows++;
	}
	is_true(rows > 40);
}

static void
a_context_may_leave_out_the_scheme_of_github(void **state)
{
	struct git_url g = { .remote = NULL };
	struct err err;

	(void)state;
	same_int(git_url_parse("github.com/a/b#x", GIT_URL_CONTEXT, &g, &err), 1);
	same_str(g.remote, "https://github.com/a/b");
	same_str(g.ref, "x");
	git_url_free(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_told_from_paths),
		cmocka_unit_test(a_context_may_leave_out_the_scheme_of_github),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
