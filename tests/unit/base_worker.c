/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/event.h"
#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/worker.h"
#include "base/worker_wire.h"

/* What a listener heard: a line an event, and log bytes by stream. */
struct heard {
	struct buf story;
	struct buf logs[2];
	uint32_t log_id;
};
#define HEARD_INIT                                                \
	{                                                         \
		.story = BUF_INIT, .logs = { BUF_INIT, BUF_INIT } \
	}

static void
auto_heard(struct heard *h)
{
	event_listen(NULL, NULL, NULL, NULL);
	buf_free(&h->story);
	buf_free(&h->logs[0]);
	buf_free(&h->logs[1]);
}

static void
hear(const struct event *e, void *arg)
{
	struct heard *h = arg;

	if (e->kind == EVENT_LOG) {
		buf_add(&h->logs[e->stream - 1], e->text, e->len);
		h->log_id = e->id;
		return;
	}
	buf_addf(&h->story, "%d %s %.*s %llu/%llu after %zu\n", e->kind, e->what ? e->what : "-",
		(int)e->len, e->text ? e->text : "", (unsigned long long)e->done,
		(unsigned long long)e->total, h->logs[0].len + h->logs[1].len);
}

static int
call(worker_body *body, void *arg, json_t **result, struct err *err)
{
	return worker_call(
		&(struct worker_job){
			.name = "job", .run = body, .arg = arg, .event = 77, .logs = true },
		result, err);
}

static int
body_answer(void *arg, json_t **result, struct err *err __attribute__((unused)))
{
	*result = json_pack("{s:s, s:i}", "said", arg, "pid", (int)getpid());
	return 0;
}

TEST(a_result_comes_back_from_another_process)
{
	char text[] = "<hello>";
	AUTO(json) json_t *result = NULL;
	struct err err = { 0 };

	works(call(body_answer, text, &result, &err));
	same_str(json_string_value(json_object_get(result, "said")), "<hello>");
	is_true(json_integer_value(json_object_get(result, "pid")) != getpid());
}

static int
body_nothing(void *arg __attribute__((unused)), json_t **result __attribute__((unused)),
	struct err *err __attribute__((unused)))
{
	return 0;
}

TEST(a_result_may_be_nothing)
{
	json_t *result = NULL;
	struct err err = { 0 };

	works(call(body_nothing, NULL, &result, &err));
	is_true(result == NULL);
}

enum { MANY = 200000 };

static int
body_megabytes(
	void *arg __attribute__((unused)), json_t **result, struct err *err __attribute__((unused)))
{
	*result = json_array();
	for (int i = 0; i < MANY; i++)
		json_array_append_new(
			*result, json_sprintf("a string that says it is number %d", i));
	return 0;
}

TEST(a_result_may_be_megabytes)
{
	AUTO(json) json_t *result = NULL;
	struct err err = { 0 };

	works(call(body_megabytes, NULL, &result, &err));
	same_int(json_array_size(result), MANY);
	same_str(json_string_value(json_array_get(result, MANY - 1)),
		"a string that says it is number 199999");
}

static int
body_error(void *arg, json_t **result __attribute__((unused)), struct err *err)
{
	*err = *(const struct err *)arg;
	return -1;
}

TEST(an_error_arrives_as_it_was_set)
{
	struct err sent = { .kind = ERR_STEP, .status = 42 }, err = { 0 };

	memset(sent.msg, 'm', sizeof sent.msg - 1);
	same_int(call(body_error, &sent, NULL, &err), -1);
	same_int(err.kind, ERR_STEP);
	same_int(err.status, 42);
	same_str(err.msg, sent.msg);
	fails(call(body_error, &(struct err){ 0 }, NULL, &err), "job: failed without a word");
}

static int
body_die(
	void *arg, json_t **result __attribute__((unused)), struct err *err __attribute__((unused)))
{
	int number = *(const int *)arg;

	if (number < 0)
		_exit(-number);
	kill(getpid(), number);
	pause();
	return 0;
}

TEST(a_death_without_a_word_is_told)
{
	struct err err = { 0 };

	fails(call(body_die, &(int){ SIGKILL }, NULL, &err), "job: killed by signal 9");
	same_int(err.kind, ERR_SYSTEM);
	fails(call(body_die, &(int){ -3 }, NULL, &err), "job: ended with status 3 and no result");
}

static int
body_story(void *arg __attribute__((unused)), json_t **result __attribute__((unused)),
	struct err *err __attribute__((unused)))
{
	uint32_t id = event_start("pull %s", "x");
	int out_fd, err_fd;

