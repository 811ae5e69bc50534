/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "cmd/opt.h"

enum how { HOW_NONE, HOW_SOME, HOW_ALL };

struct values {
	const char *file;
	struct strv tags;
	bool cache, it, tty;
	unsigned jobs;
	uint64_t size;
	enum how how, pull;
};

static const struct opt_word hows[] = { { "some", HOW_SOME }, { "all", HOW_ALL }, { NULL, 0 } };

static const struct opt rows[] = { OPT_STR('f', "file", struct values, file, "path",
					   "read instructions from <path>"),
	OPT_STRV('t', "tag", struct values, tags, "name", "call the image <name>"),
	OPT_BOOL(0, "cache", struct values, cache, "use what was kept"),
	OPT_BOOL('i', "interactive", struct values, it, "keep stdin open"),
	OPT_BOOL(0, "tty", struct values, tty, "make a terminal"),
	OPT_UINT('j', "jobs", struct values, jobs, "count", "run at most <count> steps at once"),
	OPT_SIZE(0, "max-size", struct values, size, "size", "keep no more than <size>"),
	OPT_ENUM(0, "how", struct values, how, hows, "how", "do it so"),
	OPT_TRISTATE(0, "pull", struct values, pull, hows, HOW_ALL, "when", "ask the registry"),
	OPT_END };

static int
parse(struct values *v, struct strv *args, bool first_ends, const char *const *argv,
	struct err *err)
{
	const struct opt_set set = { rows, v };

	opt_free(&set, 1);
	strv_free(args);
	*v = (struct values){ 0 };
	return opt_parse(&set, 1, first_ends, argv, args, err);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

TEST(values_come_in_every_usual_form)
{
	struct values v = { 0 };
	AUTO(strv) struct strv args = STRV_INIT;
	AUTO(strv) struct strv tags = STRV_INIT;
	struct err err = { 0 };

	works(parse(&v, &args, false,
		WORDS("-f", "a", "ctx", "--tag=x", "--tag", "y", "-tz", "-t=w", "-j4"), &err));
	same_str(v.file, "a");
	same_int(v.jobs, 4);
	same_int(args.count, 1);
	strv_split(&tags, "x y z w", " ");
	is_true(strv_same(&v.tags, &tags));
	works(parse(&v, &args, false, WORDS("-f", ""), &err));
	same_str(v.file, "");
}

TEST(flags_are_set_bundled_and_taken_back)
{
	struct values v = { 0 };
	AUTO(strv) struct strv args = STRV_INIT;
	struct err err = { 0 };

	works(parse(&v, &args, false, WORDS("--cache", "-ifx", "--tty=false"), &err));
	is_true(v.cache && v.it && !v.tty);
	same_str(v.file, "x");
	works(parse(&v, &args, false, WORDS("--cache", "--no-cache"), &err));
	is_true(!v.cache);
	fails(parse(&v, &args, false, WORDS("--cache=perhaps"), &err),
		"'--cache=perhaps': it is true or false");
}

TEST(a_dash_and_what_follows_two_dashes_are_arguments)
{
	struct values v = { 0 };
	AUTO(strv) struct strv args = STRV_INIT;
	AUTO(free) char *text = NULL;
	struct err err = { 0 };

	works(parse(&v, &args, false, WORDS("-", "-f", "-", "--", "-j", "--"), &err));
	text = strv_join(&args, " ");
	same_str(text, "- -j --");
	same_str(v.file, "-");
}

TEST(the_first_argument_may_end_the_options)
{
	struct values v = { 0 };
	AUTO(strv) struct strv args = STRV_INIT;
	AUTO(free) char *text = NULL;
	struct err err = { 0 };

	works(parse(&v, &args, true, WORDS("-i", "image", "-f", "x", "--", "y"), &err));
	text = strv_join(&args, " ");
	same_str(text, "image -f x -- y");
	same_str(v.file, NULL);
}

TEST(a_word_is_one_of_its_list)
{
	struct values v = { 0 };
	AUTO(strv) struct strv args = STRV_INIT;
	struct err err = { 0 };

	works(parse(&v, &args, false, WORDS("--how", "some", "--pull"), &err));
	same_int(v.how, HOW_SOME);
	same_int(v.pull, HOW_ALL);
	works(parse(&v, &args, false, WORDS("--pull=some", "x"), &err));
	same_int(v.pull, HOW_SOME);
	same_int(args.count, 1);
	works(parse(&v, &args, false, WORDS("--pull=true"), &err));
	same_int(v.pull, HOW_ALL);
	works(parse(&v, &args, false, WORDS("--pull=false"), &err));
	same_int(v.pull, HOW_NONE);
	fails(parse(&v, &args, false, WORDS("--how=soem"), &err),
		"'--how': unknown 'soem' (did you mean 'some'?)");
	fails(parse(&v, &args, false, WORDS("--how=never"), &err),
		"'--how': 'never' is none of some, all");
}

TEST(numbers_are_checked)
{
	struct values v = { 0 };
	AUTO(strv) struct strv args = STRV_INIT;
	struct err err = { 0 };

	works(parse(&v, &args, false, WORDS("--max-size=10GiB"), &err));
	same_int(v.size, 10LL << 30);
	works(parse(&v, &args, false, WORDS("--max-size=512"), &err));
	same_int(v.size, 512);
	fails(parse(&v, &args, false, WORDS("--max-size=18446744073709551615k"), &err),
		"'--max-size': '18446744073709551615k' is too large");
	fails(parse(&v, &args, false, WORDS("--max-size=ten"), &err),
		"'--max-size': 'ten' is not a size like 512m or 10g");
	fails(parse(&v, &args, false, WORDS("-j-1"), &err), "'--jobs': '-1' is not a number");
	fails(parse(&v, &args, false, WORDS("-j", "4294967296"), &err),
		"'--jobs': '4294967296' is not a number");
}

TEST(what_is_unknown_is_refused_with_a_guess)
{
	struct values v = { 0 };
	AUTO(strv) struct strv args = STRV_INIT;
	struct err err = { 0 };

	fails(parse(&v, &args, false, WORDS("--fiel=x"), &err),
		"unknown option '--fiel' (did you mean '--file'?)");
	fails(parse(&v, &args, false, WORDS("--quantum"), &err), "unknown option '--quantum'");
	fails(parse(&v, &args, false, WORDS("-ix"), &err), "unknown option '-x'");
	fails(parse(&v, &args, false, WORDS("--file"), &err), "'--file' wants a <path>");
	fails(parse(&v, &args, false, WORDS("-t"), &err), "'-t' wants a <name>");
	same_int(err.kind, ERR_USAGE);
}

TEST(help_fills_eighty_columns_and_no_more)
{
	AUTO(buf) struct buf b = BUF_INIT;

	opt_help(rows, &b);
	is_true(strstr(b.data, "  -f, --file <path>         read instructions from <path>\n") !=
		NULL);
	is_true(strstr(b.data, "      --pull[=<when>]       ask the registry: some, all\n") !=
		NULL);
	buf_clear(&b);
	opt_fill("aaaa bbbb", 72, 4, &b);
	same_str(b.data, "aaaa\n    bbbb\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(values_come_in_every_usual_form),
		CASE(flags_are_set_bundled_and_taken_back),
		CASE(a_dash_and_what_follows_two_dashes_are_arguments),
		CASE(the_first_argument_may_end_the_options),
		CASE(a_word_is_one_of_its_list),
		CASE(numbers_are_checked),
		CASE(what_is_unknown_is_refused_with_a_guess),
		CASE(help_fills_eighty_columns_and_no_more),
	};

	return RUN(tests);
}
