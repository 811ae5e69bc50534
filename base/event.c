/* SPDX-License-Identifier: Apache-2.0 */
#include "base/event.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"

static event_listener *listening;
static void *listening_arg;

void
event_listen(event_listener *listener, void *arg, event_listener **old, void **old_arg)
{
	if (old != NULL)
		*old = listening;
	if (old_arg != NULL)
		*old_arg = listening_arg;
	listening = listener;
	listening_arg = arg;
}

/* The counter lives in memory that forked workers share, so that an id names one piece of work in
 * all of them. */
static _Atomic uint32_t *
counter(void)
{
	static _Atomic uint32_t *shared;
	static _Atomic uint32_t own;
	void *page;

	if (shared == NULL) {
		page = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		shared = page != MAP_FAILED ? page : &own;
	}
	return shared;
}

uint32_t
event_new(void)
{
	uint32_t id = atomic_fetch_add(counter(), 1) + 1;

	return id != 0 ? id : event_new(); /* 0 means none */
}

void
event_emit(const struct event *event)
{
	if (listening != NULL)
		listening(event, listening_arg);
}

static void
emit_text(enum event_kind kind, uint32_t id, const char *text)
{
	event_emit(&(struct event){
		.kind = kind, .id = id, .text = text, .len = (uint32_t)strlen(text) });
}

uint32_t
event_start(const char *fmt, ...)
{
	AUTO(buf) struct buf what = BUF_INIT;
	uint32_t id = event_new();
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&what, fmt, ap);
	va_end(ap);
	event_emit(&(struct event){ .kind = EVENT_START, .id = id, .what = what.data });
	return id;
}

void
event_bytes(uint32_t id, uint64_t done, uint64_t total)
{
	event_emit(&(struct event){ .kind = EVENT_BYTES, .id = id, .done = done, .total = total });
}

void
event_log(uint32_t id, int stream, const char *bytes, uint32_t len)
{
	event_emit(&(struct event){
		.kind = EVENT_LOG, .id = id, .stream = stream, .text = bytes, .len = len });
}

void
event_cached(uint32_t id)
{
	event_emit(&(struct event){ .kind = EVENT_CACHED, .id = id });
}

void
event_done(uint32_t id)
{
	event_emit(&(struct event){ .kind = EVENT_DONE, .id = id });
}

void
event_fail(uint32_t id, const char *text)
{
	emit_text(EVENT_FAIL, id, text);
}

void
event_warn(const char *fmt, ...)
{
	AUTO(buf) struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&text, fmt, ap);
	va_end(ap);
	emit_text(EVENT_WARN, 0, text.data);
}

void
event_debug(const char *fmt, ...)
{
	AUTO(buf) struct buf text = BUF_INIT;
	va_list ap;

	if (listening == NULL)
		return;
	va_start(ap, fmt);
	buf_addv(&text, fmt, ap);
	va_end(ap);
	emit_text(EVENT_DEBUG, 0, text.data);
}
