/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "layers/codec.h"
#include "layers/tar.h"
#include "registry/place_archive.h"

/* A tar from names and contents, "" for the end; a content that begins with "->" is a link. */
struct member_text {
	const char *name, *content;
};

static int
tar_of(const struct member_text *members, bool compressed)
{
	struct err err = { 0 };
	int fd = fd_memory("archive", &err);
	AUTO(sink) struct sink *out = NULL;
	AUTO(tar_writer) struct tar_writer *w = NULL;

	works(codec_encode(
		compressed ? CODEC_GZIP : CODEC_NONE, CODEC_DEFAULT, 1, sink_fd(fd), &out, &err));
	w = tar_writer_new(out, TAR_PLAIN);
	for (; members->name != NULL; members++) {
		bool is_link = starts_with(members->content, "->");
		struct entry e = {
			.path = (char *)members->name,
			.kind = is_link ? ENTRY_SYMLINK : ENTRY_FILE,
			.link = is_link ? (char *)members->content + 2 : NULL,
			.mode = 0644,
			.size = is_link ? 0 : strlen(members->content),
		};

		works(tar_writer_entry(w, &e, &err));
		if (!is_link)
			works(tar_writer_data(w, members->content, strlen(members->content), &err));
	}
	works(tar_writer_finish(w, &err));
	works(sink_finish(out, &err));
	is_true(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static int
open_archive(int fd, struct place **out, struct err *err)
{
	AUTO(fd) int spool = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return place_archive_open(fd, spool, out, err);
}

static char *
content_of(struct place *p, const struct descriptor *d)
{
	AUTO(buf) struct buf b = BUF_INIT;
	struct err err = { 0 };

	works(place_read(p, d, 1u << 20, &b, &err));
	return buf_steal(&b);
}

#define CONFIG                                                                                 \
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_" \
	"ids\":["                                                                              \
	"\"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\","         \
	"\"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"]}}"

/* Layers are "foo" here: nothing reads them as tars. */
static const struct member_text docker_old[] = {
	{ "aa/layer.tar", "foo" },
	{ "bb/layer.tar", "->../aa/layer.tar" },
	{ "config.json", CONFIG },
	{ "manifest.json",
		"\xef\xbb\xbf[{\"Config\":\"config.json\",\"RepoTags\":[\"a:1\",\"b:2\"],"
		"\"Layers\":[\"aa/layer.tar\",\"bb/layer.tar\"]}]" },
	{ NULL, NULL },
};

static void
reads_docker_old(bool compressed)
{
	struct err err = { 0 };
	AUTO(place) struct place *p = NULL;
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(manifest) struct manifest m = { .is_docker = false };
	AUTO(free) char *text = NULL;
	AUTO(free) char *layer = NULL;

	works(open_archive(tar_of(docker_old, compressed), &p, &err));
	same_int(place_archive_catalog(p)->count, 2);
	works(p->ops->resolve(p, "b:2", &d, &err));
	text = content_of(p, &d);
	works(manifest_parse(text, strlen(text), d.media_type, &m, &err));
	same_int(m.layer_count, 2);
	same_str(m.layers[1].media_type, MEDIA_OCI_LAYER);
	layer = content_of(p, &m.layers[1]);
	same_str(layer, "foo");
}

TEST(an_old_docker_archive_gets_manifests)
{
	reads_docker_old(false);
}

TEST(a_compressed_archive_is_read_as_well)
{
	reads_docker_old(true);
}

