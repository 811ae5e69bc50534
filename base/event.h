/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include <stdint.h>

/* event - what is happening, told to one listener.  Rooms below cmd/ never print: they emit, and
 * cmd/ installs one listener (tty, plain, json, quiet; a test installs its own).  In a worker the
 * listener forwards over the worker's socket, so a room need not know where it runs.
 * The listener is the only mutable global in the house. */

enum event_kind {
	EVENT_START,  /* something begins: what */
	EVENT_BYTES,  /* progress: done of total bytes (total 0: unknown) */
	EVENT_CACHED, /* a step's result was there already */
	EVENT_LOG,    /* output of a RUN: text[0..len), not ended by a zero, any bytes; never clipped */
	EVENT_DONE,   /* what has ended well */
	EVENT_FAIL,   /* what has failed: text says why */
	EVENT_WARN,   /* text */
	EVENT_DEBUG,  /* text; shown with --debug; never a secret */
};

struct event {
	enum event_kind kind;
	/* Names one piece of work: START, BYTES, LOG, DONE with the same id belong together.  0: none.
	 * Made by event_new(), unique within the process tree. */
	uint32_t id;
	const char *what; /* "[build 2/5] RUN make", "pull sha256:9f2c..."; NULL: not for this kind */
	const char *text; /* LOG, WARN, FAIL, DEBUG */
	uint32_t len;     /* of text */
	int stream;       /* LOG: 1 stdout, 2 stderr */
	uint64_t done, total;
};

typedef void event_listener(const struct event *event, void *arg);

/* Installs the listener; NULL: events are dropped.  Returns the one before through *old and
 * *old_arg when they are not NULL. */
void event_listen(event_listener *listener, void *arg, event_listener **old, void **old_arg);

uint32_t event_new(void);
void event_emit(const struct event *event);

/* The common ones. */
uint32_t event_start(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* its id */
void event_bytes(uint32_t id, uint64_t done, uint64_t total);
void event_log(uint32_t id, int stream, const char *bytes, uint32_t len);
void event_cached(uint32_t id);
void event_done(uint32_t id);
void event_fail(uint32_t id, const char *text);
void event_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void event_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
