/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake.h"

/* Downloads, lists and answers that go wrong. */

TEST(failures_that_pass_are_tried_again)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /blobs/ times=2 status=503", "--rule",
		"PUT /blobs/ times=1 status=502", "--rule", "HEAD . times=1 drop", "--rule",
		"POST . times=1 status=500", "--rule",
		"PUT /manifests/ times=1 status=429 header=Retry-After:0", "--rule",
		"GET /blobs/ skip=2 times=1 drop");
	works(push(&f, &err));
	works(pull(&f, &err));
	is_true(has_layer(&f));
}

TEST(a_registry_that_trips_over_another_client_is_asked_again)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /manifests/ times=2 status=400 code=DIGEST_INVALID message=no");
	works(push(&f, &err));
	works(pull(&f, &err));
}

TEST(failures_that_stay_end_with_the_registrys_words)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "* /blobs/uploads/ status=500 code=X message=disk%20full");
	same_int(push(&f, &err), -1);
	same_int(err.kind, ERR_REMOTE);
	is_true(strstr(err.msg, "POST http://127.0.0.1:") != NULL);
	same_str(strstr(err.msg, "/v2/"), "/v2/a/b/blobs/uploads/: 500 X: disk full");
	is_true(asked(&f, "POST", "") <= 10);
}

TEST(a_long_retry_after_is_final_and_says_what_is_left)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule",
		"* /manifests/ status=429 header=Retry-After:7200 "
		"header=ratelimit-limit:100;w=21600 "
		"header=ratelimit-remaining:0;w=21600");
	same_int(pull(&f, &err), -1);
	same_int(err.kind, ERR_REMOTE);
	is_true(strstr(err.msg,
			"limit 100;w=21600; remaining 0;w=21600; try again after 7200 seconds") !=
		NULL);
	same_int(asked(&f, "manifests", ""), 1);
}

TEST(a_broken_download_goes_on_where_it_broke)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /blobs/ times=1 truncate=100000", "--rule",
		"GET /blobs/ skip=1 times=1 truncate=50000");
	works(push(&f, &err));
	works(pull_layer(&f, &err));
	is_true(has_layer(&f));
	same_int(asked(&f, "GET", "bytes=100000-"), 1);
	same_int(asked(&f, "GET", "bytes=150000-"), 1);
}

TEST(a_server_that_ignores_range_is_read_from_its_start)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /blobs/ times=1 truncate=100000", "--rule",
		"GET /blobs/ noranges");
	works(push(&f, &err));
	works(pull_layer(&f, &err));
	is_true(has_layer(&f));
}

TEST(a_put_that_kept_a_part_asks_for_the_rest_only)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /blobs/ times=1 truncate=100000", "--rule",
		"GET /blobs/ skip=1 times=5 status=500");
	works(push(&f, &err));
	same_int(pull_layer(&f, &err), -1);
	same_int(err.kind, ERR_REMOTE);
	works(pull_layer(&f, &err));
	is_true(has_layer(&f));
	same_int(asked(&f, "GET", " -"), 1); /* from the start once only */
}

TEST(silence_is_a_failure_that_is_tried_again)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	start_with(&f, (struct session_options){ .stall_ms = 300 },
		(const char *const[]){ "--rule", "GET /blobs/ times=1 stall=1000", NULL });
	works(push(&f, &err));
	works(pull_layer(&f, &err));
	same_int(asked(&f, "GET", "bytes=1000-"), 1);
}

TEST(a_byte_now_and_then_is_silence)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	start_with(&f, (struct session_options){ .stall_ms = 200, .tries = 2 },
		(const char *const[]){ "--rule", "GET /blobs/ drip=0.01", NULL });
	works(push(&f, &err));
	same_int(pull_layer(&f, &err), -1);
	same_int(err.kind, ERR_REMOTE);
	is_true(strstr(err.msg, "nothing moved for") != NULL);
}