TEST(crimes_are_named)
{
	static const struct {
		struct member_text members[3];
		const char *message;
	} rows[] = {
		{ { { "manifest.json", "[{\"Config\":\"gone.json\",\"Layers\":[]}]" } },
			"'gone.json', which manifest.json names, is not in the archive" },
		{ { { "manifest.json", "{}" } }, "manifest.json is not a list of images" },
		{ { { "manifest.json", "[{}]" } }, "manifest.json: an image has no 'Config'" },
		{ { { "manifest.json", "[{\"Config\":\"../../etc/passwd\"}]" } }, NULL },
		{ { { "manifest.json", "->/etc/passwd" } }, NULL },
		{ { { "repositories", "{}" } }, NULL },
		{ { { "c", CONFIG }, { "manifest.json", "[{\"Config\":\"c\",\"Layers\":[]}]" } },
			"'c' has 2 diff ids for 0 layers" },
		{ { { "oci-layout", "{}" }, { "index.json", "[" } }, NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err err = { 0 };
		AUTO(place) struct place *p = NULL;

		same_int(open_archive(tar_of(rows[i].members, false), &p, &err), -1);
		is_true(p == NULL && err.kind != ERR_NONE);
		if (rows[i].message != NULL)
			same_str(err.msg, rows[i].message);
	}
}

static int
put(struct place *p, const char *content, const char *media_type, struct descriptor *out,
	struct err *err)
{
	media_type_clean(media_type, out->media_type);
	return place_put_bytes(p, content, strlen(content), out, err);
}

/* An image of two words, written and tagged. */
static int
written(enum place_archive_kind kind, struct err *err)
{
	int fd = fd_memory("archive", err);
	AUTO(sink) struct sink *out = sink_fd(fd);
	AUTO(place) struct place *p = place_archive_new(out, kind);
	AUTO(manifest) struct manifest m = { .is_docker = false };
	AUTO(buf) struct buf text = BUF_INIT;
	struct descriptor layer = { .size = 0 }, d = { .size = 0 };

	if (put(p, "foo", MEDIA_OCI_LAYER, &layer, err) < 0 ||
		put(p, CONFIG, MEDIA_OCI_CONFIG, &m.config, err) < 0)
		return -1;
	manifest_layer_add(&m, &layer);
	manifest_format(&m, &text);
	if (put(p, text.data, MEDIA_OCI_MANIFEST, &d, err) < 0 ||
		p->ops->tag(p, "app:1", &d, err) < 0 ||
		p->ops->tag(p, "localhost/app:2", &d, err) < 0 || p->ops->finish(p, err) < 0)
		return -1;
	lseek(fd, 0, SEEK_SET);
	return fd;
}

TEST(what_is_written_is_read)
{
	for (int kind = PLACE_ARCHIVE_OCI; kind <= PLACE_ARCHIVE_DOCKER; kind++) {
		struct err err = { 0 };
		AUTO(place) struct place *p = NULL;
		AUTO(descriptor) struct descriptor d = { .size = 0 };
		AUTO(free) char *text = NULL;
		int fd = written((enum place_archive_kind)kind, &err);

		is_true(fd >= 0);
		works(open_archive(fd, &p, &err));
		works(p->ops->resolve(p, "localhost/app:2", &d, &err));
		text = content_of(p, &d);
		is_true(strstr(text, "\"schemaVersion\": 2") != NULL);
	}
}

TEST(a_docker_archive_names_its_images)
{
	struct err err = { 0 };
	AUTO(fd) int fd = written(PLACE_ARCHIVE_DOCKER, &err);
	AUTO(buf) struct buf bytes = BUF_INIT;

	works(buf_read(&bytes, fd, 1u << 20, &err));
	is_true(memmem(bytes.data, bytes.len, "\"RepoTags\":[\"app:1\",\"localhost/app:2\"]", 38) !=
		NULL);
}

TEST(bytes_that_are_not_their_digest_spoil_the_archive)
{
	struct err err = { 0 };
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(sink) struct sink *out = sink_buf(&bytes);
	AUTO(place) struct place *p = place_archive_new(out, PLACE_ARCHIVE_OCI);
	struct descriptor d = { .media_type = MEDIA_OCI_LAYER, .size = 3 };
	struct source_bytes from;

	digest_of("foo", 3, &d.digest);
	source_bytes(&from, "bar", 3);
	same_int(p->ops->put(p, &d, &from.source, &err), -1);
	same_int(err.kind, ERR_CORRUPT);
	same_int(p->ops->finish(p, &err), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_old_docker_archive_gets_manifests),
		CASE(a_compressed_archive_is_read_as_well),
		CASE(crimes_are_named),
		CASE(what_is_written_is_read),
		CASE(a_docker_archive_names_its_images),
		CASE(bytes_that_are_not_their_digest_spoil_the_archive),
	};

	return RUN(tests);
}
