/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/place.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/mem.h"
#include "base/proc.h"
#include "layers/texts.h"

/* First everything that root reaches is listed: documents are small and are read, blobs are only
 * named. Then the blobs go, several at a time, and after all of them the documents, children before
 * what names them, so that the other place never has a document whose parts are missing. */

#define PARALLEL 4
#define PARALLEL_MAX 32
#define REPORT_MS 50

struct document {
	struct descriptor descriptor;
	struct buf bytes;
};

struct blob {
	struct descriptor descriptor;
	uint32_t event;
	bool was_there; /* or so the other place said */
};

struct copy {
	struct place *from, *to;
	const struct place_copy_options *options;
	struct document *documents;
	size_t document_count, document_room;
	struct blob *blobs;
	size_t blob_count, blob_room;
	struct texts document_digests, blob_digests; /* of those above */

	pthread_mutex_t lock; /* of all below */
	size_t next;
	bool has_failed;
	struct err failure; /* the first one */
};

static void
copy_clear(struct copy *c)
{
	size_t i;

	for (i = 0; i < c->document_count; i++) {
		descriptor_free(&c->documents[i].descriptor);
		buf_free(&c->documents[i].bytes);
	}
	for (i = 0; i < c->blob_count; i++)
		descriptor_free(&c->blobs[i].descriptor);
	free(c->documents);
	free(c->blobs);
	texts_free(&c->document_digests);
	texts_free(&c->blob_digests);
	pthread_mutex_destroy(&c->lock);
}

static void
add_document(struct copy *c, const struct descriptor *d, struct buf *bytes)
{
	struct document *document;

	c->documents =
		grow(c->documents, c->document_count, &c->document_room, sizeof *c->documents);
	document = &c->documents[c->document_count++];
	texts_add(&c->document_digests, d->digest.text);
	descriptor_copy(d, &document->descriptor);
	document->bytes = *bytes;
	*bytes = (struct buf)BUF_INIT;
}

static void
add_blob(struct copy *c, const struct descriptor *d)
{
	if (!texts_add(&c->blob_digests, d->digest.text))
		return;
	c->blobs = grow(c->blobs, c->blob_count, &c->blob_room, sizeof *c->blobs);
	c->blobs[c->blob_count] = (struct blob){ .event = 0 };
	descriptor_copy(d, &c->blobs[c->blob_count++].descriptor);
}

/* What the other place has is nearer. */
static int
read_document(struct copy *c, const struct descriptor *d, struct buf *out, struct err *err)
{
	struct err ignored;

	if (c->to->ops->has(c->to, d, &ignored) == 1 &&
		place_read(c->to, d, MANIFEST_MAX, out, &ignored) == 0)
		return 0;
	return place_read(c->from, d, MANIFEST_MAX, out, err);
}

static int
list_manifest(struct copy *c, const struct descriptor *d, const struct buf *bytes, struct err *err)
{
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	size_t i;

	if (manifest_parse(bytes->data, bytes->len, d->media_type, &m, err) < 0)
		return err_in(err, "manifest %s", d->digest.text);
	if (!digest_is_empty(&m.config.digest))
		add_blob(c, &m.config);
	for (i = 0; i < m.layer_count; i++)
		if (c->options->wants_layer == NULL ||
			c->options->wants_layer(&m.layers[i], c->options->arg))
			add_blob(c, &m.layers[i]);
	return 0;
}

static int list_reached(struct copy *c, const struct descriptor *d, unsigned depth,
	struct descriptor *copied, struct err *err);

static int
list_index(struct copy *c, const struct descriptor *d, const struct buf *bytes, unsigned depth,
	struct descriptor *copied, bool *is_whole, struct err *err)
{
	AUTO(index) struct index x = { .manifest_count = 0 };
	const struct descriptor *chosen;
	struct platform host;
	size_t i;

	*is_whole = c->options->all_platforms;
	if (depth >= INDEX_DEPTH_MAX)
		return err_set(
			err, ERR_INPUT, "indexes are nested more than %d deep", INDEX_DEPTH_MAX);
	if (index_parse(bytes->data, bytes->len, d->media_type, &x, err) < 0)
		return err_in(err, "index %s", d->digest.text);
	if (!*is_whole) {
		platform_host(&host);
		if (index_choose(&x, c->options->platform != NULL ? c->options->platform : &host,
			    &chosen, err) < 0)
			return -1;
		return list_reached(c, chosen, depth + 1, copied, err);
	}
	for (i = 0; i < x.manifest_count; i++)
		if (list_reached(c, &x.manifests[i], depth + 1, NULL, err) < 0)
			return -1;
	return 0;
}

