/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/table.h"

#include <inttypes.h>

#include "registry/base64.h"
#include "registry/challenge.h"
#include "registry/download.h"
#include "registry/link.h"
#include "registry/policy.h"
#include "registry/proxy.h"
#include "registry/registries.h"
#include "registry/reply.h"
#include "registry/retry.h"
#include "registry/scope.h"
#include "registry/toml.h"
#include "registry/token.h"
#include "registry/upload_chunks.h"
#include "registry/url.h"

/* What registries say, in short texts that are parsed. */

static void
challenge_row(char **fields, size_t count)
{
	AUTO(challenges) struct challenges c = CHALLENGES_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	size_t i;

	same_int(count, 2);
	challenges_add(&c, fields[0]);
	for (i = 0; i < c.count; i++) {
		AUTO(free) char *all = strv_join(&c.items[i].parameters, "|");

		buf_addf(&got, "%s%s{%s}", i > 0 ? " " : "", c.items[i].scheme, all);
	}
	same_str(got.data, fields[1]);
}

TEST(challenges)
{
	is_true(table_each(TESTDATA "/registry/challenges.tsv", challenge_row) > 15);
}

static void
link_row(char **fields, size_t count)
{
	AUTO(buf) struct buf got = BUF_INIT;

	same_int(count, 2);
	same_int(link_next(fields[0], &got), fields[1][0] != '\0');
	same_str(got.data, fields[1]);
}

TEST(links)
{
	is_true(table_each(TESTDATA "/registry/links.tsv", link_row) > 10);
}

static void
scope_row(char **fields, size_t count)
{
	AUTO(scopes) struct scopes s = SCOPES_INIT;
	AUTO(buf) struct buf got = BUF_INIT;

	same_int(count, 2);
	scopes_add(&s, fields[0]);
	scopes_format(&s, &got);
	same_str(got.data, fields[1]);
	is_true(scopes_cover(&s, &s));
}

TEST(scopes)
{
	is_true(table_each(TESTDATA "/registry/scopes.tsv", scope_row) > 10);
}

TEST(a_set_of_scopes_covers_what_is_less)
{
	AUTO(scopes) struct scopes more = SCOPES_INIT;
	AUTO(scopes) struct scopes less = SCOPES_INIT;

	scopes_add(&more, "repository:a:pull,push repository:b:pull");
	scopes_add(&less, "repository:a:pull");
	is_true(scopes_cover(&more, &less));
	is_true(!scopes_cover(&less, &more));
	scopes_add(&less, "repository:b:push");
	is_true(!scopes_cover(&more, &less));
}

static void
retry_after_row(char **fields, size_t count)
{
	AUTO(free) char *got = NULL;

	same_int(count, 3);
	got = xasprintf("%" PRId64, retry_after_ms(fields[0], fields[1], 1767225600));
	same_str(got, fields[2]);
}

TEST(retry_after)
{
	is_true(table_each(TESTDATA "/registry/retry_after.tsv", retry_after_row) > 10);
}

static void
url_row(char **fields, size_t count)
{
	AUTO(buf) struct buf got = BUF_INIT;
	struct url base, url;
	struct err err = { 0 };

	same_int(count, 3);
	works(url_parse(fields[0], &base, &err));
	if (url_resolve(&base, fields[1], &url, &err) < 0)
		buf_adds(&got, "error");
	else
		url_format(&url, &got);
	same_str(got.data, fields[2]);
	is_true(strstr(err.msg, "secret") == NULL);
}

TEST(urls)
{
	is_true(table_each(TESTDATA "/registry/urls.tsv", url_row) > 25);
}

TEST(what_is_shown_of_a_url_has_no_secret)
{
	AUTO(buf) struct buf got = BUF_INIT;
	struct url url;
	struct err err = { 0 };

	works(url_parse("https://s3.example/k?X-Amz-Signature=abc&n=5&sig=x&scope=a%3Ab&_state=zzz",
		&url, &err));
	url_show(&url, &got);
	same_str(got.data,
		"https://s3.example/k?X-Amz-Signature=...&n=5&sig=...&scope=a%3Ab&_state=...");
}