TEST(wrong_bytes_are_fetched_once_more)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /blobs/ times=1 flip");
	works(push(&f, &err));
	works(pull(&f, &err));
	is_true(has_layer(&f));
}

TEST(wrong_bytes_are_never_kept)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /blobs/ flip");
	works(push(&f, &err));
	same_int(pull(&f, &err), -1);
	same_int(err.kind, ERR_CORRUPT);
	is_true(!has_layer(&f));
	same_int(memory_has(f.back, &f.root, &err), 0);
}

TEST(a_wrong_size_is_noticed_before_the_first_byte)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /blobs/ extra=1");
	works(push(&f, &err));
	fails(pull_layer(&f, &err), "it has 300001 bytes instead of 300000");
	same_int(err.kind, ERR_CORRUPT);
}

TEST(a_body_without_length_stops_at_its_size)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /blobs/ endless");
	works(push(&f, &err));
	fails(pull_layer(&f, &err), "more than its 300000 bytes arrived");
	same_int(err.kind, ERR_CORRUPT);
}

TEST(a_failure_with_an_endless_body_ends)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /manifests/ status=404 endless", "--rule",
		"HEAD /manifests/ status=404");
	same_int(pull(&f, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
}

TEST(a_manifest_that_is_too_large_is_refused)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /manifests/ endless", "--rule", "HEAD /manifests/1 status=404");
	works(push(&f, &err));
	same_int(pull(&f, &err), -1);
	is_true(strstr(err.msg, "larger than 4194304 bytes") != NULL);
}

TEST(a_redirect_within_the_registry_keeps_it)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "basic", "--rule",
			"GET /v2/a/b/blobs/ times=1 status=302 header=Location:redirected", NULL });
	works(push(&f, &err));
	same_int(pull_layer(&f, &err), -1);
	same_int(asked(&f, "main GET /v2/a/b/blobs/redirected basic", ""), 1);
}

TEST(a_redirect_that_has_expired_is_asked_for_anew)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--other", "--rule",
		"GET /v2/a/b/blobs/sha256 times=1 status=307 "
		"header=Location:http://127.0.0.1:{other}/x",
		"--rule", "GET ^/x status=403");
	works(push(&f, &err));
	works(pull_layer(&f, &err));
	same_int(asked(&f, "other GET /x", ""), 1);
}

TEST(redirects_in_circles_end)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /blobs/ status=307 header=Location:/v2/a/b/blobs/x");
	works(push(&f, &err));
	same_int(pull_layer(&f, &err), -1);
	is_true(strstr(err.msg, "more than 10 redirects") != NULL);
}

TEST(without_a_digest_header_the_manifest_is_read)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "HEAD . noheader=Docker-Content-Digest");
	works(push(&f, &err));
	works(pull(&f, &err));
}

TEST(a_manifest_is_what_its_digest_says_whatever_the_registry_claims)
{
	AUTO(fake) struct fake f;
	struct descriptor got;
	struct err err = { 0 };

	START(&f, "--rule", "HEAD /manifests/ status=404", "--rule", "GET /manifests/ flip");
	works(push(&f, &err));
	same_int(f.pull->ops->resolve(f.pull, f.root.digest.text, &got, &err), -1);
	same_int(f.pull->ops->resolve(f.pull, "1", &got, &err), -1);
}

TEST(tags_are_listed_page_by_page)
{
	AUTO(fake) struct fake f;
	AUTO(strv) struct strv tags = STRV_INIT;
	AUTO(free) char *all = NULL;
	struct err err = { 0 };

	START(&f, "--page", "2");
	works(push(&f, &err));
	works(f.push->ops->tag(f.push, "b", &f.root, &err));
	works(f.push->ops->tag(f.push, "c", &f.root, &err));
	works(f.push->ops->tag(f.push, "a", &f.root, &err));
	works(f.push->ops->tag(f.push, "d", &f.root, &err));
	works(remote_tags(f.pull, &tags, &err));
	all = strv_join(&tags, " ");
	same_str(all, "1 a b c d");
	same_int(asked(&f, "tags/list", ""), 3);
}

