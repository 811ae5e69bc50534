/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/event.h"

static void
story(const struct event *e, void *arg)
{
	buf_addf(arg, "%d:%s:%.*s:%d:%llu/%llu\n", e->kind, e->what ? e->what : "-", (int)e->len,
		e->text ? e->text : "", e->stream, (unsigned long long)e->done,
		(unsigned long long)e->total);
}

TEST(the_listener_hears_the_story_in_order)
{
	AUTO(buf) struct buf told = BUF_INIT;
	uint32_t id;

	event_listen(story, &told, NULL, NULL);
	id = event_start("pull %s", "a");
	event_bytes(id, 3, 9);
	event_log(id, 2, "x\ny", 3);
	event_warn("%d left", 2);
	event_done(id);
	event_fail(id, "gone");
	event_listen(NULL, NULL, NULL, NULL);
	event_warn("nobody hears");
	same_str(told.data, "0:pull a::0:0/0\n1:-::0:3/9\n3:-:x\ny:2:0/0\n6:-:2 left:0:0/0\n"
			    "4:-::0:0/0\n5:-:gone:0:0/0\n");
}

TEST(installing_a_listener_gives_the_one_before)
{
	AUTO(buf) struct buf told = BUF_INIT;
	event_listener *old = NULL;
	void *old_arg = NULL;

	event_listen(story, &told, NULL, NULL);
	event_listen(NULL, NULL, &old, &old_arg);
	is_true(old == story && old_arg == &told);
}

TEST(ids_are_unique_across_forked_processes)
{
	uint32_t first = event_new(), theirs = 0;
	int ends[2];
	pid_t pid;

	same_int(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		theirs = event_new();
		_exit(write(ends[1], &theirs, sizeof theirs) == sizeof theirs ? 0 : 1);
	}
	same_int(waitpid(pid, NULL, 0), pid);
	same_int(read(ends[0], &theirs, sizeof theirs), sizeof theirs);
	same_int(theirs, first + 1);
	same_int(event_new(), first + 2);
	close(ends[0]);
	close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_listener_hears_the_story_in_order),
		CASE(installing_a_listener_gives_the_one_before),
		CASE(ids_are_unique_across_forked_processes),
	};

	return RUN(tests);
}