static void
policy_row(char **fields, size_t count)
{
	static const char *const reasons[] = { "request", "redirect", "upload", "realm", "link",
		"foreign" };
	static const char *const classes[] = { "public", "private", "loopback", "link-local" };
	AUTO(buf) struct buf got = BUF_INIT;
	struct policy_verdict verdict;
	struct url registry, target;
	struct err err = { 0 };
	size_t reason = 0, at = 0;

	is_true(count >= 6);
	while (!streq(reasons[reason], fields[0]))
		reason++;
	while (!streq(classes[at], fields[2]))
		at++;
	works(url_parse(fields[1], &registry, &err));
	works(url_parse(fields[3], &target, &err));
	if (policy_decide((enum policy_reason)reason, &registry, (enum address_class)at, &target,
		    &verdict, &err) < 0) {
		same_str("error", fields[4]);
		is_true(strstr(err.msg, fields[5]) != NULL);
		return;
	}
	url_format(&target, &got);
	buf_addf(&got, " %s %s", verdict.credential ? "yes" : "no",
		policy_address_name(verdict.reach));
	AUTO(free)
	char *wanted = xasprintf("%s %s %s", fields[4], fields[5], count > 6 ? fields[6] : "");
	same_str(got.data, wanted);
}

TEST(addresses_are_known_in_every_dress)
{
	static const struct {
		const char *host;
		enum address_class class;
	} rows[] = { { "r.io", ADDRESS_PUBLIC }, { "8.8.8.8", ADDRESS_PUBLIC },
		{ "10.0.0.1", ADDRESS_PRIVATE }, { "172.31.255.255", ADDRESS_PRIVATE },
		{ "172.32.0.0", ADDRESS_PUBLIC }, { "192.168.1.1", ADDRESS_PRIVATE },
		{ "100.64.0.1", ADDRESS_PRIVATE }, { "127.1", ADDRESS_LOOPBACK },
		{ "0", ADDRESS_LOOPBACK }, { "2130706433", ADDRESS_LOOPBACK },
		{ "0x7f000001", ADDRESS_LOOPBACK }, { "017700000001", ADDRESS_LOOPBACK },
		{ "localhost", ADDRESS_LOOPBACK }, { "a.localhost", ADDRESS_LOOPBACK },
		{ "169.254.169.254", ADDRESS_LINK_LOCAL }, { "224.0.0.1", ADDRESS_LINK_LOCAL },
		{ "255.255.255.255", ADDRESS_LINK_LOCAL }, { "[::1]", ADDRESS_LOOPBACK },
		{ "::1", ADDRESS_LOOPBACK }, { "[::]", ADDRESS_LOOPBACK },
		{ "[fe80::1]", ADDRESS_LINK_LOCAL }, { "fe80::1%eth0", ADDRESS_LINK_LOCAL },
		{ "[fd00::1]", ADDRESS_PRIVATE }, { "[::ffff:10.0.0.1]", ADDRESS_PRIVATE },
		{ "[64:ff9b::a9fe:a9fe]", ADDRESS_LINK_LOCAL },
		{ "[2001:db8::1]", ADDRESS_PUBLIC } };
	size_t i;

	for (i = 0; i < COUNT_OF(rows); i++)
		if (policy_host(rows[i].host) != rows[i].class)
			same_str(rows[i].host, policy_address_name(rows[i].class));
}

TEST(policy)
{
	is_true(table_each(TESTDATA "/registry/policy.tsv", policy_row) > 30);
}

static void
proxy_row(char **fields, size_t count)
{
	struct proxy_settings p = {
		.http = "http://p:1", .https = "http://p:2", .none = fields[0]
	};
	struct url url;
	struct err err = { 0 };

	same_int(count, 3);
	works(url_parse(fields[1], &url, &err));
	same_str(proxy_for(&p, &url) != NULL ? "yes" : "no", fields[2]);
}

TEST(proxies)
{
	is_true(table_each(TESTDATA "/registry/proxies.tsv", proxy_row) > 20);
}

static void
range_row(char **fields, size_t count)
{
	AUTO(buf) struct buf got = BUF_INIT;
	uint64_t first, last, total;

	same_int(count, 2);
	if (download_parse_range(fields[0], &first, &last, &total) < 0)
		buf_adds(&got, "error");
	else if (total == UINT64_MAX)
		buf_addf(&got, "%" PRIu64 " %" PRIu64 " *", first, last);
	else
		buf_addf(&got, "%" PRIu64 " %" PRIu64 " %" PRIu64, first, last, total);
	same_str(got.data, fields[1]);
}

TEST(content_ranges)
{
	is_true(table_each(TESTDATA "/registry/ranges.tsv", range_row) > 10);
}

TEST(the_range_of_an_upload)
{
	same_int(upload_parse_range("0-99"), 100);
	same_int(upload_parse_range("bytes=0-99"), 100);
	same_int(upload_parse_range("0-0"), 0);
	same_int(upload_parse_range(NULL), 0);
	same_int(upload_parse_range("0-"), 0);
	same_int(upload_parse_range("x"), 0);
	same_int(upload_parse_range("0-99999999999999999999"), 0);
}

