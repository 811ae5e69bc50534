/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/remotes.h"

/* Against tests/fake/registry.py, which fails on demand. */

#define SIZE 300000 /* bytes of a layer */

struct fake {
	struct server server;
	struct session *session;
	struct place *memory, *back; /* what is pushed, what is pulled into */
	struct place *push, *pull;
	struct descriptor root, layer;
};

static void
auto_fake(struct fake *f)
{
	place_free(f->push);
	place_free(f->pull);
	place_free(f->memory);
	place_free(f->back);
	session_free(f->session);
	server_stop(&f->server);
}

/* The arguments of the fake, and an image that is made but not there yet. */
static void
start_with(struct fake *f, struct session_options o, const char *const *arguments)
{
	const char *all[20] = { "--log" };
	AUTO(free) char *log = NULL;
	size_t n = 2;

	*f = (struct fake){ .session = NULL };
	server_dir(&f->server);
	log = xasprintf("%s/log", f->server.dir);
	server_write(&f->server, "log", "");
	all[1] = log;
	while (*arguments != NULL)
		all[n++] = *arguments++;
	same_int(server_fake(&f->server, all), 0);
	o.stall_ms = o.stall_ms > 0 ? o.stall_ms : 5000;
	open_anonymous(&f->server, o, &f->session);
	f->memory = memory_place();
	f->back = memory_place();
	f->root = image_make(f->memory, "image", 1, SIZE);
	f->layer = ((struct memory_place *)(void *)f->memory)->blobs[1].descriptor;
	f->push = open_at(f->session, &f->server, "a/b", REMOTE_PUSH);
	f->pull = open_at(f->session, &f->server, "a/b", REMOTE_PULL);
}

#define START(f, ...)                                               \
	start_with(f, (struct session_options)SESSION_OPTIONS_INIT, \
		(const char *const[]){ __VA_ARGS__, NULL })
#define USER                                             \
	{                                                \
		.username = "user", .password = "secret" \
	}

static int
push(struct fake *f, struct err *err)
{
	struct descriptor copied = { 0 };

	if (place_copy(f->memory, f->push, &f->root, NULL, &copied, err) < 0)
		return -1;
	return f->push->ops->tag(f->push, "1", &f->root, err);
}

static int
pull(struct fake *f, struct err *err)
{
	struct descriptor got = { 0 }, copied = { 0 };

	if (f->pull->ops->resolve(f->pull, "1", &got, err) < 0)
		return -1;
	if (place_copy(f->pull, f->back, &got, NULL, &copied, err) < 0)
		return -1;
	same_str(copied.digest.text, f->root.digest.text);
	return 0;
}

static bool
has_layer(const struct fake *f)
{
	struct err err;

	return memory_has(f->back, &f->layer, &err) == 1;
}

/* How many lines of the fake's log have all of these words. */
static int
asked(const struct fake *f, const char *a, const char *b)
{
	AUTO(free) char *path = xasprintf("%s/log", f->server.dir);
	FILE *file = fopen(path, "r");
	char line[2048];
	int count = 0;

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		count += strstr(line, a) != NULL && strstr(line, b) != NULL;
	if (file != NULL)
		fclose(file);
	return count;
}

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

/* Only the layer, so that it is known which request is whose. */
static int
pull_layer(struct fake *f, struct err *err)
{
	struct source_place source;

	source_place(&source, f->pull, &f->layer);
	return f->back->ops->put(f->back, &f->layer, &source.source, err);
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

TEST(a_redirect_to_another_origin_gets_no_credential)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "basic", "--other", "--rule",
			"GET /v2/a/b/blobs/sha256 status=307 "
			"header=Location:http://127.0.0.1:{other}/v2/a/b/blobs/"
			"redirected",
			NULL });
	works(push(&f, &err));
	same_int(pull_layer(&f, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
	is_true(asked(&f, "other GET /v2/a/b/blobs/redirected none", "") >= 1);
	same_int(asked(&f, "other", "basic"), 0);
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

TEST(redirects_in_circles_end)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /blobs/ status=307 header=Location:/v2/a/b/blobs/x");
	works(push(&f, &err));
	same_int(pull_layer(&f, &err), -1);
	is_true(strstr(err.msg, "more than 10 redirects") != NULL);
}

TEST(a_realm_that_is_more_private_than_its_registry_gets_nothing)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){
			"--auth", "bearer", "--realm", "http://169.254.169.254/token", NULL });
	same_int(pull(&f, &err), -1);
	same_int(err.kind, ERR_DENIED);
	is_true(strstr(err.msg, "that address is more private than the registry's") != NULL);
}

TEST(a_realm_elsewhere_gets_no_password_without_tls)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){
			"--auth", "bearer", "--realm", "http://auth.example/token", NULL });
	same_int(pull(&f, &err), -1);
	same_int(err.kind, ERR_DENIED);
	same_str(err.msg, "the realm is http://auth.example, where no password may go without TLS");
}