TEST(a_next_page_elsewhere_is_refused)
{
	AUTO(fake) struct fake f;
	AUTO(strv) struct strv tags = STRV_INIT;
	struct err err = { 0 };

	START(&f, "--other", "--rule",
		"GET tags header=Link:<http://127.0.0.1:{other}/v2/a/b/tags/list>;rel=next");
	works(push(&f, &err));
	same_int(remote_tags(f.pull, &tags, &err), -1);
	same_int(err.kind, ERR_DENIED);
	same_int(asked(&f, "other", ""), 0);
}

TEST(pages_in_circles_end)
{
	AUTO(fake) struct fake f;
	AUTO(strv) struct strv tags = STRV_INIT;
	struct err err = { 0 };

	START(&f, "--rule", "GET tags header=Link:</v2/a/b/tags/list>;rel=next");
	works(push(&f, &err));
	fails(remote_tags(f.pull, &tags, &err), "the list of tags goes in circles");
}

TEST(pages_in_wider_circles_end)
{
	AUTO(fake) struct fake f;
	AUTO(strv) struct strv tags = STRV_INIT;
	struct err err = { 0 };

	START(&f, "--rule", "GET tags/list$ header=Link:</v2/a/b/tags/list?x>;rel=next", "--rule",
		"GET tags/list.x header=Link:</v2/a/b/tags/list?y>;rel=next", "--rule",
		"GET tags/list.y header=Link:</v2/a/b/tags/list?x>;rel=next", "--rule",
		"GET tags skip=9 status=500");
	works(push(&f, &err));
	fails(remote_tags(f.pull, &tags, &err), "the list of tags goes in circles");
	same_int(asked(&f, "tags/list", ""), 3);
}

TEST(too_many_headers_end_the_exchange)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };
	AUTO(free) char *rule = NULL;
	AUTO(buf) struct buf long_value = BUF_INIT;
	int i;

	buf_adds(&long_value, "GET tags");
	for (i = 0; i < 1200; i++)
		buf_addf(&long_value, " header=X-%d:1", i);
	rule = buf_steal(&long_value);
	AUTO(strv) struct strv tags = STRV_INIT;
	START(&f, "--rule", rule);
	works(push(&f, &err));
	same_int(remote_tags(f.pull, &tags, &err), -1);
	is_true(strstr(err.msg, "the answer has too many headers") != NULL);
}

TEST(a_web_page_is_called_so)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule",
		"* /manifests/ status=200 body=<html>log%20in</html> "
		"header=Content-Type:text/html");
	same_int(pull(&f, &err), -1);
	same_str(err.msg, "the answer is no manifest but 'text/html'");
}

static int
get_large(struct fake *f, const struct descriptor *d, struct err *err)
{
	AUTO(sink) struct sink *sink = sink_none();

	return place_get(f->pull, d, sink, err);
}

TEST(a_slow_download_goes_on_over_several_connections)
{
	AUTO(fake) struct fake f;
	struct descriptor d;
	struct err err = { 0 };

	start_with(&f, (struct session_options){ .slow_bytes_s = UINT64_MAX },
		(const char *const[]){ "--rule", "GET /blobs/ skip=2 times=1 truncate=1000",
			"--rule", "GET /blobs/ skip=4 times=1 status=503", NULL });
	works(push_large(&f, (50u << 20) + 12345, &d, &err));
	works(get_large(&f, &d, &err));
	is_true(asked(&f, "GET", "bytes=") >= 12);
}

TEST(what_is_in_parts_is_verified_as_a_whole)
{
	AUTO(fake) struct fake f;
	struct descriptor d;
	struct err err = { 0 };

	start_with(&f, (struct session_options){ .slow_bytes_s = UINT64_MAX },
		(const char *const[]){ "--rule", "GET /blobs/ skip=3 times=1 flip", NULL });
	works(push_large(&f, 40u << 20, &d, &err));
	same_int(get_large(&f, &d, &err), -1);
	same_int(err.kind, ERR_CORRUPT);
}

