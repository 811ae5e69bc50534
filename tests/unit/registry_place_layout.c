/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "registry/place_layout.h"

struct scene {
	char dir[64];
	char *path;
};

static void
scene_open(struct scene *s)
{
	snprintf(s->dir, sizeof s->dir, "/tmp/cooper-test-XXXXXX");
	is_true(mkdtemp(s->dir) != NULL);
	s->path = xasprintf("%s/layout", s->dir);
}

static void
scene_close(struct scene *s)
{
	struct err err = { 0 };

	works(path_remove(AT_FDCWD, s->dir, &err));
	free(s->path);
}

static struct descriptor
described(const char *content, const char *media_type)
{
	struct descriptor d = { .size = strlen(content) };

	media_type_clean(media_type, d.media_type);
	digest_of(content, strlen(content), &d.digest);
	return d;
}

static int
put(struct place *p, const struct descriptor *d, const char *content, struct err *err)
{
	struct source_bytes from;

	source_bytes(&from, content, strlen(content));
	return p->ops->put(p, d, &from.source, err);
}

TEST(what_is_put_can_be_had_again)
{
	struct scene s;
	struct err err = { 0 };
	AUTO(place) struct place *p = NULL;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(sink) struct sink *out = sink_buf(&got);
	struct descriptor d = described("hello", MEDIA_OCI_LAYER);

	scene_open(&s);
	works(place_layout_open(s.path, PLACE_LAYOUT_WRITE, &p, &err));
	same_int(p->ops->has(p, &d, &err), 0);
	works(put(p, &d, "hello", &err));
	same_int(p->ops->has(p, &d, &err), 1);
	works(put(p, &d, "hello", &err));
	works(p->ops->get(p, &d, 2, out, &err));
	works(sink_finish(out, &err));
	same_str(got.data, "llo");
	scene_close(&s);
}

TEST(bytes_that_are_not_their_digest_leave_nothing)
{
	struct scene s;
	struct err err = { 0 };
	AUTO(place) struct place *p = NULL;
	AUTO(free) char *blobs = NULL;
	struct descriptor d = described("hello", MEDIA_OCI_LAYER);

	scene_open(&s);
	works(place_layout_open(s.path, PLACE_LAYOUT_WRITE, &p, &err));
	same_int(put(p, &d, "jello", &err), -1);
	same_int(err.kind, ERR_CORRUPT);
	same_int(p->ops->has(p, &d, &err), 0);
	blobs = xasprintf("%s/blobs/sha256", s.path);
	works(rmdir(blobs)); /* it is empty */
	scene_close(&s);
}

TEST(names_live_in_the_index)
{
	struct scene s;
	struct err err = { 0 };
	AUTO(place) struct place *p = NULL;
	AUTO(place) struct place *again = NULL;
	AUTO(descriptor) struct descriptor found = { .size = 0 };
	AUTO(descriptor) struct descriptor only = { .size = 0 };
	struct descriptor d = described("{}", MEDIA_OCI_MANIFEST);

	scene_open(&s);
	works(place_layout_open(s.path, PLACE_LAYOUT_WRITE, &p, &err));
	works(put(p, &d, "{}", &err));
	works(p->ops->tag(p, "demo:1", &d, &err));
	works(place_layout_open(s.path, PLACE_LAYOUT_READ, &again, &err));
	works(again->ops->resolve(again, "docker.io/library/demo:1", &found, &err));
	same_str(found.digest.text, d.digest.text);
	works(again->ops->resolve(again, NULL, &only, &err));
	same_int(again->ops->resolve(again, "other", &found, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
	scene_close(&s);
}

static int blobs_synced;

/* In place of libc's: tells whether it is the directory of blobs. */
int
fsync(int fd)
{
	AUTO(free) char *link = xasprintf("/proc/self/fd/%d", fd);
	char path[4096] = "";

	if (readlink(link, path, sizeof path - 1) > 0 && ends_with(path, "/blobs/sha256"))
		blobs_synced++;
	return (int)syscall(SYS_fsync, fd);
}

TEST(blobs_are_on_the_disk_before_the_index_names_them)
{
	struct scene s;
	struct err err = { 0 };
	AUTO(place) struct place *p = NULL;
	struct descriptor d = described("hello", MEDIA_OCI_MANIFEST);

	scene_open(&s);
	works(place_layout_open(s.path, PLACE_LAYOUT_WRITE, &p, &err));
	works(put(p, &d, "hello", &err));
	blobs_synced = 0;
	works(p->ops->tag(p, "a", &d, &err));
	same_int(blobs_synced, 1);
	scene_close(&s);
}

TEST(links_never_lead_out)
{
	struct scene s;
	struct err err = { 0 };
	AUTO(place) struct place *p = NULL;
	AUTO(free) char *outside = NULL;
	AUTO(free) char *link = NULL;
	struct descriptor d = described("secret", MEDIA_OCI_LAYER);
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(sink) struct sink *out = sink_buf(&got);

	scene_open(&s);
	works(place_layout_open(s.path, PLACE_LAYOUT_WRITE, &p, &err));
	outside = xasprintf("%s/secret", s.dir);
	works(file_write(AT_FDCWD, outside, "secret", 6, 0600, FILE_NO_SYNC, &err));
	link = xasprintf("%s/blobs/sha256/%s", s.path, digest_hex(&d.digest));
	works(symlink(outside, link));
	same_int(p->ops->get(p, &d, 0, out, &err), -1);
	same_int(got.len, 0);
	scene_close(&s);
}

TEST(what_is_no_layout_is_refused)
{
	struct scene s;
	struct err err = { 0 };
	AUTO(place) struct place *p = NULL;
	AUTO(free) char *message = NULL;

	scene_open(&s);
	same_int(place_layout_open(s.path, PLACE_LAYOUT_READ, &p, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
	message = xasprintf("'%s' is no OCI layout: it has no file 'oci-layout'", s.dir);
	fails(place_layout_open(s.dir, PLACE_LAYOUT_READ, &p, &err), message);
	scene_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_put_can_be_had_again),
		CASE(bytes_that_are_not_their_digest_leave_nothing),
		CASE(names_live_in_the_index),
		CASE(blobs_are_on_the_disk_before_the_index_names_them),
		CASE(links_never_lead_out),
		CASE(what_is_no_layout_is_refused),
	};

	return RUN(tests);
}
