/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/examine.h"
#include "tests/unit/remotes.h"

/* Against Debian's registry in each of its configurations. */

#define NEEDS_REGISTRY()                                                             \
	do {                                                                         \
		if (!server_has("docker-registry")) {                                \
			print_message("# SKIP: docker-registry is not installed\n"); \
			skip();                                                      \
		}                                                                    \
	} while (0)

TEST(an_image_goes_and_comes_back_to_the_byte)
{
	AUTO(server) struct server server = { 0 };
	AUTO(session) struct session *s = NULL;

	NEEDS_REGISTRY();
	same_int(server_registry(&server, "", "", ""), 0);
	open_anonymous(&server, (struct session_options)SESSION_OPTIONS_INIT, &s);
	push_and_pull(s, &server, "a/b");
}

TEST(what_is_not_there_is_said_with_method_address_and_the_registrys_words)
{
	AUTO(server) struct server server = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(place) struct place *p = NULL;
	struct descriptor d = { 0 };
	struct err err = { 0 };

	NEEDS_REGISTRY();
	same_int(server_registry(&server, "", "", ""), 0);
	open_anonymous(&server, (struct session_options)SESSION_OPTIONS_INIT, &s);
	p = open_at(s, &server, "a/b", REMOTE_PULL);
	same_int(p->ops->resolve(p, "none", &d, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
	same_str(without_port(&err, &server), "GET http://127.0.0.1/v2/a/b/manifests/none: 404 "
					      "MANIFEST_UNKNOWN: manifest unknown");
	digest_of("x", 1, &d.digest);
	d.size = 1;
	same_int(p->ops->has(p, &d, &err), 0);
}

/* This registry reads bcrypt only. */
static void
write_htpasswd(struct server *server)
{
	AUTO(free) char *command = NULL;

	server_dir(server);
	command = xasprintf("perl -e 'print \"user:\", crypt(\"secret\", "
			    "\"\\$2y\\$05\\$abcdefghijklmnopqrstuu\"), "
			    "\"\\n\"' > %s/htpasswd",
		server->dir);
	same_int(system(command), 0);
}

TEST(basic_authorisation_is_asked_for_and_given)
{
	AUTO(server) struct server server = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(session) struct session *anonymous = NULL;
	AUTO(place) struct place *p = NULL;
	AUTO(free) char *auth = NULL;
	struct descriptor d;
	struct err err = { 0 };

	NEEDS_REGISTRY();
	write_htpasswd(&server);
	auth = xasprintf("auth:\n  htpasswd:\n    realm: r\n    path: %s/htpasswd\n", server.dir);
	same_int(server_registry(&server, "", "", auth), 0);
	open_session((struct session_options){ .username = "user", .password = "secret" }, &s);
	push_and_pull(s, &server, "a/b");
	open_anonymous(&server, (struct session_options)SESSION_OPTIONS_INIT, &anonymous);
	p = open_at(anonymous, &server, "a/b", REMOTE_PULL);
	same_int(p->ops->resolve(p, "1.0", &d, &err), -1);
	same_int(err.kind, ERR_DENIED);
	same_str(without_port(&err, &server), "GET http://127.0.0.1/v2/a/b/manifests/1.0: 401 "
					      "UNAUTHORIZED: authentication required "
					      "(log in with 'cooper login 127.0.0.1')");
}

TEST(credentials_come_from_the_file_that_docker_login_writes)
{
	AUTO(server) struct server server = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(free) char *auth = NULL;
	AUTO(free) char *text = NULL;
	AUTO(free) char *path = NULL;

	NEEDS_REGISTRY();
	write_htpasswd(&server);
	auth = xasprintf("auth:\n  htpasswd:\n    realm: r\n    path: %s/htpasswd\n", server.dir);
	same_int(server_registry(&server, "", "", auth), 0);
	text = xasprintf(
		"{\"auths\":{\"127.0.0.1:%u\":{\"auth\":\"dXNlcjpzZWNyZXQ=\"}}}", server.port);
	server_write(&server, "login.json", text);
	path = xasprintf("%s/login.json", server.dir);
	open_session((struct session_options){ .auth_file = path }, &s);
	push_and_pull(s, &server, "a/b");
}

TEST(bearer_tokens_come_from_a_server_of_its_own)
{
	AUTO(server) struct server server = { 0 };
	AUTO(server) struct server tokens = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(free) char *auth = NULL;

	NEEDS_REGISTRY();
	same_int(server_fake(&tokens, (const char *const[]){ NULL }), 0);
	auth = xasprintf(
		"auth:\n  silly:\n    realm: http://127.0.0.1:%u/token\n    service: fake\n",
		tokens.port);
	same_int(server_registry(&server, "", "", auth), 0);
	open_session((struct session_options){ .username = "user", .password = "secret" }, &s);
	push_and_pull(s, &server, "a/b");
}

/* An authority and a certificate for 127.0.0.1 by it. */
static void
make_certificates(struct server *server)
{
	AUTO(free) char *command = NULL;

	server_dir(server);
	command = xasprintf(
		"cd %s && mkdir certs && exec >openssl.log 2>&1 && "
		"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
		"-subj "
		"/CN=authority -keyout ca.key -out certs/ca.crt && "
		"openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=registry "
		"-keyout tls.key -out tls.csr && "
		"printf 'subjectAltName=IP:127.0.0.1' > ext && "
		"openssl x509 -req -in tls.csr -CA certs/ca.crt -CAkey ca.key -CAcreateserial "
		"-days 2 "
		"-extfile ext -out tls.crt",
		server->dir);
	same_int(system(command), 0);
}

/* By a session of its own, which has not talked to it yet. */
static void
examine(struct server *server, const char *certs, const char *wanted)
{
	AUTO(session) struct session *s = NULL;
	AUTO(examine) struct examine e = EXAMINE_INIT;
	AUTO(free) char *text = xasprintf("127.0.0.1:%u/a/b", server->port);
	struct err err = { 0 };
	struct ref ref;
	bool found = false;
	size_t i;

	open_anonymous(server, (struct session_options){ .cert_dir = certs, .tries = 1 }, &s);
	works(ref_parse(text, &ref, &err));
	same_int(examine_registry(s, &ref, true, &e, &err), certs != NULL);
	for (i = 0; i < e.count; i++)
		found = found || strstr(e.rows[i].text, wanted) != NULL;
	is_true(found);
}

TEST(tls_is_trusted_by_the_authority_in_the_directory_only)
{
	AUTO(server) struct server server = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(session) struct session *stranger = NULL;
	AUTO(session) struct session *careless = NULL;
	AUTO(place) struct place *p = NULL;
	AUTO(free) char *tls = NULL;
	AUTO(free) char *certs = NULL;
	struct descriptor d;
	struct err err = { 0 };

	NEEDS_REGISTRY();
	make_certificates(&server);
	tls = xasprintf("  tls:\n    certificate: %s/tls.crt\n    key: %s/tls.key\n", server.dir,
		server.dir);
	same_int(server_registry(&server, "", tls, ""), 0);
	certs = xasprintf("%s/certs", server.dir);
	open_anonymous(&server, (struct session_options){ .cert_dir = certs }, &s);
	push_and_pull(s, &server, "a/b");
	examine(&server, certs, "the certificate is trusted, with what is in ");
	examine(&server, certs, "authority, valid until ");
	examine(&server, NULL, "signed by nobody this machine trusts");

	open_anonymous(&server, (struct session_options){ .tries = 2 }, &stranger);
	p = open_at(stranger, &server, "a/b", REMOTE_PULL);
	same_int(p->ops->resolve(p, "1.0", &d, &err), -1);
	same_int(err.kind, ERR_DENIED);
	is_true(strstr(err.msg, "signed by nobody this machine trusts") != NULL);

	open_anonymous(&server, (struct session_options){ .tls = SESSION_TLS_SKIP }, &careless);
	push_and_pull(careless, &server, "a/c");
}

TEST(a_registry_that_wants_a_client_certificate_says_so)
{
	AUTO(server) struct server server = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(session) struct session *known = NULL;
	AUTO(place) struct place *p = NULL;
	AUTO(free) char *tls = NULL;
	AUTO(free) char *certs = NULL;
	AUTO(free) char *command = NULL;
	struct descriptor d;
	struct err err = { 0 };

	NEEDS_REGISTRY();
	make_certificates(&server);
	tls = xasprintf(
		"  tls:\n    certificate: %s/tls.crt\n    key: %s/tls.key\n    clientcas:\n      - "
		"%s/certs/ca.crt\n",
		server.dir, server.dir, server.dir);
	same_int(server_registry(&server, "", tls, ""), 0);
	certs = xasprintf("%s/certs", server.dir);
	open_anonymous(&server, (struct session_options){ .cert_dir = certs }, &s);
	p = open_at(s, &server, "a/b", REMOTE_PULL);
	same_int(p->ops->resolve(p, "1.0", &d, &err), -1);
	same_int(err.kind, ERR_DENIED);
	is_true(strstr(err.msg, "it wants a client certificate") != NULL);
	command = xasprintf(
		"cd %s && cp tls.crt certs/client.cert && cp tls.key certs/client.key", server.dir);
	same_int(system(command), 0);
	open_anonymous(&server, (struct session_options){ .cert_dir = certs }, &known);
	push_and_pull(known, &server, "a/b");
}

TEST(a_registry_that_takes_nothing_says_so)
{
	AUTO(server) struct server server = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(place) struct place *memory = memory_place();
	AUTO(place) struct place *p = NULL;
	struct descriptor root, copied;
	struct err err = { 0 };

	NEEDS_REGISTRY();
	same_int(server_registry(
			 &server, "  maintenance:\n    readonly:\n      enabled: true", "", ""),
		0);
	open_anonymous(&server, (struct session_options)SESSION_OPTIONS_INIT, &s);
	p = open_at(s, &server, "a/b", REMOTE_PUSH);
	root = image_make(memory, "x", 1, 1000);
	same_int(place_copy(memory, p, &root, NULL, &copied, &err), -1);
	same_int(err.kind, ERR_DENIED);
	is_true(strstr(err.msg, ": 405 Method not allowed (this registry does not allow that") !=
		NULL);
}

TEST(manifests_are_deleted_where_that_is_allowed)
{
	AUTO(server) struct server server = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(place) struct place *p = NULL;
	AUTO(place) struct place *deleter = NULL;
	AUTO(strv) struct strv tags = STRV_INIT;
	AUTO(strv) struct strv names = STRV_INIT;
	AUTO(free) char *host = NULL;
	struct descriptor d = { 0 };
	struct err err = { 0 };

	NEEDS_REGISTRY();
	same_int(server_registry(&server, "  delete:\n    enabled: true", "", ""), 0);
	open_anonymous(&server, (struct session_options)SESSION_OPTIONS_INIT, &s);
	push_and_pull(s, &server, "a/b");
	push_and_pull(s, &server, "c");
	p = open_at(s, &server, "a/b", REMOTE_PULL);
	works(remote_tags(p, &tags, &err));
	same_int(tags.count, 1);
	same_str(tags.items[0], "1.0");
	host = xasprintf("127.0.0.1:%u", server.port);
	works(remote_repositories(s, host, &names, &err));
	same_int(names.count, 2);
	works(p->ops->resolve(p, "1.0", &d, &err));
	deleter = open_at(s, &server, "a/b", REMOTE_DELETE);
	same_int(remote_delete(deleter, "1.0", &err), -1);
	is_true(starts_with(err.msg, "this registry deletes digests only"));
	works(remote_delete(deleter, d.digest.text, &err));
	same_int(p->ops->resolve(p, "1.0", &d, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
}

TEST(redirects_of_storage_are_followed)
{
	AUTO(server) struct server server = { 0 };
	AUTO(server) struct server storage = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(place) struct place *p = NULL;
	AUTO(free) char *rest = NULL;
	struct descriptor d = { .size = 5 };
	struct err err = { 0 };

	NEEDS_REGISTRY();
	same_int(server_fake(&storage, (const char *const[]){ "--rule",
					       "GET /docker/ status=200 body=hello", NULL }),
		0);
	rest = xasprintf(
		"middleware:\n  storage:\n    - name: redirect\n      options:\n        baseurl: "
		"http://127.0.0.1:%u/\n",
		storage.port);
	same_int(server_registry(&server, "", "  relativeurls: true", rest), 0);
	open_anonymous(&server, (struct session_options)SESSION_OPTIONS_INIT, &s);
	p = open_at(s, &server, "a/b", REMOTE_PUSH);
	works(place_put_bytes(p, "hello", 5, &d, &err));
	same_int(p->ops->has(p, &d, &err), 1);
	AUTO(buf) struct buf got = BUF_INIT;
	works(place_read(p, &d, 100, &got, &err));
	same_str(got.data, "hello");
}

TEST(blobs_are_mounted_from_another_repository)
{
	AUTO(server) struct server server = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(place) struct place *from = NULL;
	AUTO(place) struct place *to = NULL;
	struct descriptor d = { .size = 5 }, none = { .size = 1 };
	struct err err = { 0 };

	NEEDS_REGISTRY();
	same_int(server_registry(&server, "", "", ""), 0);
	open_anonymous(&server, (struct session_options)SESSION_OPTIONS_INIT, &s);
	from = open_at(s, &server, "a/b", REMOTE_PUSH);
	to = open_at(s, &server, "c/d", REMOTE_PUSH);
	works(place_put_bytes(from, "hello", 5, &d, &err));
	same_int(to->ops->has(to, &d, &err), 0);
	same_int(to->ops->mount(to, &d, from, &err), 1);
	same_int(to->ops->has(to, &d, &err), 1);
	digest_of("x", 1, &none.digest);
	same_int(to->ops->mount(to, &none, from, &err), 0);
	works(place_put_bytes(to, "x", 1, &none, &err));
	same_int(to->ops->has(to, &none, &err), 1);
}

TEST(an_empty_blob_is_a_blob)
{
	AUTO(server) struct server server = { 0 };
	AUTO(session) struct session *s = NULL;
	AUTO(place) struct place *p = NULL;
	AUTO(buf) struct buf got = BUF_INIT;
	struct descriptor d = { 0 };
	struct err err = { 0 };

	NEEDS_REGISTRY();
	same_int(server_registry(&server, "", "", ""), 0);
	open_anonymous(&server, (struct session_options)SESSION_OPTIONS_INIT, &s);
	p = open_at(s, &server, "a/b", REMOTE_PUSH);
	works(place_put_bytes(p, "", 0, &d, &err));
	same_int(p->ops->has(p, &d, &err), 1);
	works(place_read(p, &d, 100, &got, &err));
	same_int(got.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_image_goes_and_comes_back_to_the_byte),
		CASE(what_is_not_there_is_said_with_method_address_and_the_registrys_words),
		CASE(basic_authorisation_is_asked_for_and_given),
		CASE(credentials_come_from_the_file_that_docker_login_writes),
		CASE(bearer_tokens_come_from_a_server_of_its_own),
		CASE(tls_is_trusted_by_the_authority_in_the_directory_only),
		CASE(a_registry_that_wants_a_client_certificate_says_so),
		CASE(a_registry_that_takes_nothing_says_so),
		CASE(manifests_are_deleted_where_that_is_allowed),
		CASE(redirects_of_storage_are_followed),
		CASE(blobs_are_mounted_from_another_repository),
		CASE(an_empty_blob_is_a_blob),
	};

	return RUN(tests);
}
