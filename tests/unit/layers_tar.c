/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/strv.h"
#include "layers/tar.h"

static void
add_escaped(struct buf *out, const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf_addf(out, bytes[i] >= ' ' && bytes[i] <= '~' ? "%c" : "\\%02x",
			(unsigned char)bytes[i]);
}

/* What an archive holds, one line an entry, with the bytes of files; 0, or -1. */
static int
list(struct stream *in, enum tar_dialect dialect, size_t step, struct buf *out, struct err *err)
{
	static const char kinds[] = "fdlhcbpwo";
	AUTO(tar_reader) struct tar_reader *r = tar_reader_new(in, dialect);
	AUTO(entry) struct entry e = { .path = NULL };
	AUTO(free) char *bytes = xmalloc(step);
	ssize_t n = 0;
	size_t i;
	int more;

	for (more = tar_reader_next(r, &e, err); more > 0; more = tar_reader_next(r, &e, err)) {
		buf_addf(out, "%c '", kinds[e.kind]);
		add_escaped(out, e.path, strlen(e.path));
		buf_addf(out, "' %04" PRIo32 " %" PRIu32 ":%" PRIu32 " %" PRIu64 " %" PRId64,
			e.mode, e.uid, e.gid, e.size, e.mtime);
		if (e.mtime_ns > 0)
			buf_addf(out, ".%09" PRIu32, e.mtime_ns);
		if (e.link != NULL)
			buf_addf(out, " -> '%s'", e.link);
		if (e.kind == ENTRY_CHAR || e.kind == ENTRY_BLOCK)
			buf_addf(out, " %" PRIu32 ",%" PRIu32, e.major, e.minor);
		for (i = 0; i < e.xattr_count; i++)
			buf_addf(out, " %s(%zu)", e.xattrs[i].name, e.xattrs[i].len);
		buf_addc(out, '\n');
		do {
			n = tar_reader_data(r, bytes, step, err);
			add_escaped(out, bytes, n > 0 ? (size_t)n : 0);
		} while (n > 0);
		if (n < 0)
			return -1;
		if (e.size > 0)
			buf_addc(out, '\n');
	}
	return more < 0 ? -1 : tar_reader_drain(r, err);
}

static void
load(const char *name, struct buf *out)
{
	AUTO(free) char *path = xasprintf(TESTDATA "/tar/%s", name);
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err err = { 0 };

	if (fd < 0)
		print_error("# no %s\n", path);
	is_true(fd >= 0);
	works(buf_read(out, fd, 1u << 20, &err));
}

TEST(archives_of_many_writers_hold_what_they_should)
{
	AUTO(buf) struct buf golden = BUF_INIT;
	AUTO(strv) struct strv lines = STRV_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(buf) struct buf wanted = BUF_INIT;
	AUTO(buf) struct buf bytes = BUF_INIT;
	struct err err = { 0 };
	size_t i;

	load("good.txt", &golden);
	strv_split(&lines, golden.data, "\n");
	for (i = 0; i < lines.count; i++) {
		AUTO(stream) struct stream *in = NULL;

		if (!starts_with(lines.items[i], "== "))
			continue;
		buf_addf(&got, "%s\n", lines.items[i]);
		buf_clear(&bytes);
		load(lines.items[i] + 3, &bytes);
		in = stream_bytes(bytes.data, bytes.len);
		works(list(in, TAR_LAYER, 3, &got, &err));
	}
	same_str(got.data, golden.data);
}

