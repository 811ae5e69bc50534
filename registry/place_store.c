/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/place_store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define SEND_SIZE (256u << 10)

struct place_store {
	struct place place;
	struct store *store;
};

/* Bytes into the ingest's file and its hasher, unbuffered: what has arrived is on file when the
 * other side fails. */
struct sink_ingest {
	struct sink sink;
	struct hasher *hasher;
	uint64_t size, limit;
	int fd;
};

static int
ingest_write(struct sink *sink, const void *bytes, size_t len, struct err *err)
{
	struct sink_ingest *s = (struct sink_ingest *)sink;

	if (len > s->limit - s->size)
		return err_set(err, ERR_CORRUPT,
			"more than the %" PRIu64 " bytes that it should have", s->limit);
	if (fd_write(s->fd, bytes, len) < 0)
		return err_sys(err, "write to the store");
	hasher_add(s->hasher, bytes, len);
	s->size += len;
	return 0;
}

static const struct sink_ops ingest_ops = { .write = ingest_write };

/* Hashes what an earlier try left. */
static int
hash_kept(struct ingest *in, struct sink_ingest *to, struct err *err)
{
	AUTO(free) char *bytes = xmalloc(SEND_SIZE);

	while (to->size < ingest_offset(in)) {
		ssize_t n = fd_pread(to->fd, bytes, SEND_SIZE, to->size);

		if (n < 0)
			return err_sys(err, "read from the store");
		if (n == 0)
			return err_set(err, ERR_CORRUPT, "a partial blob of the store ends early");
		hasher_add(to->hasher, bytes, (size_t)n);
		to->size += (uint64_t)n;
	}
	return 0;
}

/* *is_same tells whether the file has the wanted bytes now. */
static int
fill(struct ingest *in, const struct descriptor *d, struct source *from, bool *is_same,
	struct err *err)
{
	AUTO(hasher) struct hasher *hasher = hasher_new(digest_algorithm(&d->digest));
	struct sink_ingest to = { { &ingest_ops }, hasher, 0, d->size, ingest_fd(in) };
	struct digest got;

	*is_same = false;
	if (ingest_offset(in) > d->size)
		return 0;
	if (hash_kept(in, &to, err) < 0)
		return -1;
	if (to.size < d->size && source_send(from, to.size, &to.sink, err) < 0)
		return -1;
	hasher_digest(hasher, &got);
	*is_same = to.size == d->size && digest_same(&got, &d->digest);
	if (!*is_same)
		err_set(err, ERR_CORRUPT,
			"expected %s with %" PRIu64 " bytes, got %s with %" PRIu64, d->digest.text,
			d->size, got.text, to.size);
	return 0;
}

static int
receive(struct ingest *in, const struct descriptor *d, struct source *from, struct err *err)
{
	bool is_kept = ingest_offset(in) > 0, is_same = false;

	if (fill(in, d, from, &is_same, err) < 0)
		return -1;
	/* the beginning may be what is wrong: once more, all of it */
	if (!is_same && is_kept &&
		(ingest_restart(in, err) < 0 || fill(in, d, from, &is_same, err) < 0))
		return -1;
	return is_same ? ingest_sync(in, err) : -1;
}

static int
store_has(struct place *p, const struct descriptor *d, struct err *err)
{
	uint64_t size = 0;
	int has = store_blob_has(((struct place_store *)p)->store, &d->digest, &size, err);

	return has == 1 ? size == d->size : has;
}

static int
store_put(struct place *p, const struct descriptor *d, struct source *from, struct err *err)
{
	struct store *store = ((struct place_store *)p)->store;
	AUTO(ingest) struct ingest *in = NULL;
	int there = store_ingest_new(store, &d->digest, INGEST_WAIT, &in, err);

	/* it has the name and not the size: a disk's fault, which must not stay */
	if (there > 0 && store_has(p, d, err) == 0) {
		if (store_blob_quarantine(store, &d->digest, err) < 0)
			return -1;
		there = store_ingest_new(store, &d->digest, INGEST_WAIT, &in, err);
	}
	if (there != 0)
		return there < 0 ? -1 : 0;
	if (receive(in, d, from, err) < 0) {
		if (err->kind == ERR_CORRUPT)
			ingest_drop(steal(&in), INGEST_DISCARD);
		return -1;
	}
	return ingest_commit(&in, &d->digest, d->size, err);
}

static int
store_get(struct place *p, const struct descriptor *d, uint64_t offset, struct sink *out,
	struct err *err)
{
	uint64_t size = 0;
	AUTO(fd) int fd = store_blob_open(((struct place_store *)p)->store, &d->digest, &size, err);

	if (fd < 0)
		return -1;
	if (size != d->size)
		return err_set(err, ERR_CORRUPT,
			"%s has %" PRIu64 " bytes, and should have %" PRIu64, d->digest.text, size,
			d->size);
	return sink_send(out, fd, offset, size, d->digest.text, err);
}

static int
resolve_digest(struct store *store, const char *name, struct descriptor *out, struct err *err)
{
	struct descriptor d = { .size = 0 };
	AUTO(buf) struct buf bytes = BUF_INIT;
	const char *media_type = "";
	int has;

	if (digest_parse(name, &d.digest, err) < 0)
		return -1;
	has = store_blob_has(store, &d.digest, &d.size, err);
	if (has < 0)
		return -1;
	if (has == 0)
		return err_set(err, ERR_NOTFOUND, "'%s' is not in the store", name);
	if (store_blob_read(store, &d.digest, MANIFEST_MAX, &bytes, err) < 0 ||
		manifest_sniff(bytes.data, bytes.len, &media_type, err) < 0)
		return err_in(err, "'%s'", name);
	media_type_clean(media_type, d.media_type);
	descriptor_copy(&d, out);
	return 0;
}

static int
store_resolve(struct place *p, const char *name, struct descriptor *out, struct err *err)
{
	struct store *store = ((struct place_store *)p)->store;
	int has;

	if (name == NULL)
		return err_set(err, ERR_USAGE, "the store holds many images: name one");
	if (starts_with(name, "sha256:") || starts_with(name, "sha512:"))
		return resolve_digest(store, name, out, err);
	has = store_name_get(store, name, out, err);
	if (has == 0)
		return err_set(err, ERR_NOTFOUND,
			"'%s' is not in the store; 'cooper images' lists what is", name);
	return has < 0 ? -1 : 0;
}

static int
store_tag(struct place *p, const char *name, const struct descriptor *d, struct err *err)
{
	return store_name_set(((struct place_store *)p)->store, name, d, err);
}

static void
store_place_free(struct place *p)
{
	free(p);
}

static const struct place_ops ops = {
	.scheme = "store",
	.resolve = store_resolve,
	.tag = store_tag,
	.has = store_has,
	.get = store_get,
	.put = store_put,
	.free = store_place_free,
};

struct place *
place_store_new(struct store *s)
{
	struct place_store *p = xzalloc(sizeof *p);

	p->place.ops = &ops;
	p->store = s;
	return &p->place;
}
