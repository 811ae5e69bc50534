/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/diagnostic.h"
#include "build/dockerfile/expand.h"
#include "build/dockerfile/ignore.h"
#include "build/dockerfile/mode.h"
#include "build/dockerfile/parse.h"
#include "build/dockerfile/shell_pattern.h"
#include "tests/unit/test.h"

/* Nothing from outside is without an end. */

static void
add_times(struct buf *out, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_adds(out, text);
}

TEST(a_file_may_not_be_larger_than_its_limit)
{
	AUTO(free) char *text = xzalloc(DOCKERFILE_SIZE_MAX + 1);
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	struct err err;

	memset(text, '\n', DOCKERFILE_SIZE_MAX + 1);
	fails(dockerfile_parse(text, DOCKERFILE_SIZE_MAX + 1, "f", &d, &list, &err),
		"f: larger than 16777216 bytes");
	fails(dockerfile_parse(text, DOCKERFILE_SIZE_MAX, "f", &d, &list, &err),
		"f: file with no instructions");
}

TEST(an_instruction_may_have_a_mebibyte)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	struct err err;

	buf_adds(&text, "FROM a\nRUN ");
	add_times(&text, "x", DOCKERFILE_LINE_MAX - 4);
	works(dockerfile_parse(text.data, text.len, "f", &d, &list, &err));
	buf_adds(&text, "x");
	fails(dockerfile_parse(text.data, text.len, "f", &d, &list, &err),
		"f:2: dockerfile line greater than max allowed size of 1048576");
}

TEST(words_of_an_instruction_have_a_limit)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	struct err err;

	buf_adds(&text, "FROM a\nCOPY");
	add_times(&text, " x", DOCKERFILE_WORDS_MAX + 1);
	fails(dockerfile_parse(text.data, text.len, "f", &d, &list, &err),
		"f:2: more than 65536 words");
}

TEST(instructions_have_a_limit)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	struct err err;

	buf_adds(&text, "FROM a\n");
	add_times(&text, "RUN\n", DOCKERFILE_INSTRUCTIONS_MAX);
	fails(dockerfile_parse(text.data, text.len, "f", &d, &list, &err),
		"f:200001: more instructions than a file may have");
}

TEST(errors_are_counted_and_then_no_more)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	struct err err;

	buf_adds(&text, "FROM a\n");
	add_times(&text, "NOTHING\n", 100000);
	fails(dockerfile_parse(text.data, text.len, "f", &d, &list, &err),
		"f:2: unknown instruction: NOTHING (and 199 more errors)");
	same_int(list.count, DIAGNOSTICS_MAX);
}

TEST(one_more_error_is_said_in_the_singular)
{
	static const char text[] = "FROM a\nNOTHING\nNONE\n";
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	struct err err;

	fails(dockerfile_parse(text, strlen(text), "f", &d, &list, &err),
		"f:2: unknown instruction: NOTHING (and 1 more error)");
}

TEST(substitutions_nest_a_hundred_deep)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(strv) struct strv env = STRV_INIT;
	AUTO(free) char *out = NULL;
	struct expand_vars vars = expand_vars_env(&env);
	struct err err;

	add_times(&text, "${X:-", EXPAND_DEPTH_MAX);
	buf_adds(&text, "y");
	add_times(&text, "}", EXPAND_DEPTH_MAX);
	works(expand_word(text.data, '\\', &vars, &out, NULL, &err));
	same_str(out, "y");
	buf_clear(&text);
	add_times(&text, "${X:-", EXPAND_DEPTH_MAX + 1);
	buf_adds(&text, "y");
	add_times(&text, "} ", EXPAND_DEPTH_MAX + 1);
	same_int(expand_word(text.data, '\\', &vars, &out, NULL, &err), -1);
	is_true(strstr(err.msg, "substitutions are nested too deeply") != NULL);
}

TEST(results_of_an_expansion_have_a_limit)
{
	AUTO(buf) struct buf value = BUF_INIT;
	AUTO(strv) struct strv env = STRV_INIT;
	AUTO(free) char *out = NULL;
	struct expand_vars vars = expand_vars_env(&env);
	struct err err;

	add_times(&value, "x", EXPAND_SIZE_MAX / 2 + 1);
	strv_env_set(&env, "V", value.data);
	works(expand_word("$V", '\\', &vars, &out, NULL, &err));
	fails(expand_word("$V$V", '\\', &vars, &out, NULL, &err),
		"failed to process \"$V$V\": result of an expansion is larger than 1048576 bytes");
	fails(expand_word("${V//x/$V}", '\\', &vars, &out, NULL, &err),
		"failed to process \"${V//x/$V}\": result of a substitution is larger than 4194304 "
		"bytes");
	fails(expand_word("${V//x/yyyy}", '\\', &vars, &out, NULL, &err),
		"failed to process \"${V//x/yyyy}\": result of an expansion is larger than 1048576 "
		"bytes");
	fails(expand_word("${V#$V*$V}", '\\', &vars, &out, NULL, &err),
		"failed to process \"${V#$V*$V}\": result of an expansion is larger than 1048576 "
		"bytes");
	fails(expand_word("${V#$V}", '\\', &vars, &out, NULL, &err),
		"failed to process \"${V#$V}\": value is too long for the pattern of its "
		"substitution");
}