TEST(every_crime_is_refused)
{
	AUTO(buf) struct buf table = BUF_INIT;
	AUTO(strv) struct strv lines = STRV_INIT;
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };
	size_t i;
	char *tab;

	load("bad.tsv", &table);
	strv_split(&lines, table.data, "\n");
	for (i = 0; i < lines.count; i++) {
		AUTO(stream) struct stream *in = NULL;

		tab = strchr(lines.items[i], '\t');
		if (tab == NULL)
			continue;
		*tab = '\0';
		buf_clear(&bytes);
		load(lines.items[i], &bytes);
		in = stream_bytes(bytes.data, bytes.len);
		err = (struct err){ 0 };
		buf_clear(&got);
		buf_addf(&got, "%s: %d ", lines.items[i], list(in, TAR_LAYER, 4096, &got, &err));
		buf_clear(&got);
		buf_addf(&got, "%s: %s", lines.items[i], err.msg);
		buf_clear(&bytes);
		buf_addf(&bytes, "%s: %s", lines.items[i], tab + 1);
		same_str(got.data, bytes.data);
		is_true(err.kind == ERR_CORRUPT || err.kind == ERR_INPUT);
	}
}

/* One entry of each kind, and what ustar cannot hold. */
static void
write_samples(struct tar_writer *w, struct err *err)
{
	AUTO(free) char *deep = xmalloc(301);
	AUTO(free) char *name = xmalloc(151);
	struct xattr xattrs[] = { { (char *)"security.capability", (char *)"\1\0\0\2", 4 },
		{ (char *)"user.empty", (char *)"", 0 } };
	struct entry samples[] = {
		{ .path = (char *)"", .kind = ENTRY_DIR, .mode = 0755, .mtime = 1700000000 },
		{ .path = (char *)"b", .kind = ENTRY_BLOCK, .mode = 0600, .major = 8, .minor = 17 },
		{ .path = (char *)"c", .kind = ENTRY_CHAR, .mode = 0666, .major = 1, .minor = 3 },
		{ .path = (char *)"d", .kind = ENTRY_DIR, .mode = 01777, .uid = 1, .gid = 2 },
		{ .path = (char *)"d", .kind = ENTRY_OPAQUE },
		{ .path = (char *)"d/f",
			.kind = ENTRY_FILE,
			.mode = 04755,
			.uid = 33,
			.gid = 4000000,
			.mtime = 1,
			.mtime_ns = 5,
			.size = 5,
			.xattrs = xattrs,
			.xattr_count = 2 },
		{ .path = (char *)"d/gone",
			.kind = ENTRY_WHITEOUT,
			.mode = 0777,
			.uid = 7,
			.mtime = 9 },
		{ .path = (char *)"d/h",
			.kind = ENTRY_HARDLINK,
			.link = (char *)"d/f",
			.mode = 04755 },
		{ .path = (char *)"d/\xc3\xa9\xff", .kind = ENTRY_FIFO, .mode = 0600 },
		{ .path = deep, .kind = ENTRY_DIR, .mode = 0700, .mtime = -7 },
		{ .path = name,
			.kind = ENTRY_SYMLINK,
			.link = deep,
			.mode = 0777,
			.mtime = 99999999999 },
	};
	size_t i;

	memset(deep, 'd', 300);
	deep[300] = '\0';
	deep[100] = deep[200] = '/';
	memset(name, 'n', 150);
	name[150] = '\0';
	name[70] = '/';
	for (i = 0; i < COUNT_OF(samples); i++) {
		works_at(tar_writer_entry(w, &samples[i], err), err->msg, samples[i].path, __FILE__,
			__LINE__);
		if (samples[i].kind == ENTRY_FILE)
			works_at(tar_writer_data(w, "hello", 5, err), err->msg, "data", __FILE__,
				__LINE__);
	}
	works_at(tar_writer_finish(w, err), err->msg, "finish", __FILE__, __LINE__);
}

static void
write_archive(struct buf *out)
{
	AUTO(sink) struct sink *sink = sink_buf(out);
	AUTO(tar_writer) struct tar_writer *w = tar_writer_new(sink, TAR_LAYER);
	struct err err = { 0 };

	write_samples(w, &err);
	works(sink_finish(sink, &err));
}