	worker_log_fds(&out_fd, &err_fd);
	event_bytes(id, 5, 10);
	event_log(77, 1, "a\0b", 3);
	fd_write(err_fd, "12345", 5);
	event_warn("careful");
	fd_write(err_fd, "67", 2);
	event_done(id);
	return 0;
}

TEST(events_arrive_in_order_and_after_what_was_logged_before_them)
{
	AUTO(heard) struct heard h = HEARD_INIT;
	struct err err = { 0 };

	event_listen(hear, &h, NULL, NULL);
	works(call(body_story, NULL, NULL, &err));
	same_bytes(h.logs[0].data, 3, "a\0b", 3);
	is_true(strstr(h.story.data, "0 pull x  0/0 after ") == h.story.data);
	is_true(strstr(h.story.data, "1 -  5/10 after ") != NULL);
	same_str(strstr(h.story.data, "4 - "), "4 -  0/0 after 10\n");
	same_int(h.log_id, 77);
}

enum { FLOOD = 5 << 20 };

static int
body_flood(void *arg __attribute__((unused)), json_t **result __attribute__((unused)),
	struct err *err __attribute__((unused)))
{
	AUTO(buf) struct buf much = BUF_INIT;
	int out_fd, err_fd;

	memset(buf_reserve(&much, FLOOD), 'f', FLOOD);
	worker_log_fds(&out_fd, &err_fd);
	fd_write(out_fd, much.data, FLOOD);
	fd_write(err_fd, much.data, FLOOD - 1);
	event_log(77, 1, much.data, FLOOD);
	return 0;
}

TEST(logs_are_never_clipped)
{
	AUTO(heard) struct heard h = HEARD_INIT;
	struct err err = { 0 };

	event_listen(hear, &h, NULL, NULL);
	works(call(body_flood, NULL, NULL, &err));
	same_int(h.logs[0].len, 2 * FLOOD);
	same_int(h.logs[1].len, FLOOD - 1);
}

/* Leaves a process behind that holds everything the worker had, and tells its pid. */
static int
body_leave_behind(
	void *arg __attribute__((unused)), json_t **result, struct err *err __attribute__((unused)))
{
	int out_fd, err_fd;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	worker_log_fds(&out_fd, &err_fd);
	fd_write(out_fd, "last words", 10);
	*result = json_integer(pid);
	return 0;
}

TEST(what_a_worker_leaves_behind_is_not_waited_for)
{
	AUTO(heard) struct heard h = HEARD_INIT;
	AUTO(json) json_t *result = NULL;
	struct err err = { 0 };

	event_listen(hear, &h, NULL, NULL);
	works(call(body_leave_behind, NULL, &result, &err));
	same_str(h.logs[0].data, "last words");
	same_int(kill((pid_t)json_integer_value(result), SIGKILL), 0);
}

static int
body_nested(void *arg, json_t **result, struct err *err)
{
	int depth = *(int *)arg, out_fd, err_fd;

	event_warn("at %d", depth);
	worker_log_fds(&out_fd, &err_fd);
	fd_write(out_fd, "n", 1);
	if (depth == 0)
		return err_set(err, ERR_STEP, "the deepest");
	depth--;
	if (call(body_nested, &depth, result, err) < 0)
		return err_in(err, "%d", depth + 1);
	return 0;
}

TEST(workers_of_workers_tell_their_story_to_the_top)
{
	AUTO(heard) struct heard h = HEARD_INIT;
	struct err err = { 0 };

	event_listen(hear, &h, NULL, NULL);
	fails(call(body_nested, &(int){ 3 }, NULL, &err), "3: 2: 1: the deepest");
	same_int(err.kind, ERR_STEP);
	same_str(h.logs[0].data, "nnnn");
	is_true(strstr(h.story.data, "at 3") < strstr(h.story.data, "at 0"));
}

static int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(d) != NULL)
		count++;
	closedir(d);
	return count;
}

/* Ends when there is something to read. */
static int
body_count_fds(void *arg, json_t **result, struct err *err __attribute__((unused)))
{
	char c;

	*result = json_integer(count_fds());
	return fd_read(*(int *)arg, &c, 1) == 1 ? 0 : -1;
}