/* copied: NULL, or what stands for d in the end (owned by the caller). */
static int
list_reached(struct copy *c, const struct descriptor *d, unsigned depth, struct descriptor *copied,
	struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	bool is_whole = true;

	if (!media_is_index(d->media_type) && !media_is_manifest(d->media_type) && depth > 0) {
		add_blob(c, d); /* an index may name anything */
		return 0;
	}
	if (!texts_has(&c->document_digests, d->digest.text)) {
		if (read_document(c, d, &bytes, err) < 0)
			return -1;
		if (media_is_index(d->media_type)) {
			if (list_index(c, d, &bytes, depth, copied, &is_whole, err) < 0)
				return -1;
		} else if (list_manifest(c, d, &bytes, err) < 0) {
			return -1;
		}
		if (is_whole)
			add_document(c, d, &bytes);
	}
	if (is_whole && copied != NULL)
		descriptor_copy(d, copied);
	return 0;
}

/* Between the source and who asks for it: tells how far it is. */
struct counted {
	struct source source;
	struct source *from;
	struct sink sink;
	struct sink *out;
	struct copy *copy;
	uint32_t event;
	uint64_t done, total;
	uint64_t told_ms;
};

/* What others are in the midst of would be for nothing. */
static bool
has_failed(struct copy *c)
{
	bool failed;

	pthread_mutex_lock(&c->lock);
	failed = c->has_failed;
	pthread_mutex_unlock(&c->lock);
	return failed;
}

static int
counted_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	struct counted *c = (struct counted *)(void *)((char *)s - offsetof(struct counted, sink));
	uint64_t now = proc_now_ms();

	if (has_failed(c->copy))
		return err_set(err, ERR_INTERRUPTED, "given up, since another one failed");
	if (sink_write(c->out, bytes, len, err) < 0)
		return -1;
	c->done += len;
	if (now - c->told_ms >= REPORT_MS || c->done == c->total) {
		c->told_ms = now;
		event_bytes(c->event, c->done, c->total);
	}
	return 0;
}

static const struct sink_ops counted_ops = { .write = counted_write };

static int
counted_send(struct source *s, uint64_t offset, struct sink *out, struct err *err)
{
	struct counted *c = (struct counted *)(void *)s;

	c->out = out;
	c->done = offset;
	event_bytes(c->event, c->done, c->total);
	return source_send(c->from, offset, &c->sink, err);
}

static int
move(struct copy *c, const struct blob *b, struct err *err)
{
	struct source_place place;
	struct counted counted = { .source = { .send = counted_send },
		.from = &place.source,
		.sink = { .ops = &counted_ops },
		.copy = c,
		.event = b->event,
		.total = b->descriptor.size };

	source_place(&place, c->from, &b->descriptor);
	if (c->to->ops->put(c->to, &b->descriptor, &counted.source, err) == 0)
		return 0;
	if (err->kind != ERR_CORRUPT)
		return -1;
	/* a cache on the way may have been wrong once */
	event_debug("%s: %s: once more", b->descriptor.digest.text, err->msg);
	return c->to->ops->put(c->to, &b->descriptor, &counted.source, err);
}

static int
mount(struct copy *c, const struct descriptor *d, struct err *err)
{
	struct place *from = c->from;

	if (c->to->ops->mount == NULL)
		return 0;
	if (from->ops->origin != NULL)
		from = from->ops->origin(from, d);
	return c->to->ops->mount(c->to, d, from, err);
}

static int
copy_blob(struct copy *c, struct blob *b, struct err *err)
{
	int has = c->to->ops->has(c->to, &b->descriptor, err);

	if (has == 0)
		has = mount(c, &b->descriptor, err);
	b->was_there = has == 1;
	if (has == 1)
		event_cached(b->event);
	if (has < 0 || (has == 0 && move(c, b, err) < 0)) {
		event_fail(b->event, err->msg);
		return err_in(err, "%s", b->descriptor.digest.text);
	}
	event_done(b->event);
	return 0;
}

static struct blob *
take(struct copy *c)
{
	struct blob *b = NULL;

	pthread_mutex_lock(&c->lock);
	if (!c->has_failed && c->next < c->blob_count)
		b = &c->blobs[c->next++];
	pthread_mutex_unlock(&c->lock);
	return b;
}