TEST(names_that_are_not_set_are_told_up_to_a_limit)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(strv) struct strv undefined = STRV_INIT;
	AUTO(free) char *out = NULL;
	struct expand_vars vars = expand_vars_env(NULL);
	struct err err;

	for (int i = 0; i < EXPAND_NAMES_MAX + 100; i++)
		buf_addf(&text, "$X%d", i);
	works(expand_word(text.data, '\\', &vars, &out, &undefined, &err));
	same_int(undefined.count, EXPAND_NAMES_MAX);
}

TEST(ignore_files_have_a_limit_of_patterns)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(ignore) struct ignore *ig = NULL;
	struct err err;

	add_times(&text, "a\n", IGNORE_PATTERNS_MAX);
	works(ignore_parse(text.data, text.len, "i", &ig, &err));
	ignore_free(steal(&ig));
	buf_adds(&text, "a\n");
	fails(ignore_parse(text.data, text.len, "i", &ig, &err),
		"i:65537: more than 65536 patterns");
}

/* Each "**" within a name is one step deeper, and the path has no 'c': all ways are tried. */
TEST(a_pattern_has_a_limit_and_up_to_it_the_stack_is_enough)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(buf) struct buf path = BUF_INIT;
	AUTO(strv) struct strv flags = STRV_INIT;
	AUTO(ignore) struct ignore *ig = NULL;
	struct err err;

	add_times(&text, "*", IGNORE_PATTERN_MAX - 2);
	buf_adds(&text, "[c]");
	buf_adds(&path, "a");
	add_times(&path, "/a", 2000);
	buf_adds(&path, "b");
	fails(ignore_parse(text.data, text.len, "i", &ig, &err),
		"i:1: a pattern of more than 8192 bytes");
	strv_add(&flags, text.data);
	fails(ignore_new(&flags, &ig, &err), "a pattern of more than 8192 bytes");
	works(ignore_parse(text.data + 1, text.len - 1, "i", &ig, &err));
	is_true(!ignore_step(ig, path.data, NULL, NULL, NULL));
}

TEST(modes_have_a_limit_of_changes)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct mode m;
	struct err err;

	add_times(&text, "u+x,", MODE_CHANGES_MAX - 1);
	buf_adds(&text, "u+x");
	works(mode_parse(text.data, &m, &err));
	buf_adds(&text, ",u+x");
	same_int(mode_parse(text.data, &m, &err), -1);
}

/* A terminal is not moved by what a file says. */
TEST(excerpts_show_no_control_characters)
{
	static const char text[] = "FROM a\nNONE \x1b[2J\x07\xff\tx\n";
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	AUTO(buf) struct buf out = BUF_INIT;

	diagnostics_source(&list, "f", text, strlen(text));
	diagnostics_excerpt(&list, 2, 2, 2, 13, &out);
	same_str(out.data,
		"f:2\n--------------------\n   1 |     FROM a\n   2 | >>> NONE ?[2J??\tx\n"
		"     |                \t^\n   3 |     \n--------------------\n");
}

TEST(a_place_outside_of_the_text_has_no_excerpt)
{
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	AUTO(buf) struct buf out = BUF_INIT;

	diagnostics_excerpt(&list, 1, 1, 0, 0, &out);
	diagnostics_source(&list, "f", "a\n", 2);
	diagnostics_excerpt(&list, 0, 0, 0, 0, &out);
	diagnostics_excerpt(&list, 4, 9, 0, 0, &out);
	same_str(out.data, "");
	diagnostics_excerpt(&list, 1, 9, 1, 99, &out);
	same_str(out.data,
		"f:1\n--------------------\n   1 | >>> a\n   2 | >>> \n--------------------\n");
}

TEST(excerpts_of_long_places_are_cut)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	AUTO(buf) struct buf out = BUF_INIT;
	size_t lines = 0;

	add_times(&text, "x\n", 1000);
	diagnostics_source(&list, "f", text.data, text.len);
	diagnostics_excerpt(&list, 10, 900, 0, 0, &out);
	for (const char *p = out.data; (p = strstr(p, ">>>")) != NULL; p++)
		lines++;
	same_int(lines, 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_file_may_not_be_larger_than_its_limit),
		CASE(an_instruction_may_have_a_mebibyte),
		CASE(words_of_an_instruction_have_a_limit),
		CASE(instructions_have_a_limit),
		CASE(errors_are_counted_and_then_no_more),
		CASE(one_more_error_is_said_in_the_singular),
		CASE(substitutions_nest_a_hundred_deep),
		CASE(results_of_an_expansion_have_a_limit),
		CASE(names_that_are_not_set_are_told_up_to_a_limit),
		CASE(ignore_files_have_a_limit_of_patterns),
		CASE(a_pattern_has_a_limit_and_up_to_it_the_stack_is_enough),
		CASE(modes_have_a_limit_of_changes),
		CASE(excerpts_show_no_control_characters),
		CASE(a_place_outside_of_the_text_has_no_excerpt),
		CASE(excerpts_of_long_places_are_cut),
	};

	return RUN(tests);
}