TEST(base64_there_and_back)
{
	static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "user:secret", "dXNlcjpzZWNyZXQ=" },
		{ "\xff\xfe\xfd", "//79" } };
	size_t i;

	for (i = 0; i < COUNT_OF(pairs); i++) {
		AUTO(buf) struct buf text = BUF_INIT;
		AUTO(buf) struct buf bytes = BUF_INIT;

		base64_encode(pairs[i][0], strlen(pairs[i][0]), &text);
		same_str(text.data, pairs[i][1]);
		same_int(base64_decode(text.data, text.len, &bytes), 0);
		same_bytes(bytes.data, bytes.len, pairs[i][0], strlen(pairs[i][0]));
	}
}

TEST(what_is_not_base64_is_refused)
{
	static const char *const texts[] = { "Z", "Zg=a", "Z===", "Zm9v=Zg", "Z m9", "Zm9vZ",
		"a-b_" };
	AUTO(buf) struct buf bytes = BUF_INIT;
	size_t i;

	for (i = 0; i < COUNT_OF(texts); i++) {
		same_int(base64_decode(texts[i], strlen(texts[i]), &bytes), -1);
		same_int(bytes.len, 0);
	}
	same_int(base64_decode("Zm9v\r\nYg", 8, &bytes), 0);
	same_str(bytes.data, "foob");
}

static void
check_token(const char *answer, const char *wanted)
{
	AUTO(token) struct token t = TOKEN_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };

	if (token_parse(answer, strlen(answer), &t, &err) < 0)
		buf_addf(&got, "error: %s", err.msg);
	else
		buf_addf(&got, "%s %" PRIu64 " %s", t.text, t.life_s,
			t.refresh != NULL ? t.refresh : "-");
	same_str(got.data, wanted);
}

TEST(token_answers)
{
	check_token("{\"token\":\"a\"}", "a 60 -");
	check_token("{\"access_token\":\"a\",\"expires_in\":300}", "a 300 -");
	check_token("{\"token\":\"\",\"access_token\":\"b\",\"refresh_token\":\"r\"}", "b 60 r");
	check_token("{\"token\":\"a\",\"expires_in\":0}", "a 60 -");
	check_token("{\"token\":\"a\",\"expires_in\":-5}", "a 60 -");
	check_token("{\"token\":\"a\",\"expires_in\":1e18}", "a 1000000000 -");
	check_token("{\"token\":\"a\",\"expires_in\":10}", "a 10 -");
	check_token("{}", "error: the token answer has no token");
	check_token("[]", "error: the token answer is not an object");
	check_token("{\"token\":\"a\\r\\nX: y\"}",
		"error: the token has characters that no token may have");
}

TEST(tokens_are_found_by_all_that_makes_them_and_die_in_time)
{
	struct tokens t = TOKENS_INIT;
	AUTO(scopes) struct scopes wide = SCOPES_INIT;
	AUTO(scopes) struct scopes narrow = SCOPES_INIT;
	struct token token = { .text = (char *)"text", .life_s = 100 };
	struct token_key key = { .realm = "r", .service = "s", .account = "a", .scopes = &wide };

	scopes_add(&wide, "repository:a:pull,push");
	scopes_add(&narrow, "repository:a:pull");
	tokens_keep(&t, &key, &token, 1000);
	same_str(tokens_find(&t, &key, 0, 1000), "text");
	key.scopes = &narrow;
	same_str(tokens_find(&t, &key, 0, 1074), "text");
	same_str(tokens_find(&t, &key, 0, 1075), NULL);
	same_str(tokens_find(&t, &key, 30, 1046), NULL);
	key.account = "b";
	same_str(tokens_find(&t, &key, 0, 1000), NULL);
	key.account = "a";
	tokens_drop(&t, "text");
	same_str(tokens_find(&t, &key, 0, 1000), NULL);
	tokens_free(&t);
}

TEST(a_token_request_has_only_what_is_there)
{
	AUTO(buf) struct buf query = BUF_INIT;
	AUTO(buf) struct buf form = BUF_INIT;
	AUTO(scopes) struct scopes scopes = SCOPES_INIT;
	struct token_key key = { .realm = "r", .service = "", .account = "", .scopes = &scopes };

	buf_adds(&query, "/token?kept=1");
	token_query(&key, &query);
	same_str(query.data, "/token?kept=1&client_id=cooper");
	scopes_add(&scopes, "repository:a/b:pull repository:c:pull");
	key.service = "s&x";
	key.account = "me";
	buf_clear(&query);
	token_query(&key, &query);
	same_str(query.data, "?service=s%26x&scope=repository%3Aa%2Fb%3Apull&scope=repository%3Ac%"
			     "3Apull&account=me&"
			     "client_id=cooper");
	token_form(&key, "r+t", &form);
	same_str(form.data, "grant_type=refresh_token&service=s%26x&client_id=cooper&scope="
			    "repository%3Aa%2Fb%3Apull%"
			    "20repository%3Ac%3Apull&access_type=offline&refresh_token=r%2Bt");
}