TEST(tokens_are_got_once_for_many_requests)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "bearer", NULL });
	works(push(&f, &err));
	works(pull(&f, &err));
	same_int(asked(&f, "/token", "GET"), 1); /* what may be pushed to may be pulled from */
	same_int(asked(&f, "/token", "basic"), 1);
	same_int(asked(&f, "/v2/", "basic"), 0);
}

TEST(tokens_that_end_early_are_renewed)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "bearer", "--uses", "2", NULL });
	works(push(&f, &err));
	works(pull(&f, &err));
	is_true(has_layer(&f));
}

TEST(anonymous_pulls_get_a_token_too)
{
	AUTO(fake) struct fake f;
	AUTO(session) struct session *other = NULL;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "bearer", "--anonymous", NULL });
	works(push(&f, &err));
	place_free(f.pull);
	open_anonymous(&f.server, (struct session_options)SESSION_OPTIONS_INIT, &other);
	f.pull = open_at(other, &f.server, "a/b", REMOTE_PULL);
	works(pull(&f, &err));
	place_free(f.pull);
	f.pull = NULL;
}

TEST(a_stale_login_keeps_nobody_from_what_is_public)
{
	AUTO(fake) struct fake f;
	AUTO(session) struct session *other = NULL;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "bearer", "--anonymous", NULL });
	works(push(&f, &err));
	place_free(f.pull);
	open_session((struct session_options){ .username = "user", .password = "old" }, &other);
	f.pull = open_at(other, &f.server, "a/b", REMOTE_PULL);
	works(pull(&f, &err));
	place_free(f.pull);
	f.pull = open_at(other, &f.server, "a/b", REMOTE_PUSH);
	same_int(f.pull->ops->tag(f.pull, "2", &f.root, &err), -1);
	is_true(starts_with(err.msg, "the credentials from the command line are refused: "));
	same_int(err.kind, ERR_DENIED);
	place_free(f.pull);
	f.pull = NULL;
}

TEST(a_refused_password_is_not_sent_again)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	start_with(&f, (struct session_options){ .username = "user", .password = "old" },
		(const char *const[]){ "--auth", "basic", NULL });
	same_int(f.push->ops->has(f.push, &f.layer, &err), -1);
	same_int(err.kind, ERR_DENIED);
	same_int(asked(&f, "basic", ""), 1);
	is_true(strstr(err.msg, "secret") == NULL && strstr(err.msg, "old") == NULL);
}

TEST(a_401_that_asks_for_nothing_is_followed_by_a_greeting)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "bearer", "--rule",
			"* /v2/a/ times=1 noheader=WWW-Authenticate", NULL });
	works(push(&f, &err));
	same_int(asked(&f, "GET /v2/ none", ""), 1);
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

TEST(a_put_whose_answer_got_lost_is_looked_for)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ late");
	works(push(&f, &err));
	works(pull(&f, &err));
	same_int(asked(&f, "PUT", "/blobs/"), 2);
}

static int
push_layer(struct fake *f, struct err *err)
{
	struct source_place source;

	source_place(&source, f->memory, &f->layer);
	return f->push->ops->put(f->push, &f->layer, &source.source, err);
}

TEST(what_is_too_large_goes_in_chunks_from_then_on)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/uploads/u1 status=413");
	works(push_layer(&f, &err));
	same_int(asked(&f, "PUT", ""), 2); /* the first one, and the closing one */
	same_int(asked(&f, "PATCH", ""), 1);
	works(push(&f, &err));
	same_int(asked(&f, "PATCH", ""), 2);
	works(pull(&f, &err));
	is_true(has_layer(&f));
}

TEST(a_chunk_that_broke_goes_on_where_the_registry_stands)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/uploads/u1 status=413", "--rule",
		"PATCH . times=1 keep=1000 late");
	works(push_layer(&f, &err));
	same_int(asked(&f, "PATCH", ""), 2);
	same_int(asked(&f, "GET", "/uploads/u2"), 1);
	works(push(&f, &err));
	works(pull(&f, &err));
	is_true(has_layer(&f));
}

TEST(a_chunk_that_was_taken_in_part_is_completed)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/uploads/u1 status=413", "--rule", "PATCH . keep=100000");
	works(push_layer(&f, &err));
	same_int(asked(&f, "PATCH", ""), 3);
}

TEST(a_lost_chunk_is_noticed)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/uploads/u1 status=413", "--rule", "PATCH . keep=0");
	same_int(push_layer(&f, &err), -1);
	same_int(err.kind, ERR_REMOTE);
	same_str(err.msg, "the registry has 0 bytes of this upload, not 300000");
}

TEST(an_answer_with_another_digest_is_a_failure)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule",
		"PUT /blobs/ header=Docker-Content-Digest:sha256:"
		"0000000000000000000000000000000000000000000000000000000000000000");
	same_int(push(&f, &err), -1);
	same_int(err.kind, ERR_CORRUPT);
}

