/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/codec_blocks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Jobs are numbered from 0 and live in a ring:
 *
 *	written <= taken <= queued, queued - written <= ring_count
 *
 * The caller fills job `queued` and queues it; threads take job `taken`; the caller waits for job
 * `written`, passes its result on, and its place in the ring is free again.  The caller is the only
 *one to write to the next sink, so that errors stay where they can be told. */

struct job {
	unsigned char *bytes, *result; /* made when first needed */
	size_t len, result_len;
	bool done;
};

struct blocks_sink {
	struct sink sink;
	const struct block_ops *ops;
	int level;
	struct sink *next;
	void *own_state; /* for work in the caller's thread */

	unsigned thread_max, thread_count;
	pthread_t *threads;
	pthread_mutex_t lock;
	pthread_cond_t queued_more, done_more;
	bool stop;

	struct job *ring;
	size_t ring_count;
	uint64_t queued, taken;
	uint64_t written; /* the caller's own, as is job `queued` */
};

static struct job *
job_at(struct blocks_sink *b, uint64_t number)
{
	return &b->ring[number % b->ring_count];
}

static void
turn(const struct block_ops *ops, void *state, struct job *j)
{
	j->result_len = ops->turn(state, j->bytes, j->len, j->result);
}

static void *
work(void *arg)
{
	struct blocks_sink *b = arg;
	void *state = b->ops->state_new(b->level);
	struct job *j;

	pthread_mutex_lock(&b->lock);
	for (;;) {
		while (b->taken == b->queued && !b->stop)
			pthread_cond_wait(&b->queued_more, &b->lock);
		if (b->stop)
			break;
		j = job_at(b, b->taken++);
		pthread_mutex_unlock(&b->lock);
		turn(b->ops, state, j);
		pthread_mutex_lock(&b->lock);
		j->done = true;
		pthread_cond_signal(&b->done_more);
	}
	pthread_mutex_unlock(&b->lock);
	b->ops->state_free(state);
	return NULL;
}

/* One thread more, as long as each has a block to begin with. */
static void
add_thread(struct blocks_sink *b)
{
	if (b->thread_max <= 1 || b->thread_count == b->thread_max)
		return;
	if (pthread_create(&b->threads[b->thread_count], NULL, work, b) == 0)
		b->thread_count++;
}

/* Passes on what is done, in order.  Waits until fewer than keep jobs are on their way. */
static int
write_done(struct blocks_sink *b, uint64_t keep, struct err *err)
{
	struct job *j;
	bool ready;

	while (b->written < b->queued) {
		j = job_at(b, b->written);
		pthread_mutex_lock(&b->lock);
		while (!j->done && b->queued - b->written >= keep)
			pthread_cond_wait(&b->done_more, &b->lock);
		ready = j->done;
		pthread_mutex_unlock(&b->lock);
		if (!ready)
			return 0;
		j->done = false;
		j->len = 0;
		b->written++;
		if (sink_write(b->next, j->result, j->result_len, err) < 0)
			return -1;
	}
	return 0;
}

/* The block being filled is complete. */
static int
queue(struct blocks_sink *b, struct err *err)
{
	struct job *j = job_at(b, b->queued);

	add_thread(b);
	if (b->thread_count == 0) {
		if (b->own_state == NULL)
			b->own_state = b->ops->state_new(b->level);
		turn(b->ops, b->own_state, j);
		j->len = 0;
		return sink_write(b->next, j->result, j->result_len, err);
	}
	pthread_mutex_lock(&b->lock);
	b->queued++;
	pthread_cond_signal(&b->queued_more);
	pthread_mutex_unlock(&b->lock);
	return write_done(b, b->ring_count, err);
}

static struct job *
filling(struct blocks_sink *b)
{
	struct job *j = job_at(b, b->queued);

	if (j->bytes == NULL) {
		j->bytes = xmalloc(b->ops->size);
		j->result = xmalloc(b->ops->result_max);
	}
	return j;
}

static int
blocks_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	struct blocks_sink *b = (struct blocks_sink *)s;
	const char *from = bytes;
	struct job *j;
	size_t n;

	while (len > 0) {
		j = filling(b);
		/* not before there is more: the last block may be full, and never is empty */
		if (j->len == b->ops->size) {
			if (queue(b, err) < 0)
				return -1;
			continue;
		}
		n = b->ops->size - j->len;
		if (n > len)
			n = len;
		memcpy(j->bytes + j->len, from, n);
		j->len += n;
		from += n;
		len -= n;
	}
	return 0;
}

static int
blocks_finish(struct sink *s, struct err *err)
{
	struct blocks_sink *b = (struct blocks_sink *)s;

	filling(b);
	if (b->queued == 0)
		b->thread_max = 1; /* a single block is not worth a thread */
	if (queue(b, err) < 0 || write_done(b, 1, err) < 0)
		return -1;
	return sink_finish(b->next, err);
}

static void
blocks_free(struct sink *s)
{
	struct blocks_sink *b = (struct blocks_sink *)s;
	size_t i;

	pthread_mutex_lock(&b->lock);
	b->stop = true;
	pthread_cond_broadcast(&b->queued_more);
	pthread_mutex_unlock(&b->lock);
	for (i = 0; i < b->thread_count; i++)
		pthread_join(b->threads[i], NULL);
	for (i = 0; i < b->ring_count; i++) {
		free(b->ring[i].bytes);
		free(b->ring[i].result);
	}
	if (b->own_state != NULL)
		b->ops->state_free(b->own_state);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->queued_more);
	pthread_cond_destroy(&b->done_more);
	sink_free(b->next);
	free(b->threads);
	free(b->ring);
	free(b);
}

struct sink *
sink_blocks(const struct block_ops *ops, int level, unsigned threads, struct sink *next)
{
	static const struct sink_ops sink_ops = { blocks_write, blocks_finish, blocks_free };
	struct blocks_sink *b = xzalloc(sizeof *b);

	b->sink.ops = &sink_ops;
	b->ops = ops;
	b->level = level;
	b->next = next;
	b->thread_max = threads;
	b->threads = xcalloc(threads, sizeof *b->threads);
	/* two for each thread, so that none waits for the caller, and the one being filled */
	b->ring_count = threads > 1 ? 2 * (size_t)threads + 1 : 1;
	b->ring = xcalloc(b->ring_count, sizeof *b->ring);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->queued_more, NULL);
	pthread_cond_init(&b->done_more, NULL);
	return &b->sink;
}
