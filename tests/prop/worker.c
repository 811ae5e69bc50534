/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/json.h"
#include "base/worker.h"

/* The law: whatever many workers at once log, tell, answer and die of, the coordinator hears all of
 * it, once, in order, under the right id. */

enum { WORKERS = 200, AT_ONCE = 9, PIECE_MAX = 90000, PIECES_MAX = 12, STREAMS = 3 };

/* What one worker's three streams (stdout pipe, stderr pipe, the socket) amount to. */
struct sums {
	uint64_t count[STREAMS];
	uint64_t sum[STREAMS];
};

struct job {
	unsigned seed;
	uint32_t id;
	int depth; /* of workers below */
	int ending;
};
enum { ANSWERS, FAILS, IS_KILLED, ENDINGS };

static void
add_bytes(struct sums *s, int stream, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		s->sum[stream] = s->sum[stream] * 31 + (unsigned char)bytes[i];
	s->count[stream] += len;
}

static void
talk(struct job *j, struct sums *s)
{
	AUTO(free) char *piece = xmalloc(PIECE_MAX);
	int fds[2];

	worker_log_fds(&fds[0], &fds[1]);
	for (int left = rand_r(&j->seed) % PIECES_MAX; left > 0; left--) {
		int stream = rand_r(&j->seed) % STREAMS;
		size_t len = (size_t)(rand_r(&j->seed) % PIECE_MAX);

		for (size_t i = 0; i < len; i++)
			piece[i] = (char)(i * (size_t)left + j->id);
		if (stream < 2)
			fd_write(fds[stream], piece, len);
		else
			event_emit(&(struct event){ .kind = EVENT_DEBUG,
				.id = j->id,
				.text = piece,
				.len = (uint32_t)len });
		add_bytes(s, stream, piece, len);
	}
}

static int body(void *arg, json_t **result, struct err *err);

static int
call_below(struct job *j, struct err *err)
{
	struct job below = {
		.seed = j->seed + 1, .id = j->id, .depth = j->depth - 1, .ending = FAILS
	};
	struct err said = { 0 };

	/* its streams go nowhere: only the way down and up is tried */
	event_listen(NULL, NULL, NULL, NULL);
	if (worker_call(
		    &(struct worker_job){
			    .name = "below", .run = body, .arg = &below, .logs = true },
		    NULL, &said) == 0 ||
		said.status != (int)j->id)
		return err_set(err, ERR_CORRUPT, "below: %.100s", said.msg);
	return 0;
}

static int
body(void *arg, json_t **result, struct err *err)
{
	struct job j = *(struct job *)arg;
	struct sums s = { 0 };

	talk(&j, &s);
	if (j.ending == IS_KILLED) {
		kill(getpid(), SIGKILL);
		pause();
	}
	if (j.depth > 0 && call_below(&j, err) < 0)
		return -1;
	if (j.ending == FAILS) {
		err_set(err, ERR_STEP, "as wanted");
		err->status = (int)j.id;
		return -1;
	}
	*result = json_array();
	for (int i = 0; i < STREAMS; i++) {
		json_array_append_new(*result, json_integer((json_int_t)s.count[i]));
		json_array_append_new(*result, json_sprintf("%llx", (unsigned long long)s.sum[i]));
	}
	return 0;
}

struct heard {
	struct sums sums[WORKERS];
	uint32_t first_id;
};

static void
hear(const struct event *e, void *arg)
{
	struct heard *h = arg;
	uint32_t i = e->id - h->first_id;

	assert_true(i < WORKERS);
	add_bytes(&h->sums[i], e->kind == EVENT_LOG ? e->stream - 1 : 2, e->text, e->len);
}

static void
check_ended(struct worker *w, const struct job *j, const struct sums *heard)
{
	AUTO(json) json_t *result = NULL;
	struct err err = { 0 };

	if (j->ending == IS_KILLED) {
		fails(worker_result(w, &result, &err), "load: killed by signal 9");
		return;
	}
	if (j->ending == FAILS) {
		fails(worker_result(w, &result, &err), "as wanted");
		same_int(err.status, j->id);
		same_int(err.kind, ERR_STEP);
		return;
	}
	works(worker_result(w, &result, &err));
	for (size_t i = 0; i < STREAMS; i++) {
		char sum[32];

		snprintf(sum, sizeof sum, "%llx", (unsigned long long)heard->sum[i]);
		same_int(json_integer_value(json_array_get(result, 2 * i)), heard->count[i]);
		same_str(json_string_value(json_array_get(result, 2 * i + 1)), sum);
	}
}

static void
start(struct job *j, struct worker **out)
{
	struct err err = { 0 };

	works(worker_start(
		&(struct worker_job){
			.name = "load", .run = body, .arg = j, .event = j->id, .logs = true },
		out, &err));
}

TEST(all_that_many_workers_say_is_heard)
{
	AUTO(free) struct heard *h = xzalloc(sizeof *h);
	AUTO(free) struct job *jobs = xcalloc(WORKERS, sizeof *jobs);
	const char *given = getenv("SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
	struct worker *workers[AT_ONCE];
	struct job *at[AT_ONCE];
	size_t running = 0, next = 0, done = 0;

	print_message("# SEED=%u\n", seed);
	for (size_t i = 0; i < WORKERS; i++) {
		jobs[i] = (struct job){ .seed = seed + (unsigned)i * 7919, .id = event_new() };
		jobs[i].depth = rand_r(&jobs[i].seed) % 3;
		jobs[i].ending = rand_r(&jobs[i].seed) % ENDINGS;
	}
	h->first_id = jobs[0].id;
	event_listen(hear, h, NULL, NULL);
	while (running > 0 || next < WORKERS) {
		struct err err = { 0 };

		if (running < AT_ONCE && next < WORKERS) {
			at[running] = &jobs[next++];
			start(at[running], &workers[running]);
			running++;
			continue;
		}
		works(worker_wait_any(workers, running, &done, &err));
		check_ended(workers[done], at[done], &h->sums[at[done]->id - h->first_id]);
		worker_free(workers[done]);
		running--;
		workers[done] = workers[running];
		at[done] = at[running];
	}
	event_listen(NULL, NULL, NULL, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(all_that_many_workers_say_is_heard),
	};

	return RUN(tests);
}
