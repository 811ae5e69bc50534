/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake.h"

#include "registry/host.h"

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

TEST(a_registry_that_we_are_redirected_to_is_visited_as_nobody)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake other;
	AUTO(free) char *rule = NULL;
	struct err err = { 0 };

	start_with(&other, (struct session_options)USER,
		(const char *const[]){ "--auth", "bearer", "--anonymous", NULL });
	works(push(&other, &err));
	rule = xasprintf(
		"GET /blobs/sha256 status=307 header=Location:http://127.0.0.1:%u/v2/a/b/blobs/%s",
		other.server.port, other.layer.digest.text);
	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "basic", "--rule", rule, NULL });
	works(push(&f, &err));
	server_write(&other.server, "log", "");
	works(pull_layer(&f, &err));
	same_int(asked(&other, "GET /v2/a/b/blobs", "none"), 1);
	same_int(asked(&other, "GET /token", "none"), 1);
	same_int(asked(&other, "GET /v2/a/b/blobs", "bearer"), 1);
}

TEST(a_visitors_token_goes_no_further)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake other;
	AUTO(fake) struct fake third;
	AUTO(free) char *to_other = NULL;
	AUTO(free) char *to_third = NULL;
	struct err err = { 0 };

	START(&third, "--rule", "GET none");
	to_third = xasprintf(
		"GET /blobs/ skip=1 status=307 header=Location:http://127.0.0.1:%u/v2/x/blobs/y",
		third.server.port);
	start_with(&other, (struct session_options)USER,
		(const char *const[]){
			"--auth", "bearer", "--anonymous", "--rule", to_third, NULL });
	to_other = xasprintf(
		"GET /blobs/sha256 status=307 header=Location:http://127.0.0.1:%u/v2/a/b/blobs/x",
		other.server.port);
	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "basic", "--rule", to_other, NULL });
	works(push(&f, &err));
	same_int(pull_layer(&f, &err), -1);
	is_true(asked(&other, "GET /v2/a/b/blobs/x", "bearer") > 0);
	is_true(asked(&third, "GET /v2/x/blobs/y", "none") > 0);
	same_int(asked(&third, "bearer", ""), 0);
}

/* All that was said while it is listened to. */
static void
listen_all(const struct event *event, void *arg)
{
	struct buf *all = arg;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&lock);
	if (event->what != NULL)
		buf_addf(all, "%s\n", event->what);
	if (event->text != NULL)
		buf_addf(all, "%s\n", event->text);
	pthread_mutex_unlock(&lock);
}

static void
tells_no_secret(const struct buf *said)
{
	static const char *const secrets[] = { "secret", "dXNlcjpzZWNyZXQ", "t-u", "Bearer ",
		"Basic ", "zzz" };
	size_t i;

	is_true(said->len > 0);
	for (i = 0; i < COUNT_OF(secrets); i++)
		if (strstr(said->data, secrets[i]) != NULL)
			same_str(said->data, secrets[i]);
}

TEST(events_and_errors_never_have_a_secret)
{
	AUTO(fake) struct fake f;
	AUTO(buf) struct buf said = BUF_INIT;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "bearer", "--other", "--rule",
			"GET /v2/a/b/blobs/sha256 times=1 status=307 "
			"header=Location:http://127.0.0.1:{other}/x?X-Amz-Signature=zzz&sig=zzz",
			"--rule", "PUT /blobs/ times=1 status=500", NULL });
	event_listen(listen_all, &said, NULL, NULL);
	works(push(&f, &err));
	works(pull_layer(&f, &err));
	f.layer.digest.text[70] = f.layer.digest.text[70] == '0' ? '1' : '0';
	same_int(pull_layer(&f, &err), -1);
	buf_adds(&said, err.msg);
	event_listen(NULL, NULL, NULL, NULL);
	tells_no_secret(&said);
}

