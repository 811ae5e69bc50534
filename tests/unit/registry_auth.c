/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake.h"

/* Who is asked for a token, and who is sent what. */

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
		CASE(a_redirect_to_another_origin_gets_no_credential),
		CASE(a_realm_that_is_more_private_than_its_registry_gets_nothing),
		CASE(a_realm_elsewhere_gets_no_password_without_tls),
		CASE(tokens_are_got_once_for_many_requests),
		CASE(tokens_that_end_early_are_renewed),
		CASE(anonymous_pulls_get_a_token_too),
		CASE(a_stale_login_keeps_nobody_from_what_is_public),
		CASE(a_refused_password_is_not_sent_again),
		CASE(a_401_that_asks_for_nothing_is_followed_by_a_greeting),
		CASE(login_is_what_the_registry_says),
	};

	return RUN(tests);
}