TEST(workers_do_not_hold_each_others_descriptors)
{
	enum { COUNT = 6 };
	struct worker *workers[COUNT];
	json_int_t first = 0;
	struct err err = { 0 };
	size_t done;
	int go[2];

	works(worker_signals(&err));
	same_int(pipe2(go, O_CLOEXEC), 0);
	for (int i = 0; i < COUNT; i++)
		works(worker_start(&(struct worker_job){ .name = "count",
					   .run = body_count_fds,
					   .arg = &go[0],
					   .logs = true },
			&workers[i], &err));
	same_int(fd_write(go[1], "123456", COUNT), 0);
	for (size_t left = COUNT; left > 0; left--) {
		AUTO(json) json_t *result = NULL;

		works(worker_wait_any(workers, left, &done, &err));
		works(worker_result(workers[done], &result, &err));
		if (first == 0)
			first = json_integer_value(result);
		same_int(json_integer_value(result), first);
		worker_free(workers[done]);
		workers[done] = workers[left - 1];
	}
	close(go[0]);
	close(go[1]);
}

static int
body_wait_for_byte(
	void *arg, json_t **result __attribute__((unused)), struct err *err __attribute__((unused)))
{
	char c;

	return fd_read(*(int *)arg, &c, 1) == 1 ? 0 : -1;
}

static int
body_flood_then_byte(void *arg, json_t **result, struct err *err)
{
	body_flood(NULL, result, err);
	return fd_write(*(int *)arg, "x", 1);
}

TEST(those_not_waited_for_are_heard_as_well)
{
	AUTO(heard) struct heard h = HEARD_INIT;
	AUTO(worker) struct worker *talker = NULL;
	AUTO(worker) struct worker *waiter = NULL;
	struct err err = { 0 };
	size_t done = 9;
	int go[2];

	event_listen(hear, &h, NULL, NULL);
	same_int(pipe2(go, O_CLOEXEC), 0);
	works(worker_start(
		&(struct worker_job){ .name = "waiter", .run = body_wait_for_byte, .arg = &go[0] },
		&waiter, &err));
	works(worker_start(&(struct worker_job){ .name = "talker",
				   .run = body_flood_then_byte,
				   .arg = &go[1],
				   .logs = true },
		&talker, &err));
	works(worker_wait_any(&waiter, 1, &done, &err));
	same_int(done, 0);
	works(worker_wait_any(&talker, 1, &done, &err));
	same_int(h.logs[0].len, 2 * FLOOD);
	works(worker_result(talker, NULL, &err));
	close(go[0]);
	close(go[1]);
}

TEST(a_readable_descriptor_ends_the_wait)
{
	AUTO(worker) struct worker *w = NULL;
	struct err err = { 0 };
	size_t done = 9;
	int go[2], other[2];

	same_int(pipe2(go, O_CLOEXEC), 0);
	same_int(pipe2(other, O_CLOEXEC), 0);
	works(worker_start(
		&(struct worker_job){ .name = "waiter", .run = body_wait_for_byte, .arg = &go[0] },
		&w, &err));
	fails(worker_result(w, NULL, &err), "waiter: has not ended yet");
	same_int(fd_write(other[1], "x", 1), 0);
	works(worker_wait_for(&w, 1, (int[]){ go[0], other[0] }, 2, &done, &err));
	same_int(done, 2);
	same_int(fd_write(go[1], "x", 1), 0);
	works(worker_wait_any(&w, 1, &done, &err));
	same_int(done, 0);
	for (int i = 0; i < 2; i++) {
		close(go[i]);
		close(other[i]);
	}
	fails(worker_wait_any(NULL, 0, &done, &err), "there is nothing to wait for");
}

static int
body_ignore_term(
	void *arg, json_t **result __attribute__((unused)), struct err *err __attribute__((unused)))
{
	signal(SIGTERM, SIG_IGN);
	fd_write(*(int *)arg, "x", 1);
	while (pause() < 0)
		;
	return 0;
}

TEST(a_signal_ends_the_wait_and_workers_have_the_default_actions)
{
	AUTO(worker) struct worker *w = NULL;
	struct err err = { 0 };
	size_t done;
	int ready[2];
	char c;

	works(worker_signals(&err));
	fails(call(body_die, &(int){ SIGTERM }, NULL, &err), "job: killed by signal 15");
	same_int(pipe2(ready, O_CLOEXEC), 0);
	works(worker_start(
		&(struct worker_job){
			.name = "stubborn", .run = body_ignore_term, .arg = &ready[1] },
		&w, &err));
	same_int(fd_read(ready[0], &c, 1), 1);
	same_int(worker_signal(), 0);
	kill(getpid(), SIGINT);
	fails(worker_wait_any(&w, 1, &done, &err), "interrupted");
	same_int(err.kind, ERR_INTERRUPTED);
	same_int(worker_signal(), SIGINT);
	worker_stop(steal(&w), 1);
	kill(getpid(), SIGTERM);
	fails(call(body_wait_for_byte, &ready[0], NULL, &err), "terminated");
	close(ready[0]);
	close(ready[1]);
}