static void *
copy_blobs(void *arg)
{
	struct copy *c = arg;
	struct blob *b;
	struct err err;

	while ((b = take(c)) != NULL) {
		if (copy_blob(c, b, &err) == 0)
			continue;
		pthread_mutex_lock(&c->lock);
		if (!c->has_failed)
			c->failure = err;
		c->has_failed = true;
		pthread_mutex_unlock(&c->lock);
	}
	return NULL;
}

/* The largest first, so that none is left alone at the end. */
static int
by_size(const void *a, const void *b)
{
	uint64_t left = ((const struct blob *)a)->descriptor.size;
	uint64_t right = ((const struct blob *)b)->descriptor.size;

	return left < right ? 1 : left > right ? -1 : 0;
}

/* Signals stay with the thread that called. */
static bool
start_thread(pthread_t *thread, struct copy *c)
{
	sigset_t all, before;
	int result;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(thread, NULL, copy_blobs, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result == 0;
}

static int
run_threads(struct copy *c, struct err *err)
{
	pthread_t threads[PARALLEL_MAX];
	unsigned wanted = c->options->parallel > 0 ? c->options->parallel : PARALLEL, count = 0, i;

	if (wanted > PARALLEL_MAX)
		wanted = PARALLEL_MAX;
	if (wanted > c->blob_count)
		wanted = (unsigned)c->blob_count;
	/* the calling thread is one of them */
	while (count + 1 < wanted && start_thread(&threads[count], c))
		count++;
	copy_blobs(c);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	if (!c->has_failed)
		return 0;
	*err = c->failure;
	return -1;
}

static const char *
verb(const struct copy *c)
{
	if (streq(c->from->ops->scheme, "docker"))
		return streq(c->to->ops->scheme, "docker") ? "copy" : "pull";
	return streq(c->to->ops->scheme, "docker") ? "push" : "copy";
}

static void
announce(struct copy *c)
{
	size_t i;

	if (c->blob_count > 0)
		qsort(c->blobs, c->blob_count, sizeof *c->blobs, by_size);
	for (i = 0; i < c->blob_count; i++) {
		c->blobs[i].event =
			event_start("%s %.19s", verb(c), c->blobs[i].descriptor.digest.text);
		event_bytes(c->blobs[i].event, 0, c->blobs[i].descriptor.size);
	}
}

static int
put_document(struct copy *c, const struct document *document, struct err *err)
{
	struct source_bytes source;

	source_bytes(&source, document->bytes.data, document->bytes.len);
	return c->to->ops->put(c->to, &document->descriptor, &source.source, err);
}

/* Some registries say that they have a blob when they do not, and find out when it is named. */
static int
move_what_was_there(struct copy *c, struct err *err)
{
	size_t i;

	for (i = 0; i < c->blob_count; i++) {
		if (!c->blobs[i].was_there)
			continue;
		event_debug("%s: it is sent after all", c->blobs[i].descriptor.digest.text);
		if (move(c, &c->blobs[i], err) < 0)
			return err_in(err, "%s", c->blobs[i].descriptor.digest.text);
		c->blobs[i].was_there = false;
	}
	return 0;
}

static int
put_documents(struct copy *c, struct err *err)
{
	struct err first;
	size_t i;

	for (i = 0; i < c->document_count; i++) {
		const struct document *document = &c->documents[i];

		if (put_document(c, document, err) == 0)
			continue;
		first = *err;
		if (first.kind == ERR_NOTFOUND && move_what_was_there(c, err) == 0 &&
			put_document(c, document, err) == 0)
			continue;
		*err = first;
		return err_in(err, "%s", document->descriptor.digest.text);
	}
	return 0;
}

int
place_copy(struct place *from, struct place *to, const struct descriptor *root,
	const struct place_copy_options *options, struct descriptor *copied, struct err *err)
{
	static const struct place_copy_options defaults = { .parallel = 0 };
	AUTO(descriptor) struct descriptor result = { .size = 0 };
	struct copy c = { .from = from,
		.to = to,
		.options = options != NULL ? options : &defaults,
		.lock = PTHREAD_MUTEX_INITIALIZER };
	int status = list_reached(&c, root, 0, &result, err);

	if (status == 0) {
		announce(&c);
		status = run_threads(&c, err);
	}
	if (status == 0)
		status = put_documents(&c, err);
	copy_clear(&c);
	if (status < 0)
		return -1;
	*copied = result;
	result = (struct descriptor){ .size = 0 };
	return 0;
}
