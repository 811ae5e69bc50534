/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "base/json.h"

static const struct {
	const char *in, *compact;
} rows[] = {
	{ "{}", "{}" },
	{ " [ ] ", "[]" },
	{ "\"x\"", "\"x\"" },
	{ "{\"b\":1,\"a\":[true,false,null]}", "{\"b\":1,\"a\":[true,false,null]}" },
	{ "[\"<a href='&'>\"]", "[\"\\u003ca href='\\u0026'\\u003e\"]" },
	{ "[\"\\u2028\\u2029\\u202a\"]", "[\"\\u2028\\u2029\xe2\x80\xaa\"]" },
	{ "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f\"]",
		"[\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\"]" },
	{ "[\"\\ud83d\\ude00\\u00e9\"]", "[\"\xf0\x9f\x98\x80\xc3\xa9\"]" },
	{ "[0,-1,9223372036854775807]", "[0,-1,9223372036854775807]" },
	{ "[0.0,-0.0,1.0,0.1,-2.5,1e2]", "[0,-0,1,0.1,-2.5,100]" },
	{ "[1e20,1e21,1.5e300,1e-6,1.25e-7,123456.789]",
		"[100000000000000000000,1e+21,1.5e+300,0.000001,1.25e-7,123456.789]" },
};

TEST(documents_are_printed_as_go_prints_them)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(json) json_t *doc = NULL;
		AUTO(buf) struct buf out = BUF_INIT;
		struct err err = { 0 };

		works(json_parse(rows[i].in, strlen(rows[i].in), &doc, &err));
		json_format(doc, JSON_STYLE_COMPACT, &out);
		same_str(out.data, rows[i].compact);
	}
}

TEST(the_other_styles_indent_or_sort)
{
	const char *text = "{\"b\":{\"d\":[1,{}],\"c\":[]},\"a\":\"x\"}";
	AUTO(json) json_t *doc = NULL;
	AUTO(buf) struct buf out = BUF_INIT;
	struct err err = { 0 };

	works(json_parse(text, strlen(text), &doc, &err));
	json_format(doc, JSON_STYLE_SORTED, &out);
	same_str(out.data, "{\"a\":\"x\",\"b\":{\"c\":[],\"d\":[1,{}]}}");
	buf_clear(&out);
	json_format(doc, JSON_STYLE_INDENT, &out);
	same_str(out.data,
		"{\n  \"b\": {\n    \"d\": [\n      1,\n      {}\n    ],\n    \"c\": []\n  },\n"
		"  \"a\": \"x\"\n}");
}

TEST(what_is_no_document_is_refused)
{
	static const struct {
		const char *in, *message;
	} bad[] = {
		{ "", "not JSON: line 1, column 0: '[' or '{' expected near end of file" },
		{ "{\"a\":1,\"a\":2}",
			"not JSON: line 1, column 10: duplicate object key near '\"a\"'" },
		{ "[1] x", NULL },
		{ "[\"\xff\"]", NULL },
		{ "[\"\xc0\x80\"]", NULL },
		{ "[\"\\u0000\"]", NULL },
		{ "[\"\\ud800\"]", NULL },
		{ "[92233720368547758070]", NULL },
		{ "[1e999]", NULL },
		{ "[01]", NULL },
		{ "[nan]", NULL },
		{ "\xef\xbb\xbf{}", NULL },
	};
	struct err err = { 0 };
	json_t *doc = NULL;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		err.kind = ERR_NONE;
		same_int(json_parse(bad[i].in, strlen(bad[i].in), &doc, &err), -1);
		same_int(err.kind, ERR_INPUT);
		if (i > 0 && bad[i].message != NULL)
			same_str(err.msg, bad[i].message);
		is_true(doc == NULL);
	}
}