static void
check_words(const char *type, const char *body, const char *wanted)
{
	AUTO(http_response) struct http_response r = HTTP_RESPONSE_INIT;
	AUTO(buf) struct buf got = BUF_INIT;

	if (type != NULL)
		strv_addf(&r.headers, "content-type: %s", type);
	buf_adds(&r.body, body);
	reply_words(&r, &got);
	same_str(got.data, wanted);
}

TEST(the_words_of_a_registry_are_shown_clean)
{
	check_words("application/json",
		"{\"errors\":[{\"code\":\"A\",\"message\":\"b\"},{\"code\":\"C\"}]}", "A: b; C");
	check_words("application/json", "{\"errors\":[{\"message\":\"b\",\"detail\":\"why\"}]}",
		"b (why)");
	check_words("application/json", "{\"details\":\"incorrect username or password\"}",
		"incorrect username or password");
	check_words("application/json", "{\"errors\":\"no list\"}", "");
	check_words("text/html; charset=utf-8", "<html>", "it answers with a web page");
	check_words("text/plain", "Method not allowed\nmore", "Method not allowed");
	check_words(NULL, "\033[31mred\007", " [31mred ");
	check_words("application/json",
		"{\"errors\":[{\"code\":\"\\u001b[2J\",\"message\":\"x\\ny\"}]}", " [2J: x y");
}

static void
toml_row(char **fields, size_t count)
{
	AUTO(json) json_t *got_json = NULL;
	AUTO(json) json_t *wanted = NULL;
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };

	same_int(count, 2);
	if (toml_parse(fields[0], strlen(fields[0]), &got_json, &err) < 0)
		buf_addf(&got, "error: %s", err.msg);
	else
		json_format(got_json, JSON_STYLE_COMPACT, &got);
	same_str(got.data, fields[1]);
}

TEST(toml)
{
	is_true(table_each(TESTDATA "/registry/toml.tsv", toml_row) > 30);
}

/* Where a name leads: "host/repository" in order, '!' for one without trust, and what it is for. */
static void
check_endpoints(const struct registries *r, const char *name, const char *wanted)
{
	static const char *const pulls[] = { "", "(digest)", "(tag)" };
	struct endpoint endpoints[REGISTRIES_MIRRORS_MAX + 1];
	AUTO(buf) struct buf got = BUF_INIT;
	struct ref ref;
	struct err err = { 0 };
	int i, count;

	works(ref_parse(name, &ref, &err));
	count = registries_endpoints(r, &ref, true, endpoints, &err);
	if (count < 0)
		buf_addf(&got, "error: %s", err.msg);
	for (i = 0; i < count; i++) {
		buf_addf(&got, "%s%s", i > 0 ? " " : "", endpoints[i].insecure ? "!" : "");
		ref_format(&endpoints[i].ref, REF_REPOSITORY, &got);
		buf_adds(&got, pulls[endpoints[i].pull]);
	}
	same_str(got.data, wanted);
}

