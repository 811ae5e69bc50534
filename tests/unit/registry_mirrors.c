/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake.h"

/* A session whose registries.conf has two mirrors before the registry: one that nobody serves, and
 * one with the given port, asked for what pull-from-mirror says. */
static void
open_mirrored_for(struct fake *f, unsigned port, const char *what)
{
	AUTO(free) char *path = xasprintf("%s/registries.conf", f->server.dir);
	AUTO(free)
	char *text = xasprintf("[[registry]]\nlocation = '127.0.0.1:%u'\n"
			       "[[registry.mirror]]\nlocation = '127.0.0.1:1/none'\n"
			       "[[registry.mirror]]\nlocation = '127.0.0.1:%u'\n"
			       "pull-from-mirror = '%s'\n",
		f->server.port, port, what);

	server_write(&f->server, "registries.conf", text);
	place_free(f->pull);
	place_free(f->push);
	session_free(f->session);
	open_anonymous(&f->server, (struct session_options){ .registries_conf = path, .tries = 1 },
		&f->session);
	f->push = open_at(f->session, &f->server, "a/b", REMOTE_PUSH);
	f->pull = open_at(f->session, &f->server, "a/b", REMOTE_PULL);
}

static void
open_mirrored(struct fake *f, unsigned port)
{
	open_mirrored_for(f, port, "all");
}

TEST(mirrors_are_asked_in_turn)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake mirror;
	struct err err = { 0 };

	START(&f, "--rule", "GET none");
	START(&mirror, "--rule", "GET /blobs/ times=1 truncate=100000", "--rule",
		"GET /blobs/ skip=1 status=500");
	works(push(&mirror, &err));
	open_mirrored(&f, mirror.server.port);
	works(push(&f, &err));
	works(pull_layer(&f, &err));
	is_true(has_layer(&f));
	same_int(asked(&mirror, "GET", "/blobs/"), 1);
	works(pull(&f, &err));
}

TEST(a_mirror_that_is_wrong_is_not_asked_twice)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake mirror;
	struct err err = { 0 };

	START(&f, "--rule", "GET none");
	START(&mirror, "--rule", "GET /blobs/ flip");
	works(push(&mirror, &err));
	open_mirrored(&f, mirror.server.port);
	works(push(&f, &err));
	works(pull(&f, &err));
	is_true(has_layer(&f));
	same_int(asked(&f, "GET", "/blobs/"), 2);
}

TEST(what_only_a_mirror_has_is_read_there_as_often_as_asked)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake mirror;
	struct err err = { 0 };
	int i;

	START(&f, "--rule", "* . status=503");
	START(&mirror, "--rule", "GET none");
	works(push(&mirror, &err));
	open_mirrored(&f, mirror.server.port);
	for (i = 0; i < 3; i++) {
		AUTO(buf) struct buf bytes = BUF_INIT;

		works(place_read(f.pull, &f.root, MANIFEST_MAX, &bytes, &err));
	}
	same_int(asked(&mirror, "GET /v2/a/b/manifests/", f.root.digest.text), 3);
}

TEST(a_mirror_for_tags_or_digests_gives_all_of_images_named_so_and_nothing_of_others)
{
	static const char *const kinds[] = { "tag-only", "digest-only" };
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake mirror;
	struct descriptor d = { .size = 0 };
	struct err err = { 0 };
	size_t i, j;

	START(&f, "--rule", "GET none");
	START(&mirror, "--rule", "GET none");
	works(push(&f, &err));
	works(push(&mirror, &err));
	for (i = 0; i < COUNT_OF(kinds); i++) {
		const char *names[] = { "1", f.root.digest.text };

		for (j = 0; j < COUNT_OF(names); j++) {
			AUTO(sink) struct sink *sink = sink_none();
			int here = asked(&f, "GET", "/blobs/");
			int there = asked(&mirror, "GET", "/blobs/");

			open_mirrored_for(&f, mirror.server.port, kinds[i]);
			works(f.pull->ops->resolve(f.pull, names[j], &d, &err));
			works(place_get(f.pull, &f.layer, sink, &err));
			same_int(asked(&mirror, "GET", "/blobs/") - there, i == j);
			same_int(asked(&f, "GET", "/blobs/") - here, i != j);
			there = asked(&mirror, "HEAD", "/blobs/");
			same_int(f.pull->ops->has(f.pull, &f.layer, &err), 1);
			same_int(asked(&mirror, "HEAD", "/blobs/") - there, i == j);
		}
	}
}

TEST(blobs_are_mounted_from_a_repository_that_has_mirrors)
{
	AUTO(fake) struct fake f;
	AUTO(place) struct place *other = NULL;
	struct descriptor copied = { .size = 0 };
	struct err err = { 0 };

	START(&f, "--rule", "GET none");
	open_mirrored(&f, 1);
	works(push(&f, &err));
	other = open_at(f.session, &f.server, "c/d", REMOTE_PUSH);
	works(place_copy(f.pull, other, &f.root, NULL, &copied, &err));
	same_int(asked(&f, "POST /v2/c/d/blobs", "mount="), 2);
	same_int(asked(&f, "PUT /v2/c/d/blobs", ""), 0);
}

TEST(when_no_mirror_helps_all_are_named)
{
	AUTO(fake) struct fake f;
	AUTO(free) char *there = NULL;
	struct descriptor d;
	struct err err = { 0 };

	START(&f, "--rule", "GET none");
	open_mirrored(&f, f.server.port);
	same_int(f.pull->ops->resolve(f.pull, "none", &d, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
	there = xasprintf("; 127.0.0.1:%u: GET http", f.server.port);
	is_true(starts_with(err.msg, "127.0.0.1:1: HEAD http"));
	is_true(strstr(err.msg, there) != NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(mirrors_are_asked_in_turn),
		CASE(a_mirror_that_is_wrong_is_not_asked_twice),
		CASE(what_only_a_mirror_has_is_read_there_as_often_as_asked),
		CASE(a_mirror_for_tags_or_digests_gives_all_of_images_named_so_and_nothing_of_others),
		CASE(blobs_are_mounted_from_a_repository_that_has_mirrors),
		CASE(when_no_mirror_helps_all_are_named),
	};

	return RUN(tests);
}
