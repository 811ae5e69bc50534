/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "registry/ref.h"

static void
show(const char *text, struct buf *out, struct err *err)
{
	struct ref r;

	if (ref_parse(text, &r, err) < 0) {
		buf_addf(out, "error: %s", err->msg);
		return;
	}
	buf_addf(out, "%s|%s|%s|%s|", r.host, r.repository, r.tag, r.digest.text);
	ref_format(&r, REF_FAMILIAR, out);
}

/* "error: *" wants any error, "error: text" that text at the end. */
static void
check_row(const char *text, const char *wanted)
{
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };

	show(text, &got, &err);
	if (!starts_with(wanted, "error: ")) {
		same_str(got.data, wanted);
		return;
	}
	if (!starts_with(got.data, "error: reference '"))
		same_str(got.data, wanted);
	if (strcmp(wanted, "error: *") != 0 && !ends_with(got.data, wanted + strlen("error: ")))
		same_str(got.data, wanted);
	same_int(err.kind, ERR_INPUT);
}

TEST(table)
{
	FILE *f = fopen(TESTDATA "/registry/refs.tsv", "r");
	char *line = NULL, *tab;
	size_t room = 0, rows = 0;

	is_true(f != NULL);
	while (getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		tab = strchr(line, '\t');
		is_true(tab != NULL);
		*tab = '\0';
		check_row(line, tab + 1);
		rows++;
	}
	free(line);
	fclose(f);
	is_true(rows > 70);
}

TEST(every_style_but_the_repository_parses_to_the_same)
{
	static const char *const texts[] = { "alpine", "docker.io/foo.bar/x", "r.io/a/b:1",
		"[::1]:5000/x",
		"x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" };
	size_t i;

	for (i = 0; i < COUNT_OF(texts); i++) {
		AUTO(buf) struct buf canonical = BUF_INIT, familiar = BUF_INIT, again = BUF_INIT;
		struct ref r, other;
		struct err err;

		works(ref_parse(texts[i], &r, &err));
		ref_format(&r, REF_CANONICAL, &canonical);
		ref_format(&r, REF_FAMILIAR, &familiar);
		works(ref_parse(familiar.data, &other, &err));
		ref_format(&other, REF_CANONICAL, &again);
		same_str(again.data, canonical.data);
		is_true(ref_same_repository(&r, &other));
	}
}

TEST(a_digest_wins_over_the_tag)
{
	struct ref r;
	struct err err;

	works(ref_parse("x:1", &r, &err));
	same_str(ref_name(&r), "1");
	works(ref_parse(
		"x:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", &r,
		&err));
	same_str(ref_name(&r),
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	same_str(r.tag, "1");
	is_true(!r.tag_implied);
}

TEST(outputs_are_untouched_on_failure)
{
	struct ref r = { .host = "before" };
	struct err err;

	same_int(ref_parse("A", &r, &err), -1);
	same_str(r.host, "before");
	same_str(err.msg, "reference 'A': the repository 'A' must be lower-case");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(table),
		CASE(every_style_but_the_repository_parses_to_the_same),
		CASE(a_digest_wins_over_the_tag),
		CASE(outputs_are_untouched_on_failure),
	};

	return RUN(tests);
}
