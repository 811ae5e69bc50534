/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/download_parts.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/event.h"
#include "base/mem.h"

/* A place in the window: part `index` is being fetched into it, or waits to be handed on. */
struct part {
	uint64_t index;
	struct buf bytes;
	bool is_ready;
};

struct parts {
	const struct repository *r;
	struct span whole;
	uint64_t count;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	struct part window[DOWNLOAD_WINDOW];
	uint64_t next;   /* to be fetched */
	uint64_t handed; /* parts that out has */
	struct url direct;
	bool has_direct;
	bool is_over; /* one failed, or out did */
	bool ignores_ranges;
	struct err failure;
};

/* The next part for a connection, when there is room for it; NULL: no more. */
static struct part *
take(struct parts *p)
{
	struct part *part = NULL;

	pthread_mutex_lock(&p->lock);
	while (!p->is_over && p->next < p->count && p->next >= p->handed + DOWNLOAD_WINDOW)
		pthread_cond_wait(&p->changed, &p->lock);
	if (!p->is_over && p->next < p->count) {
		part = &p->window[p->next % DOWNLOAD_WINDOW];
		part->index = p->next++;
	}
	pthread_mutex_unlock(&p->lock);
	return part;
}

static int
fetch(struct parts *p, struct part *part, struct url *direct, struct span *span, struct err *err)
{
	AUTO(sink) struct sink *sink = sink_buf(&part->bytes);

	*span = p->whole;
	span->first += part->index * DOWNLOAD_PART;
	if (span->end - span->first > DOWNLOAD_PART)
		span->end = span->first + DOWNLOAD_PART;
	span->out = sink;
	span->direct = direct;
	pthread_mutex_lock(&p->lock);
	span->has_direct = p->has_direct;
	*direct = p->direct;
	pthread_mutex_unlock(&p->lock);
	buf_clear(&part->bytes);
	buf_reserve(&part->bytes, DOWNLOAD_PART);
	return download_span(p->r, span, err);
}

static void *
run(void *arg)
{
	struct parts *p = arg;
	struct part *part;
	struct url direct;
	struct span span;
	struct err err;
	int result;

	while ((part = take(p)) != NULL) {
		result = fetch(p, part, &direct, &span, &err);
		pthread_mutex_lock(&p->lock);
		if (result < 0 && !p->is_over) {
			p->is_over = true;
			p->ignores_ranges = span.ignores_ranges;
			p->failure = err;
		}
		p->has_direct = span.has_direct;
		if (span.has_direct)
			p->direct = direct;
		part->is_ready = result == 0;
		pthread_cond_broadcast(&p->changed);
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

/* 1: the next part is there, 0: all were handed on, -1. */
static int
wait_for(struct parts *p, struct part **out, struct err *err)
{
	struct part *part = &p->window[p->handed % DOWNLOAD_WINDOW];
	int result = p->handed < p->count;

	pthread_mutex_lock(&p->lock);
	while (result == 1 && !p->is_over && !(part->is_ready && part->index == p->handed))
		pthread_cond_wait(&p->changed, &p->lock);
	if (result == 1 && !(part->is_ready && part->index == p->handed)) {
		*err = p->failure;
		result = -1;
	}
	pthread_mutex_unlock(&p->lock);
	*out = part;
	return result;
}

static void
hand_on(struct parts *p, struct part *part)
{
	pthread_mutex_lock(&p->lock);
	part->is_ready = false;
	p->handed++;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static int
write_parts(struct parts *p, struct span *span, struct err *err)
{
	struct part *part;
	int result;

	while ((result = wait_for(p, &part, err)) > 0) {
		if (sink_write(span->out, part->bytes.data, part->bytes.len, err) < 0)
			return -1;
		span->position += part->bytes.len;
		hand_on(p, part);
	}
	return result;
}

static unsigned
start(struct parts *p, unsigned wanted, pthread_t threads[DOWNLOAD_CONNECTIONS_MAX])
{
	unsigned count = 0;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (count < wanted && pthread_create(&threads[count], NULL, run, p) == 0)
		count++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return count;
}

static int
run_parts(struct parts *p, struct span *span, unsigned wanted, struct err *err)
{
	pthread_t threads[DOWNLOAD_CONNECTIONS_MAX];
	unsigned i, count = start(p, wanted, threads);
	int result = count > 0 ? write_parts(p, span, err)
			       : err_set(err, ERR_SYSTEM, "no thread can be started");

	pthread_mutex_lock(&p->lock);
	p->is_over = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return result;
}

int
download_parts(const struct repository *r, struct span *span, struct err *err)
{
	unsigned i;
	uint64_t left = span->end - span->first;
	struct parts p = { .r = r,
		.whole = *span,
		.count = left / DOWNLOAD_PART + (left % DOWNLOAD_PART > 0),
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };
	int result;

	span->position = span->first;
	event_debug("%s: over %u connections from byte %llu", span->path, span->connections,
		(unsigned long long)span->first);
	for (i = 0; i < DOWNLOAD_WINDOW; i++)
		p.window[i].bytes = (struct buf)BUF_INIT;
	if (span->has_direct)
		p.direct = *span->direct;
	p.has_direct = span->has_direct;
	result = run_parts(&p, span, span->connections, err);
	span->ignores_ranges = p.ignores_ranges;
	session_give_back(r->session, span->connections);
	span->connections = 0;
	for (i = 0; i < DOWNLOAD_WINDOW; i++)
		buf_free(&p.window[i].bytes);
	pthread_cond_destroy(&p.changed);
	pthread_mutex_destroy(&p.lock);
	return result;
}
