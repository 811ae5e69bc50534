/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A ring of buffers between two threads.  The reading thread fills the buffer at head while fewer
 * than all are full; the consumer empties the one at tail.  A buffer of no bytes is the end, and
 * what `failed` says. */
#define RING 4
#define RING_SIZE (256u << 10)

struct ahead {
	struct stream stream;
	struct stream *next;
	pthread_t thread;
	bool runs; /* the thread was started */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t full; /* how many buffers wait for the consumer */
	bool stop;   /* the consumer has gone */
	bool failed;
	struct err err;
	/* the consumer's own */
	size_t tail, at;
	bool ended;
	size_t len[RING];
	char bytes[RING][RING_SIZE];
};

/* Waits for a buffer to fill; false when nobody wants one any more. */
static bool
wait_for_room(struct ahead *a)
{
	bool go;

	pthread_mutex_lock(&a->lock);
	while (a->full == RING && !a->stop)
		pthread_cond_wait(&a->changed, &a->lock);
	go = !a->stop;
	pthread_mutex_unlock(&a->lock);
	return go;
}

static void *
read_ahead(void *arg)
{
	struct ahead *a = arg;
	struct err err = { .kind = ERR_NONE };
	size_t head = 0;
	ssize_t n = 1;

	while (n > 0 && wait_for_room(a)) {
		n = stream_read(a->next, a->bytes[head], RING_SIZE, &err);
		pthread_mutex_lock(&a->lock);
		a->len[head] = n > 0 ? (size_t)n : 0;
		if (n < 0) {
			a->failed = true;
			a->err = err;
		}
		a->full++;
		pthread_cond_signal(&a->changed);
		pthread_mutex_unlock(&a->lock);
		head = (head + 1) % RING;
	}
	return NULL;
}

/* The buffer at tail, once it is full. */
static void
wait_for_bytes(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	while (a->full == 0)
		pthread_cond_wait(&a->changed, &a->lock);
	a->ended = a->len[a->tail] == 0;
	pthread_mutex_unlock(&a->lock);
}

static void
give_back(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->full--;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	a->tail = (a->tail + 1) % RING;
	a->at = 0;
}

static ssize_t
ahead_read(struct stream *s, void *bytes, size_t len, struct err *err)
{
	struct ahead *a = (struct ahead *)s;
	size_t n;

	if (!a->runs) {
		if (pthread_create(&a->thread, NULL, read_ahead, a) != 0)
			return stream_read(a->next, bytes, len, err); /* slower, as right */
		a->runs = true;
	}
	if (!a->ended && a->at == 0)
		wait_for_bytes(a);
	if (a->ended && a->failed) {
		*err = a->err;
		return -1;
	}
	if (a->ended)
		return 0;
	n = a->len[a->tail] - a->at;
	if (n > len)
		n = len;
	memcpy(bytes, a->bytes[a->tail] + a->at, n);
	a->at += n;
	if (a->at == a->len[a->tail])
		give_back(a);
	return (ssize_t)n;
}

static void
ahead_free(struct stream *s)
{
	struct ahead *a = (struct ahead *)s;

	if (a->runs) {
		pthread_mutex_lock(&a->lock);
		a->stop = true;
		pthread_cond_signal(&a->changed);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->thread, NULL);
	}
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->changed);
	stream_free(a->next);
	free(a);
}

struct stream *
stream_ahead(struct stream *next)
{
	static const struct stream_ops ops = { ahead_read, ahead_free };
	struct ahead *a = xmalloc(sizeof *a);

	memset(a, 0, offsetof(struct ahead, bytes)); /* a MiB of zeros would be for nothing */
	a->stream.ops = &ops;
	a->next = next;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	return &a->stream;
}
