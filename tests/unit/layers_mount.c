/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "layers/store.h"

#define SHARERS 6
#define ROUNDS 20
#define PATIENCE_MS 20000

/* Opens the mount, says so, and keeps it until `release` is closed. */
static void __attribute__((noreturn)) share(struct store *s, const char *id, int say, int release)
{
	struct err err = { .kind = ERR_NONE };
	int fd = -1, lock = -1;
	char byte = 'x';

	if (store_mount_open(s, id, true, geteuid(), getegid(), 0755, &fd, &lock, &err) < 0)
		byte = '!';
	(void)!fd_write(say, &byte, 1);
	(void)!fd_read(release, &byte, 1);
	_exit(0);
}

static void
round_of(struct store *s, const char *id)
{
	pid_t pids[SHARERS];
	int said[2], release[2];
	char bytes[SHARERS + 1] = "";
	size_t count = 0;

	same_int(pipe2(said, O_CLOEXEC), 0);
	same_int(pipe2(release, O_CLOEXEC), 0);
	for (size_t i = 0; i < SHARERS; i++) {
		pids[i] = fork();
		is_true(pids[i] >= 0);
		if (pids[i] == 0) {
			close(release[1]);
			share(s, id, said[1], release[0]);
		}
	}
	while (count < SHARERS) {
		struct pollfd p = { .fd = said[0], .events = POLLIN };

		if (poll(&p, 1, PATIENCE_MS) <= 0 || read(said[0], bytes + count, 1) != 1)
			break;
		count++;
	}
	close(release[1]);
	for (size_t i = 0; i < SHARERS; i++) {
		if (count < SHARERS)
			kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	close(release[0]);
	close(said[0]);
	close(said[1]);
	same_str(bytes, "xxxxxx");
}

TEST(those_who_share_a_cache_mount_that_is_new_have_it_at_the_same_time)
{
	char root[] = "/tmp/cooper-mount-XXXXXX";
	struct err err = { .kind = ERR_NONE };

	is_true(mkdtemp(root) != NULL);
	{
		AUTO(store) struct store *s = NULL;

		works(store_open(root, &s, &err));
		for (int i = 0; i < ROUNDS; i++) {
			AUTO(free) char *id = xasprintf("cache %d", i);

			round_of(s, id);
		}
	}
	works(path_remove(AT_FDCWD, root, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(those_who_share_a_cache_mount_that_is_new_have_it_at_the_same_time),
	};

	return RUN(tests);
}