TEST(a_proxy_is_used_and_its_password_stays_with_it)
{
	AUTO(fake) struct fake f;
	AUTO(session) struct session *s = NULL;
	AUTO(buf) struct buf said = BUF_INIT;
	AUTO(free) char *proxy = NULL;
	AUTO(place) struct place *p = NULL;
	AUTO(strv) struct strv tags = STRV_INIT;
	struct ref ref;
	struct err err = { 0 };

	START(&f, "--rule", "CONNECT . status=501");
	proxy = xasprintf("http://proxyuser:secret@127.0.0.1:%u", f.server.port);
	setenv("HTTP_PROXY", proxy, 1);
	setenv("HTTPS_PROXY", proxy, 1);
	open_anonymous(&f.server, (struct session_options){ .tls = SESSION_TLS_SKIP }, &s);
	unsetenv("HTTP_PROXY");
	unsetenv("HTTPS_PROXY");
	works(push(&f, &err));
	same_int(asked(&f, "proxy", ""), 0); /* loopback is never proxied */
	works(ref_parse("registry.test/a/b", &ref, &err));
	works(remote_open(s, &ref, REMOTE_PULL, &p, &err));
	event_listen(listen_all, &said, NULL, NULL);
	works(remote_tags(p, &tags, &err));
	event_listen(NULL, NULL, NULL, NULL);
	same_int(tags.count, 1);
	is_true(asked(&f, "none proxy=basic", "/v2/a/b/tags/list") >= 1);
	tells_no_secret(&said);
}

TEST(plain_http_is_for_loopback_or_by_configuration)
{
	static const struct {
		const char *name;
		bool insecure, may_be_plain;
	} rows[] = { { "r.io", false, false }, { "10.0.0.1:5000", false, false },
		{ "docker.io", false, false }, { "localhost:5000", false, true },
		{ "127.0.0.2", false, true }, { "[::1]:5000", false, true },
		{ "localhost.r.io", false, false }, { "r.io", true, true } };
	struct err err = { 0 };
	size_t i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		AUTO(host) struct host *h = NULL;

		works(host_new(rows[i].name, rows[i].insecure, "/nonexistent", &h, &err));
		same_int(h->may_be_plain, rows[i].may_be_plain);
		is_true(h->base.secure);
	}
}

TEST(docker_hub_is_reached_where_its_api_is)
{
	AUTO(host) struct host *h = NULL;
	struct err err = { 0 };

	works(host_new("docker.io", false, "/nonexistent", &h, &err));
	same_str(h->base.host, "registry-1.docker.io");
}

/* A certificate by an authority of its own, with these options to openssl x509. */
static void
make_certificate(struct server *server, const char *name, const char *options)
{
	AUTO(free)
	char *command = xasprintf(
		"cd %s && mkdir -p certs && exec >openssl.log 2>&1 && "
		"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
		"-subj /CN=authority -keyout ca.key -out certs/ca.crt && "
		"openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "
		"/CN=registry -keyout tls.key -out tls.csr && "
		"printf 'subjectAltName=%s' > ext && "
		"openssl x509 -req -in tls.csr -CA certs/ca.crt -CAkey ca.key "
		"-CAcreateserial -extfile ext -out tls.crt %s",
		server->dir, name, options);

	same_int(system(command), 0);
}

static void
check_tls(const char *name, const char *options, const char *wanted)
{
	AUTO(server) struct server server = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(place) struct place *p = NULL;
	AUTO(free) char *cert = NULL;
	AUTO(free) char *key = NULL;
	AUTO(free) char *certs = NULL;
	struct descriptor d;
	struct err err = { 0 };

	server_dir(&server);
	make_certificate(&server, name, options);
	cert = xasprintf("%s/tls.crt", server.dir);
	key = xasprintf("%s/tls.key", server.dir);
	certs = xasprintf("%s/certs", server.dir);
	same_int(server_fake(&server, (const char *const[]){ "--cert", cert, "--key", key, NULL }),
		0);
	open_anonymous(&server, (struct session_options){ .cert_dir = certs, .tries = 2 }, &s);
	p = open_at(s, &server, "a/b", REMOTE_PULL);
	same_int(p->ops->resolve(p, "1", &d, &err), -1);
	is_true(strstr(err.msg, wanted) != NULL);
}

TEST(what_is_wrong_with_a_certificate_is_said)
{
	check_tls("IP:127.0.0.1", "-days 2", "404 MANIFEST_UNKNOWN");
	check_tls("IP:127.0.0.2", "-days 2", "its certificate is for another host");
	check_tls("DNS:r.io", "-days 2", "its certificate is for another host");
	check_tls("IP:127.0.0.1", "-days -1", "its certificate has expired");
}

