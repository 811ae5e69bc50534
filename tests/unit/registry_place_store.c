/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "registry/place_store.h"

struct scene {
	char dir[64];
	struct store *store;
	struct place *place;
};

static void
scene_open(struct scene *s)
{
	struct err err = { 0 };
	AUTO(free) char *root = NULL;

	snprintf(s->dir, sizeof s->dir, "/tmp/cooper-test-XXXXXX");
	is_true(mkdtemp(s->dir) != NULL);
	root = xasprintf("%s/store", s->dir);
	works(store_open(root, &s->store, &err));
	s->place = place_store_new(s->store);
}

static void
scene_close(struct scene *s)
{
	struct err err = { 0 };

	place_free(s->place);
	store_free(s->store);
	works(path_remove(AT_FDCWD, s->dir, &err));
}

/* Sends some bytes and then fails, or all; remembers from where it was asked. */
struct source_broken {
	struct source source;
	const char *bytes;
	uint64_t end, asked;
};

static int
broken_send(struct source *source, uint64_t offset, struct sink *out, struct err *err)
{
	struct source_broken *s = (struct source_broken *)source;

	s->asked = offset;
	if (offset < s->end &&
		sink_write(out, s->bytes + offset, (size_t)(s->end - offset), err) < 0)
		return -1;
	if (s->end < strlen(s->bytes))
		return err_set(err, ERR_REMOTE, "the line is dead");
	return 0;
}

static struct descriptor
described(const char *content)
{
	struct descriptor d = { .media_type = MEDIA_OCI_LAYER, .size = strlen(content) };

	digest_of(content, strlen(content), &d.digest);
	return d;
}

TEST(a_put_that_is_broken_off_goes_on_where_it_was)
{
	struct scene s;
	struct err err = { 0 };
	struct descriptor d = described("0123456789");
	struct source_broken from = { { broken_send }, "0123456789", 4, 99 };
	AUTO(buf) struct buf got = BUF_INIT;

	scene_open(&s);
	fails(s.place->ops->put(s.place, &d, &from.source, &err), "the line is dead");
	same_int(s.place->ops->has(s.place, &d, &err), 0);
	from.end = 10;
	works(s.place->ops->put(s.place, &d, &from.source, &err));
	same_int(from.asked, 4);
	same_int(s.place->ops->has(s.place, &d, &err), 1);
	works(place_read(s.place, &d, 100, &got, &err));
	same_str(got.data, "0123456789");
	scene_close(&s);
}

TEST(a_beginning_that_was_wrong_is_asked_for_again)
{
	struct scene s;
	struct err err = { 0 };
	struct descriptor d = described("0123456789");
	struct source_broken from = { { broken_send }, "xxxx456789", 4, 99 };

	scene_open(&s);
	same_int(s.place->ops->put(s.place, &d, &from.source, &err), -1);
	from.bytes = "0123456789";
	from.end = 10;
	works(s.place->ops->put(s.place, &d, &from.source, &err));
	same_int(from.asked, 0);
	scene_close(&s);
}

TEST(bytes_that_are_not_their_digest_leave_nothing)
{
	struct scene s;
	struct err err = { 0 };
	struct descriptor d = described("0123456789");
	struct source_broken from = { { broken_send }, "0123456x89", 10, 99 };

	scene_open(&s);
	same_int(s.place->ops->put(s.place, &d, &from.source, &err), -1);
	same_int(err.kind, ERR_CORRUPT);
	from.bytes = "0123456789";
	works(s.place->ops->put(s.place, &d, &from.source, &err));
	same_int(from.asked, 0);
	scene_close(&s);
}

TEST(names_and_digests_resolve)
{
	static const char manifest[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
		"\",\"config\":{\"mediaType\":\"" MEDIA_OCI_EMPTY "\",\"digest\":\"sha256:"
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\","
		"\"size\":2},\"layers\":[]}";
	struct scene s;
	struct err err = { 0 };
	struct descriptor config = { .media_type = MEDIA_OCI_EMPTY },
			  d = { .media_type = MEDIA_OCI_MANIFEST };
	AUTO(descriptor) struct descriptor by_name = { .size = 0 };
	AUTO(descriptor) struct descriptor by_digest = { .size = 0 };

	scene_open(&s);
	works(place_put_bytes(s.place, "{}", 2, &config, &err));
	works(place_put_bytes(s.place, manifest, strlen(manifest), &d, &err));
	works(s.place->ops->tag(s.place, "docker.io/library/a:1", &d, &err));
	works(s.place->ops->resolve(s.place, "docker.io/library/a:1", &by_name, &err));
	same_str(by_name.digest.text, d.digest.text);
	works(s.place->ops->resolve(s.place, d.digest.text, &by_digest, &err));
	same_str(by_digest.media_type, MEDIA_OCI_MANIFEST);
	same_int(by_digest.size, strlen(manifest));
	same_int(s.place->ops->resolve(s.place, "docker.io/library/b:1", &by_name, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
	scene_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_put_that_is_broken_off_goes_on_where_it_was),
		CASE(a_beginning_that_was_wrong_is_asked_for_again),
		CASE(bytes_that_are_not_their_digest_leave_nothing),
		CASE(names_and_digests_resolve),
	};

	return RUN(tests);
}