TEST(registries_conf)
{
	static const char text[] =
		"unqualified-search-registries = ['docker.io']\n[aliases]\n'x' = 'r.io/x'\n"
		"[[registry]]\nlocation = 'r.io'\n"
		"[[registry.mirror]]\nlocation = 'm1.example/cache'\ninsecure = true\n"
		"[[registry.mirror]]\nlocation = 'm2.example'\npull-from-mirror = 'digest-only'\n"
		"[[registry]]\nprefix = 'r.io/special'\nlocation = 'other.io/ns'\n"
		"[[registry]]\nprefix = '*.wild.io'\ninsecure = true\n"
		"[[registry]]\nprefix = 'bad.io'\nblocked = true\n"
		"[[registry]]\nprefix = 'docker.io/library'\nlocation = 'hub.example/library'\n"
		"[[registry]]\nprefix = 'd.io'\nmirror-by-digest-only = "
		"true\n[[registry.mirror]]\nlocation = 'e.io'\n";
	AUTO(registries) struct registries r = REGISTRIES_INIT;
	struct err err = { 0 };

	works(registries_add(&r, text, strlen(text), "f", &err));
	check_endpoints(&r, "r.io/a/b", "!m1.example/cache/a/b m2.example/a/b(digest) r.io/a/b");
	check_endpoints(&r, "r.io:5000/a", "r.io:5000/a");
	check_endpoints(&r, "r.io/special/x", "other.io/ns/x");
	check_endpoints(&r, "r.io/specialx",
		"!m1.example/cache/specialx m2.example/specialx(digest) r.io/specialx");
	check_endpoints(&r, "a.b.wild.io/x", "!a.b.wild.io/x");
	check_endpoints(&r, "wild.io/x", "wild.io/x");
	check_endpoints(&r, "alpine", "hub.example/library/alpine");
	check_endpoints(&r, "user/x", "docker.io/user/x");
	check_endpoints(&r, "bad.io/x", "error: registry 'bad.io' is blocked in f");
	check_endpoints(&r, "d.io/x", "e.io/x(digest) d.io/x");
	works(registries_add(
		&r, "[[registry]]\nprefix = 'bad.io'\nlocation = 'UPPER/X'\n", 51, "g", &err));
	check_endpoints(&r, "bad.io/x",
		"error: g makes 'UPPER/X/x' of 'bad.io/x': reference 'UPPER/X/x': the repository "
		"'X/x' must be "
		"lower-case");
	fails(registries_add(&r, "[[registry]]\nblocked = true\n", 28, "h", &err),
		"h: a [[registry]] has neither prefix nor location");
	fails(registries_add(&r, "x = ", 4, "h", &err),
		"h: line 1: a value that is neither text nor number");
}

static void
shortname_row(char **fields, size_t count)
{
	AUTO(registries) struct registries r = REGISTRIES_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	struct ref ref, names[REGISTRIES_SEARCH_MAX];
	struct err err = { 0 };
	int i, n = -1;

	same_int(count, 3);
	works(ref_parse(fields[1], &ref, &err));
	if (registries_add(&r, fields[0], strlen(fields[0]), "f", &err) == 0)
		n = registries_names(&r, &ref, names, &err);
	for (i = 0; i < n; i++) {
		buf_adds(&got, i > 0 ? " " : "");
		ref_format(&names[i], REF_CANONICAL, &got);
	}
	if (n < 0)
		buf_addf(&got, "error: %.*s", (int)strlen(fields[2]) - 7, err.msg);
	same_str(got.data, fields[2]);
}

TEST(short_names)
{
	is_true(table_each(TESTDATA "/registry/shortnames.tsv", shortname_row) > 20);
}

TEST(of_several_files_the_later_says_what_a_short_name_is)
{
	AUTO(registries) struct registries r = REGISTRIES_INIT;
	struct ref ref, names[REGISTRIES_SEARCH_MAX];
	static const char *const texts[] = {
		"short-name-mode = 'enforcing'\nunqualified-search-registries = ['a.io', 'b.io']\n"
		"[aliases]\n'x' = 'r.io/x'\n'y' = 'r.io/y'\n",
		"[aliases]\n'x' = 's.io/x'\n'y' = ''\n",
	};
	struct err err = { 0 };
	size_t i;

	for (i = 0; i < COUNT_OF(texts); i++)
		works(registries_add(&r, texts[i], strlen(texts[i]), "f", &err));
	works(ref_parse("x", &ref, &err));
	same_int(registries_names(&r, &ref, names, &err), 1);
	same_str(names[0].host, "s.io");
	works(ref_parse("y", &ref, &err));
	same_int(registries_names(&r, &ref, names, &err), 2);
	same_int(r.mode, REGISTRIES_SHORT_NONE);
	same_str(r.search_file, "f");
	works(registries_add(&r, "unqualified-search-registries = []", 34, "g", &err));
	same_int(registries_names(&r, &ref, names, &err), 1);
	same_str(names[0].host, "docker.io");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(challenges),
		CASE(links),
		CASE(scopes),
		CASE(a_set_of_scopes_covers_what_is_less),
		CASE(retry_after),
		CASE(urls),
		CASE(what_is_shown_of_a_url_has_no_secret),
		CASE(addresses_are_known_in_every_dress),
		CASE(policy),
		CASE(proxies),
		CASE(content_ranges),
		CASE(the_range_of_an_upload),
		CASE(base64_there_and_back),
		CASE(what_is_not_base64_is_refused),
		CASE(token_answers),
		CASE(tokens_are_found_by_all_that_makes_them_and_die_in_time),
		CASE(a_token_request_has_only_what_is_there),
		CASE(the_words_of_a_registry_are_shown_clean),
		CASE(toml),
		CASE(registries_conf),
		CASE(short_names),
		CASE(of_several_files_the_later_says_what_a_short_name_is),
	};

	return RUN(tests);
}
