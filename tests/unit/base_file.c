/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static int
scratch(char path[32])
{
	memcpy(path, "/tmp/cooper-file-XXXXXX", 24);
	assert_non_null(mkdtemp(path));
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
count_names(int dir)
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int count = -2; /* . and .. */

	while (readdir(d) != NULL)
		count++;
	closedir(d);
	return count;
}

TEST(what_is_written_is_read_and_replaced)
{
	char path[32];
	AUTO(fd) int dir = scratch(path);
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };
	struct stat st;
	mode_t mask = umask(077);

	works(file_write(dir, "a", "one", 3, 0644, FILE_SYNC, &err));
	works(file_write(dir, "a", "t\0o", 3, 0640, FILE_NO_SYNC, &err));
	umask(mask);
	buf_adds(&got, "before ");
	works(file_read(dir, "a", 3, &got, &err));
	same_bytes(got.data, got.len, "before t\0o", 10);
	same_int(fstatat(dir, "a", &st, 0), 0);
	same_int(st.st_mode & 07777, 0640);
	same_int(count_names(dir), 1);
	unlinkat(dir, "a", 0);
	rmdir(path);
}

TEST(a_failed_write_leaves_nothing_behind)
{
	char path[32];
	AUTO(fd) int dir = scratch(path);
	struct err err = { 0 };

	same_int(mkdirat(dir, "d", 0700), 0);
	fails(file_write(dir, "d", "x", 1, 0600, FILE_NO_SYNC, &err), "write 'd': Is a directory");
	fails(file_write(dir, "no/x", "x", 1, 0600, FILE_SYNC, &err),
		"write 'no/x': No such file or directory");
	same_int(count_names(dir), 1);
	works(file_write(dir, "d/x", "x", 1, 0600, FILE_SYNC, &err));
	unlinkat(dir, "d/x", 0);
	unlinkat(dir, "d", AT_REMOVEDIR);
	rmdir(path);
}

TEST(reading_refuses_what_is_too_large_or_not_a_file)
{
	char path[32];
	AUTO(fd) int dir = scratch(path);
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };

	works(file_write(dir, "a", "12345", 5, 0600, FILE_NO_SYNC, &err));
	same_int(mkfifoat(dir, "fifo", 0600), 0);
	buf_adds(&got, "x");
	fails(file_read(dir, "a", 4, &got, &err), "'a': larger than 4 bytes");
	same_int(err.kind, ERR_INPUT);
	fails(file_read(dir, "fifo", 4, &got, &err), "'fifo' is not a regular file");
	fails(file_read(dir, ".", 4, &got, &err), "'.' is not a regular file");
	fails(file_read(dir, "no", 4, &got, &err), "open 'no': No such file or directory");
	same_int(err.kind, ERR_NOTFOUND);
	same_str(got.data, "x");
	unlinkat(dir, "a", 0);
	unlinkat(dir, "fifo", 0);
	rmdir(path);
}

/* Bytes that end in a place that no power of two divides. */
static void
make_bytes(struct buf *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_addc(b, (char)(i * 2654435761u >> 24));
}

static int
memory_with(const struct buf *bytes)
{
	struct err err = { 0 };
	int fd = fd_memory("bytes", &err);

	same_int(fd_write(fd, bytes->data, bytes->len), 0);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

TEST(copying_works_for_every_pair_of_descriptors)
{
	enum { LEN = 20001 }; /* a pipe or socket holds it, however it is cut */
	AUTO(buf) struct buf bytes = BUF_INIT;

	make_bytes(&bytes, LEN);
	for (int pair = 0; pair < 9; pair++) {
		AUTO(fd) int from = memory_with(&bytes);
		AUTO(buf) struct buf got = BUF_INIT;
		int in[2] = { -1, -1 }, out[2] = { -1, -1 };
		struct err err = { 0 };
		uint64_t copied = 0;

		if (pair % 3 == 1)
			same_int(pipe2(in, O_CLOEXEC), 0);
		if (pair % 3 == 2)
			same_int(socketpair(AF_UNIX, SOCK_STREAM, 0, in), 0);
		if (in[0] >= 0) {
			works(fd_copy(from, in[1], UINT64_MAX, &copied, &err));
			same_int(copied, LEN);
			close(in[1]);
			close(from);
			from = in[0];
		}
		if (pair / 3 == 0)
			out[0] = out[1] = fd_memory("out", &err);
		if (pair / 3 == 1)
			same_int(pipe2(out, O_CLOEXEC), 0);
		if (pair / 3 == 2)
			same_int(socketpair(AF_UNIX, SOCK_STREAM, 0, out), 0);
		works(fd_copy(from, out[1], 15000, &copied, &err));
		same_int(copied, 15000);
		works(fd_copy(from, out[1], UINT64_MAX, &copied, &err));
		same_int(copied, LEN - 15000);
		if (pair / 3 == 0)
			lseek(out[0], 0, SEEK_SET);
		else
			close(out[1]);
		works(buf_read(&got, out[0], LEN, &err));
		same_bytes(got.data, got.len, bytes.data, bytes.len);
		close(out[0]);
	}
}

TEST(copying_reads_files_of_proc_and_appends)
{
	char path[32];
	AUTO(fd) int dir = scratch(path);
	AUTO(fd) int from = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	AUTO(fd) int to = openat(dir, "a", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct err err = { 0 };
	uint64_t copied = 0;

	works(fd_copy(from, to, UINT64_MAX, &copied, &err));
	is_true(copied > 100);
	fails(fd_copy(dir, to, 10, &copied, &err), "copy: Is a directory");
	unlinkat(dir, "a", 0);
	rmdir(path);
}

TEST(whole_reads_gather_short_ones)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(fd) int fd = -1;
	char got[8];

	buf_adds(&bytes, "0123456789");
	fd = memory_with(&bytes);
	same_int(fd_read(fd, got, 4), 4);
	same_int(fd_read(fd, got, 8), 6);
	same_int(fd_pread(fd, got, 8, 7), 3);
	same_bytes(got, 3, "789", 3);
	same_int(fd_read(-1, got, 1), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_written_is_read_and_replaced),
		CASE(a_failed_write_leaves_nothing_behind),
		CASE(reading_refuses_what_is_too_large_or_not_a_file),
		CASE(copying_works_for_every_pair_of_descriptors),
		CASE(copying_reads_files_of_proc_and_appends),
		CASE(whole_reads_gather_short_ones),
	};

	return RUN(tests);
}
