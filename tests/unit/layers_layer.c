/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/trees.h"

#include <sys/mman.h>

#include "layers/apply.h"
#include "layers/layer.h"
#include "layers/tree.h"

static int
memory(void)
{
	int fd = memfd_create("blob", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
pack(int tree, struct listing *l, enum codec_kind codec, unsigned threads, int fd,
	struct layer_made *out)
{
	AUTO(sink) struct sink *sink = NULL;
	struct err err = { 0 };

	works(layer_sink(fd, codec, CODEC_DEFAULT, threads, out, &sink, &err));
	works(layer_pack(tree, l, LAYER_DIGESTS, sink, &err));
	works(sink_finish(sink, &err));
}

static void
list(int tree, struct listing *out)
{
	struct tree_options o = TREE_OPTIONS_INIT;
	struct err err = { 0 };

	works(tree_list(tree, &o, out, &err));
}

TEST(a_tree_becomes_a_blob_and_the_same_tree_again)
{
	static const struct {
		enum codec_kind codec;
		const char *type;
	} rows[] = {
		{ CODEC_NONE, MEDIA_OCI_LAYER },
		{ CODEC_GZIP, MEDIA_OCI_LAYER_GZIP },
		{ CODEC_ZSTD, MEDIA_OCI_LAYER_ZSTD },
	};
	AUTO(scratch) struct scratch s = scratch();
	AUTO(fd) int tree = make_dir(s.dir, "tree");
	struct digest diff_id = { .text = "" };

	plant(tree, "a=1 d/ d/b=22 d/l->../a h==a");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(listing) struct listing l = LISTING_INIT;
		AUTO(listing) struct listing told = LISTING_INIT;
		AUTO(stream) struct stream *in = NULL;
		AUTO(free) char *name = xasprintf("out%zu", i);
		AUTO(free) char *got = NULL;
		AUTO(fd) int out = make_dir(s.dir, name);
		struct apply_options o = APPLY_OPTIONS_INIT;
		struct layer_made made;
		struct digest again, content, content_told;
		struct stat st;
		struct err err = { 0 };
		int fd = memory();

		list(tree, &l);
		pack(tree, &l, rows[i].codec, 1, fd, &made);
		same_str(made.blob.media_type, rows[i].type);
		same_int(fstat(fd, &st), 0);
		same_int(made.blob.size, st.st_size);
		if (i > 0)
			same_str(made.diff_id.text, diff_id.text);
		diff_id = made.diff_id;
		same_int(lseek(fd, 0, SEEK_SET), 0);
		works(layer_stream(stream_verify(stream_fd(fd), &made.blob.digest, made.blob.size),
			made.diff_size, &again, &in, &err));
		o.owner = APPLY_OWNER_TRY;
		o.digests = true;
		works(apply_layer(in, out, &o, &told, &err));
		same_str(again.text, diff_id.text);
		got = shown(&told);
		same_str(got, "a=1 d/ d/b=2 d/l->../a h==a");
		listing_content_digest(&l, &content);
		listing_content_digest(&told, &content_told);
		same_str(content_told.text, content.text);
	}
}

TEST(a_blob_does_not_depend_on_threads)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(listing) struct listing l = LISTING_INIT;
	struct layer_made one, four;
	AUTO(fd) int a = memory();
	AUTO(fd) int b = memory();

	for (unsigned i = 0; i < 50; i++) {
		char name[16], text[5000];

		snprintf(name, sizeof name, "f%u", i);
		memset(text, 'a' + (int)(i % 26), sizeof text);
		text[sizeof text - 1] = '\0';
		make_file(s.dir, name, text);
	}
	list(s.dir, &l);
	pack(s.dir, &l, CODEC_GZIP, 1, a, &one);
	pack(s.dir, &l, CODEC_GZIP, 4, b, &four);
	same_str(four.blob.digest.text, one.blob.digest.text);
}

TEST(a_file_that_changed_is_told)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(sink) struct sink *sink = sink_none();
	struct err err = { 0 };

	plant(s.dir, "a=1 b=2 c");
	list(s.dir, &l);
	make_file(s.dir, "b", "longer");
	fails(layer_pack(s.dir, &l, LAYER_DIGESTS, sink, &err), "'b' changed while it was read");
	assert_int_equal(unlinkat(s.dir, "b", 0), 0);
	plant(s.dir, "b|");
	fails(layer_pack(s.dir, &l, LAYER_DIGESTS, sink, &err), "'b' changed while it was read");
	assert_int_equal(unlinkat(s.dir, "b", 0), 0);
	plant(s.dir, "b->/etc/passwd");
	same_int(layer_pack(s.dir, &l, LAYER_DIGESTS, sink, &err), -1);
}

TEST(a_blob_that_grows_too_large_is_stopped)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(stream) struct stream *in = NULL;
	AUTO(fd) int tree = make_dir(s.dir, "tree");
	AUTO(fd) int out = make_dir(s.dir, "out");
	struct apply_options o = APPLY_OPTIONS_INIT;
	struct layer_made made;
	struct digest diff_id;
	struct err err = { 0 };
	int fd = memory();

	plant(tree, "a=1");
	list(tree, &l);
	pack(tree, &l, CODEC_GZIP, 1, fd, &made);
	same_int(lseek(fd, 0, SEEK_SET), 0);
	works(layer_stream(stream_fd(fd), 1000, &diff_id, &in, &err));
	o.owner = APPLY_OWNER_TRY;
	same_int(apply_layer(in, out, &o, NULL, &err), -1);
	same_int(err.kind, ERR_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_tree_becomes_a_blob_and_the_same_tree_again),
		CASE(a_blob_does_not_depend_on_threads),
		CASE(a_file_that_changed_is_told),
		CASE(a_blob_that_grows_too_large_is_stopped),
	};

	return RUN(tests);
}