TEST(an_upload_location_elsewhere_gets_no_credential)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "basic", "--other", "--rule",
			"POST . header=Location:http://127.0.0.1:{other}/v2/a/b/blobs/uploads/u1",
			NULL });
	push(&f, &err);
	is_true(asked(&f, "other PUT", "") > 0);
	same_int(asked(&f, "other", "basic"), 0);
}

TEST(mounts_move_nothing)
{
	AUTO(fake) struct fake f;
	AUTO(place) struct place *other = NULL;
	struct descriptor copied;
	struct err err = { 0 };

	START(&f, "--auth", "bearer", "--anonymous");
	session_free(f.session);
	place_free(f.push);
	place_free(f.pull);
	f.session = NULL;
	open_session((struct session_options)USER, &f.session);
	f.push = open_at(f.session, &f.server, "a/b", REMOTE_PUSH);
	f.pull = open_at(f.session, &f.server, "a/b", REMOTE_PULL);
	works(push(&f, &err));
	other = open_at(f.session, &f.server, "c/d", REMOTE_PUSH);
	works(place_copy(f.pull, other, &f.root, NULL, &copied, &err));
	same_int(asked(&f, "PUT /v2/c/d/blobs", ""), 0);
	same_int(asked(&f, "GET /v2/a/b/blobs", ""), 0);
}

TEST(a_refused_mount_leaves_a_session_that_is_used)
{
	AUTO(fake) struct fake f;
	AUTO(place) struct place *other = NULL;
	struct descriptor copied;
	struct err err = { 0 };

	START(&f, "--rule", "POST mount= nomount");
	works(push(&f, &err));
	other = open_at(f.session, &f.server, "c/d", REMOTE_PUSH);
	works(place_copy(f.pull, other, &f.root, NULL, &copied, &err));
	same_int(asked(&f, "POST /v2/c/d", ""), 2);
	same_int(asked(&f, "PUT /v2/c/d/blobs", ""), 2);
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

TEST(login_is_what_the_registry_says)
{
	AUTO(fake) struct fake f;
	AUTO(session) struct session *bad = NULL;
	AUTO(free) char *host = NULL;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "bearer", NULL });
	host = xasprintf("127.0.0.1:%u", f.server.port);
	works(remote_login(f.session, host, &err));
	open_session((struct session_options){ .username = "user", .password = "old" }, &bad);
	same_int(remote_login(bad, host, &err), -1);
	same_int(err.kind, ERR_DENIED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(failures_that_pass_are_tried_again),
		CASE(failures_that_stay_end_with_the_registrys_words),
		CASE(a_long_retry_after_is_final_and_says_what_is_left),
		CASE(a_broken_download_goes_on_where_it_broke),
		CASE(a_server_that_ignores_range_is_read_from_its_start),
		CASE(a_put_that_kept_a_part_asks_for_the_rest_only),
		CASE(silence_is_a_failure_that_is_tried_again),
		CASE(wrong_bytes_are_fetched_once_more),
		CASE(wrong_bytes_are_never_kept),
		CASE(a_wrong_size_is_noticed_before_the_first_byte),
		CASE(a_body_without_length_stops_at_its_size),
		CASE(a_failure_with_an_endless_body_ends),
		CASE(a_manifest_that_is_too_large_is_refused),
		CASE(a_redirect_to_another_origin_gets_no_credential),
		CASE(a_redirect_within_the_registry_keeps_it),
		CASE(redirects_in_circles_end),
		CASE(a_realm_that_is_more_private_than_its_registry_gets_nothing),
		CASE(a_realm_elsewhere_gets_no_password_without_tls),
		CASE(tokens_are_got_once_for_many_requests),
		CASE(tokens_that_end_early_are_renewed),
		CASE(anonymous_pulls_get_a_token_too),
		CASE(a_stale_login_keeps_nobody_from_what_is_public),
		CASE(a_refused_password_is_not_sent_again),
		CASE(a_401_that_asks_for_nothing_is_followed_by_a_greeting),
		CASE(without_a_digest_header_the_manifest_is_read),
		CASE(a_manifest_is_what_its_digest_says_whatever_the_registry_claims),
		CASE(a_put_whose_answer_got_lost_is_looked_for),
		CASE(what_is_too_large_goes_in_chunks_from_then_on),
		CASE(a_chunk_that_broke_goes_on_where_the_registry_stands),
		CASE(a_chunk_that_was_taken_in_part_is_completed),
		CASE(a_lost_chunk_is_noticed),
		CASE(an_answer_with_another_digest_is_a_failure),
		CASE(an_upload_location_elsewhere_gets_no_credential),
		CASE(mounts_move_nothing),
		CASE(a_refused_mount_leaves_a_session_that_is_used),
		CASE(tags_are_listed_page_by_page),
		CASE(a_next_page_elsewhere_is_refused),
		CASE(pages_in_circles_end),
		CASE(too_many_headers_end_the_exchange),
		CASE(a_web_page_is_called_so),
		CASE(login_is_what_the_registry_says),
	};

	return RUN(tests);
}