TEST(our_bytes_never_change)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	struct digest d;

	write_archive(&bytes);
	same_int(bytes.len % TAR_BLOCK, 0);
	digest_of(bytes.data, bytes.len, &d);
	same_str(d.text, "sha256:a35ef37bd41f8c18f77bb4a095b691fa2f0a04fcd37c5bc949517850e414401a");
}

TEST(what_is_written_is_read_again)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(buf) struct buf wanted = BUF_INIT;
	AUTO(stream) struct stream *in = NULL;
	struct err err = { 0 };

	write_archive(&bytes);
	in = stream_bytes(bytes.data, bytes.len);
	works(list(in, TAR_LAYER, 4096, &got, &err));
	load("samples.txt", &wanted);
	same_str(got.data, wanted.data);
}

TEST(other_programs_read_our_archives)
{
	static const char *const programs[] = { "tar", "bsdtar" };
	char path[] = "/tmp/cooper-tar-XXXXXX", line[1024];
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(fd) int fd = mkostemp(path, O_CLOEXEC);
	size_t i, lines;
	FILE *out;

	write_archive(&bytes);
	same_int(write(fd, bytes.data, bytes.len), bytes.len);
	for (i = 0; i < COUNT_OF(programs); i++) {
		AUTO(free)
		char *command = xasprintf("command -v %s >/dev/null || { echo none; exit 0; }; "
					  "%s -tvf %s",
			programs[i], programs[i], path);

		out = popen(command, "re");
		lines = 0;
		while (fgets(line, sizeof line, out) != NULL) {
			lines++;
			if (streq(line, "none\n"))
				lines = 11;
		}
		same_int(pclose(out), 0);
		same_int(lines, 11);
	}
	unlink(path);
}

/* The listing of a small tree, sparse file included, as a program packs it; empty where there is
 * none. */
static void
list_packed(const char *program, const char *options, struct buf *out)
{
	AUTO(free)
	char *command = xasprintf(
		"command -v %s >/dev/null || exit 0; d=$(mktemp -d) || exit 1; cd $d; "
		"mkdir -p t/d; echo hello > t/d/f; ln t/d/f t/d/h; ln -s ../x t/s; "
		"printf ab > t/p; printf c | dd of=t/p bs=1 seek=300000 conv=notrunc status=none; "
		"truncate -s 500000 t/p; chmod 4755 t/d/f; chmod 755 t t/d; chmod 644 t/p; touch "
		"-hd @1000 t t/d t/d/f t/p t/s; "
		"%s %s --no-recursion -cf - t/d t/d/f t/d/h t/p t/s; cd /; rm -r $d",
		program, program, options);
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(stream) struct stream *in = NULL;
	struct err err = { 0 };
	FILE *from = popen(command, "re");

	works(buf_read(&bytes, fileno(from), 1u << 24, &err));
	same_int(pclose(from), 0);
	if (bytes.len == 0)
		return;
	in = stream_bytes(bytes.data, bytes.len);
	works(list(in, TAR_LAYER, 4096, out, &err));
}

TEST(whatever_packs_a_tree_we_read_the_same)
{
	static const struct {
		const char *program, *options;
	} rows[] = { { "tar", "--format=gnu" }, { "tar", "--format=gnu -S" },
		{ "tar", "--format=oldgnu -S" }, { "tar", "--format=ustar" },
		{ "tar", "--format=v7" }, { "tar", "--format=posix" },
		{ "tar", "--format=posix -S --sparse-version=0.0" },
		{ "tar", "--format=posix -S --sparse-version=0.1" },
		{ "tar", "--format=posix -S --sparse-version=1.0" }, { "bsdtar", "--format=ustar" },
		{ "bsdtar", "--format=pax --no-read-sparse" }, { "bsdtar", "--format=pax" },
		{ "bsdtar", "--format=gnutar" } };
	AUTO(buf) struct buf wanted = BUF_INIT;
	size_t i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf) struct buf got = BUF_INIT;

		list_packed(rows[i].program, rows[i].options, &got);
		if (got.len == 0)
			continue;
		if (wanted.len == 0)
			buf_add(&wanted, got.data, got.len);
		if (!streq(got.data, wanted.data))
			print_error("# %s %s\n%.600s", rows[i].program, rows[i].options, got.data);
		same_int(got.len, wanted.len);
		is_true(streq(got.data, wanted.data));
	}
}

