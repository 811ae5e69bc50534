/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

TEST(what_is_handed_on_leaves_nothing_behind)
{
	AUTO(free) char *kept = NULL;
	AUTO(fd) int fd = dup(0);
	int taken;

	{
		AUTO(free) char *text = xstrdup("text");

		kept = steal(&text);
		is_true(text == NULL);
	}
	same_str(kept, "text");
	taken = fd_steal(&fd);
	same_int(fd, -1);
	errno = ENOENT;
	auto_fd(&taken);
	same_int(taken, -1);
	same_int(errno, ENOENT);
	auto_fd(&taken);
}

TEST(arrays_grow_and_keep_their_rows)
{
	AUTO(free) int *rows = NULL;
	size_t count = 0, room = 0;

	while (count < 1000) {
		rows = grow(rows, count, &room, sizeof *rows);
		rows[count] = (int)count;
		count++;
	}
	is_true(room >= count);
	for (size_t i = 0; i < count; i++)
		same_int(rows[i], i);
}

static int
status_of_a_huge_allocation(void)
{
	int wait_status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		close(2); /* its last words */
		free(xcalloc((size_t)-1 / 2, 3));
		_exit(0);
	}
	waitpid(pid, &wait_status, 0);
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
}

TEST(a_product_that_overflows_ends_the_process)
{
	same_int(status_of_a_huge_allocation(), 1);
}

TEST(copies_stop_at_a_zero_or_the_length)
{
	AUTO(free) char *cut = xstrndup("abcdef", 3);
	AUTO(free) char *whole = xstrndup("ab", 10);
	AUTO(free) char *empty = xmemdup("", 0);

	same_str(cut, "abc");
	same_str(whole, "ab");
	is_true(empty != NULL);
}

TEST(comparing_knows_null_and_ends)
{
	is_true(streq(NULL, NULL) && !streq(NULL, "") && streq("a", "a") && !streq("a", "b"));
	is_true(starts_with("abc", "ab") && starts_with("a", "") && !starts_with("a", "ab"));
	is_true(ends_with("abc", "bc") && ends_with("a", "") && !ends_with("c", "bc"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_handed_on_leaves_nothing_behind),
		CASE(arrays_grow_and_keep_their_rows),
		CASE(a_product_that_overflows_ends_the_process),
		CASE(copies_stop_at_a_zero_or_the_length),
		CASE(comparing_knows_null_and_ends),
	};

	return RUN(tests);
}