TEST(parts_that_a_server_does_not_know_come_in_one_piece)
{
	AUTO(fake) struct fake f;
	struct descriptor d;
	struct err err = { 0 };

	start_with(&f, (struct session_options){ .slow_bytes_s = UINT64_MAX },
		(const char *const[]){ "--rule", "GET /blobs/ noranges", NULL });
	works(push_large(&f, 40u << 20, &d, &err));
	works(get_large(&f, &d, &err));
}

TEST(a_part_that_stays_broken_ends_the_download)
{
	AUTO(fake) struct fake f;
	struct descriptor d;
	struct err err = { 0 };

	start_with(&f, (struct session_options){ .slow_bytes_s = UINT64_MAX },
		(const char *const[]){ "--rule", "GET /blobs/ skip=4 status=500", NULL });
	works(push_large(&f, 60u << 20, &d, &err));
	same_int(get_large(&f, &d, &err), -1);
	same_int(err.kind, ERR_REMOTE);
}

TEST(parts_go_straight_to_where_the_registry_redirects_to)
{
	AUTO(fake) struct fake f;
	AUTO(free) char *rule = NULL;
	struct descriptor d;
	struct err err = { 0 };

	start_with(&f, (struct session_options){ .slow_bytes_s = UINT64_MAX },
		(const char *const[]){ "--other", "--rule",
			"GET ^/v2/a/b/blobs/sha256:[0-9a-f]*$ status=307 "
			"header=Location:http://127.0.0.1:{other}{path}?direct",
			"--rule", "GET direct skip=5 times=1 status=403", NULL });
	works(push_large(&f, 40u << 20, &d, &err));
	works(get_large(&f, &d, &err));
	is_true(asked(&f, "main GET", "/blobs/") <= 6);
	is_true(asked(&f, "other GET", "none") >= 10);
	same_int(asked(&f, "other", "basic"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(failures_that_pass_are_tried_again),
		CASE(a_registry_that_trips_over_another_client_is_asked_again),
		CASE(failures_that_stay_end_with_the_registrys_words),
		CASE(a_long_retry_after_is_final_and_says_what_is_left),
		CASE(a_broken_download_goes_on_where_it_broke),
		CASE(a_server_that_ignores_range_is_read_from_its_start),
		CASE(a_put_that_kept_a_part_asks_for_the_rest_only),
		CASE(silence_is_a_failure_that_is_tried_again),
		CASE(a_byte_now_and_then_is_silence),
		CASE(wrong_bytes_are_fetched_once_more),
		CASE(wrong_bytes_are_never_kept),
		CASE(a_wrong_size_is_noticed_before_the_first_byte),
		CASE(a_body_without_length_stops_at_its_size),
		CASE(a_failure_with_an_endless_body_ends),
		CASE(a_manifest_that_is_too_large_is_refused),
		CASE(a_redirect_within_the_registry_keeps_it),
		CASE(a_redirect_that_has_expired_is_asked_for_anew),
		CASE(redirects_in_circles_end),
		CASE(without_a_digest_header_the_manifest_is_read),
		CASE(a_manifest_is_what_its_digest_says_whatever_the_registry_claims),
		CASE(tags_are_listed_page_by_page),
		CASE(a_next_page_elsewhere_is_refused),
		CASE(pages_in_circles_end),
		CASE(pages_in_wider_circles_end),
		CASE(too_many_headers_end_the_exchange),
		CASE(a_web_page_is_called_so),
		CASE(a_slow_download_goes_on_over_several_connections),
		CASE(what_is_in_parts_is_verified_as_a_whole),
		CASE(parts_that_a_server_does_not_know_come_in_one_piece),
		CASE(a_part_that_stays_broken_ends_the_download),
		CASE(parts_go_straight_to_where_the_registry_redirects_to),
	};

	return RUN(tests);
}