TEST(nesting_stops_at_the_limit)
{
	AUTO(buf) struct buf deep = BUF_INIT;
	AUTO(json) json_t *doc = NULL;
	struct err err = { 0 };

	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		buf_addc(&deep, '[');
	buf_adds(&deep, "\"[[[\\\"[\"");
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		buf_addc(&deep, ']');
	works(json_parse(deep.data, deep.len, &doc, &err));
	buf_clear(&deep);
	for (int i = 0; i < 100000; i++)
		buf_adds(&deep, "{\"a\":");
	fails(json_parse(deep.data, deep.len, &doc, &err),
		"JSON is nested more than 64 levels deep");
	fails(json_parse_own("[", 1, &doc, &err),
		"not JSON: line 1, column 1: ']' expected near end of file");
}

TEST(look_ups_say_what_is_wrong)
{
	const char *text =
		"{\"s\":\"x\",\"n\":7,\"neg\":-1,\"t\":true,\"o\":{},\"l\":[\"a\",\"b\"],"
		"\"mixed\":[\"a\",1],\"null\":null}";
	AUTO(json) json_t *doc = NULL;
	AUTO(strv) struct strv list = STRV_INIT;
	json_t *inner = NULL;
	const char *s = "before";
	struct err err = { 0 };
	uint64_t n = 5;
	bool flag = false;

	works(json_parse(text, strlen(text), &doc, &err));
	same_int(json_get_string(doc, "s", &s, &err), 1);
	same_str(s, "x");
	same_int(json_get_string(doc, "missing", &s, &err), 0);
	same_int(json_get_string(doc, "null", &s, &err), 0);
	same_int(json_get_string(NULL, "s", &s, &err), 0);
	same_str(s, "x");
	fails(json_get_string(doc, "n", &s, &err), "'n' is not a string");
	same_int(json_get_uint(doc, "n", &n, &err), 1);
	same_int(n, 7);
	fails(json_get_uint(doc, "neg", &n, &err), "'neg' is not a whole number of 0 or more");
	same_int(n, 7);
	same_int(json_get_bool(doc, "t", &flag, &err), 1);
	is_true(flag);
	fails(json_get_bool(doc, "s", &flag, &err), "'s' is not true or false");
	same_int(json_get_object(doc, "o", &inner, &err), 1);
	fails(json_get_object(doc, "l", &inner, &err), "'l' is not an object");
	fails(json_get_array(doc, "o", &inner, &err), "'o' is not an array");
	fails(json_get_strv(doc, "mixed", &list, &err), "'mixed' is not an array of strings");
	same_int(list.count, 0);
	same_int(json_get_strv(doc, "l", &list, &err), 1);
	same_int(list.count, 2);
	same_int(json_get_array(doc, "l", &inner, &err), 1);
	fails(json_get_string(inner, "x", &s, &err), "'x' is looked for in what is not an object");
}

TEST(bytes_that_are_not_text_become_replacement_characters)
{
	static const struct {
		const char *in, *out;
	} bytes[] = {
		{ "plain", "plain" },
		{ "\xc3\xa9\xf0\x9f\x98\x80", "\xc3\xa9\xf0\x9f\x98\x80" },
		{ "a\xffz", "a\xef\xbf\xbdz" },
		{ "\xc3", "\xef\xbf\xbd" },
		{ "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};

	for (size_t i = 0; i < COUNT_OF(bytes); i++) {
		AUTO(json) json_t *value = json_text(bytes[i].in);

		same_str(json_string_value(value), bytes[i].out);
	}
}

TEST(a_list_of_strings_comes_back_as_it_was)
{
	AUTO(strv) struct strv in = STRV_INIT;
	AUTO(strv) struct strv out = STRV_INIT;
	AUTO(json) json_t *o = json_object();
	struct err err = { 0 };

	strv_add(&in, "PATH=/bin");
	strv_add(&in, "");
	json_object_set_new(o, "Env", json_strv(&in));
	same_int(json_get_strv(o, "Env", &out, &err), 1);
	is_true(strv_same(&in, &out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(documents_are_printed_as_go_prints_them),
		CASE(the_other_styles_indent_or_sort),
		CASE(what_is_no_document_is_refused),
		CASE(nesting_stops_at_the_limit),
		CASE(look_ups_say_what_is_wrong),
		CASE(bytes_that_are_not_text_become_replacement_characters),
		CASE(a_list_of_strings_comes_back_as_it_was),
	};

	return RUN(tests);
}
