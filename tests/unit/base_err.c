/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <errno.h>

#include "base/err.h"

TEST(each_floor_adds_its_phrase)
{
	struct err err = { .status = 9 };

	same_int(err_set(&err, ERR_CORRUPT, "not '%s'", "x"), -1);
	same_int(err_in(&err, "layer %d", 2), -1);
	same_int(err_in(&err, "push"), -1);
	same_str(err.msg, "push: layer 2: not 'x'");
	same_int(err.kind, ERR_CORRUPT);
	same_int(err.status, 0);
}

TEST(errno_gives_the_kind_and_the_last_words)
{
	static const struct {
		int number;
		enum err_kind kind;
		const char *msg;
	} rows[] = {
		{ ENOENT, ERR_NOTFOUND, "open 'a': No such file or directory" },
		{ EACCES, ERR_DENIED, "open 'a': Permission denied" },
		{ EPERM, ERR_DENIED, "open 'a': Operation not permitted" },
		{ EIO, ERR_SYSTEM, "open 'a': Input/output error" },
		{ ENOSPC, ERR_SYSTEM,
			"open 'a': No space left on device (free some with 'cooper prune')" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = { 0 };

		errno = rows[i].number;
		same_int(err_sys(&err, "open '%s'", "a"), -1);
		same_int(errno, rows[i].number);
		same_int(err.kind, rows[i].kind);
		same_str(err.msg, rows[i].msg);
	}
}

TEST(messages_that_are_too_long_are_cut_at_their_end)
{
	struct err err = { 0 };

	err_set(&err, ERR_REMOTE, "%*d", 2 * ERR_MSG_MAX, 1);
	same_int(strlen(err.msg), ERR_MSG_MAX - 1);
	err_in(&err, "pull");
	same_int(strlen(err.msg), ERR_MSG_MAX - 1);
	is_true(strncmp(err.msg, "pull:  ", 7) == 0);
	err_in(&err, "%*d", 2 * ERR_MSG_MAX, 1);
	same_int(strlen(err.msg), ERR_MSG_MAX - 1);
	errno = EIO;
	err_sys(&err, "%*d", 2 * ERR_MSG_MAX, 1);
	same_int(strlen(err.msg), ERR_MSG_MAX - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_floor_adds_its_phrase),
		CASE(errno_gives_the_kind_and_the_last_words),
		CASE(messages_that_are_too_long_are_cut_at_their_end),
	};

	return RUN(tests);
}