TEST(a_plain_archive_keeps_names_that_would_remove)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(sink) struct sink *sink = sink_buf(&bytes);
	AUTO(tar_writer) struct tar_writer *plain = tar_writer_new(sink, TAR_PLAIN);
	AUTO(tar_writer) struct tar_writer *layer = tar_writer_new(sink, TAR_LAYER);
	AUTO(stream) struct stream *in = NULL;
	struct entry e = { .path = (char *)"d/.wh.x", .kind = ENTRY_FILE };
	struct entry gone = { .path = (char *)"x", .kind = ENTRY_WHITEOUT };
	struct err err = { 0 };

	works(tar_writer_entry(plain, &e, &err));
	works(tar_writer_finish(plain, &err));
	fails(tar_writer_entry(layer, &e, &err),
		"'d/.wh.x': a name with '.wh.' would be read as a removal in a layer");
	fails(tar_writer_entry(plain, &gone, &err), "'x': a plain archive cannot hold a removal");
	in = stream_bytes(bytes.data, bytes.len);
	works(list(in, TAR_PLAIN, 10, &got, &err));
	same_str(got.data, "f 'd/.wh.x' 0000 0:0 0 0\n");
}

TEST(what_tar_cannot_say_is_refused)
{
	AUTO(sink) struct sink *sink = sink_none();
	AUTO(tar_writer) struct tar_writer *w = tar_writer_new(sink, TAR_LAYER);
	AUTO(free) char *large = xzalloc(TAR_PAX_MAX);
	struct xattr odd = { (char *)"user.a=b", (char *)"", 0 };
	struct xattr huge = { (char *)"user.a", large, TAR_PAX_MAX };
	struct entry e = {
		.path = (char *)"f", .kind = ENTRY_FILE, .xattrs = &odd, .xattr_count = 1
	};
	struct entry s = { .path = (char *)"s", .kind = ENTRY_SYMLINK };
	struct entry b = { .path = (char *)"b", .kind = ENTRY_BLOCK, .major = 1 << 30 };
	struct entry root = { .path = (char *)"", .kind = ENTRY_FILE };
	struct err err = { 0 };

	fails(tar_writer_entry(w, &e, &err),
		"'f': tar cannot hold attribute 'user.a=b', whose name has a '='");
	e.xattrs = &huge;
	fails(tar_writer_entry(w, &e, &err),
		"'f': names and attributes are larger than 1048576 bytes");
	fails(tar_writer_entry(w, &s, &err), "'s': a link to nothing");
	fails(tar_writer_entry(w, &b, &err), "'b': tar cannot hold device 1073741824:0");
	fails(tar_writer_entry(w, &root, &err), "the root can only be a directory");
}

static int
file_of(size_t size)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	size_t i;

	for (i = 0; i < size; i += 1000)
		same_int(pwrite(fd, "0123456789", size - i < 10 ? size - i : 10, (off_t)i),
			size - i < 10 ? size - i : 10);
	same_int(ftruncate(fd, (off_t)size), 0);
	return fd;
}

