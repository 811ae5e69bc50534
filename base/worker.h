/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_WORKER_H
#define BASE_WORKER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* worker - one job in a forked process of this program.
 *
 * The coordinator is single-threaded, starts workers, and sleeps in worker_wait_any().  A worker
 * does its one job, emits events (which arrive at the coordinator's listener) and ends with one
 * result: a JSON value, or an error value, which arrives as it was set.  It is killed when the
 * coordinator ends, and is waited for by pidfd.  It may use threads; the coordinator may not.  A worker
 * without threads may be the coordinator of workers of its own; their events travel all the way up.
 *
 * Every wait attends to all workers of this process, also those that it was not asked about, so none is
 * held up.  What a worker logs before it emits an event is heard before that event.  A listener must not
 * start or stop workers.
 *
 * 1. w = worker_start(&(struct worker_job){ .name = ..., .run = ..., .arg = ... }, &err)
 * 2. worker_wait_any(set) returns a worker that has ended
 * 3. worker_result(w, &json, &err), then worker_free(w)
 */

struct worker;

/* The body, in the child.  *result is sent to the coordinator (owned here; NULL: nothing to say).
 * 0, or -1 with err set. */
typedef int worker_body(void *arg, json_t **result, struct err *err);

struct worker_job {
	const char *name; /* for messages: "run", "pull" */
	worker_body *run;
	void *arg;        /* as it is at the time of the fork */
	uint32_t event;   /* LOG events from worker_log_fds() get this id */
	bool logs;        /* make a pipe pair whose write ends the body finds with worker_log_fds() */
};

/* In the child SIGPIPE is ignored; before an exec call proc_default_signals(). */
int worker_start(const struct worker_job *job, struct worker **out, struct err *err);

/* In the body: write ends of this worker's log pipes (stdout, stderr), O_CLOEXEC and lent; -1 each where
 * the job has no logs.  What is written there, by whomever, until the worker ends arrives as EVENT_LOG. */
void worker_log_fds(int *out_fd, int *err_fd);

/* Waits until one of the workers has ended (*done: its index; at once when one had already), or ^C, TERM
 * or HUP came (-1, ERR_INTERRUPTED; once for each signal).  The events of all are delivered meanwhile. */
int worker_wait_any(struct worker **workers, size_t count, size_t *done, struct err *err);
/* Likewise, or until one of the descriptors is readable (*done: count + its index). */
int worker_wait_for(struct worker **workers, size_t count, const int *fds, size_t fd_count, size_t *done,
	struct err *err);

/* Of an ended worker: its JSON result (owned by the caller, given once; may be NULL) or its error.  A
 * worker that died without a word: ERR_SYSTEM "<name>: killed by signal 9". */
int worker_result(struct worker *w, json_t **result, struct err *err);

#define WORKER_GRACE_MS 2000 /* what worker_call() grants when it is interrupted */

/* Ends it if it still runs (TERM, then KILL after grace_ms, or at another ^C), reaps, frees. */
void worker_stop(struct worker *w, unsigned grace_ms);
void worker_free(struct worker *w); /* KILL at once, if it still runs */
void auto_worker(struct worker **w);

/* Start, wait, result: for the common case of one at a time. */
int worker_call(const struct worker_job *job, json_t **result, struct err *err);

/* Installs the signal descriptor that makes worker_wait_any() see ^C, TERM and HUP; once, in the
 * coordinator.  Workers get the default actions back. */
int worker_signals(struct err *err);
/* The signal that came, or 0. */
int worker_signal(void);

#endif
