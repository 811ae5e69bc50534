/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "base/event.h"
#include "registry/place.h"
#include "registry/remote.h"
#include "tests/unit/image.h"
#include "tests/unit/memory_place.h"
#include "tests/unit/servers.h"

/* Against Debian's registry in each of its configurations. */

#define NEEDS_REGISTRY()                                                             \
	do {                                                                         \
		if (!server_has("docker-registry")) {                                \
			print_message("# SKIP: docker-registry is not installed\n"); \
			skip();                                                      \
		}                                                                    \
	} while (0)

static void
auto_server(struct server *s)
{
	server_stop(s);
}

static struct place *
open_at(struct session *s, const struct server *server, const char *repository,
	enum remote_access access)
{
	AUTO(free) char *text = xasprintf("127.0.0.1:%u/%s", server->port, repository);
	struct place *p = NULL;
	struct err err = { 0 };
	struct ref ref;

	works(ref_parse(text, &ref, &err));
	works(remote_open(s, &ref, access, &p, &err));
	return p;
}

static void
open_session(struct session_options o, struct session **out)
{
	struct err err = { 0 };

	if (o.auth_file == NULL)
		o.auth_file = "/dev/null/none";
	o.retry_ms = 1;
	works(session_open(&o, out, &err));
}

/* /dev/null/none fails with ENOTDIR, so tests without credentials get a file with none. */
static void
open_anonymous(struct server *server, struct session_options o, struct session **out)
{
	AUTO(free) char *path = NULL;

	if (server->dir[0] == '\0')
		server_dir(server);
	server_write(server, "auth.json", "{}");
	path = xasprintf("%s/auth.json", server->dir);
	o.auth_file = path;
	open_session(o, out);
}

/* As tests of server errors need to see it: with the port taken out. */
static const char *__attribute__((unused))
without_port(struct err *err, const struct server *server)
{
	AUTO(free) char *port = xasprintf(":%u", server->port);
	char *at;

	while ((at = strstr(err->msg, port)) != NULL)
		memmove(at, at + strlen(port), strlen(at + strlen(port)) + 1);
	return err->msg;
}

static void
push_and_pull(struct session *s, const struct server *server, const char *name)
{
	AUTO(place) struct place *memory = memory_place();
	AUTO(place) struct place *again = memory_place();
	AUTO(place) struct place *remote = open_at(s, server, name, REMOTE_PUSH);
	AUTO(place) struct place *reader = open_at(s, server, name, REMOTE_PULL);
	struct descriptor root = image_make(memory, name, 3, 100000), got = { 0 }, copied = { 0 };
	struct err err = { 0 };

	works(place_copy(memory, remote, &root, NULL, &copied, &err));
	same_str(copied.digest.text, root.digest.text);
	works(remote->ops->tag(remote, "1.0", &root, &err));
	works(reader->ops->resolve(reader, "1.0", &got, &err));
	same_str(got.digest.text, root.digest.text);
	same_str(got.media_type, root.media_type);
	same_int(got.size, root.size);
	works(reader->ops->resolve(reader, root.digest.text, &got, &err));
	same_str(got.digest.text, root.digest.text);
	works(place_copy(reader, again, &got, NULL, &copied, &err));
	same_int(((struct memory_place *)(void *)again)->puts, 5);
	works(place_copy(reader, again, &got, NULL, &copied, &err));
	same_int(((struct memory_place *)(void *)again)->puts, 6); /* the manifest is put again */
}

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_image_goes_and_comes_back_to_the_byte),
		CASE(what_is_not_there_is_said_with_method_address_and_the_registrys_words),
	};

	return RUN(tests);
}