TEST(files_of_all_sizes_are_written_from_descriptors)
{
	static const size_t sizes[] = { 0, 1, 511, 512, 513, 65535, 65536, 200000, 262144, 262145,
		3000001 };
	AUTO(buf) struct buf a = BUF_INIT;
	AUTO(buf) struct buf b = BUF_INIT;
	AUTO(sink) struct sink *to_a = sink_buf(&a);
	AUTO(sink) struct sink *to_b = sink_buf(&b);
	AUTO(tar_writer) struct tar_writer *by_fd = tar_writer_new(to_a, TAR_LAYER);
	AUTO(tar_writer) struct tar_writer *by_data = tar_writer_new(to_b, TAR_LAYER);
	AUTO(hasher) struct hasher *h = hasher_new(DIGEST_SHA256);
	struct entry e = { .path = (char *)"f", .kind = ENTRY_FILE, .mode = 0644 };
	struct digest got, wanted;
	struct err err = { 0 };
	size_t i;

	for (i = 0; i < COUNT_OF(sizes); i++) {
		AUTO(fd) int fd = file_of(sizes[i]);
		AUTO(free) char *bytes = xmalloc(sizes[i]);

		e.size = sizes[i];
		hasher_reset(h);
		same_int(pread(fd, bytes, sizes[i], 0), sizes[i]);
		works(tar_writer_entry(by_fd, &e, &err));
		works(tar_writer_file(by_fd, fd, h, &err));
		works(tar_writer_entry(by_data, &e, &err));
		works(tar_writer_data(by_data, bytes, sizes[i], &err));
		hasher_digest(h, &got);
		digest_of(bytes, sizes[i], &wanted);
		same_str(got.text, wanted.text);
	}
	works(tar_writer_finish(by_fd, &err));
	works(tar_writer_finish(by_data, &err));
	same_bytes(a.data, a.len, b.data, b.len);
}

TEST(a_file_that_changes_meanwhile_is_told)
{
	AUTO(sink) struct sink *sink = sink_none();
	AUTO(tar_writer) struct tar_writer *w = tar_writer_new(sink, TAR_LAYER);
	AUTO(tar_writer) struct tar_writer *v = tar_writer_new(sink, TAR_LAYER);
	AUTO(fd) int fd = file_of(100000);
	struct entry e = { .path = (char *)"f", .kind = ENTRY_FILE, .size = 99999 };
	struct err err = { 0 };

	works(tar_writer_entry(w, &e, &err));
	fails(tar_writer_file(w, fd, NULL, &err), "'f' changed while it was read");
	e.size = 100001;
	lseek(fd, 0, SEEK_SET);
	works(tar_writer_entry(v, &e, &err));
	fails(tar_writer_file(v, fd, NULL, &err), "'f' changed while it was read");
	fails(tar_writer_finish(v, &err), "1 bytes of 'f' are missing");
}

TEST(holes_can_be_stepped_over_and_bytes_left_unread)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(stream) struct stream *in = NULL;
	AUTO(tar_reader) struct tar_reader *r = NULL;
	AUTO(entry) struct entry e = { .path = NULL };
	struct err err = { 0 };
	char text[8];

	load("good-sparse-1.0.tar", &bytes);
	in = stream_bytes(bytes.data, bytes.len);
	r = tar_reader_new(in, TAR_LAYER);
	same_int(tar_reader_next(r, &e, &err), 1);
	same_int(tar_reader_hole(r), 2);
	same_int(tar_reader_hole(r), 0);
	same_int(tar_reader_data(r, text, 1, &err), 1);
	same_int(tar_reader_next(r, &e, &err), 1);
	same_str(e.path, "after");
	same_int(tar_reader_hole(r), 0);
	same_int(tar_reader_next(r, &e, &err), 0);
	same_str(e.path, "after");
	same_int(tar_reader_next(r, &e, &err), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(our_bytes_never_change),
		CASE(what_is_written_is_read_again),
		CASE(other_programs_read_our_archives),
		CASE(whatever_packs_a_tree_we_read_the_same),
		CASE(a_plain_archive_keeps_names_that_would_remove),
		CASE(what_tar_cannot_say_is_refused),
		CASE(files_of_all_sizes_are_written_from_descriptors),
		CASE(a_file_that_changes_meanwhile_is_told),
		CASE(holes_can_be_stepped_over_and_bytes_left_unread),
		CASE(archives_of_many_writers_hold_what_they_should),
		CASE(every_crime_is_refused),
	};

	return RUN(tests);
}