static int
body_hold(
	void *arg, json_t **result __attribute__((unused)), struct err *err __attribute__((unused)))
{
	fd_write(*(int *)arg, "x", 1);
	while (pause() < 0)
		;
	return 0;
}

/* The last write end of the pipe goes when the worker does. */
TEST(workers_end_with_their_coordinator)
{
	char c;
	int held[2];
	pid_t pid;

	same_int(pipe2(held, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct err err = { 0 };

		call(body_hold, &held[1], NULL, &err);
		_exit(1);
	}
	close(held[1]);
	same_int(fd_read(held[0], &c, 1), 1);
	same_int(kill(pid, SIGKILL), 0);
	same_int(waitpid(pid, NULL, 0), pid);
	same_int(fd_read(held[0], &c, 1), 0);
	close(held[0]);
}

static int
body_babble(
	void *arg, json_t **result __attribute__((unused)), struct err *err __attribute__((unused)))
{
	const struct buf *bytes = arg;

	/* the socket is the only one there is */
	for (int fd = 3; fd < 64; fd++)
		(void)!write(fd, bytes->data, bytes->len);
	while (pause() < 0)
		;
	return 0;
}

TEST(a_worker_that_talks_nonsense_is_ended)
{
	AUTO(buf) struct buf nonsense = BUF_INIT;
	struct err err = { 0 };

	buf_add(&nonsense, "\3\0\0\0\1abc", 8);
	fails(call(body_babble, &nonsense, NULL, &err), "job: it sent what cannot be understood");
	same_int(err.kind, ERR_CORRUPT);
	buf_clear(&nonsense);
	buf_add(&nonsense, "\xff\xff\xff\xff\1", 5);
	fails(call(body_babble, &nonsense, NULL, &err), "job: it sent a frame of 4294967295 bytes");
	buf_clear(&nonsense);
	buf_add(&nonsense, "\1\0\0\0\2{", 6);
	fails(call(body_babble, &nonsense, NULL, &err),
		"job: not JSON: line 1, column 1: string or '}' expected near end of file");
	same_int(err.kind, ERR_CORRUPT);
}

/* Every frame cut short is not whole yet; every frame with one byte changed is taken or refused,
 * and never read past its end (the sanitizers watch). */
TEST(frames_are_checked_byte_for_byte)
{
	AUTO(buf) struct buf all = BUF_INIT;
	struct event e = { .kind = EVENT_START, .id = 3, .what = "what", .text = "text", .len = 4 };
	struct err err = { .kind = ERR_STEP, .status = 1, .msg = "broken" };
	struct wire_frame frame;
	size_t used = 0;

	wire_put_event(&all, &e);
	wire_put_error(&all, &err);
	same_int(wire_take(all.data, all.len, &frame, &used, &err), 1);
	same_str(frame.event.what, "what");
	same_str(frame.event.text, "text");
	for (size_t at = 0, len = used; at < all.len; at += len, len = all.len - at) {
		for (size_t cut = 0; cut < len; cut++) {
			AUTO(free) char *copy = xmemdup(all.data + at, cut);

			same_int(wire_take(copy, cut, &frame, &used, &err), 0);
		}
		for (size_t i = 0; i < len * 256; i++) {
			AUTO(free) char *copy = xmemdup(all.data + at, len);

			copy[i / 256] = (char)(i % 256);
			wire_take(copy, len, &frame, &used, &err);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_result_comes_back_from_another_process),
		CASE(a_result_may_be_nothing),
		CASE(a_result_may_be_megabytes),
		CASE(an_error_arrives_as_it_was_set),
		CASE(a_death_without_a_word_is_told),
		CASE(events_arrive_in_order_and_after_what_was_logged_before_them),
		CASE(logs_are_never_clipped),
		CASE(what_a_worker_leaves_behind_is_not_waited_for),
		CASE(workers_of_workers_tell_their_story_to_the_top),
		CASE(workers_do_not_hold_each_others_descriptors),
		CASE(those_not_waited_for_are_heard_as_well),
		CASE(a_readable_descriptor_ends_the_wait),
		CASE(a_signal_ends_the_wait_and_workers_have_the_default_actions),
		CASE(workers_end_with_their_coordinator),
		CASE(a_worker_that_talks_nonsense_is_ended),
		CASE(frames_are_checked_byte_for_byte),
	};

	/* ignored for who is started in the background, and then by workers too */
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	return RUN(tests);
}