TEST(a_client_certificate_is_for_its_own_host_also_where_nothing_is_verified)
{
	AUTO(fake) struct fake f;
	AUTO(server) struct server realm = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(place) struct place *p = NULL;
	AUTO(free) char *cert = NULL;
	AUTO(free) char *key = NULL;
	AUTO(free) char *ca = NULL;
	AUTO(free) char *certs = NULL;
	AUTO(free) char *url = NULL;
	AUTO(free) char *command = NULL;
	struct descriptor d;
	struct err err = { 0 };

	server_dir(&realm);
	make_certificate(&realm, "DNS:localhost", "-days 2");
	cert = xasprintf("%s/tls.crt", realm.dir);
	key = xasprintf("%s/tls.key", realm.dir);
	ca = xasprintf("%s/certs/ca.crt", realm.dir);
	certs = xasprintf("%s/certs", realm.dir);
	command = xasprintf(
		"cd %s && cp tls.crt certs/client.cert && cp tls.key certs/client.key", realm.dir);
	same_int(system(command), 0);
	same_int(server_fake(&realm, (const char *const[]){ "--cert", cert, "--key", key,
					     "--client-ca", ca, "--anonymous", NULL }),
		0);
	url = xasprintf("https://localhost:%u/token", realm.port);
	START(&f, "--auth", "bearer", "--realm", url);
	open_anonymous(&f.server,
		(struct session_options){ .cert_dir = certs, .tls = SESSION_TLS_SKIP, .tries = 1 },
		&s);
	p = open_at(s, &f.server, "a/b", REMOTE_PULL);
	same_int(p->ops->resolve(p, "1", &d, &err), -1);
	is_true(strstr(err.msg, "it wants a client certificate") != NULL);
}

TEST(trust_that_is_for_other_hosts_has_no_certificates)
{
	char file[] = "f";
	struct http_tls own = { .authorities = BUF_INIT, .certificate = file, .key = file };
	const struct http_tls *other;

	is_true(http_tls_for(NULL, true) == NULL);
	is_true(http_tls_for(NULL, false) == NULL);
	is_true(http_tls_for(&own, true) == &own);
	is_true(http_tls_for(&own, false) == NULL);
	own.skip_verify = true;
	is_true(http_tls_for(&own, true) == &own);
	other = http_tls_for(&own, false);
	is_true(other->skip_verify && other->certificate == NULL && other->key == NULL);
	same_int(other->authorities.len, 0);
}

TEST(behind_a_proxy_a_registry_is_as_public_as_its_name)
{
	AUTO(fake) struct fake f;
	AUTO(session) struct session *s = NULL;
	AUTO(free) char *proxy = NULL;
	AUTO(place) struct place *p = NULL;
	struct descriptor d;
	struct ref ref;
	struct err err = { 0 };

	START(&f, "--rule", "CONNECT . status=501", "--auth", "bearer", "--realm",
		"http://10.0.0.1/token");
	proxy = xasprintf("http://127.0.0.1:%u", f.server.port);
	setenv("HTTP_PROXY", proxy, 1);
	setenv("HTTPS_PROXY", proxy, 1);
	open_anonymous(&f.server, (struct session_options){ .tls = SESSION_TLS_SKIP }, &s);
	unsetenv("HTTP_PROXY");
	unsetenv("HTTPS_PROXY");
	works(ref_parse("registry.test/a/b", &ref, &err));
	works(remote_open(s, &ref, REMOTE_PULL, &p, &err));
	same_int(p->ops->resolve(p, "1", &d, &err), -1);
	same_int(err.kind, ERR_DENIED);
	is_true(strstr(err.msg, "more private than the registry's") != NULL);
	same_int(asked(&f, "/token", ""), 0);
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
		CASE(events_and_errors_never_have_a_secret),
		CASE(a_proxy_is_used_and_its_password_stays_with_it),
		CASE(plain_http_is_for_loopback_or_by_configuration),
		CASE(docker_hub_is_reached_where_its_api_is),
		CASE(what_is_wrong_with_a_certificate_is_said),
		CASE(a_registry_that_we_are_redirected_to_is_visited_as_nobody),
		CASE(a_visitors_token_goes_no_further),
		CASE(a_client_certificate_is_for_its_own_host_also_where_nothing_is_verified),
		CASE(trust_that_is_for_other_hosts_has_no_certificates),
		CASE(behind_a_proxy_a_registry_is_as_public_as_its_name),
	};

	return RUN(tests);
}
