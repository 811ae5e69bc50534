/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_REMOTES_H
#define TESTS_UNIT_REMOTES_H

#include "tests/unit/test.h"

#include "base/event.h"
#include "registry/place.h"
#include "registry/remote.h"
#include "tests/unit/image.h"
#include "tests/unit/memory_place.h"
#include "tests/unit/servers.h"

/* remotes - sessions and places at servers on loopback. */

static inline void __attribute__((unused)) auto_server(struct server *s)
{
	server_stop(s);
}

static inline struct place *__attribute__((unused)) open_at(struct session *s,
	const struct server *server, const char *repository, enum remote_access access)
{
	AUTO(free) char *text = xasprintf("127.0.0.1:%u/%s", server->port, repository);
	struct place *p = NULL;
	struct err err = { 0 };
	struct ref ref;

	works(ref_parse(text, &ref, &err));
	works(remote_open(s, &ref, access, &p, &err));
	return p;
}

static inline void __attribute__((unused))
open_session(struct session_options o, struct session **out)
{
	struct err err = { 0 };

	if (o.auth_file == NULL)
		o.auth_file = "/dev/null/none";
	o.retry_ms = 1;
	if (o.registries_conf == NULL)
		o.registries_conf = "";
	if (o.hosts_dir == NULL)
		o.hosts_dir = "";
	works(session_open(&o, out, &err));
}

/* /dev/null/none fails with ENOTDIR, so tests without credentials get a file with none. */
static inline void __attribute__((unused))
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
static inline const char *__attribute__((unused))
without_port(struct err *err, const struct server *server)
{
	AUTO(free) char *port = xasprintf(":%u", server->port);
	char *at;

	while ((at = strstr(err->msg, port)) != NULL)
		memmove(at, at + strlen(port), strlen(at + strlen(port)) + 1);
	return err->msg;
}

static inline void __attribute__((unused))
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

#endif
